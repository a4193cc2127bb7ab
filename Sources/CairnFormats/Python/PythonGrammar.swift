// Whether a text is Python: all of its grammar, as `ast.parse` checks it, over tokens and without a tree. This file has
// the cursor, the file and the simple statements. Knows nothing of values, nor of what Python's compiler refuses
// later: a `return` outside of a function passes.
import CairnCore

/// What the newest Python takes is taken (3.14: `except A, B:` and t-strings), and what each since 3.9 takes, but for a
/// handful of oddities that were given up on the way.
///
/// Each decision is made by looking at the next token or two (one look along the line for `match`, one second attempt
/// for `with (`), so that the time grows with the text alone. The depth of the recursion is bounded by the tokenizer's
/// bounds on brackets and indentation and by `enter`.
struct PythonGrammar {
  let bytes: [UInt8]
  let tokens: [PythonToken]
  var position = 0
  /// What string tokens mean is written here and forgotten: only whether they mean something matters.
  var scratch: [UInt8] = []
  private var depth = 0

  /// Nested brackets end at 200; the rest is for defaults of lambdas within defaults of lambdas.
  private static let deepest = 400
  /// CPython's parser has a stack of 6,000; a chain such as `not not …` or `a if b else c if …` takes one of it for
  /// each link.
  static let longestChain = 5_900

  private init(_ tokens: [PythonToken], of bytes: [UInt8]) {
    self.tokens = tokens
    self.bytes = bytes
  }

  /// - Throws: the first place where `tokens`, all that `bytes` have, are no Python.
  static func check(_ tokens: [PythonToken], of bytes: [UInt8]) throws(PythonFault) {
    var grammar = PythonGrammar(tokens, of: bytes)
    while grammar.symbol != .end { try grammar.statement() }
  }

  var symbol: PythonSymbol { position < tokens.count ? tokens[position].symbol : .end }
  var next: PythonSymbol { position + 1 < tokens.count ? tokens[position + 1].symbol : .end }

  /// The bytes of the current token.
  var text: ArraySlice<UInt8> {
    position < tokens.count ? bytes[tokens[position].start..<tokens[position].end] : []
  }

  func isName(_ name: StaticString) -> Bool {
    symbol == .name
      && text.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
  }

  mutating func skip(_ expected: PythonSymbol) -> Bool {
    guard symbol == expected else { return false }
    position += 1
    return true
  }

  mutating func expect(_ expected: PythonSymbol, _ message: String = "invalid syntax") throws(PythonFault) {
    guard skip(expected) else { throw fault(message) }
  }

  func fault(_ message: String = "invalid syntax", at token: Int? = nil) -> PythonFault {
    let token = token ?? position
    // A fault at the end belongs to the last line, not to the one that its line feed would begin.
    let offset = min(token < tokens.count ? tokens[token].start : bytes.count, max(0, bytes.count - 1))
    return PythonFault(message: message, offset: offset)
  }

  /// Before a rule that may contain itself; `leave` follows, unless it throws.
  mutating func enter() throws(PythonFault) {
    depth += 1
    guard depth <= Self.deepest else { throw tooComplex }
  }

  mutating func leave() { depth -= 1 }

  /// Counts one more link of a chain that a loop here reads and that CPython reads by recursion.
  func link(_ count: inout Int, weight: Int = 1) throws(PythonFault) {
    count += weight
    guard count <= Self.longestChain else { throw tooComplex }
  }

  private var tooComplex: PythonFault { fault("Python source too complex to parse") }

  /// Reads again from where `read` began, should it not end well; then what it threw is forgotten.
  mutating func attempt(_ read: (inout PythonGrammar) throws(PythonFault) -> Void) -> Bool {
    let before = (position, depth)
    do throws(PythonFault) {
      try read(&self)
      return true
    } catch {
      (position, depth) = before
      return false
    }
  }

  // MARK: simple statements

  /// One line of statements without a block, up to its end.
  mutating func simpleStatements() throws(PythonFault) {
    repeat {
      try simpleStatement()
    } while skip(.semicolon) && symbol != .newline
    guard skip(.newline) else { throw strayToken }
  }

  private var strayToken: PythonFault {
    let previous = tokens[position - 1]
    let isOldPrint = ["print", "exec"].contains { bytes[previous.start..<previous.end].elementsEqual($0.utf8) }
    guard previous.symbol == .name, isOldPrint, [.name, .number, .string, .formatStart].contains(symbol) else {
      return fault()
    }
    let name = String(decoding: bytes[previous.start..<previous.end], as: UTF8.self)
    return fault("Missing parentheses in call to '\(name)'. Did you mean \(name)(...)?", at: position - 1)
  }

  private mutating func simpleStatement() throws(PythonFault) {
    switch symbol {
    case .pass, .break, .continue: position += 1
    case .return:
      position += 1
      if symbol != .newline, symbol != .semicolon { _ = try starExpressions() }
    case .raise:
      position += 1
      if symbol == .newline || symbol == .semicolon { return }
      _ = try expression()
      if skip(.from) { _ = try expression() }
    case .assert:
      position += 1
      _ = try expression()
      if skip(.comma) { _ = try expression() }
    case .global, .nonlocal:
      repeat {
        position += 1
        try expect(.name)
      } while symbol == .comma
    case .del:
      position += 1
      try deletionTargets()
    case .import:
      repeat {
        position += 1
        try dottedName()
        if skip(.as) { try expect(.name) }
      } while symbol == .comma
    case .from: try importFrom()
    case .name where next == .name && isName("type"):
      position += 2
      if symbol == .leftBracket { try typeParameters() }
      try expect(.assign)
      _ = try expression()
    default: try assignmentOrExpression()
    }
  }

  private mutating func dottedName() throws(PythonFault) {
    repeat { try expect(.name) } while skip(.dot)
  }

  private mutating func importFrom() throws(PythonFault) {
    position += 1
    let start = position
    while symbol == .dot || symbol == .ellipsis { position += 1 }
    if symbol != .import || position == start { try dottedName() }
    try expect(.import)
    if skip(.star) { return }
    let isParenthesised = skip(.leftParen)
    while true {
      try expect(.name)
      if skip(.as) { try expect(.name) }
      guard skip(.comma) else { break }
      if symbol == .rightParen, isParenthesised { break }
      if symbol == .newline { throw fault("trailing comma not allowed without surrounding parentheses") }
    }
    if isParenthesised { try expect(.rightParen) }
  }

  private mutating func assignmentOrExpression() throws(PythonFault) {
    let start = position
    if symbol == .yield {
      try yieldExpression()
      if symbol == .assign { throw fault("assignment to yield expression not possible", at: start) }
      return
    }
    var target = try starExpressions()
    switch symbol {
    case .colon:
      guard target.isSingle else { throw target.cannotBeAnnotated(self, at: start) }
      position += 1
      _ = try expression()
      if skip(.assign) { try assignedValue() }
    case .augmented:
      guard target.isSingle else {
        throw fault("'\(target.name)' is an illegal expression for augmented assignment", at: start)
      }
      position += 1
      try assignedValue()
    default:
      while symbol == .assign {
        if let part = target.obstacle { throw fault(part.cannotBeAssigned, at: start) }
        position += 1
        let value = position
        if symbol == .yield {
          try yieldExpression()
          if symbol == .assign { throw fault("assignment to yield expression not possible", at: value) }
          return
        }
        target = try starExpressions()
      }
    }
  }

  private mutating func assignedValue() throws(PythonFault) {
    if symbol == .yield { try yieldExpression() } else { _ = try starExpressions() }
  }

  private mutating func deletionTargets() throws(PythonFault) {
    repeat {
      let start = position
      let target = try primary()
      if let part = target.obstacle { throw fault("cannot delete \(part.name)", at: start) }
      if target.hasStar { throw fault("cannot delete starred", at: start) }
    } while skip(.comma) && symbol != .newline && symbol != .semicolon
  }
}
