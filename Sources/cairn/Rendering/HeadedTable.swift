// Tables with a head, as DVC prints them to scripts and as GitHub's Markdown. Knows nothing of what is in them.

struct HeadedTable {
  var head: [String]
  var rows: [[String]] = []

  enum Style { case plain, markdown }

  /// Without a newline at the end; for Markdown with one, which the text needs to be complete.
  func text(_ style: Style) -> String {
    let cells = rows.map { row in row.map { Self.lines(of: $0) } }
    let widths = head.indices.map { column in
      // The head asks for two columns more than it takes.
      cells.reduce(TextWidth.of(head[column]) + 2) { widest, row in
        row[column].reduce(widest) { max($0, TextWidth.of($1)) }
      }
    }
    var lines = [line(head, widths, style)]
    if style == .markdown {
      lines.append("|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|")
    }
    for row in cells {
      for index in 0..<(row.map(\.count).max() ?? 0) {
        lines.append(line(row.map { index < $0.count ? $0[index] : "" }, widths, style))
      }
    }
    return lines.joined(separator: "\n") + (style == .markdown ? "\n" : "")
  }

  private func line(_ cells: [String], _ widths: [Int], _ style: Style) -> String {
    let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: max(0, $1 - TextWidth.of($0))) }
    switch style {
    case .markdown: return "| " + padded.joined(separator: " | ") + " |"
    case .plain:
      var line = padded.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  private static func lines(of cell: String) -> [String] {
    var text = cell[...]
    while text.first?.isWhitespace ?? false { text.removeFirst() }
    while text.last?.isWhitespace ?? false { text.removeLast() }
    return text.split(omittingEmptySubsequences: false) { $0.isNewline }.map(String.init)
  }
}
