// The tokens of Python's source, named as its grammar needs them. Knows nothing of how they are found.

/// What a token is to the grammar. Operators that the grammar treats alike share one.
enum PythonSymbol: UInt8 {
  case name, number, string
  /// An f-string or t-string comes in parts: its prefix and quote, its text, and each replacement field as tokens
  /// between braces.
  case formatStart, formatText, formatEnd
  /// The colon before a format specification, and only that one.
  case formatColon
  /// The end of a logical line.
  case newline
  case indent, dedent
  /// Stands after the last token.
  case end

  case leftParen, rightParen, leftBracket, rightBracket, leftBrace, rightBrace
  case comma, colon, semicolon, dot, ellipsis, assign, walrus, arrow, exclamation
  case at, star, doubleStar, slash, pipe, plus, minus, tilde
  /// `% // & ^ << >>`, which are nothing but operators between two operands.
  case binary
  /// `== != < > <= >=`
  case comparison
  /// `+=` and its kin.
  case augmented

  /// `True`, `False`, `None`.
  case constant
  case and, `as`, assert, async, await, `break`, `class`, `continue`, def, del, elif, `else`, except, finally, `for`
  case from, global, `if`, `import`, `in`, `is`, lambda, nonlocal, not, or, pass, raise, `return`, `try`, `while`
  case with, yield
}

struct PythonToken {
  enum Kind { case name, number, string, format, op, newline, indent, dedent }

  var symbol: PythonSymbol
  var start: Int
  var end: Int

  /// The coarser view of who reads values: a keyword is a name, an f-string's texts and quotes are one thing.
  var kind: Kind {
    switch symbol {
    case .name: .name
    case .number: .number
    case .string: .string
    case .formatStart, .formatText, .formatEnd: .format
    case .newline, .end: .newline
    case .indent: .indent
    case .dedent: .dedent
    default: symbol.rawValue >= PythonSymbol.constant.rawValue ? .name : .op
    }
  }
}

struct PythonFault: Error {
  /// In CPython's words.
  let message: String
  let offset: Int
}

extension PythonSymbol {
  /// The bytes of a short word as one number, so that words are compared without making text of them.
  @inline(__always)
  private static func packed(_ word: some Sequence<UInt8>) -> UInt64 { word.reduce(0) { $0 << 8 | UInt64($1) } }

  private static func table(_ words: [(PythonSymbol, String)]) -> [UInt64: PythonSymbol] {
    var table: [UInt64: PythonSymbol] = [:]
    for (symbol, list) in words {
      for word in list.split(separator: " ") { table[packed(word.utf8)] = symbol }
    }
    return table
  }

  private static let keywords = table([
    (.constant, "True False None"), (.and, "and"), (.as, "as"), (.assert, "assert"), (.async, "async"),
    (.await, "await"), (.break, "break"), (.class, "class"), (.continue, "continue"), (.def, "def"), (.del, "del"),
    (.elif, "elif"), (.else, "else"), (.except, "except"), (.finally, "finally"), (.for, "for"), (.from, "from"),
    (.global, "global"), (.if, "if"), (.import, "import"), (.in, "in"), (.is, "is"), (.lambda, "lambda"),
    (.nonlocal, "nonlocal"), (.not, "not"), (.or, "or"), (.pass, "pass"), (.raise, "raise"), (.return, "return"),
    (.try, "try"), (.while, "while"), (.with, "with"), (.yield, "yield"),
  ])

  private static let operators = table([
    (.leftParen, "("), (.rightParen, ")"), (.leftBracket, "["), (.rightBracket, "]"), (.leftBrace, "{"),
    (.rightBrace, "}"), (.comma, ","), (.colon, ":"), (.semicolon, ";"), (.dot, "."), (.ellipsis, "..."),
    (.assign, "="), (.walrus, ":="), (.arrow, "->"), (.exclamation, "!"), (.at, "@"), (.star, "*"),
    (.doubleStar, "**"), (.slash, "/"), (.pipe, "|"), (.plus, "+"), (.minus, "-"), (.tilde, "~"),
    (.binary, "% // & ^ << >>"), (.comparison, "== != < > <= >="),
    (.augmented, "+= -= *= /= //= %= @= &= |= ^= >>= <<= **="),
  ])

  private static let secondBytes = Array("=*/<>.".utf8)

  /// What the name `word` is: a keyword, or a name. `match`, `case`, `type` and `_` are names that the grammar looks
  /// at.
  static func of(name word: ArraySlice<UInt8>) -> PythonSymbol {
    guard 2...8 ~= word.count else { return .name }
    return keywords[packed(word)] ?? .name
  }

  /// The longest operator at the start of `bytes`, and its length; `nil` where none stands.
  static func longestOperator(in bytes: ArraySlice<UInt8>) -> (symbol: PythonSymbol, count: Int)? {
    guard let first = bytes.first else { return nil }
    // Most operators are one character, and the second of a longer one tells them apart.
    let second = bytes.dropFirst().first ?? 0
    if secondBytes.contains(second) {
      for count in [3, 2] where bytes.count >= count {
        if let symbol = operators[packed(bytes.prefix(count))] { return (symbol, count) }
      }
    }
    return operators[UInt64(first)].map { ($0, 1) }
  }
}
