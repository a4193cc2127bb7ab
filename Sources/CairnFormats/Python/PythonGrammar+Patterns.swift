// Python's `match` and the patterns of its cases.

extension PythonGrammar {
  /// `match` stands here and begins a statement: its line ends with a colon and a block of cases follows. Elsewhere
  /// it is a name, and a line that is an expression or an assignment neither ends so nor has a block.
  var isMatch: Bool {
    guard let end = tokens[position...].firstIndex(where: { $0.symbol == .newline }), end + 2 < tokens.count,
      tokens[end - 1].symbol == .colon, tokens[end + 1].symbol == .indent
    else { return false }
    let first = tokens[end + 2]
    return first.symbol == .name && bytes[first.start..<first.end].elementsEqual("case".utf8)
  }

  mutating func match() throws(PythonFault) {
    let start = position
    position += 1
    let subject = try starNamedExpression()
    if symbol == .comma {
      while skip(.comma), symbol != .colon { _ = try starNamedExpression() }
    } else if subject.form == .starred {
      throw fault()
    }
    try expect(.colon, "expected ':'")
    try openBlock(of: "'match' statement", at: start)
    repeat {
      let start = position
      guard isName("case") else { throw fault() }
      position += 1
      try openSequence(until: [.colon, .if])
      if skip(.if) { _ = try namedExpression() }
      try block(of: "'case' statement", at: start)
    } while !skip(.dedent)
  }

  /// `a`, `a, *b`: patterns without brackets. A lone one may have no star.
  private mutating func openSequence(until closing: [PythonSymbol]) throws(PythonFault) {
    let isStarred = try starPattern()
    if symbol == .comma {
      while skip(.comma), !closing.contains(symbol) { _ = try starPattern() }
    } else if isStarred {
      throw fault()
    }
  }

  /// A pattern, perhaps with a star; whether it has one.
  private mutating func starPattern() throws(PythonFault) -> Bool {
    guard skip(.star) else {
      try pattern()
      return false
    }
    try expect(.name)
    return true
  }

  private mutating func pattern() throws(PythonFault) {
    try enter()
    repeat { try closedPattern() } while skip(.pipe)
    if skip(.as) { try captureTarget() }
    leave()
  }

  private mutating func captureTarget() throws(PythonFault) {
    if isName("_") { throw fault("cannot use '_' as a target") }
    try expect(.name)
  }

  private mutating func closedPattern() throws(PythonFault) {
    switch symbol {
    case .number, .minus: try numberPattern()
    case .string, .formatStart: _ = try strings()
    case .constant: position += 1
    case .name: try namePattern()
    case .leftParen:
      position += 1
      if skip(.rightParen) { return }
      try openSequence(until: [.rightParen])
      try expect(.rightParen)
    case .leftBracket:
      position += 1
      if symbol != .rightBracket {
        repeat { _ = try starPattern() } while skip(.comma) && symbol != .rightBracket
      }
      try expect(.rightBracket)
    case .leftBrace: try mappingPattern()
    default: throw fault()
    }
  }

  /// `1`, `-1`, `-1 + 2j`
  private mutating func numberPattern() throws(PythonFault) {
    _ = skip(.minus)
    let isFirstImaginary = isImaginary
    try expect(.number)
    guard symbol == .plus || symbol == .minus else { return }
    if isFirstImaginary { throw fault("real number required in complex literal", at: position - 1) }
    position += 1
    guard symbol == .number else { throw fault() }
    guard isImaginary else { throw fault("imaginary number required in complex literal") }
    position += 1
  }

  private var isImaginary: Bool { text.last.map { $0 | 0x20 == UInt8(ascii: "j") } ?? false }

  /// `_`, a capture, `a.b`, `a.b(…)`
  private mutating func namePattern() throws(PythonFault) {
    let isWildcard = isName("_")
    position += 1
    // Behind a wildcard CPython looks no further.
    if isWildcard { return }
    while skip(.dot) { try expect(.name) }
    guard skip(.leftParen) else { return }
    var hasKeyword = false
    while symbol != .rightParen {
      if symbol == .name, next == .assign {
        hasKeyword = true
        position += 2
      } else if hasKeyword {
        throw fault("positional patterns follow keyword patterns")
      }
      try pattern()
      guard skip(.comma) else { break }
    }
    try expect(.rightParen)
  }

  private mutating func mappingPattern() throws(PythonFault) {
    position += 1
    while symbol != .rightBrace {
      if skip(.doubleStar) {
        if isName("_") { throw fault() }
        try expect(.name)
        _ = skip(.comma)
        break
      }
      switch symbol {
      case .number, .minus: try numberPattern()
      case .string, .formatStart: _ = try strings()
      case .constant: position += 1
      case .name:
        position += 1
        guard symbol == .dot else { throw fault() }
        while skip(.dot) { try expect(.name) }
      default: throw fault()
      }
      try expect(.colon)
      try pattern()
      guard skip(.comma) else { break }
    }
    try expect(.rightBrace)
  }
}
