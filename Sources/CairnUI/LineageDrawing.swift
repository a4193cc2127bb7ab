// Draws a lineage map as SVG: boxes that lead to their place on the page, edges behind them. Knows the map and the layout;
// colours are the page's style sheet's.

struct LineageDrawing {
  private let map: LineageMap
  private let layout: GraphLayout
  private static let margin = 16.0

  init(_ map: LineageMap) {
    self.map = map
    layout = GraphLayout(boxes: map.boxes.count, edges: map.edges.map { ($0.from, $0.to) })
  }

  func write(to html: inout HTMLWriter) {
    let (width, height) = (layout.width + 2 * Self.margin, layout.height + 2 * Self.margin)
    let root = map.boxes.firstIndex { $0.isRoot }.map { layout.centers[$0] }
    html.raw("<svg id=\"graph\" xmlns=\"http://www.w3.org/2000/svg\" width=\"\(number(width))\" height=\"\(number(height))\"")
    html.raw(" viewBox=\"0 0 \(number(width)) \(number(height))\" role=\"group\" aria-labelledby=\"graph-title graph-desc\"")
    if let root { html.raw(" data-x=\"\(number(root.x + Self.margin))\" data-y=\"\(number(root.y + Self.margin))\"") }
    html.raw(">\n<title id=\"graph-title\">Lineage graph</title>\n<desc id=\"graph-desc\">")
    html.text("\(map.boxes.count) boxes and \(map.edges.count) arrows; data flows from left to right. Each box leads to its entry in the tables below, which say the same.")
    html.raw("</desc>\n<defs>")
    for name in ["tip", "tip-hot"] {
      html.raw("<marker id=\"\(name)\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 .8 7 4 0 7.2z\"/></marker>")
    }
    html.raw("</defs>\n<g transform=\"translate(\(number(Self.margin)) \(number(Self.margin)))\">\n<g class=\"edges\" aria-hidden=\"true\">\n")
    for number in map.edges.indices { write(edge: number, to: &html) }
    html.raw("</g>\n<g class=\"nodes\">\n")
    // From left to right, as they are read and as the keyboard goes.
    let order = map.boxes.indices.sorted { a, b in
      (layout.columns[a], layout.centers[a].y) < (layout.columns[b], layout.centers[b].y)
    }
    for number in order { write(box: number, to: &html) }
    html.raw("</g>\n</g>\n</svg>\n")
  }

  private func write(edge index: Int, to html: inout HTMLWriter) {
    let edge = map.edges[index]
    let half = layout.measures.boxWidth / 2
    let isBack = layout.isReversed[index]
    let (left, right) = isBack ? (edge.to, edge.from) : (edge.from, edge.to)
    var at = layout.centers[left]
    at.x += half
    var path = "M\(number(at.x)) \(number(at.y))"
    for (step, bend) in (layout.bends[index] + [layout.centers[right]]).enumerated() {
      let end = bend.x - half
      let middle = (at.x + end) / 2
      path += "C\(number(middle)) \(number(at.y)) \(number(middle)) \(number(bend.y)) \(number(end)) \(number(bend.y))"
      if step < layout.bends[index].count { path += "H\(number(bend.x + half))" }
      at = GraphLayout.Point(x: bend.x + half, y: bend.y)
    }
    let kind = edge.kind?.rawValue ?? "unknown"
    // Equal bytes lead nowhere.
    let tip = edge.kind == .sameBytes ? "" : " marker-\(isBack ? "start" : "end")=\"url(#tip)\""
    html.raw("<path class=\"e \(kind)\" d=\"\(path)\"\(tip) data-f=\"\(edge.from)\" data-t=\"\(edge.to)\"/>\n")
  }

  private func write(box index: Int, to html: inout HTMLWriter) {
    let box = map.boxes[index]
    let center = layout.centers[index]
    let (width, height) = (layout.measures.boxWidth, layout.measures.boxHeight)
    let (x, y) = (center.x - width / 2, center.y - height / 2)
    html.raw("<a href=\"#\(box.anchor)\"><g class=\"n \(box.kind.rawValue)\(box.state.isEmpty ? "" : " " + box.state)\(box.isRoot ? " root" : "")\" data-n=\"\(index)\" data-k=\"\(box.kind.rawValue)\"")
    html.attribute("data-s", box.words.joined(separator: " "))
    html.raw("><title>")
    html.text(box.title + " — " + box.detail)
    let radius = box.kind == .run ? 6 : box.kind == .external || box.kind == .model ? 21 : 2
    html.raw("</title><rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(height))\" rx=\"\(radius)\"/>")
    if box.kind == .made || box.kind == .source {
      html.raw("<path class=\"bar\" d=\"M\(number(x + 2)) \(number(y + 1))v\(number(height - 2))\"/>")
    }
    html.raw("<text x=\"\(number(x + 12))\" y=\"\(number(y + 18))\">")
    html.text(Self.shortened(box.title, to: 24))
    html.raw("</text><text class=\"d\" x=\"\(number(x + 12))\" y=\"\(number(y + 33))\">")
    html.text(Self.shortened(box.detail, to: 29))
    html.raw("</text></g></a>\n")
  }

  /// A long name without its middle: of a path the end tells most.
  ///
  /// - Parameter limit: as many letters of usual width.
  static func shortened(_ text: String, to limit: Double) -> String {
    let visible = HTMLWriter.visible(text)
    guard visible.reduce(0, { $0 + width($1) }) > limit else { return visible }
    func take(_ characters: some Sequence<Character>, _ limit: Double) -> [Character] {
      var used = 0.0
      return characters.prefix { character in
        used += width(character)
        return used <= limit
      }
    }
    let end = take(visible.reversed(), limit * 0.6).reversed()
    return String(take(visible, limit * 0.4 - 1)) + "…" + String(end)
  }

  /// Of a sans-serif sign, where a usual letter has 1.
  private static func width(_ character: Character) -> Double {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar {
    case _ where scalar.value >= 0x1100: return 1.8
    case "i", "j", "l", "t", "f", "r", "I", ".", ",", ":", ";", "|", "!", "'", "(", ")", "[", "]", "/", " ", "-": return 0.6
    case "m", "w", "M", "W", "@", "%": return 1.5
    case "A"..."Z", "<", ">", "=", "&", "#", "+", "{", "}": return 1.2
    default: return 1
    }
  }

  /// With one decimal at most.
  private func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? String(tenths / 10) : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
