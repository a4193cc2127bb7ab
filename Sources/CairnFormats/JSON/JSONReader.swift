// JSON as Python's `json.loads` reads it, with the place of every value. Knows nothing of what the values mean.
package import CairnCore

package enum JSONReader {
  /// Reads one document, as Python does: `NaN`, `Infinity` and `-Infinity` are numbers, integers have any size, of a
  /// key given twice the last value counts (at the place of the first). Lone surrogates become
  /// what stands for them (`LoneSurrogate`).
  ///
  /// - Throws: DVC's "unable to read: 'PATH', JSON file structure is corrupted", its cause in Python's words.
  package static func parse(_ source: SourceText) throws(Diagnostic) -> MarkedValue {
    guard String(validating: source.bytes, as: UTF8.self) != nil else { throw Diagnostic.notUTF8(source) }
    var parser = JSONParser(source.bytes, source: source)
    do {
      return try parser.document()
    } catch {
      throw Diagnostic.corruptedJSON(source, error)
    }
  }

  /// The same without places, for documents that no person edits. `name` is said in errors.
  package static func value(_ bytes: [UInt8], name: String) throws(Diagnostic) -> Value {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw Diagnostic.notUTF8(SourceText(path: name, bytes: bytes))
    }
    var parser = JSONParser(bytes, source: nil)
    do {
      return try parser.document().value
    } catch {
      throw Diagnostic.corruptedJSON(SourceText(path: name, bytes: bytes), error)
    }
  }
}

/// What is wrong and at which byte, in the words of Python's `JSONDecodeError`.
struct JSONFault: Error {
  let message: String
  let offset: Int
}

private struct JSONParser {
  let bytes: [UInt8]
  let source: SourceText?
  private var index = 0
  private var line = 1
  private var lineStart = 0
  /// Continuation bytes of UTF-8 since the start of the line: columns count characters.
  private var continuations = 0

  /// Python's own limit is about this; each level costs a few hundred bytes of stack.
  private static let deepest = 990

  init(_ bytes: [UInt8], source: SourceText?) {
    self.bytes = bytes
    self.source = source
  }

  mutating func document() throws(JSONFault) -> MarkedValue {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      throw JSONFault(message: "Unexpected UTF-8 BOM (decode using utf-8-sig)", offset: 0)
    }
    skipSpace()
    let value = try value(depth: 0)
    skipSpace()
    if index < bytes.count { throw JSONFault(message: "Extra data", offset: index) }
    return value
  }

  private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

  private func mark(from start: Int, column: Int) -> SourceMark? {
    guard let source else { return nil }
    return SourceMark(source: source, line: line, column: column, length: index - start)
  }

  private var column: Int { index - lineStart - continuations + 1 }

  private mutating func skipSpace() {
    while index < bytes.count {
      switch bytes[index] {
      case 0x0A:
        line += 1
        lineStart = index + 1
        continuations = 0
      case 0x20, 0x09, 0x0D: break
      default: return
      }
      index += 1
    }
  }

  private mutating func value(depth: Int) throws(JSONFault) -> MarkedValue {
    guard depth < Self.deepest else {
      throw JSONFault(message: "maximum recursion depth exceeded", offset: index)
    }
    let start = index
    let column = column
    switch current {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""):
      let line = line
      let text = try string()
      return MarkedValue(
        .scalar(.string(text)),
        at: source.map { SourceMark(source: $0, line: line, column: column, length: self.column - column) })
    default:
      let scalar: Value
      if let word = word() { scalar = word } else { scalar = try number() }
      return MarkedValue(.scalar(scalar), at: mark(from: start, column: column))
    }
  }

  private mutating func object(depth: Int) throws(JSONFault) -> MarkedValue {
    let mark = source.map { SourceMark(source: $0, line: line, column: column, length: 1) }
    index += 1
    var entries: [MarkedValue.MarkedEntry] = []
    var places: [String: Int] = [:]
    skipSpace()
    if current == UInt8(ascii: "}") {
      index += 1
      return MarkedValue(.map([]), at: mark)
    }
    while true {
      guard current == UInt8(ascii: "\"") else {
        throw JSONFault(message: "Expecting property name enclosed in double quotes", offset: index)
      }
      let key = try value(depth: depth + 1)
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw JSONFault(message: "Expecting ':' delimiter", offset: index) }
      index += 1
      skipSpace()
      let item = try value(depth: depth + 1)
      let text = key.string ?? ""
      if let place = places[text], entries[place].key.string?.hasSameBytes(as: text) == true {
        entries[place] = .init(key: key, value: item)
      } else {
        places[text] = entries.count
        entries.append(.init(key: key, value: item))
      }
      skipSpace()
      switch current {
      case UInt8(ascii: ","): index += 1
      case UInt8(ascii: "}"):
        index += 1
        return MarkedValue(.map(entries), at: mark)
      default: throw JSONFault(message: "Expecting ',' delimiter", offset: index)
      }
      skipSpace()
    }
  }

  private mutating func array(depth: Int) throws(JSONFault) -> MarkedValue {
    let mark = source.map { SourceMark(source: $0, line: line, column: column, length: 1) }
    index += 1
    var items: [MarkedValue] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      index += 1
      return MarkedValue(.list(items), at: mark)
    }
    while true {
      items.append(try value(depth: depth + 1))
      skipSpace()
      switch current {
      case UInt8(ascii: ","): index += 1
      case UInt8(ascii: "]"):
        index += 1
        return MarkedValue(.list(items), at: mark)
      default: throw JSONFault(message: "Expecting ',' delimiter", offset: index)
      }
      skipSpace()
    }
  }

  private mutating func word() -> Value? {
    guard let first = current, first > 0x39 || first == UInt8(ascii: "-") else { return nil }
    for (word, value) in Self.words where bytes[index...].starts(with: word) {
      index += word.count
      return value
    }
    return nil
  }

  private static let words: [([UInt8], Value)] = [
    (Array("null".utf8), .null), (Array("true".utf8), .bool(true)), (Array("false".utf8), .bool(false)),
    (Array("NaN".utf8), .float(.nan)), (Array("Infinity".utf8), .float(.infinity)),
    (Array("-Infinity".utf8), .float(-.infinity)),
  ]

  private mutating func digits() -> Int {
    let start = index
    while let byte = current, byte >= 0x30, byte <= 0x39 { index += 1 }
    return index - start
  }

  private mutating func number() throws(JSONFault) -> Value {
    let start = index
    if current == UInt8(ascii: "-") { index += 1 }
    if current == 0x30 {
      index += 1
    } else if digits() == 0 {
      index = start
      throw JSONFault(message: "Expecting value", offset: start)
    }
    var isFloat = false
    var end = index
    if current == UInt8(ascii: ".") {
      index += 1
      if digits() > 0 {
        isFloat = true
        end = index
      }
    }
    index = end
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      index += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { index += 1 }
      if digits() > 0 {
        isFloat = true
        end = index
      }
    }
    index = end
    let text = String(decoding: bytes[start..<end], as: UTF8.self)
    if isFloat { return .float(Double(text) ?? .nan) }
    return Int(text).map(Value.int) ?? .bigInt(text)
  }

  /// Reads a quoted text; `index` stands on its first quote and ends behind the last.
  private mutating func string() throws(JSONFault) -> String {
    let opening = index
    index += 1
    let start = index
    while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      if byte & 0xC0 == 0x80 { continuations += 1 }
      index += 1
    }
    if current == UInt8(ascii: "\"") {
      index += 1
      return String(decoding: bytes[start..<(index - 1)], as: UTF8.self)
    }
    var text = Array(bytes[start..<index])
    while true {
      guard let byte = current else { throw JSONFault(message: "Unterminated string starting at", offset: opening) }
      index += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: text, as: UTF8.self) }
      if byte < 0x20 { throw JSONFault(message: "Invalid control character at", offset: index - 1) }
      if byte == UInt8(ascii: "\\") {
        try escape(into: &text, opening: opening)
      } else {
        if byte & 0xC0 == 0x80 { continuations += 1 }
        text.append(byte)
      }
    }
  }

  private mutating func escape(into text: inout [UInt8], opening: Int) throws(JSONFault) {
    guard let letter = current else { throw JSONFault(message: "Unterminated string starting at", offset: opening) }
    let at = index - 1
    index += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(letter)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      guard var point = hexUnit(at: index) else { throw JSONFault(message: "Invalid \\uXXXX escape", offset: index - 1) }
      index += 4
      if 0xD800..<0xDC00 ~= point, index + 1 < bytes.count, bytes[index] == UInt8(ascii: "\\"),
        bytes[index + 1] == UInt8(ascii: "u"), let low = hexUnit(at: index + 2), 0xDC00..<0xE000 ~= low
      {
        point = 0x10000 + (point - 0xD800) << 10 + (low - 0xDC00)
        index += 6
      }
      let scalar = LoneSurrogate.scalar(point) ?? Unicode.Scalar(point) ?? "\u{FFFD}"
      text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    default: throw JSONFault(message: "Invalid \\escape", offset: at)
    }
  }

  private func hexUnit(at start: Int) -> UInt32? {
    guard start + 4 <= bytes.count else { return nil }
    var unit: UInt32 = 0
    for byte in bytes[start..<(start + 4)] {
      guard let digit = Hex.value(of: byte) else { return nil }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }
}

extension Diagnostic.Code {
  package static let unreadableFile = Self("unreadable-file")
}

extension Diagnostic {
  static func notUTF8(_ source: SourceText) -> Diagnostic {
    Diagnostic(.unreadableFile, "unable to read: '\(source.path)', is not valid utf-8")
  }

  fileprivate static func corruptedJSON(_ source: SourceText, _ fault: JSONFault) -> Diagnostic {
    let place = source.place(ofByte: fault.offset)
    var diagnostic = Diagnostic(
      .unreadableFile, "unable to read: '\(source.path)', JSON file structure is corrupted", at: place.mark)
    diagnostic.causes = [
      Diagnostic(
        .unreadableFile,
        "\(fault.message): line \(place.mark.line) column \(place.mark.column) (char \(place.character))")
    ]
    return diagnostic
  }
}

extension SourceText {
  /// Line and column of a byte, and its number counted in characters from the start.
  func place(ofByte offset: Int) -> (mark: SourceMark, character: Int) {
    var line = 1
    var column = 1
    var character = 0
    for byte in bytes.prefix(offset) {
      if byte == 0x0A {
        line += 1
        column = 1
        character += 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
        character += 1
      }
    }
    return (SourceMark(source: self, line: line, column: column, length: 1), character)
  }
}
