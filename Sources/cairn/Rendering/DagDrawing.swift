// Draws a graph with box characters: what is needed above, who needs it below. Knows nothing of stages.

enum DagDrawing {
  /// One drawing for each connected part. A part with very many nodes is listed instead: nobody could read it.
  static func text(_ graph: NamedGraph) -> String {
    graph.parts.map { part in
      part.names.count > 200 ? list(part) : Layout(part).drawing()
    }.joined(separator: "\n")
  }

  private static func list(_ graph: NamedGraph) -> String {
    graph.names.indices.map { node in
      graph.needs[node].isEmpty
        ? graph.names[node]
        : graph.names[node] + " ← " + graph.needs[node].map { graph.names[$0] }.joined(separator: ", ")
    }.joined(separator: "\n")
  }
}

/// Nodes in layers, each edge from one layer to the next; longer edges pass through invisible nodes.
private struct Layout {
  struct Node {
    /// `nil`: an edge that only passes.
    var label: String?
    var width: Int
    var left = 0
    var layer: Int
    /// In the layer below.
    var below: [Int] = []
    var above: [Int] = []
    var center: Int { left + width / 2 }
  }

  var nodes: [Node]
  var layers: [[Int]] = []

  init(_ graph: NamedGraph) {
    let consumers = graph.consumers
    let depth = Self.depths(graph, consumers)
    nodes = graph.names.indices.map {
      Node(label: graph.names[$0], width: TextWidth.of(graph.names[$0]) + 4, layer: depth[$0])
    }
    for (node, next) in consumers.enumerated() {
      for consumer in next { connect(node, consumer) }
    }
    layers = Array(repeating: [], count: (nodes.map(\.layer).max() ?? 0) + 1)
    for index in nodes.indices { layers[nodes[index].layer].append(index) }
    untangle()
    place()
  }

  /// The longest way from a node that needs nothing; sources then sink to just above their first consumer.
  private static func depths(_ graph: NamedGraph, _ consumers: [[Int]]) -> [Int] {
    var depth = Array(repeating: 0, count: graph.names.count)
    var missing = graph.needs.map(\.count)
    var ready = graph.names.indices.filter { missing[$0] == 0 }
    while let node = ready.popLast() {
      for consumer in consumers[node] {
        depth[consumer] = max(depth[consumer], depth[node] + 1)
        missing[consumer] -= 1
        if missing[consumer] == 0 { ready.append(consumer) }
      }
    }
    for node in graph.names.indices where graph.needs[node].isEmpty {
      if let first = consumers[node].map({ depth[$0] }).min() { depth[node] = first - 1 }
    }
    return depth
  }

  private mutating func connect(_ from: Int, _ to: Int) {
    var last = from
    var layer = nodes[from].layer + 1
    while layer < nodes[to].layer {
      nodes.append(Node(label: nil, width: 1, layer: layer))
      link(last, nodes.count - 1)
      last = nodes.count - 1
      layer += 1
    }
    link(last, to)
  }

  private mutating func link(_ from: Int, _ to: Int) {
    nodes[from].below.append(to)
    nodes[to].above.append(from)
  }

  /// Puts each node near the middle of its neighbours, down and up a few times: fewer lines cross.
  private mutating func untangle() {
    for round in 0..<6 {
      var rank = Array(repeating: 0.0, count: nodes.count)
      for layer in layers { for (position, node) in layer.enumerated() { rank[node] = Double(position) } }
      let order = round % 2 == 0 ? Array(layers.indices) : Array(layers.indices.reversed())
      for layer in order {
        let middles = layers[layer].map { node -> (node: Int, middle: Double) in
          let neighbours = round % 2 == 0 ? nodes[node].above : nodes[node].below
          if neighbours.isEmpty { return (node, rank[node]) }
          return (node, neighbours.reduce(0) { $0 + rank[$1] } / Double(neighbours.count))
        }
        layers[layer] = middles.enumerated().sorted {
          ($0.element.middle, $0.offset) < ($1.element.middle, $1.offset)
        }.map(\.element.node)
        for (position, node) in layers[layer].enumerated() { rank[node] = Double(position) }
      }
    }
  }

  /// Columns: first side by side, then moved towards the neighbours as far as the layer leaves room.
  private mutating func place() {
    for layer in layers {
      var left = 0
      for node in layer {
        nodes[node].left = left
        left += nodes[node].width + 2
      }
    }
    for round in 0..<12 {
      let order = round % 2 == 0 ? Array(layers.indices) : Array(layers.indices.reversed())
      for layer in order { shift(layers[layer], towardsAbove: round % 2 == 0) }
    }
    let least = nodes.map(\.left).min() ?? 0
    for index in nodes.indices { nodes[index].left -= least }
  }

  private mutating func shift(_ layer: [Int], towardsAbove: Bool) {
    var wishes: [Int] = []
    for node in layer {
      let neighbours = towardsAbove ? nodes[node].above : nodes[node].below
      let wish =
        neighbours.isEmpty
        ? nodes[node].center : neighbours.reduce(0) { $0 + nodes[$1].center } / neighbours.count
      wishes.append(wish - nodes[node].width / 2)
    }
    // Those that wish the same place form a block around its middle, so that neither side is pushed away.
    var blocks: [(first: Int, count: Int, offsets: Int, sum: Int)] = []
    for index in layer.indices {
      blocks.append((index, 1, 0, wishes[index]))
      while blocks.count > 1 {
        let last = blocks[blocks.count - 1]
        let before = blocks[blocks.count - 2]
        let length = span(layer, before.first, before.count)
        if before.sum / before.count + length <= last.sum / last.count { break }
        blocks.removeLast(2)
        // Wishes of the second block, as wishes for where the joined block begins.
        blocks.append(
          (before.first, before.count + last.count, 0, before.sum + last.sum - length * last.count))
      }
    }
    for block in blocks {
      var left = block.sum / block.count
      for index in block.first..<block.first + block.count {
        nodes[layer[index]].left = left
        left += nodes[layer[index]].width + 2
      }
    }
  }

  private func span(_ layer: [Int], _ first: Int, _ count: Int) -> Int {
    (first..<first + count).reduce(0) { $0 + nodes[layer[$1]].width + 2 }
  }

  // MARK: Drawing

  func drawing() -> String {
    var canvas = Canvas(width: (nodes.map { $0.left + $0.width }.max() ?? 0) + 1)
    for (number, layer) in layers.enumerated() {
      let top = canvas.height
      canvas.addRows(3)
      for node in layer { draw(nodes[node], top, &canvas) }
      if number + 1 < layers.count { drawEdges(layer, top + 3, &canvas) }
    }
    return canvas.text
  }

  private func draw(_ node: Node, _ top: Int, _ canvas: inout Canvas) {
    guard let label = node.label else {
      canvas.vertical(node.center, top, top + 2, joinsEnds: true)
      return
    }
    canvas.box(node.left, top, node.width, label)
    if !node.above.isEmpty { canvas.join(node.center, top, .up) }
    if !node.below.isEmpty { canvas.join(node.center, top + 2, .down) }
  }

  /// Between two layers: from each node down to a row of its own, along it, and down to those below.
  private func drawEdges(_ layer: [Int], _ top: Int, _ canvas: inout Canvas) {
    struct Bus {
      var from: Int
      var targets: [Int]
      var low: Int
      var high: Int
    }
    let buses = layer.filter { !nodes[$0].below.isEmpty }.map { node in
      let targets = nodes[node].below.map { nodes[$0].center }
      let all = targets + [nodes[node].center]
      return Bus(from: nodes[node].center, targets: targets, low: all.min() ?? 0, high: all.max() ?? 0)
    }
    // A row is shared where the lines in it do not meet, or meet only above a node that both lead to.
    func fit(_ a: Bus, _ b: Bus) -> Bool {
      if a.high + 1 < b.low || b.high + 1 < a.low { return true }
      let shared = max(a.low, b.low)
      return shared == min(a.high, b.high) && a.targets.contains(shared) && b.targets.contains(shared)
    }
    var rows: [[Bus]] = []
    for bus in buses where bus.low != bus.high {
      if let row = rows.firstIndex(where: { $0.allSatisfy { fit($0, bus) } }) {
        rows[row].append(bus)
      } else {
        rows.append([bus])
      }
    }
    let height = max(1, rows.count)
    canvas.addRows(height)
    for bus in buses where bus.low == bus.high { canvas.vertical(bus.from, top, top + height - 1, joinsEnds: true) }
    for (row, buses) in rows.enumerated() {
      for bus in buses {
        let line = top + row
        canvas.horizontal(line, bus.low, bus.high)
        canvas.vertical(bus.from, top, line, joinsEnds: false)
        canvas.join(bus.from, line, .up)
        if row > 0 { canvas.join(bus.from, top, .up) }
        for target in bus.targets {
          canvas.vertical(target, line, top + height - 1, joinsEnds: false)
          canvas.join(target, top + height - 1, .down)
        }
      }
    }
  }
}

private struct Canvas {
  struct Sides: OptionSet {
    let rawValue: UInt8
    static let up = Sides(rawValue: 1)
    static let down = Sides(rawValue: 2)
    static let left = Sides(rawValue: 4)
    static let right = Sides(rawValue: 8)
  }

  let width: Int
  private var lines: [[Sides]] = []
  /// Text over the lines: by row, the column and the text.
  private var labels: [Int: [(column: Int, text: String)]] = [:]

  init(width: Int) { self.width = width }

  var height: Int { lines.count }

  mutating func addRows(_ count: Int) {
    for _ in 0..<count { lines.append(Array(repeating: [], count: width)) }
  }

  mutating func join(_ column: Int, _ row: Int, _ sides: Sides) { lines[row][column].formUnion(sides) }

  mutating func vertical(_ column: Int, _ from: Int, _ to: Int, joinsEnds: Bool) {
    for row in from..<max(from, to) {
      join(column, row, .down)
      join(column, row + 1, .up)
    }
    if joinsEnds {
      join(column, from, .up)
      join(column, to, .down)
    }
  }

  mutating func horizontal(_ row: Int, _ from: Int, _ to: Int) {
    for column in from..<max(from, to) {
      join(column, row, .right)
      join(column + 1, row, .left)
    }
  }

  mutating func box(_ left: Int, _ top: Int, _ width: Int, _ label: String) {
    horizontal(top, left, left + width - 1)
    horizontal(top + 2, left, left + width - 1)
    vertical(left, top, top + 2, joinsEnds: false)
    vertical(left + width - 1, top, top + 2, joinsEnds: false)
    labels[top + 1, default: []].append((left + 2, label))
  }

  var text: String {
    lines.indices.map { row in
      var line = ""
      var column = 0
      let labels = (labels[row] ?? []).sorted { $0.column < $1.column }
      var next = 0
      while column < width {
        if next < labels.count, labels[next].column == column {
          line += labels[next].text
          column += TextWidth.of(labels[next].text)
          next += 1
        } else {
          line.append(Self.glyph(lines[row][column]))
          column += 1
        }
      }
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  private static let glyphs: [Character] = [
    " ", "│", "│", "│", "─", "┘", "┐", "┤", "─", "└", "┌", "├", "─", "┴", "┬", "┼",
  ]

  private static func glyph(_ sides: Sides) -> Character { glyphs[Int(sides.rawValue)] }
}
