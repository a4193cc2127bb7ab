// Python's statements that have blocks.

extension PythonGrammar {
  mutating func statement() throws(PythonFault) {
    let start = position
    switch symbol {
    case .if: try conditional()
    case .while:
      position += 1
      _ = try namedExpression()
      try block(of: "'while' statement", at: start)
      try elseBlock()
    case .for: try loop()
    case .try: try guarded()
    case .with: try with()
    case .def: try function()
    case .class: try classDefinition()
    case .async:
      position += 1
      switch symbol {
      case .def: try function()
      case .for: try loop()
      case .with: try with()
      default: throw fault()
      }
    case .at:
      while skip(.at) {
        _ = try namedExpression()
        try expect(.newline)
      }
      guard symbol == .def || symbol == .class || symbol == .async && next == .def else { throw fault() }
      try statement()
    case .indent: throw PythonFault(message: "unexpected indent", offset: tokens[position].end)
    case .name where isName("match") && isMatch: try match()
    default: try simpleStatements()
    }
  }

  /// The colon and what it announces: statements on the same line, or an indented block.
  ///
  /// - Parameter header: the token that began the statement.
  mutating func block(of what: String, at header: Int) throws(PythonFault) {
    guard skip(.colon) else {
      let isAssignment = symbol == .assign
      throw fault(isAssignment ? "invalid syntax. Maybe you meant '==' or ':=' instead of '='?" : "expected ':'")
    }
    guard symbol == .newline else { return try simpleStatements() }
    try openBlock(of: what, at: header)
    while !skip(.dedent) { try statement() }
  }

  /// From the end of the header's line to the first statement of the block.
  mutating func openBlock(of what: String, at header: Int) throws(PythonFault) {
    try expect(.newline)
    guard skip(.indent) else {
      let line = bytes[..<tokens[header].start].count { $0 == 0x0A } + 1
      throw fault("expected an indented block after \(what) on line \(line)")
    }
  }

  private mutating func elseBlock() throws(PythonFault) {
    let start = position
    if skip(.else) { try block(of: "'else' statement", at: start) }
  }

  private mutating func conditional() throws(PythonFault) {
    var branches = 0
    var start = position
    position += 1
    _ = try namedExpression()
    try block(of: "'if' statement", at: start)
    start = position
    while skip(.elif) {
      try link(&branches)
      _ = try namedExpression()
      try block(of: "'elif' statement", at: start)
      start = position
    }
    try elseBlock()
  }

  private mutating func loop() throws(PythonFault) {
    let start = position
    position += 1
    try targets()
    try expect(.in)
    _ = try starExpressions()
    try block(of: "'for' statement", at: start)
    try elseBlock()
  }

  private mutating func guarded() throws(PythonFault) {
    var start = position
    position += 1
    try block(of: "'try' statement", at: start)
    var isStarred: Bool?
    start = position
    while skip(.except) {
      let hasStar = skip(.star)
      if let isStarred, isStarred != hasStar {
        throw fault("cannot have both 'except' and 'except*' on the same 'try'", at: start)
      }
      isStarred = hasStar
      try exceptions(isStarred: hasStar)
      try block(of: hasStar ? "'except*' statement" : "'except' statement", at: start)
      start = position
    }
    if isStarred != nil { try elseBlock() }
    start = position
    if skip(.finally) {
      try block(of: "'finally' statement", at: start)
    } else if isStarred == nil {
      throw fault("expected 'except' or 'finally' block")
    }
  }

  private mutating func exceptions(isStarred: Bool) throws(PythonFault) {
    if symbol == .colon {
      if isStarred { throw fault("expected one or more exception types") }
      return
    }
    let start = position
    _ = try expression()
    var areSeveral = false
    while skip(.comma) {
      areSeveral = true
      if symbol == .colon { break }
      _ = try expression()
    }
    guard skip(.as) else { return }
    if areSeveral { throw fault("multiple exception types must be parenthesized when using 'as'", at: start) }
    try expect(.name)
  }

  private mutating func with() throws(PythonFault) {
    let start = position
    position += 1
    // Parentheses around all items look like those of an expression until their end has been seen.
    let isParenthesised =
      symbol == .leftParen
      && attempt { grammar throws(PythonFault) in
        grammar.position += 1
        repeat { try grammar.withItem() } while grammar.skip(.comma) && grammar.symbol != .rightParen
        try grammar.expect(.rightParen)
        guard grammar.symbol == .colon else { throw grammar.fault() }
      }
    if !isParenthesised {
      repeat { try withItem() } while skip(.comma)
    }
    try block(of: "'with' statement", at: start)
  }

  private mutating func withItem() throws(PythonFault) {
    _ = try expression()
    guard skip(.as) else { return }
    try target()
    guard symbol == .comma || symbol == .rightParen || symbol == .colon else { throw fault() }
  }

  private mutating func function() throws(PythonFault) {
    let start = position
    position += 1
    try expect(.name)
    if symbol == .leftBracket { try typeParameters() }
    try expect(.leftParen, "expected '('")
    try parameters(until: .rightParen)
    if skip(.arrow) { _ = try expression() }
    try block(of: "function definition", at: start)
  }

  private mutating func classDefinition() throws(PythonFault) {
    let start = position
    position += 1
    try expect(.name)
    if symbol == .leftBracket { try typeParameters() }
    if skip(.leftParen) { try arguments(mayBeGenerator: false) }
    try block(of: "class definition", at: start)
  }

  // MARK: targets

  /// What `for` assigns to.
  mutating func targets() throws(PythonFault) {
    repeat { try target() } while skip(.comma) && symbol != .in
  }

  /// One of them, which may have a star.
  private mutating func target() throws(PythonFault) {
    _ = skip(.star)
    let start = position
    if let part = try primary().obstacle { throw fault("cannot assign to \(part.name)", at: start) }
  }
}
