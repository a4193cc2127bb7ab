// How a text is written as a YAML scalar: which quotes, and where it is broken. Knows nothing of maps and lists.
import CairnCore

/// What a text allows, as ruamel's emitter analyses it.
struct YAMLScalarText {
  /// Line breaks of YAML 1.1: the emitter fears them all.
  var isMultiline = false
  var allowsPlain = true
  var allowsSingleQuotes = true
  var hasApostropheOrNewline = false

  init<Text: RandomAccessCollection>(_ text: Text) where Text.Element: FixedWidthInteger, Text.Index == Int {
    let count = text.count
    guard count > 0 else {
      allowsPlain = true
      return
    }
    func at(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: text[text.startIndex + index]) }
    var hasIndicator = false
    if count >= 3 {
      let (a, b, c) = (at(0), at(1), at(2))
      if (a == 0x2D && b == 0x2D && c == 0x2D) || (a == 0x2E && b == 0x2E && c == 0x2E) { hasIndicator = true }
    }
    var isEdgeBlank = false
    var hasSpecial = false
    var hasBreakSpace = false
    var hasSpaceBreak = false
    var previousSpace = false
    var previousBreak = false
    var precededByBlank = true
    var current = at(0)
    for index in 0..<count {
      let next: UInt32? = index + 1 < count ? at(index + 1) : nil
      let followedByBlank = next.map(Self.isBlank) ?? true
      switch current {
      case 0x23, 0x2C, 0x5B, 0x5D, 0x7B, 0x7D, 0x26, 0x2A, 0x21, 0x7C, 0x3E, 0x27, 0x22, 0x25, 0x40, 0x60:
        // # , [ ] { } & * ! | > ' " % @ `
        if index == 0 || (current == 0x23 && precededByBlank) { hasIndicator = true }
        if current == 0x27 { hasApostropheOrNewline = true }
      case 0x3F, 0x2D:  // ? -
        if index == 0 && followedByBlank { hasIndicator = true }
      case 0x3A:  // :
        if followedByBlank { hasIndicator = true }
      default: break
      }
      let isBreak = Self.isBreak(current)
      if isBreak { isMultiline = true }
      if current == 0x0A { hasApostropheOrNewline = true }
      if !(current == 0x0A || (0x20...0x7E).contains(current)), !Self.isPrintableBeyondASCII(current) {
        hasSpecial = true
      }
      if current == 0x20 {
        if index == 0 || index == count - 1 { isEdgeBlank = true }
        if previousBreak { hasBreakSpace = true }
        previousSpace = true
        previousBreak = false
      } else if isBreak {
        if index == 0 || index == count - 1 { isEdgeBlank = true }
        if previousSpace { hasSpaceBreak = true }
        previousSpace = false
        previousBreak = true
      } else {
        previousSpace = false
        previousBreak = false
      }
      precededByBlank = Self.isBlank(current)
      if let next { current = next }
    }
    if isEdgeBlank || hasBreakSpace || hasSpecial || hasSpaceBreak || isMultiline || hasIndicator { allowsPlain = false }
    if hasBreakSpace || hasSpecial || hasSpaceBreak { allowsSingleQuotes = false }
  }

  @inline(__always)
  static func isBlank(_ character: UInt32) -> Bool {
    character == 0x20 || character == 0x09 || character == 0x0D || character == 0 || isBreak(character)
  }

  @inline(__always)
  static func isBreak(_ character: UInt32) -> Bool {
    character == 0x0A || character == 0x85 || character == 0x2028 || character == 0x2029
  }

  @inline(__always)
  static func isPrintableBeyondASCII(_ character: UInt32) -> Bool {
    character >= 0x85
      && (character == 0x85 || (0xA0...0xD7FF).contains(character) || (0xE000...0xFFFD).contains(character)
        || character >= 0x10000) && character != 0xFEFF
  }

  static func hasLineBreak(_ text: String) -> Bool {
    var isASCII = true
    for byte in text.utf8 {
      if byte == 0x0A { return true }
      if byte >= 0x80 { isASCII = false }
    }
    return !isASCII && text.unicodeScalars.contains { isBreak($0.value) }
  }
}

extension YAMLEmitter {
  /// Writes text in the lightest style that reads back as text; true when that was plain.
  mutating func writeString(_ string: String, isKey: Bool) -> Bool {
    var string = string
    return string.withUTF8 { bytes in
      // Hashes, paths and names, which are nearly all: no need to look at each character twice.
      if Self.isSimpleWord(bytes), YAMLScalar.kind(bytes) == .string {
        writePlain(bytes, folds: !isKey)
        return true
      }
      let isText = YAMLScalar.kind(bytes) == .string
      if bytes.allSatisfy({ $0 < 0x80 }) { return writeText(bytes, isText: isText, isKey: isKey) }
      return writeText(PythonText.codePoints(String(decoding: bytes, as: UTF8.self)), isText: isText, isKey: isKey)
    }
  }

  /// ASCII letters and digits and what stands between them in names; plain wherever it stands.
  private static func isSimpleWord(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = bytes.first, isWordCharacter(first), first != UInt8(ascii: "-"), first != UInt8(ascii: ".") else {
      return false
    }
    for byte in bytes where !isWordCharacter(byte) { return false }
    return true
  }

  @inline(__always)
  private static func isWordCharacter(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte &- 0x2D < 13 || byte == UInt8(ascii: "_")  // - . / 0…9
  }

  private mutating func writeText<Text: RandomAccessCollection>(_ text: Text, isText: Bool, isKey: Bool) -> Bool
  where Text.Element: FixedWidthInteger, Text.Index == Int {
    let analysis = YAMLScalarText(text)
    if isText, analysis.allowsPlain, !(isKey && (text.isEmpty || analysis.isMultiline)) {
      writePlain(text, folds: !isKey)
      return true
    }
    if !analysis.hasApostropheOrNewline, analysis.allowsSingleQuotes, !(isKey && analysis.isMultiline) {
      writeSingleQuoted(text, folds: !isKey)
    } else {
      writeDoubleQuoted(text, folds: !isKey)
    }
    return false
  }

  private mutating func put<Text: RandomAccessCollection>(_ text: Text, _ start: Int, _ end: Int)
  where Text.Element: FixedWidthInteger, Text.Index == Int {
    guard start < end else { return }
    column += end - start
    if let bytes = text as? UnsafeBufferPointer<UInt8> {
      out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<end]))
      return
    }
    for index in start..<end {
      let character = UInt32(truncatingIfNeeded: text[index])
      if character < 0x80 {
        out.append(UInt8(truncatingIfNeeded: character))
      } else if let scalar = Unicode.Scalar(character) {
        out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
  }

  private mutating func putASCII(_ text: String) {
    column += text.utf8.count
    out.append(contentsOf: text.utf8)
  }

  /// Breaks after column 80 at a single blank. A word that would pass the edge goes to a line of its own, and the
  /// blank before it stays behind.
  mutating func writePlain<Text: RandomAccessCollection>(_ text: Text, folds: Bool)
  where Text.Element: FixedWidthInteger, Text.Index == Int {
    if !whitespace {
      out.append(0x20)
      column += 1
    }
    whitespace = false
    indention = false
    let count = text.count
    // Nothing to break: by far the most.
    if column + count <= width { return put(text, 0, count) }
    var inBlanks = false
    var start = 0
    for end in 0...count {
      let isBlank = end < count && text[end] == 0x20
      if inBlanks {
        if !isBlank {
          if start + 1 == end, column >= width, folds {
            writeIndent()
            whitespace = false
            indention = false
          } else {
            put(text, start, end)
          }
          start = end
        }
      } else if end == count || isBlank {
        if end - start + column > width, let indent, column > indent { writeIndent() }
        put(text, start, end)
        start = end
      }
      inBlanks = isBlank
    }
  }

  private mutating func writeSingleQuoted<Text: RandomAccessCollection>(_ text: Text, folds: Bool)
  where Text.Element: FixedWidthInteger, Text.Index == Int {
    indicator("'", needsBlank: true)
    let count = text.count
    var inBlanks = false
    var inBreaks = false
    var start = 0
    for end in 0...count {
      let character: UInt32? = end < count ? UInt32(truncatingIfNeeded: text[end]) : nil
      if inBlanks {
        if character != 0x20 {
          if start + 1 == end, column > width, folds, start != 0, end != count {
            writeIndent()
          } else {
            put(text, start, end)
          }
          start = end
        }
      } else if inBreaks {
        if character.map({ !YAMLScalarText.isBreak($0) }) ?? true {
          if text[start] == 0x0A { lineBreak() }
          for index in start..<end { lineBreak(UInt32(truncatingIfNeeded: text[index])) }
          writeIndent()
          start = end
        }
      } else if character.map({ $0 == 0x20 || $0 == 0x27 || YAMLScalarText.isBreak($0) }) ?? true {
        put(text, start, end)
        start = max(start, end)
      }
      if character == 0x27 {
        putASCII("''")
        start = end + 1
      }
      if let character {
        inBlanks = character == 0x20
        inBreaks = YAMLScalarText.isBreak(character)
      }
    }
    indicator("'", needsBlank: false)
  }

  private mutating func lineBreak(_ character: UInt32) {
    if character == 0x0A { return lineBreak() }
    whitespace = true
    indention = true
    column = 0
    if let scalar = Unicode.Scalar(character) { out.append(contentsOf: Array(String(scalar).utf8)) }
  }

  private mutating func writeDoubleQuoted<Text: RandomAccessCollection>(_ text: Text, folds: Bool)
  where Text.Element: FixedWidthInteger, Text.Index == Int {
    indicator("\"", needsBlank: true)
    let count = text.count
    var start = 0
    for end in 0...count {
      let character: UInt32? = end < count ? UInt32(truncatingIfNeeded: text[end]) : nil
      if character.map(Self.needsEscape) ?? true {
        if start < end {
          put(text, start, end)
          start = end
        }
        if let character {
          putASCII(Self.escape(character))
          start = end + 1
        }
      }
      if end > 0, end < count - 1, character == 0x20 || start >= end, column + (end - start) > width, folds {
        let needsBackslash = Self.needsBackslash(text, start: start, end: end)
        put(text, start, end)
        if needsBackslash { putASCII("\\") }
        start = max(start, end)
        writeIndent()
        whitespace = false
        indention = false
        if text[start] == 0x20 {
          if needsBackslash { putASCII("\\") } else { start += 1 }
        }
      }
    }
    indicator("\"", needsBlank: false)
  }

  /// Whether the line break put before `end` must be escaped, by ruamel's rule.
  private static func needsBackslash<Text: RandomAccessCollection>(_ text: Text, start: Int, end: Int) -> Bool
  where Text.Element: FixedWidthInteger, Text.Index == Int {
    guard var blank = text[end...].firstIndex(of: 0x20) else { return true }
    if let newline = text[end..<blank].firstIndex(of: 0x0A) { blank = newline }
    guard blank + 1 < text.count else { return true }
    let next = text[blank + 1]
    if text[blank] == 0x0A && next != 0x20 { return true }
    let hasQuote = text[end..<blank].contains { $0 == 0x22 || $0 == 0x27 }
    let isBetweenBlanks = text[end - 1] == 0x20 && text[end] == 0x20
    return hasQuote || next == 0x20 || next == 0x0A || isBetweenBlanks || start == end
  }

  private static func needsEscape(_ character: UInt32) -> Bool {
    if (0x20...0x7E).contains(character) { return character == 0x22 || character == 0x5C }
    return character == 0x85 || character == 0x2028 || character == 0x2029
      || !YAMLScalarText.isPrintableBeyondASCII(character)
  }

  private static func escape(_ character: UInt32) -> String {
    switch character {
    case 0x00: return "\\0"
    case 0x07: return "\\a"
    case 0x08: return "\\b"
    case 0x09: return "\\t"
    case 0x0A: return "\\n"
    case 0x0B: return "\\v"
    case 0x0C: return "\\f"
    case 0x0D: return "\\r"
    case 0x1B: return "\\e"
    case 0x22: return "\\\""
    case 0x5C: return "\\\\"
    case 0x85: return "\\N"
    case 0x2028: return "\\L"
    case 0x2029: return "\\P"
    default:
      let hex = String(character, radix: 16, uppercase: true)
      let (letter, width) = character <= 0xFF ? ("x", 2) : character <= 0xFFFF ? ("u", 4) : ("U", 8)
      return "\\\(letter)" + String(repeating: "0", count: width - hex.count) + hex
    }
  }
}
