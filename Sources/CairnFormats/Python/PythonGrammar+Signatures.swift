// The parameters of Python's functions and lambdas, and of generic types.

extension PythonGrammar {
  /// The parameters of a function, the opening parenthesis passed, or of a `lambda`, which may not be annotated.
  ///
  /// - Parameter closing: the parenthesis or the colon that ends them, and that is passed.
  mutating func parameters(until closing: PythonSymbol) throws(PythonFault) {
    let isAnnotated = closing == .rightParen
    var hasDefault = false, hasSlash = false, hasStar = false
    let first = position
    while symbol != closing {
      let start = position
      if skip(.slash) {
        if start == first { throw fault("at least one argument must precede /", at: start) }
        if hasSlash { throw fault("/ may appear only once", at: start) }
        if hasStar { throw fault("/ must be ahead of *", at: start) }
        hasSlash = true
      } else if skip(.doubleStar) {
        try parameter(isAnnotated: isAnnotated)
        if symbol == .assign { throw fault("var-keyword argument cannot have default value") }
        if skip(.comma), symbol != closing { throw fault("arguments cannot follow var-keyword argument") }
        break
      } else if skip(.star) {
        if hasStar { throw fault("* argument may appear only once", at: start) }
        hasStar = true
        try starParameter(isAnnotated: isAnnotated)
      } else {
        try parameter(isAnnotated: isAnnotated)
        if skip(.assign) {
          _ = try expression()
          hasDefault = true
        } else if hasDefault, !hasStar {
          throw fault("parameter without a default follows parameter with a default", at: start)
        }
      }
      guard skip(.comma) else { break }
    }
    try expect(closing)
  }

  private mutating func parameter(isAnnotated: Bool) throws(PythonFault) {
    try expect(.name)
    if isAnnotated, skip(.colon) { _ = try expression() }
  }

  /// What stands behind the star: a name, or nothing, and then a name must follow.
  private mutating func starParameter(isAnnotated: Bool) throws(PythonFault) {
    guard symbol == .name else {
      guard symbol == .comma, next == .name else { throw fault("named arguments must follow bare *") }
      return
    }
    position += 1
    if isAnnotated, skip(.colon) { _ = skip(.star) ? try operation() : try expression() }
    if symbol == .assign { throw fault("var-positional argument cannot have default value") }
  }

  /// `[T, U: int = str, *V, **W]`
  mutating func typeParameters() throws(PythonFault) {
    position += 1
    repeat {
      let isStarred = skip(.star)
      let isPlain = !isStarred && !skip(.doubleStar)
      try expect(.name)
      if isPlain, skip(.colon) { _ = try expression() }
      if skip(.assign) { _ = isStarred && skip(.star) ? try operation() : try expression() }
    } while skip(.comma) && symbol != .rightBracket
    try expect(.rightBracket)
  }
}
