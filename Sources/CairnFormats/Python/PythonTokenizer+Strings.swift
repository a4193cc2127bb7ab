// Where Python's strings end, and the parts of f-strings and t-strings. Knows nothing of what their text means.

extension PythonTokenizer {
  private static let prefixes: Set<String> = [
    "r", "u", "b", "f", "t", "br", "rb", "fr", "rf", "tr", "rt",
  ]
  /// CPython's bounds: f-strings within f-strings, and fields within one f-string's format specifications.
  private static let mostFormats = 149, mostFields = 3

  static func isStringPrefix(_ name: ArraySlice<UInt8>) -> Bool {
    prefixes.contains(String(decoding: name, as: UTF8.self).lowercased())
  }

  /// Reads a string whose quote stands here and whose prefix begins at `start`: the whole of it, or the beginning of
  /// an f-string.
  mutating func string(from start: Int) throws(PythonFault) {
    let quote = bytes[index]
    let isTriple = byte(1) == quote && byte(2) == quote
    let letters = bytes[start..<index].map { $0 | 0x20 }
    if letters.contains(UInt8(ascii: "f")) || letters.contains(UInt8(ascii: "t")) {
      guard formats.count < Self.mostFormats else {
        throw PythonFault(message: "too many nested f-strings", offset: start)
      }
      index += isTriple ? 3 : 1
      formats.append(
        Format(start: start, quote: quote, isTriple: isTriple, isRaw: letters.contains(UInt8(ascii: "r"))))
      return append(.formatStart, from: start)
    }
    index += isTriple ? 3 : 1
    while let next = byte() {
      if next == UInt8(ascii: "\\") {
        skipEscape()
      } else if isEnd(quote, isTriple: isTriple) {
        index += isTriple ? 3 : 1
        return append(.string, from: start)
      } else if next == 0x0A || next == 0x0D, !isTriple {
        break
      } else {
        index += 1
      }
    }
    throw unterminated("string literal", isTriple: isTriple, from: start)
  }

  private func isEnd(_ quote: UInt8, isTriple: Bool) -> Bool {
    byte() == quote && (!isTriple || byte(1) == quote && byte(2) == quote)
  }

  /// Steps over a backslash and what it stands before; in a raw string too, where it keeps a quote from ending it.
  private mutating func skipEscape() {
    index = min(bytes.count, index + (byte(1) == 0x0D && byte(2) == 0x0A ? 3 : 2))
  }

  func unterminated(_ format: Format) -> PythonFault {
    unterminated("f-string literal", isTriple: format.isTriple, from: format.start)
  }

  private func unterminated(_ what: String, isTriple: Bool, from start: Int) -> PythonFault {
    let line = bytes[..<min(index, bytes.count)].count { $0 == 0x0A } + 1
    let kind = isTriple ? "triple-quoted \(what)" : what
    return PythonFault(message: "unterminated \(kind) (detected at line \(line))", offset: start)
  }

  /// Reads text of the innermost f-string, up to the brace of a replacement field or the end of the string; or a
  /// format specification, up to a brace.
  mutating func formatText() throws(PythonFault) {
    let format = formats[formats.count - 1]
    let isSpecification = !format.fields.isEmpty
    let start = index
    // Within `\N{…}`, whose braces are no field.
    var isInCharacterName = false
    while let next = byte() {
      switch next {
      case UInt8(ascii: "{") where !isSpecification && byte(1) == next: index += 2
      case UInt8(ascii: "{"):
        appendText(from: start)
        return try openField()
      case UInt8(ascii: "}") where isInCharacterName:
        isInCharacterName = false
        index += 1
      case UInt8(ascii: "}") where isSpecification:
        appendText(from: start)
        let brace = index
        try close()
        return append(.rightBrace, from: brace)
      case UInt8(ascii: "}") where byte(1) == next: index += 2
      case UInt8(ascii: "}"): throw PythonFault(message: "f-string: single '}' is not allowed", offset: index)
      case UInt8(ascii: "\\"):
        if byte(1) == UInt8(ascii: "{") || byte(1) == UInt8(ascii: "}") {
          index += 1
        } else if !format.isRaw, byte(1) == UInt8(ascii: "N"), byte(2) == UInt8(ascii: "{") {
          isInCharacterName = true
          index += 3
        } else {
          skipEscape()
        }
      case format.quote where isEnd(format.quote, isTriple: format.isTriple):
        if isSpecification { throw PythonFault(message: "f-string: expecting '}'", offset: index) }
        appendText(from: start)
        let quote = index
        index += format.isTriple ? 3 : 1
        formats.removeLast()
        return append(.formatEnd, from: quote)
      case 0x0A, 0x0D:
        if !format.isTriple {
          guard isSpecification else { throw unterminated(format) }
          // The specification ends here; only a brace may follow.
          appendText(from: start)
          formats[formats.count - 1].isInText = false
          return
        }
        index += 1
      default: index += 1
      }
    }
    throw unterminated(format)
  }

  private mutating func appendText(from start: Int) {
    if index > start { append(.formatText, from: start) }
  }

  private mutating func openField() throws(PythonFault) {
    let brace = index
    try open()
    formats[formats.count - 1].fields.append(brackets.count)
    formats[formats.count - 1].isInText = false
    guard formats[formats.count - 1].fields.count <= Self.mostFields else {
      throw PythonFault(message: "f-string: expressions nested too deeply", offset: brace)
    }
    append(.leftBrace, from: brace)
  }
}
