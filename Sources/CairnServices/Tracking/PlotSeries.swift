// The series of a plot's file: its columns of numbers, row by row. Knows JSON lists, CSV and TSV; knows no server.
import CairnCore
import CairnFormats

struct PlotSeries {
  /// Larger files are not read.
  static let byteLimit = 16 << 20

  private(set) var points: [(name: String, value: Double, step: Int)] = []
  /// There are more rows.
  private(set) var isCut = false

  static func isReadable(_ path: String) -> Bool { [".json", ".csv", ".tsv"].contains { path.lowercased().hasSuffix($0) } }

  init(_ bytes: [UInt8], path: String, limit: Int) {
    let rows: [[(name: String, value: Value)]]
    switch path.lowercased() {
    case let name where name.hasSuffix(".json"): rows = Self.rows(json: bytes)
    case let name where name.hasSuffix(".tsv"): rows = Self.rows(table: bytes, separator: "\t")
    default: rows = Self.rows(table: bytes, separator: ",")
    }
    isCut = rows.count > limit
    for (number, row) in rows.prefix(limit).enumerated() {
      // Loggers write a column of steps; where there is none the rows are counted.
      let step = row.first { $0.name == "step" }.flatMap { MLflowText.metric($0.value) }.flatMap { Int(exactly: $0) } ?? number
      for (name, value) in row where name != "step" {
        if let value = MLflowText.metric(value) { points.append((name, value, step)) }
      }
    }
  }

  /// A list of objects, or the first such list in an object.
  private static func rows(json bytes: [UInt8]) -> [[(name: String, value: Value)]] {
    guard let document = try? JSONReader.value(bytes, name: "plot") else { return [] }
    let items = document.list ?? document.map?.values.lazy.compactMap(\.list).first ?? []
    return items.compactMap { $0.map?.compactMap { key, value in key.string.map { ($0, value) } } }
  }

  /// Fields may stand in quotes, with line ends and doubled quotes in them (RFC 4180).
  private static func rows(table bytes: [UInt8], separator: Character) -> [[(name: String, value: Value)]] {
    var lines = table(String(decoding: bytes, as: UTF8.self), separator)
    guard !lines.isEmpty else { return [] }
    let header = lines.removeFirst()
    return lines.map { line in
      zip(header, line).map { name, text in
        let text = text.filter { $0 != " " }
        return (name, Int(text).map { .int($0) } ?? Double(text).map { .float($0) } ?? .string(text))
      }
    }
  }

  private static func table(_ text: String, _ separator: Character) -> [[String]] {
    var lines: [[String]] = []
    var line: [String] = []
    var field = ""
    var isQuoted = false
    var rest = text[...]
    func endLine() {
      line.append(field)
      field = ""
      if line != [""] { lines.append(line) }
      line = []
    }
    while let character = rest.popFirst() {
      if isQuoted {
        if character != "\"" { field.append(character) } else if rest.first == "\"" { field.append(rest.removeFirst()) } else { isQuoted = false }
      } else if character == "\"", field.isEmpty {
        isQuoted = true
      } else if character == separator {
        line.append(field)
        field = ""
      } else if character.isNewline {
        endLine()
      } else {
        field.append(character)
      }
    }
    endLine()
    return lines
  }
}
