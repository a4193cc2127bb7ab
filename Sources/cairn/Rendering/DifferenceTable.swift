// What differs between two things, side by side, in sections.
internal import CairnCore
internal import CairnFormats

enum DifferenceTable {
  /// `nil` when nothing differs.
  static func lines(
    _ sections: [(name: String, items: [RunComparison.Difference])], titles: (String, String)
  ) -> [String]? {
    var rows: [[String]] = []
    for (section, items) in sections {
      for (number, item) in items.enumerated() {
        let (was, now) = (text(item.was), text(item.now))
        rows.append([number == 0 ? section : "", item.name, was, now + change(item)])
      }
    }
    if rows.isEmpty { return nil }
    rows.insert(["", "", titles.0, titles.1], at: 0)
    rows = rows.map { $0.map(PrintableText.line) }
    let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell + String(repeating: " ", count: widths[column] - cell.count + 2)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  private static func text(_ value: Value?) -> String {
    guard let value else { return "-" }
    if let file = value.map, let md5 = file["md5"] {
      let size = file["size"]?.int.flatMap { HumanText.size(UInt64(exactly: $0)) }
      return [size, md5.string.map { "md5 " + $0.prefix(8) }].compactMap { $0 }.joined(separator: " ")
    }
    // A commit or the hash of a file says no more in full.
    if let text = value.string, text.utf8.count == 40 || text.utf8.count == 64, Hex.decode(text) != nil {
      return String(text.prefix(text.utf8.count == 40 ? 7 : 12))
    }
    return HumanText.value(value)
  }

  /// Of two numbers, by how much.
  private static func change(_ item: RunComparison.Difference) -> String {
    guard let was = item.was, let now = item.now, was.bool == nil, now.bool == nil, let a = was.number,
      let b = now.number
    else { return "" }
    if let exact = now.wholeDifference(from: was)?.scalarText {
      return "  (\(exact.hasPrefix("-") ? "" : "+")\(exact))"
    }
    let rounded = ((b - a) * 1e6).rounded() / 1e6
    return "  (\(rounded >= 0 ? "+" : "")\(rounded))"
  }
}
