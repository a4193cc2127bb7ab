// JSON as Python's `json.dumps` writes it, to the byte. Knows nothing of what the values mean.
package import CairnCore

package enum JSONWriter {
  /// `json.dumps(value, indent=…, ensure_ascii=…, sort_keys=…)` with Python's default separators.
  ///
  /// Keys that are not text become it as Python makes them (`true`, `null`, `1`, `0.5`); a timestamp is its text.
  /// Escaped bytes of a file name are `\udcXX` with `ensureASCII`, and stay as `FileName` holds them without.
  package static func text(
    _ value: Value, indent: Int? = nil, ensureASCII: Bool = true, sortKeys: Bool = false
  ) -> String {
    String(decoding: bytes(value, indent: indent, ensureASCII: ensureASCII, sortKeys: sortKeys), as: UTF8.self)
  }

  package static func bytes(
    _ value: Value, indent: Int? = nil, ensureASCII: Bool = true, sortKeys: Bool = false
  ) -> [UInt8] {
    var output = JSONOutput(indent: indent, ensureASCII: ensureASCII, sortKeys: sortKeys)
    output.write(value, depth: 0)
    return output.bytes
  }

  /// Appends `text` in quotes, as `json.dumps` writes it by default.
  package static func append(_ text: String, to bytes: inout [UInt8]) { appendASCII(text, to: &bytes) }

  /// The value with numbers that JSON has no word for as records have them, `{"$float": "nan"}`: what is Cairn's own is
  /// read by more than Python.
  package static func strict(_ value: Value) -> Value {
    switch value {
    case .float(let number) where number.isNaN: .map(["$float": "nan"])
    case .float(let number) where number.isInfinite: .map(["$float": number < 0 ? "-inf" : "inf"])
    case .list(let items): .list(items.map(strict))
    case .map(let map): .map(map.mapValues(strict))
    default: value
    }
  }

  /// The text of a map's key.
  static func keyText(_ key: Value) -> String {
    switch key {
    case .string(let text), .timestamp(let text), .bigInt(let text): text
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): String(number)
    case .float(let number): floatText(number)
    case .list, .map: text(key)
    }
  }

  static func floatText(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    return PythonFloat.repr(number)
  }

  /// Appends `text` in quotes; everything but printable ASCII as `\n`, `\u00e9`, `\ud83d\ude00`, `\udcff`.
  static func appendASCII(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var text = text
    let isPlain = text.withUTF8 { buffer in
      for byte in buffer where byte < 0x20 || byte > 0x7E || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        return false
      }
      bytes.append(contentsOf: buffer)
      return true
    }
    if !isPlain {
      for point in PythonText.codePoints(text) {
        if point < 0x7F {
          appendASCIIByte(UInt8(point), to: &bytes)
        } else if point < 0x10000 {
          appendUnicodeEscape(point, to: &bytes)
        } else {
          appendUnicodeEscape(0xD800 + (point - 0x10000) >> 10, to: &bytes)
          appendUnicodeEscape(0xDC00 + (point - 0x10000) & 0x3FF, to: &bytes)
        }
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Appends `text` in quotes where nothing of it is to be escaped, neither for JSON nor as a `FileName`; false, and
  /// nothing appended, where that is not sure.
  static func appendPlainUTF8(_ text: String, to bytes: inout [UInt8]) -> Bool {
    var text = text
    return text.withUTF8 { buffer in
      for byte in buffer where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0xF4 {
        return false
      }
      bytes.append(UInt8(ascii: "\""))
      bytes.append(contentsOf: buffer)
      bytes.append(UInt8(ascii: "\""))
      return true
    }
  }

  /// Appends `text` in quotes, escaping only quotes, backslashes and control characters.
  package static func appendUTF8(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { buffer in
      // Entries of the lock are escaped when they enter the journal: every stage pays for this loop.
      var start = 0
      var index = 0
      while index < buffer.count {
        let byte = buffer[index]
        if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
          bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[start..<index]))
          appendASCIIByte(byte, to: &bytes)
          start = index + 1
        }
        index += 1
      }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[start...]))
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func appendASCIIByte(_ byte: UInt8, to bytes: inout [UInt8]) {
    let letter: UInt8
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): letter = byte
    case 0x08: letter = UInt8(ascii: "b")
    case 0x09: letter = UInt8(ascii: "t")
    case 0x0A: letter = UInt8(ascii: "n")
    case 0x0C: letter = UInt8(ascii: "f")
    case 0x0D: letter = UInt8(ascii: "r")
    case 0..<0x20: return appendUnicodeEscape(UInt32(byte), to: &bytes)
    default: return bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\\"))
    bytes.append(letter)
  }

  private static func appendUnicodeEscape(_ unit: UInt32, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\\"))
    bytes.append(UInt8(ascii: "u"))
    for shift in [12, 8, 4, 0] as [UInt32] {
      let digit = UInt8(unit >> shift & 15)
      bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }
}

private struct JSONOutput {
  let indent: Int?
  let ensureASCII: Bool
  let sortKeys: Bool
  var bytes: [UInt8] = []

  mutating func write(_ value: Value, depth: Int) {
    switch value {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .bool(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    case .int(let number): bytes.append(contentsOf: String(number).utf8)
    case .bigInt(let digits): bytes.append(contentsOf: digits.utf8)
    case .float(let number): bytes.append(contentsOf: JSONWriter.floatText(number).utf8)
    case .string(let text), .timestamp(let text): write(text)
    case .list(let items): write(list: items, depth: depth)
    case .map(let map): write(map: map, depth: depth)
    }
  }

  private mutating func write(_ text: String) {
    ensureASCII ? JSONWriter.appendASCII(text, to: &bytes) : JSONWriter.appendUTF8(text, to: &bytes)
  }

  private mutating func write(list items: [Value], depth: Int) {
    bytes.append(UInt8(ascii: "["))
    for (index, item) in items.enumerated() {
      separate(isFirst: index == 0, depth: depth + 1)
      write(item, depth: depth + 1)
    }
    if !items.isEmpty { breakLine(depth: depth) }
    bytes.append(UInt8(ascii: "]"))
  }

  private mutating func write(map: ValueMap, depth: Int) {
    bytes.append(UInt8(ascii: "{"))
    var pairs = map.map { (key: JSONWriter.keyText($0), value: $1) }
    if sortKeys { pairs.sort { PythonText.precedes($0.key, $1.key) } }
    for (index, pair) in pairs.enumerated() {
      separate(isFirst: index == 0, depth: depth + 1)
      write(pair.key)
      bytes.append(contentsOf: ": ".utf8)
      write(pair.value, depth: depth + 1)
    }
    if !map.isEmpty { breakLine(depth: depth) }
    bytes.append(UInt8(ascii: "}"))
  }

  private mutating func separate(isFirst: Bool, depth: Int) {
    if !isFirst { bytes.append(contentsOf: (indent == nil ? ", " : ",").utf8) }
    breakLine(depth: depth)
  }

  private mutating func breakLine(depth: Int) {
    guard let indent else { return }
    bytes.append(0x0A)
    bytes.append(contentsOf: repeatElement(0x20, count: indent * depth))
  }
}
