// TOML as DVC reads it (tomlkit: TOML 1.0, with newlines, trailing commas and `\e` as TOML 1.1 allows them), with
// the place of every value. Scalars: `TOMLScalar.swift`.
package import CairnCore

package enum TOMLReader {
  /// Reads a whole file. Dates and times become timestamps in the text of Python's `str()`.
  ///
  /// - Throws: DVC's "unable to read: 'PATH', TOML file structure is corrupted", with the fault as its cause.
  package static func parse(_ source: SourceText) throws(Diagnostic) -> MarkedValue {
    guard String(validating: source.bytes, as: UTF8.self) != nil else { throw Diagnostic.notUTF8(source) }
    var parser = TOMLParser(source)
    do {
      try parser.document()
    } catch {
      throw Diagnostic.corruptTOML(source, error)
    }
    let top = SourceMark(source: source, line: 1, column: 1)
    return parser.root.value(at: top)
  }
}

struct TOMLFault: Error {
  let message: String
  let offset: Int
}

/// A table while it is read: what may still be added to it depends on how it came to be.
private final class TOMLTable {
  enum Origin {
    /// By a `[header]` of its own; `[[…]]` alike.
    case header
    /// As the parent in a header: may get its own header later.
    case implied
    /// By a dotted key: more dotted keys may add to it, no header.
    case dotted
    /// `{…}`: complete.
    case inline
  }

  enum Item {
    case value(MarkedValue)
    case table(TOMLTable)
    case tables(Tables)
  }

  /// The tables of a `[[…]]`. By reference: a list would be copied for each one more.
  final class Tables {
    private(set) var all: [TOMLTable]

    init(_ first: TOMLTable) { all = [first] }

    func append(_ table: TOMLTable) { all.append(table) }
  }

  var origin: Origin
  var mark: SourceMark?
  /// Levels of nesting above it; the tables of a `[[…]]` stand one deeper, in their list.
  let depth: Int
  private var order: [(key: MarkedValue, item: Item)] = []
  private var places: [[UInt8]: Int] = [:]

  init(_ origin: Origin, depth: Int, at mark: SourceMark?) {
    self.origin = origin
    self.depth = depth
    self.mark = mark
  }

  subscript(key: TOMLKey) -> Item? { places[key.bytes].map { order[$0].item } }

  func set(_ key: TOMLKey, _ item: Item) {
    if let place = places[key.bytes] {
      order[place].item = item
    } else {
      places[key.bytes] = order.count
      order.append((MarkedValue(.scalar(.string(key.text)), at: key.mark), item))
    }
  }

  func value(at mark: SourceMark? = nil) -> MarkedValue {
    let entries = order.map { key, item in
      let value =
        switch item {
        case .value(let value): value
        case .table(let table): table.value(at: key.mark)
        case .tables(let tables): MarkedValue(.list(tables.all.map { $0.value(at: key.mark) }), at: key.mark)
        }
      return MarkedValue.MarkedEntry(key: key, value: value)
    }
    return MarkedValue(.map(entries), at: self.mark ?? mark)
  }
}

struct TOMLKey {
  var text: String
  var bytes: [UInt8]
  var mark: SourceMark
  var offset: Int
}

private struct TOMLParser {
  let root = TOMLTable(.header, depth: 0, at: nil)
  private var cursor: TextCursor
  /// Levels of nesting, however they come about; values are made, released and compared recursively.
  private static let depthLimit = 1_000

  init(_ source: SourceText) { cursor = TextCursor(source) }

  mutating func document() throws(TOMLFault) {
    var table = root
    while true {
      try skipBlank(lines: true)
      guard let byte = cursor.current else { return }
      if byte == UInt8(ascii: "[") {
        table = try header()
      } else {
        try assignment(in: table)
      }
      try endOfLine()
    }
  }

  /// Skips spaces and comments, with `lines` also line ends.
  private mutating func skipBlank(lines: Bool) throws(TOMLFault) {
    while let byte = cursor.current {
      switch byte {
      case 0x20, 0x09: cursor.index += 1
      case 0x0A where lines: cursor.index += 1
      case 0x0D where lines && cursor.peek(1) == 0x0A: cursor.index += 2
      case UInt8(ascii: "#"):
        while let byte = cursor.current, byte != 0x0A, !(byte == 0x0D && cursor.peek(1) == 0x0A) {
          if byte < 0x20 && byte != 0x09 || byte == 0x7F {
            throw TOMLFault(
              message: "Control characters (codes less than 0x1f and 0x7f) are not allowed in comments",
              offset: cursor.index)
          }
          cursor.index += 1
        }
        if !lines { return }
      default: return
      }
    }
  }

  private mutating func endOfLine() throws(TOMLFault) {
    try skipBlank(lines: false)
    guard let byte = cursor.current, byte != 0x0A, !(byte == 0x0D && cursor.peek(1) == 0x0A) else { return }
    throw unexpected()
  }

  private func unexpected() -> TOMLFault { TOMLFault.unexpected(cursor) }

  private static func tooDeep(at offset: Int) -> TOMLFault {
    TOMLFault(message: "Nested deeper than \(depthLimit) levels", offset: offset)
  }

  /// A table that is to stand under `key`, `levels` below the one that holds the key.
  private func table(
    _ origin: TOMLTable.Origin, under key: TOMLKey, in holder: TOMLTable, levels: Int = 1, at mark: SourceMark
  ) throws(TOMLFault) -> TOMLTable {
    guard holder.depth + levels < Self.depthLimit else { throw Self.tooDeep(at: key.offset) }
    return TOMLTable(origin, depth: holder.depth + levels, at: mark)
  }

  private mutating func header() throws(TOMLFault) -> TOMLTable {
    let start = cursor.index
    // Before those of its keys: marks are cheap in the order of the text.
    let first = cursor.mark(start)
    cursor.index += 1
    let isArray = cursor.skip(UInt8(ascii: "["))
    let path = try dottedKey()
    guard cursor.skip(UInt8(ascii: "]")), !isArray || cursor.skip(UInt8(ascii: "]")) else { throw unexpected() }
    let mark = SourceMark(
      source: first.source, line: first.line, column: first.column, length: cursor.characters(start..<cursor.index))
    var table = root
    for key in path.dropLast() { table = try parent(key, in: table) }
    guard let last = path.last else { throw unexpected() }
    switch (table[last], isArray) {
    case (nil, false):
      let new = try self.table(.header, under: last, in: table, at: mark)
      table.set(last, .table(new))
      return new
    case (nil, true):
      let new = try self.table(.header, under: last, in: table, levels: 2, at: mark)
      table.set(last, .tables(TOMLTable.Tables(new)))
      return new
    case (.tables(let tables), true):
      let new = try self.table(.header, under: last, in: table, levels: 2, at: mark)
      tables.append(new)
      return new
    case (.table(let existing), false) where existing.origin == .implied:
      existing.origin = .header
      existing.mark = mark
      return existing
    default: throw TOMLFault.exists(last)
    }
  }

  private func parent(_ key: TOMLKey, in table: TOMLTable) throws(TOMLFault) -> TOMLTable {
    switch table[key] {
    case nil:
      let new = try self.table(.implied, under: key, in: table, at: key.mark)
      table.set(key, .table(new))
      return new
    case .table(let existing) where existing.origin != .inline: return existing
    case .tables(let tables):
      guard let last = tables.all.last else { throw TOMLFault.exists(key) }
      return last
    default: throw TOMLFault.exists(key)
    }
  }

  private mutating func assignment(in table: TOMLTable) throws(TOMLFault) {
    let path = try dottedKey()
    guard cursor.skip(UInt8(ascii: "=")) else { throw unexpected() }
    try skipBlank(lines: false)
    let value = try value(depth: table.depth + path.count)
    var table = table
    for key in path.dropLast() {
      switch table[key] {
      case nil:
        let new = try self.table(.dotted, under: key, in: table, at: key.mark)
        table.set(key, .table(new))
        table = new
      case .table(let existing) where existing.origin == .dotted: table = existing
      case .table(let existing) where existing.origin != .inline:
        throw TOMLFault(message: "Redefinition of an existing table", offset: key.offset)
      default: throw TOMLFault.exists(key)
      }
    }
    guard let last = path.last else { throw unexpected() }
    if table[last] != nil { throw TOMLFault.exists(last) }
    table.set(last, value)
  }

  private mutating func dottedKey() throws(TOMLFault) -> [TOMLKey] {
    var keys: [TOMLKey] = []
    repeat {
      try skipBlank(lines: false)
      let start = cursor.index
      let text: String
      switch cursor.current {
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        if cursor.starts(with: "\"\"\"") || cursor.starts(with: "'''") { throw unexpected() }
        text = try TOMLScalar.string(&cursor)
      default:
        while let byte = cursor.current, TOMLScalar.isBareKey(byte) { cursor.index += 1 }
        if cursor.index == start {
          if cursor.current == UInt8(ascii: "=") || keys.isEmpty {
            throw TOMLFault(message: "Empty key", offset: start)
          }
          throw unexpected()
        }
        text = cursor.text(start..<cursor.index)
      }
      keys.append(
        TOMLKey(text: text, bytes: Array(text.utf8), mark: cursor.mark(start, to: cursor.index), offset: start))
      try skipBlank(lines: false)
    } while cursor.skip(UInt8(ascii: "."))
    return keys
  }

  private mutating func value(depth: Int) throws(TOMLFault) -> TOMLTable.Item {
    guard depth < Self.depthLimit else { throw Self.tooDeep(at: cursor.index) }
    let start = cursor.index
    switch cursor.current {
    case UInt8(ascii: "["):
      let mark = cursor.mark(start)
      cursor.index += 1
      var items: [MarkedValue] = []
      try skipBlank(lines: true)
      while !cursor.skip(UInt8(ascii: "]")) {
        switch try value(depth: depth + 1) {
        case .value(let value): items.append(value)
        case .table(let table): items.append(table.value())
        case .tables: break
        }
        try skipBlank(lines: true)
        if cursor.skip(UInt8(ascii: ",")) {
          try skipBlank(lines: true)
        } else if cursor.current != UInt8(ascii: "]") {
          throw unexpected()
        }
      }
      return .value(MarkedValue(.list(items), at: mark))
    case UInt8(ascii: "{"):
      let table = TOMLTable(.header, depth: depth, at: cursor.mark(start))
      cursor.index += 1
      try skipBlank(lines: true)
      while !cursor.skip(UInt8(ascii: "}")) {
        try assignment(in: table)
        try skipBlank(lines: true)
        if cursor.skip(UInt8(ascii: ",")) {
          try skipBlank(lines: true)
        } else if cursor.current != UInt8(ascii: "}") {
          throw unexpected()
        }
      }
      table.origin = .inline
      return .table(table)
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      let text = try TOMLScalar.string(&cursor)
      return .value(MarkedValue(.scalar(.string(text)), at: cursor.mark(start, to: cursor.index)))
    default:
      let scalar = try TOMLScalar.bare(&cursor)
      return .value(MarkedValue(.scalar(scalar), at: cursor.mark(start, to: cursor.index)))
    }
  }
}

extension TOMLFault {
  static func unexpected(_ cursor: TextCursor) -> TOMLFault {
    guard let byte = cursor.current else {
      return TOMLFault(message: "Unexpected end of file", offset: cursor.index)
    }
    let character: Substring =
      switch byte {
      case 0x0A: "\\n"
      case 0x0D: "\\r"
      default: String(decoding: cursor.bytes[cursor.index...].prefix(4), as: UTF8.self).prefix(1)
      }
    return TOMLFault(message: "Unexpected character: '\(character)'", offset: cursor.index)
  }

  fileprivate static func exists(_ key: TOMLKey) -> TOMLFault {
    TOMLFault(message: "Key \"\(key.text)\" already exists.", offset: key.offset)
  }
}

extension Diagnostic {
  static func corruptTOML(_ source: SourceText, _ fault: TOMLFault) -> Diagnostic {
    let mark = source.place(ofByte: fault.offset).mark
    var diagnostic = Diagnostic(
      .unreadableFile, "unable to read: '\(source.path)', TOML file structure is corrupted", at: mark)
    diagnostic.causes = [
      Diagnostic(.unreadableFile, "\(fault.message) at line \(mark.line) col \(mark.column - 1)")
    ]
    return diagnostic
  }
}
