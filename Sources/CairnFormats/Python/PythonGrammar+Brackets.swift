// What stands in brackets in Python's expressions: displays, comprehensions, arguments and items.

extension PythonGrammar {
  /// A group, a tuple or a generator.
  mutating func parentheses() throws(PythonFault) -> PythonShape {
    position += 1
    if skip(.rightParen) { return .display(.tuple) }
    if symbol == .yield {
      try yieldExpression()
      try close(.rightParen)
      return .value(.yield)
    }
    let start = position
    let first = try starNamedExpression()
    if symbol == .for || symbol == .async {
      try comprehension(of: first)
      try close(.rightParen)
      return .value(.generator)
    }
    if symbol == .comma { return try display(.tuple, after: first, until: .rightParen) }
    try close(.rightParen)
    if first.form == .starred { throw fault("cannot use starred expression here", at: start) }
    return first
  }

  /// A list or a comprehension of one.
  mutating func brackets() throws(PythonFault) -> PythonShape {
    position += 1
    if skip(.rightBracket) { return .display(.list) }
    let first = try starNamedExpression()
    if symbol == .for || symbol == .async {
      try comprehension(of: first)
      try close(.rightBracket)
      return .value(.comprehension)
    }
    return try display(.list, after: first, until: .rightBracket)
  }

  private mutating func display(_ form: PythonShape.Form, after first: PythonShape, until closing: PythonSymbol)
    throws(PythonFault) -> PythonShape
  {
    var display = PythonShape.display(form)
    display.add(first)
    while skip(.comma), symbol != closing { display.add(try starNamedExpression()) }
    try close(closing)
    return display
  }

  /// A dictionary, a set or a comprehension of either.
  mutating func braces() throws(PythonFault) -> PythonShape {
    position += 1
    if skip(.rightBrace) { return .value(.dict) }
    if symbol == .doubleStar { return try dictionary() }
    let isNamed = symbol == .name && next == .walrus
    let first = try starNamedExpression()
    guard symbol == .colon, !isNamed, first.form != .starred else {
      if symbol == .for || symbol == .async {
        try comprehension(of: first)
        try close(.rightBrace)
        return .value(.comprehension)
      }
      _ = try display(.set, after: first, until: .rightBrace)
      return .value(.set)
    }
    position += 1
    try dictionaryValue()
    if symbol == .for || symbol == .async {
      try comprehension(of: first)
      try close(.rightBrace)
      return .value(.comprehension)
    }
    guard skip(.comma) else {
      try close(.rightBrace)
      return .value(.dict)
    }
    return try dictionary()
  }

  /// The rest of a dictionary, from the beginning of an entry or from its end.
  private mutating func dictionary() throws(PythonFault) -> PythonShape {
    while symbol != .rightBrace {
      if skip(.doubleStar) {
        _ = try operation()
        if symbol == .for || symbol == .async {
          throw fault("dict unpacking cannot be used in dict comprehension")
        }
      } else {
        _ = try expression()
        try expect(.colon, "':' expected after dictionary key")
        try dictionaryValue()
      }
      guard skip(.comma) else { break }
    }
    try close(.rightBrace)
    return .value(.dict)
  }

  private mutating func dictionaryValue() throws(PythonFault) {
    switch symbol {
    case .star: throw fault("cannot use a starred expression in a dictionary value")
    case .rightBrace, .comma: throw fault("expression expected after dictionary key and ':'")
    default: _ = try expression()
    }
  }

  /// The `for … in … if …` behind `element`, as often as they come.
  private mutating func comprehension(of element: PythonShape) throws(PythonFault) {
    if element.form == .starred { throw fault("iterable unpacking cannot be used in comprehension") }
    while symbol == .for || symbol == .async {
      _ = skip(.async)
      try expect(.for)
      try targets()
      try expect(.in)
      _ = try disjunction()
      while skip(.if) { _ = try disjunction() }
    }
  }

  private mutating func close(_ closing: PythonSymbol) throws(PythonFault) {
    switch symbol {
    case closing: position += 1
    case .name, .number, .string, .formatStart, .constant:
      throw fault("invalid syntax. Perhaps you forgot a comma?")
    case .assign: throw fault("invalid syntax. Maybe you meant '==' or ':=' instead of '='?")
    default: throw fault()
    }
  }

  /// The items between the brackets of `a[…]`, the opening one passed.
  mutating func subscripts() throws(PythonFault) {
    repeat {
      if skip(.star) { _ = try expression() } else { try slice() }
    } while skip(.comma) && symbol != .rightBracket
    try close(.rightBracket)
  }

  private mutating func slice() throws(PythonFault) {
    if symbol != .colon {
      let isNamed = symbol == .name && next == .walrus
      _ = try namedExpression()
      if isNamed { return }
    }
    var colons = 0
    while colons < 2, skip(.colon) {
      colons += 1
      if symbol != .colon, symbol != .comma, symbol != .rightBracket { _ = try expression() }
    }
  }

  /// The arguments of a call or of a class, the opening parenthesis passed.
  ///
  /// - Parameter mayBeGenerator: a generator may stand alone and without parentheses of its own, as in a call.
  mutating func arguments(mayBeGenerator: Bool) throws(PythonFault) {
    var hasKeyword = false, hasMapping = false
    let first = position
    while symbol != .rightParen {
      let start = position
      if skip(.star) {
        if hasMapping { throw fault("iterable argument unpacking follows keyword argument unpacking", at: start) }
        _ = try expression()
      } else if skip(.doubleStar) {
        hasMapping = true
        _ = try expression()
      } else if symbol == .name, next == .assign {
        hasKeyword = true
        position += 2
        if symbol == .comma || symbol == .rightParen { throw fault("expected argument value expression") }
        _ = try expression()
      } else {
        let shape = try namedExpression()
        if symbol == .for || symbol == .async {
          try comprehension(of: shape)
          guard mayBeGenerator else { throw fault("invalid syntax", at: start) }
          guard start == first, symbol == .rightParen else {
            throw fault("Generator expression must be parenthesized", at: start)
          }
        } else if symbol == .assign {
          throw fault("expression cannot contain assignment, perhaps you meant \"==\"?", at: start)
        } else if hasKeyword || hasMapping {
          throw fault("positional argument follows keyword argument\(hasMapping ? " unpacking" : "")", at: start)
        }
      }
      guard skip(.comma) else { break }
    }
    try close(.rightParen)
  }
}
