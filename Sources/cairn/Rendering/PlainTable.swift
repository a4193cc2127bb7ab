// Columns side by side, as DVC's plain tables have them. Knows nothing of what is in them.

enum PlainTable {
  /// Two blanks between columns, each as wide as its widest cell; nothing behind the last.
  ///
  /// - Parameters:
  ///   - rightAligned: numbers of columns.
  ///   - keepsSpace: white space around a cell is part of it.
  static func text(_ rows: [[String]], rightAligned: Set<Int> = [], keepsSpace: Bool = false) -> String {
    let cells = keepsSpace ? rows : rows.map { $0.map { trimmed($0) } }
    let columns = cells.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      cells.map { column < $0.count ? TextWidth.of($0[column]) : 0 }.max() ?? 0
    }
    return cells.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        if column > 0 { line += "  " }
        let space = String(repeating: " ", count: widths[column] - TextWidth.of(cell))
        line += rightAligned.contains(column) ? space + cell : cell + space
      }
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  private static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.first?.isWhitespace ?? false { text.removeFirst() }
    while text.last?.isWhitespace ?? false { text.removeLast() }
    return String(text)
  }
}

enum TextWidth {
  /// The columns that a terminal gives the text: two for East Asian wide characters and emoji, none for marks that
  /// join the character before them.
  static func of(_ text: String) -> Int {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
    return text.unicodeScalars.reduce(0) { $0 + width($1) }
  }

  private static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
      0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}
