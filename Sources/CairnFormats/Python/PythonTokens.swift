// Python's source as tokens, with indentation. Enough for reading parameters: strings and numbers are only delimited
// here, `PythonLiteral.swift` reads them. Knows nothing of statements.
import CairnCore

struct PythonToken {
  enum Kind {
    case name, number, string, op
    /// The end of a logical line.
    case newline
    case indent, dedent
  }

  var kind: Kind
  var start: Int
  var end: Int
}

struct PythonFault: Error {
  /// In CPython's words.
  let message: String
  let offset: Int
}

struct PythonTokenizer {
  let bytes: [UInt8]
  private(set) var tokens: [PythonToken] = []
  private var index = 0
  private var indents = [0]
  private var brackets: [(byte: UInt8, offset: Int)] = []

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func tokens(_ bytes: [UInt8]) throws(PythonFault) -> [PythonToken] {
    var tokenizer = PythonTokenizer(bytes)
    try tokenizer.run()
    return tokenizer.tokens
  }

  private func byte(_ offset: Int = 0) -> UInt8? { index + offset < bytes.count ? bytes[index + offset] : nil }

  private mutating func run() throws(PythonFault) {
    var isLineStart = true
    while index < bytes.count {
      if isLineStart {
        guard try indentation() else { continue }
        isLineStart = false
      }
      let start = index
      switch bytes[index] {
      case 0x20, 0x09, 0x0C: index += 1
      case 0x0D where byte(1) == 0x0A: index += 1
      case 0x0A, 0x0D:
        index += 1
        if brackets.isEmpty {
          tokens.append(PythonToken(kind: .newline, start: start, end: index))
          isLineStart = true
        }
      case UInt8(ascii: "#"): skipComment()
      case UInt8(ascii: "\\"):
        index += 1
        if byte() == 0x0D { index += 1 }
        guard byte() == 0x0A || bytes[index - 1] == 0x0D else {
          throw PythonFault(message: "unexpected character after line continuation character", offset: start)
        }
        if byte() == 0x0A { index += 1 }
        if index >= bytes.count {
          throw PythonFault(message: "unexpected EOF while parsing", offset: start)
        }
      case UInt8(ascii: "\""), UInt8(ascii: "'"): try string(from: start)
      case 0x30...0x39: number()
      case UInt8(ascii: ".") where byte(1).map({ 0x30...0x39 ~= $0 }) ?? false: number()
      case let first where Self.isNamePart(first):
        while let next = byte(), Self.isNamePart(next) { index += 1 }
        if let quote = byte(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
          Self.isStringPrefix(bytes[start..<index])
        {
          try string(from: start)
        } else {
          tokens.append(PythonToken(kind: .name, start: start, end: index))
        }
      default: try op()
      }
    }
    if let open = brackets.last {
      throw PythonFault(message: "'\(Character(Unicode.Scalar(open.byte)))' was never closed", offset: open.offset)
    }
    if !isLineStart { tokens.append(PythonToken(kind: .newline, start: index, end: index)) }
    for _ in indents.dropFirst() { tokens.append(PythonToken(kind: .dedent, start: index, end: index)) }
  }

  static func isNamePart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39,
      UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }

  private static func isStringPrefix(_ name: ArraySlice<UInt8>) -> Bool {
    ["r", "u", "b", "f", "br", "rb", "fr", "rf"].contains(String(decoding: name, as: UTF8.self).lowercased())
  }

  private mutating func skipComment() {
    while let next = byte(), next != 0x0A, next != 0x0D { index += 1 }
  }

  /// Reads the start of a line; false when the line is blank and has been skipped.
  private mutating func indentation() throws(PythonFault) -> Bool {
    var column = 0
    let start = index
    scan: while let next = byte() {
      switch next {
      case 0x20: column += 1
      case 0x09: column = (column / 8 + 1) * 8
      case 0x0C: column = 0
      default: break scan
      }
      index += 1
    }
    if byte() == UInt8(ascii: "#") { skipComment() }
    if byte() == 0x0D { index += 1 }
    if byte() == 0x0A {
      index += 1
      return false
    }
    guard index < bytes.count else { return false }
    if bytes[index - (index > start ? 1 : 0)] == 0x0D { return false }
    if column > indents[indents.count - 1] {
      indents.append(column)
      tokens.append(PythonToken(kind: .indent, start: start, end: index))
    }
    while column < indents[indents.count - 1] {
      indents.removeLast()
      tokens.append(PythonToken(kind: .dedent, start: start, end: index))
      if column > indents[indents.count - 1] {
        throw PythonFault(message: "unindent does not match any outer indentation level", offset: index)
      }
    }
    return true
  }

  private mutating func number() {
    let start = index
    while let next = byte() {
      let isSign = next == UInt8(ascii: "+") || next == UInt8(ascii: "-")
      let afterExponent =
        index > start && bytes[index - 1] | 0x20 == UInt8(ascii: "e") && bytes[start..<index].allSatisfy {
          $0 | 0x20 != UInt8(ascii: "x")
        }
      guard Self.isNamePart(next) || next == UInt8(ascii: ".") || isSign && afterExponent else { break }
      index += 1
    }
    tokens.append(PythonToken(kind: .number, start: start, end: index))
  }

  private mutating func string(from start: Int) throws(PythonFault) {
    let quote = bytes[index]
    let isTriple = byte(1) == quote && byte(2) == quote
    index += isTriple ? 3 : 1
    while let next = byte() {
      if next == UInt8(ascii: "\\") {
        index += byte(1) == 0x0D && byte(2) == 0x0A ? 3 : 2
      } else if next == quote, !isTriple || byte(1) == quote && byte(2) == quote {
        index += isTriple ? 3 : 1
        tokens.append(PythonToken(kind: .string, start: start, end: index))
        return
      } else if next == 0x0A || next == 0x0D, !isTriple {
        break
      } else {
        index += 1
      }
    }
    let last = bytes[..<min(index, bytes.count)].count { $0 == 0x0A } + 1
    let kind = isTriple ? "triple-quoted string literal" : "string literal"
    throw PythonFault(message: "unterminated \(kind) (detected at line \(last))", offset: start)
  }

  private static let longOps: [[UInt8]] = [
    "**=", "//=", ">>=", "<<=", "...", "==", "!=", "<=", ">=", "->", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
    "@=", ":=", "**", "//", "<<", ">>",
  ].map { Array($0.utf8) }

  private mutating func op() throws(PythonFault) {
    let start = index
    let first = bytes[index]
    switch first {
    case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): brackets.append((first, index))
    case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      let closing = Character(Unicode.Scalar(first))
      guard let open = brackets.popLast() else {
        throw PythonFault(message: "unmatched '\(closing)'", offset: index)
      }
      guard open.byte == (first == UInt8(ascii: ")") ? UInt8(ascii: "(") : first - 2) else {
        let opening = Character(Unicode.Scalar(open.byte))
        throw PythonFault(
          message: "closing parenthesis '\(closing)' does not match opening parenthesis '\(opening)'", offset: index)
      }
    case UInt8(ascii: "$"), UInt8(ascii: "?"), UInt8(ascii: "`"), 0..<0x20, 0x7F:
      throw PythonFault(message: "invalid syntax", offset: index)
    case UInt8(ascii: "!") where byte(1) != UInt8(ascii: "="):
      throw PythonFault(message: "invalid syntax", offset: index)
    default: break
    }
    index += Self.longOps.first { bytes[index...].starts(with: $0) }?.count ?? 1
    tokens.append(PythonToken(kind: .op, start: start, end: index))
  }
}
