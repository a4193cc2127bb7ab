// Python's expressions, from the loosest binding to the tightest.

extension PythonGrammar {
  /// `a`, `*a`, `a, *b`, without parentheses.
  mutating func starExpressions() throws(PythonFault) -> PythonShape {
    let first = try starExpression()
    guard symbol == .comma else { return first }
    var tuple = PythonShape.display(.tuple)
    tuple.add(first)
    while skip(.comma), isExpressionStart { tuple.add(try starExpression()) }
    return tuple
  }

  /// Something that an expression or a star can begin with stands here; what no expression begins with, a comma may
  /// stand before.
  private var isExpressionStart: Bool {
    switch symbol {
    case .name, .number, .string, .formatStart, .constant, .ellipsis, .leftParen, .leftBracket, .leftBrace, .star,
      .plus, .minus, .tilde, .not, .lambda, .await:
      true
    default: false
    }
  }

  private mutating func starExpression() throws(PythonFault) -> PythonShape {
    skip(.star) ? .starred(try operation()) : try expression()
  }

  /// A part of a display in brackets: with a star, or perhaps with a name given.
  mutating func starNamedExpression() throws(PythonFault) -> PythonShape {
    skip(.star) ? .starred(try operation()) : try namedExpression()
  }

  mutating func namedExpression() throws(PythonFault) -> PythonShape {
    if symbol == .name, next == .walrus {
      position += 2
      _ = try expression()
      return .value(.named)
    }
    let start = position
    let shape = try expression()
    if symbol == .walrus { throw fault("cannot use assignment expressions with \(shape.name)", at: start) }
    return shape
  }

  mutating func yieldExpression() throws(PythonFault) {
    try expect(.yield)
    if skip(.from) {
      _ = try expression()
    } else if isExpressionStart {
      _ = try starExpressions()
    }
  }

  /// `a`, `a if b else c`, `lambda: a`.
  mutating func expression() throws(PythonFault) -> PythonShape {
    try enter()
    var form: PythonShape.Form?
    var links = 0
    while true {
      if skip(.lambda) {
        try parameters(until: .colon)
        try link(&links, weight: 2)
        form = form ?? .lambda
        continue
      }
      let shape = try disjunction()
      guard skip(.if) else {
        leave()
        return form.map(PythonShape.value) ?? shape
      }
      _ = try disjunction()
      try expect(.else, "expected 'else' after 'if' expression")
      try link(&links)
      form = form ?? .conditional
    }
  }

  /// What has `or`, `and`, `not` and comparisons, but no condition.
  ///
  /// `not` stands only where a whole comparison begins: neither `a + not b` nor `a == not b` is Python.
  mutating func disjunction() throws(PythonFault) -> PythonShape {
    var form: PythonShape.Form?
    while true {
      var links = 0
      while skip(.not) {
        try link(&links)
        form = .operation
      }
      let shape = try operation()
      while skipComparison() {
        _ = try operation()
        form = form ?? .comparison
      }
      guard skip(.and) || skip(.or) else { return form.map(PythonShape.value) ?? shape }
      form = .operation
    }
  }

  private mutating func skipComparison() -> Bool {
    if skip(.comparison) || skip(.in) { return true }
    if skip(.is) {
      _ = skip(.not)
      return true
    }
    guard symbol == .not, next == .in else { return false }
    position += 2
    return true
  }

  /// Operands with arithmetic and bits between them. Which operator binds tighter is of no matter here.
  mutating func operation() throws(PythonFault) -> PythonShape {
    var form: PythonShape.Form?
    var links = 0
    while true {
      while symbol == .plus || symbol == .minus || symbol == .tilde {
        position += 1
        try link(&links)
        form = .operation
      }
      if skip(.await) { form = form ?? .awaited }
      let shape = try primary()
      switch symbol {
      case .doubleStar: try link(&links, weight: 2)
      case .plus, .minus, .star, .slash, .at, .pipe, .binary: links = 0
      default: return form.map(PythonShape.value) ?? shape
      }
      position += 1
      form = .operation
    }
  }

  /// An atom with attributes, calls and items behind it.
  mutating func primary() throws(PythonFault) -> PythonShape {
    var shape = try atom()
    while true {
      switch symbol {
      case .dot:
        position += 1
        try expect(.name)
        shape = .target(.attribute)
      case .leftParen:
        position += 1
        try arguments(mayBeGenerator: true)
        shape = .value(.call)
      case .leftBracket:
        position += 1
        try subscripts()
        shape = .target(.item)
      default: return shape
      }
    }
  }

  private mutating func atom() throws(PythonFault) -> PythonShape {
    switch symbol {
    case .name:
      position += 1
      return .target(.name)
    case .number:
      position += 1
      return .value(.literal)
    case .constant:
      let first = text.first
      position += 1
      return .value(first == UInt8(ascii: "T") ? .isTrue : first == UInt8(ascii: "F") ? .isFalse : .isNone)
    case .ellipsis:
      position += 1
      return .value(.ellipsis)
    case .string, .formatStart: return try strings()
    case .leftParen: return try parentheses()
    case .leftBracket: return try brackets()
    case .leftBrace: return try braces()
    default: throw fault()
    }
  }
}
