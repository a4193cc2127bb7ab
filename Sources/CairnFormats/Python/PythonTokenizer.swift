// Python's source cut into tokens as CPython cuts it, with indentation. Knows nothing of statements; what stands
// between quotes is delimited in `PythonTokenizer+Strings.swift` and read elsewhere.
import CairnCore

struct PythonTokenizer {
  let bytes: [UInt8]
  var tokens: [PythonToken] = []
  var index = 0
  var brackets: [(byte: UInt8, offset: Int)] = []
  /// The f-strings that the place is inside of, the innermost last.
  var formats: [Format] = []
  /// The columns of the open blocks, with tabs to every eighth column and with tabs as one. A line must lie in or out
  /// by both measures, or its depth would hang on the width of a tab.
  private var indents = [(column: 0, narrow: 0)]

  /// CPython's own bounds, which keep its stack and ours.
  private static let mostBrackets = 200, mostIndents = 100

  /// An f-string whose end has not come.
  struct Format {
    let start: Int
    let quote: UInt8
    let isTriple: Bool
    let isRaw: Bool
    /// For each open replacement field, how many brackets were open behind its brace.
    var fields: [Int] = []
    /// The place is in text or in a format specification, not in an expression.
    var isInText = true
  }

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func tokens(_ bytes: [UInt8]) throws(PythonFault) -> [PythonToken] {
    if let null = bytes.firstIndex(of: 0) {
      throw PythonFault(message: "source code string cannot contain null bytes", offset: null)
    }
    var tokenizer = PythonTokenizer(bytes)
    tokenizer.tokens.reserveCapacity(bytes.count / 4)
    try tokenizer.run()
    return tokenizer.tokens
  }

  func byte(_ offset: Int = 0) -> UInt8? { index + offset < bytes.count ? bytes[index + offset] : nil }

  mutating func append(_ symbol: PythonSymbol, from start: Int) {
    tokens.append(PythonToken(symbol: symbol, start: start, end: index))
  }

  private mutating func run() throws(PythonFault) {
    var isLineStart = true
    while index < bytes.count {
      if let format = formats.last, format.isInText {
        try formatText()
        continue
      }
      if isLineStart {
        guard try indentation() else { continue }
        isLineStart = false
      }
      let start = index
      switch bytes[index] {
      case 0x20, 0x09, 0x0C: index += 1
      case 0x0A, 0x0D:
        skipLineEnd()
        if brackets.isEmpty {
          append(.newline, from: start)
          isLineStart = true
        }
      case UInt8(ascii: "#"): skipComment()
      case UInt8(ascii: "\\"): try continuation()
      case UInt8(ascii: "\""), UInt8(ascii: "'"): try string(from: start)
      case 0x30...0x39: try number()
      case UInt8(ascii: ".") where byte(1).map({ 0x30...0x39 ~= $0 }) ?? false: try number()
      case let first where Self.isNamePart(first): try name()
      default: try op()
      }
    }
    try end(isLineStart: isLineStart)
  }

  private mutating func end(isLineStart: Bool) throws(PythonFault) {
    if let format = formats.last, format.isInText { throw unterminated(format) }
    if let open = brackets.last {
      throw PythonFault(message: "'\(Character(Unicode.Scalar(open.byte)))' was never closed", offset: open.offset)
    }
    if !isLineStart { append(.newline, from: index) }
    for _ in indents.dropFirst() { append(.dedent, from: index) }
  }

  static func isNamePart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39,
      UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }

  private mutating func skipComment() {
    while let next = byte(), next != 0x0A, next != 0x0D { index += 1 }
  }

  /// Steps over `\n`, `\r` or both, which are one end of a line.
  private mutating func skipLineEnd() {
    index += byte() == 0x0D && byte(1) == 0x0A ? 2 : 1
  }

  /// A backslash that ends a line.
  private mutating func continuation() throws(PythonFault) {
    let start = index
    index += 1
    guard byte() == 0x0A || byte() == 0x0D else {
      let isLast = index >= bytes.count
      let message = isLast ? "unexpected EOF while parsing" : "unexpected character after line continuation character"
      throw PythonFault(message: message, offset: start)
    }
    skipLineEnd()
    if index >= bytes.count { throw PythonFault(message: "unexpected EOF while parsing", offset: start) }
  }

  /// Reads the start of a line; false when the line is blank and has been skipped.
  private mutating func indentation() throws(PythonFault) -> Bool {
    let start = index
    var here = (column: 0, narrow: 0)
    // Of a line that is continued within its indentation, what stands before the first backslash counts.
    var continued = 0
    scan: while let next = byte() {
      switch next {
      case 0x20: here = (here.column + 1, here.narrow + 1)
      case 0x09: here = ((here.column / 8 + 1) * 8, here.narrow + 1)
      case 0x0C: here = (0, 0)
      case UInt8(ascii: "\\"):
        if continued == 0 { continued = here.column }
        try continuation()
        continue scan
      default: break scan
      }
      index += 1
    }
    if byte() == UInt8(ascii: "#") { skipComment() }
    guard let next = byte() else { return false }
    if next == 0x0A || next == 0x0D {
      skipLineEnd()
      return false
    }
    if continued > 0 { here = (continued, continued) }
    try indent(to: here, from: start)
    return true
  }

  private mutating func indent(to here: (column: Int, narrow: Int), from start: Int) throws(PythonFault) {
    var open = indents[indents.count - 1]
    if here.column > open.column {
      guard indents.count < Self.mostIndents else {
        throw PythonFault(message: "too many levels of indentation", offset: index)
      }
      guard here.narrow > open.narrow else { throw inconsistentTabs }
      indents.append(here)
      return append(.indent, from: start)
    }
    while here.column < open.column {
      indents.removeLast()
      open = indents[indents.count - 1]
      append(.dedent, from: start)
      if here.column > open.column {
        throw PythonFault(message: "unindent does not match any outer indentation level", offset: index)
      }
    }
    guard here.narrow == open.narrow else { throw inconsistentTabs }
  }

  private var inconsistentTabs: PythonFault {
    PythonFault(message: "inconsistent use of tabs and spaces in indentation", offset: index)
  }

  private mutating func number() throws(PythonFault) {
    let start = index
    var scanner = PythonNumberScanner(bytes, at: index)
    try scanner.scan()
    index = scanner.index
    append(.number, from: start)
  }

  private mutating func name() throws(PythonFault) {
    let start = index
    var isASCII = true
    while let next = byte(), Self.isNamePart(next) {
      if next >= 0x80 { isASCII = false }
      index += 1
    }
    if let quote = byte(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"), index - start <= 2,
      Self.isStringPrefix(bytes[start..<index])
    {
      return try string(from: start)
    }
    if !isASCII { try checkName(start..<index) }
    append(.of(name: bytes[start..<index]), from: start)
  }

  /// A name outside ASCII is one by Unicode's own definition of identifiers.
  private func checkName(_ range: Range<Int>) throws(PythonFault) {
    var offset = range.lowerBound
    for scalar in String(decoding: bytes[range], as: UTF8.self).unicodeScalars {
      let properties = scalar.properties
      let isFirst = offset == range.lowerBound
      guard isFirst ? properties.isXIDStart || scalar == "_" : properties.isXIDContinue else {
        throw Self.strayCharacter(scalar, at: offset)
      }
      offset += UTF8.width(scalar)
    }
  }

  private static func strayCharacter(_ scalar: Unicode.Scalar, at offset: Int) -> PythonFault {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    let code = "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator, .paragraphSeparator:
      return PythonFault(message: "invalid non-printable character \(code)", offset: offset)
    default: return PythonFault(message: "invalid character '\(Character(scalar))' (\(code))", offset: offset)
    }
  }

  private mutating func op() throws(PythonFault) {
    let start = index
    if bytes[index] == UInt8(ascii: ":"), let field = formats.last?.fields.last, field == brackets.count {
      formats[formats.count - 1].isInText = true
      index += 1
      return append(.formatColon, from: start)
    }
    guard let (symbol, count) = PythonSymbol.longestOperator(in: bytes[index...]) else {
      guard 0x20..<0x7F ~= bytes[index] else {
        throw Self.strayCharacter(Unicode.Scalar(bytes[index]), at: index)
      }
      throw PythonFault(message: "invalid syntax", offset: index)
    }
    switch symbol {
    case .leftParen, .leftBracket, .leftBrace: try open()
    case .rightParen, .rightBracket, .rightBrace: try close()
    default: index += count
    }
    append(symbol, from: start)
  }

  /// Steps over an opening bracket.
  mutating func open() throws(PythonFault) {
    guard brackets.count < Self.mostBrackets else {
      throw PythonFault(message: "too many nested parentheses", offset: index)
    }
    brackets.append((bytes[index], index))
    index += 1
  }

  /// Steps over a closing bracket; behind that of a replacement field, the f-string's text goes on.
  mutating func close() throws(PythonFault) {
    let byte = bytes[index]
    let closing = Character(Unicode.Scalar(byte))
    let field = formats.last?.fields.last
    guard let open = brackets.popLast() else { throw PythonFault(message: "unmatched '\(closing)'", offset: index) }
    guard open.byte == (byte == UInt8(ascii: ")") ? UInt8(ascii: "(") : byte - 2) else {
      let opening = Character(Unicode.Scalar(open.byte))
      throw PythonFault(
        message: "closing parenthesis '\(closing)' does not match opening parenthesis '\(opening)'", offset: index)
    }
    if let field, field > brackets.count {
      formats[formats.count - 1].fields.removeLast()
      formats[formats.count - 1].isInText = true
    }
    index += 1
  }
}
