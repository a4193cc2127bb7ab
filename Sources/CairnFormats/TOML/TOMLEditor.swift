// Changes single keys of a TOML text and leaves all else as it stands: comments, order, layout.
package import CairnCore

package struct TOMLEditor {
  package private(set) var source: SourceText

  package var text: String { String(decoding: source.bytes, as: UTF8.self) }

  package init(_ source: SourceText) throws(Diagnostic) {
    _ = try TOMLReader.parse(source)
    self.source = source
  }

  /// Replaces the value at `path`, or adds the key: to its table's section, beside dotted keys of the same table,
  /// into the inline table that holds it, else in a new section at the end.
  ///
  /// - Throws: for a value that TOML cannot hold (null) and a path that leads through a plain value or to a section.
  package mutating func set(_ path: [String], to value: Value) throws(Diagnostic) {
    let name = path.joined(separator: ".")
    guard let encoded = TOMLText.value(value), let last = path.last else {
      throw Diagnostic(.usage, "'\(name)' cannot be set to this value in '\(source.path)'")
    }
    let layout = try layout()
    if let here = layout.assignments.first(where: { $0.path == path }) {
      return try replace(here.value, with: encoded)
    }
    for holder in layout.assignments where path.starts(with: holder.path) {
      return try setInline(holder, path, to: value)
    }
    let table = Array(path.dropLast())
    let line = "\(TOMLText.key([last])) = \(encoded)\n"
    if let section = layout.sections.first(where: { $0.path == table && !$0.isArray && !$0.header.isEmpty }) {
      return try insert(line, at: section.end)
    }
    if table.isEmpty { return try insertAtTop(line, layout) }
    if let sibling = layout.assignments.last(where: {
      $0.path.starts(with: table) && layout.sections[$0.section].path.count < table.count
    }) {
      let section = layout.sections[sibling.section]
      let key = TOMLText.key(Array(path.dropFirst(section.path.count)))
      return try insert("\(key) = \(encoded)\n", at: sibling.lines.upperBound)
    }
    let gap = source.bytes.isEmpty ? "" : source.bytes.last == 0x0A ? "\n" : "\n\n"
    try insert("\(gap)[\(TOMLText.key(table))]\n\(line)", at: source.bytes.count)
  }

  /// Takes a key out with its line, or a table with all its sections; nothing happens where there is none.
  package mutating func remove(_ path: [String]) throws(Diagnostic) {
    let layout = try layout()
    if let holder = layout.assignments.first(where: { path.starts(with: $0.path) && $0.path.count < path.count }) {
      return try setInline(holder, path, to: nil)
    }
    var gone: [Range<Int>] = layout.assignments.filter { $0.path.starts(with: path) }.map(\.lines)
    for (index, section) in layout.sections.enumerated() where !section.header.isEmpty {
      guard section.path.starts(with: path) else { continue }
      let next = index + 1 < layout.sections.count ? layout.sections[index + 1].header.lowerBound : source.bytes.count
      gone.append(section.header.lowerBound..<next)
    }
    var bytes: [UInt8] = []
    var index = 0
    for range in gone.sorted(by: { $0.lowerBound < $1.lowerBound }) where range.upperBound > index {
      bytes += source.bytes[index..<max(index, range.lowerBound)]
      index = range.upperBound
    }
    try take(bytes + source.bytes[index...])
  }

  private func layout() throws(Diagnostic) -> TOMLLayout {
    do {
      return try TOMLLayout(source)
    } catch {
      throw Diagnostic.corruptTOML(source, error)
    }
  }

  private mutating func setInline(_ holder: TOMLLayout.Assignment, _ path: [String], to value: Value?)
    throws(Diagnostic)
  {
    var whole: Value? = try TOMLReader.parse(source).value
    for key in holder.path { whole = whole?[key] }
    guard let map = whole?.map,
      let encoded = TOMLText.value(.map(Self.changing(map, path.dropFirst(holder.path.count), to: value)))
    else {
      if value == nil { return }
      throw Diagnostic(
        .usage, "'\(holder.path.joined(separator: "."))' is a plain value and no table in '\(source.path)'")
    }
    try replace(holder.value, with: encoded)
  }

  private static func changing(_ map: ValueMap, _ path: ArraySlice<String>, to value: Value?) -> ValueMap {
    guard let key = path.first else { return map }
    var map = map
    if path.count == 1 {
      map[.string(key)] = value
    } else {
      map[.string(key)] = .map(changing(map[.string(key)]?.map ?? [:], path.dropFirst(), to: value))
    }
    return map
  }

  /// Behind the last key before all sections; where there is none, before the first section.
  private mutating func insertAtTop(_ line: String, _ layout: TOMLLayout) throws(Diagnostic) {
    if layout.sections[0].end > 0 { return try insert(line, at: layout.sections[0].end) }
    guard layout.sections.count > 1 else { return try insert(line, at: source.bytes.count) }
    try insert(line + "\n", at: layout.sections[1].header.lowerBound)
  }

  private mutating func insert(_ text: String, at offset: Int) throws(Diagnostic) {
    let needsBreak = offset > 0 && source.bytes[offset - 1] != 0x0A && !text.hasPrefix("\n")
    try replace(offset..<offset, with: needsBreak ? "\n" + text : text)
  }

  private mutating func replace(_ range: Range<Int>, with text: String) throws(Diagnostic) {
    var bytes = source.bytes
    bytes.replaceSubrange(range, with: Array(text.utf8))
    try take(bytes)
  }

  /// The new text, if it is still TOML.
  private mutating func take(_ bytes: [UInt8]) throws(Diagnostic) {
    let changed = SourceText(path: source.path, bytes: bytes)
    _ = try TOMLReader.parse(changed)
    source = changed
  }
}

/// Values as TOML writes them on one line.
enum TOMLText {
  static func key(_ path: [String]) -> String {
    path.map { part in
      !part.isEmpty && part.utf8.allSatisfy(TOMLScalar.isBareKey) ? part : string(part)
    }.joined(separator: ".")
  }

  /// `nil` where TOML has no form for it.
  static func value(_ value: Value) -> String? {
    switch value {
    case .null: return nil
    case .bool(let flag): return flag ? "true" : "false"
    case .int(let number): return String(number)
    case .bigInt(let digits): return digits
    case .float(let number): return PythonFloat.repr(number)
    case .string(let text): return string(text)
    case .timestamp(let text): return text
    case .list(let items):
      var parts: [String] = []
      for item in items {
        guard let part = self.value(item) else { return nil }
        parts.append(part)
      }
      return "[" + parts.joined(separator: ", ") + "]"
    case .map(let map):
      var parts: [String] = []
      for (name, item) in map {
        guard let part = self.value(item) else { return nil }
        parts.append("\(key([JSONWriter.keyText(name)])) = \(part)")
      }
      return parts.isEmpty ? "{}" : "{ " + parts.joined(separator: ", ") + " }"
    }
  }

  /// Quoted as JSON quotes, which TOML reads alike, but for the delete character.
  private static func string(_ text: String) -> String {
    var bytes: [UInt8] = []
    JSONWriter.appendUTF8(text, to: &bytes)
    return String(decoding: bytes.flatMap { $0 == 0x7F ? Array("\\u007f".utf8) : [$0] }, as: UTF8.self)
  }
}
