// Python's literals: what `ast.literal_eval` takes, read from tokens. Nothing is ever executed.
import CairnCore

/// Reads one expression; anything but a literal is `nil`. Tuples and sets become lists, since that is what YAML and
/// JSON make of them; complex numbers, bytes and `...` are no values of ours and count as no literal.
struct PythonLiteral {
  let cursor: TextCursor
  let tokens: ArraySlice<PythonToken>
  private var position: Int
  /// More than the brackets that the tokenizer lets through.
  private static let deepest = 250
  /// A key or a member of a set is a list, a map or a set.
  private var isUnhashable = false

  init(_ tokens: ArraySlice<PythonToken>, of cursor: TextCursor) {
    self.tokens = tokens
    self.cursor = cursor
    position = tokens.startIndex
  }

  /// The whole slice as one literal, `1, 2` without parentheses included.
  ///
  /// - Throws: for a key or a member of a set that has no hash; DVC fails of it while it reads.
  static func value(_ tokens: ArraySlice<PythonToken>, of cursor: TextCursor) throws(PythonFault) -> Value? {
    var reader = PythonLiteral(tokens, of: cursor)
    guard let value = try reader.whole() else { return nil }
    guard !reader.isUnhashable else {
      throw PythonFault(message: "unhashable type", offset: reader.tokens[reader.tokens.startIndex].start)
    }
    return value
  }

  private mutating func whole() throws(PythonFault) -> Value? {
    guard let first = try expression(depth: 0) else { return nil }
    if isAtEnd { return first }
    var items = [first]
    while skip(",") {
      if isAtEnd { return .list(items) }
      guard let item = try expression(depth: 0) else { return nil }
      items.append(item)
    }
    return isAtEnd ? .list(items) : nil
  }

  private var isAtEnd: Bool { position >= tokens.endIndex }
  private var current: PythonToken? { isAtEnd ? nil : tokens[position] }

  private func text(_ token: PythonToken) -> String { cursor.text(token.start..<token.end) }

  private func isOp(_ op: String) -> Bool {
    guard let current, current.kind == .op else { return false }
    return cursor.bytes[current.start..<current.end].elementsEqual(op.utf8)
  }

  private mutating func skip(_ op: String) -> Bool {
    guard isOp(op) else { return false }
    position += 1
    return true
  }

  private mutating func expression(depth: Int) throws(PythonFault) -> Value? {
    guard depth < Self.deepest, let token = current else { return nil }
    switch token.kind {
    case .number:
      position += 1
      return PythonNumber.value(Array(cursor.bytes[token.start..<token.end]))
    case .string: return try strings()
    case .name:
      position += 1
      switch text(token) {
      case "True": return true
      case "False": return false
      case "None": return .null
      case "set": return skip("(") && skip(")") ? .list([]) : nil
      default: return nil
      }
    case .op: break
    case .format, .newline, .indent, .dedent: return nil
    }
    if skip("(") { return try parenthesised(depth: depth) }
    if skip("[") { return try items(until: "]", depth: depth).map(Value.list) }
    if skip("{") { return try braces(depth: depth) }
    let isNegative = isOp("-")
    if isNegative || isOp("+") {
      position += 1
      guard let number = try operand(depth: depth + 1) else { return nil }
      return isNegative ? PythonNumber.negated(number) : number
    }
    return nil
  }

  /// What a sign may stand before: a number without one, perhaps in parentheses.
  private mutating func operand(depth: Int) throws(PythonFault) -> Value? {
    guard tokens[position...].first(where: { $0.symbol != .leftParen })?.kind == .number else { return nil }
    switch try expression(depth: depth) {
    case .int(let number): return .int(number)
    case .bigInt(let digits): return .bigInt(digits)
    case .float(let number): return .float(number)
    default: return nil
    }
  }

  private mutating func parenthesised(depth: Int) throws(PythonFault) -> Value? {
    if skip(")") { return .list([]) }
    guard let first = try expression(depth: depth + 1) else { return nil }
    if skip(")") { return first }
    guard skip(","), let rest = try items(until: ")", depth: depth) else { return nil }
    return .list([first] + rest)
  }

  private mutating func items(until closing: String, depth: Int) throws(PythonFault) -> [Value]? {
    var items: [Value] = []
    while !skip(closing) {
      guard let item = try expression(depth: depth + 1) else { return nil }
      items.append(item)
      if !skip(","), !isOp(closing) { return nil }
    }
    return items
  }

  private mutating func braces(depth: Int) throws(PythonFault) -> Value? {
    var map: ValueMap = [:]
    if skip("}") { return .map(map) }
    let start = position
    guard let first = try expression(depth: depth + 1) else { return nil }
    guard isOp(":") else {
      var members: ValueMap = [first: .null]
      defer { checkHashable(from: start) }
      if skip(",") {
        guard let rest = try items(until: "}", depth: depth) else { return nil }
        for item in rest { members[Self.present(item, in: members)] = .null }
      } else if !skip("}") {
        return nil
      }
      return .list(Array(members.keys))
    }
    checkHashable(from: start)
    var key = first
    while true {
      guard skip(":"), let value = try expression(depth: depth + 1) else { return nil }
      map[Self.present(key, in: map)] = value
      if skip("}") { return .map(map) }
      guard skip(",") else { return nil }
      if skip("}") { return .map(map) }
      let start = position
      guard let next = try expression(depth: depth + 1) else { return nil }
      checkHashable(from: start)
      key = next
    }
  }

  /// Among literals only tuples and what has no parts can be hashed, and a tuple only if all its parts can.
  private mutating func checkHashable(from start: Int) {
    for token in tokens[start..<position] {
      // Of a set that was just read, the closing brace stands here too.
      if token.symbol == .leftBracket || token.symbol == .leftBrace || token.symbol == .name { isUnhashable = true }
    }
  }

  /// The key of `map` that Python takes for the same as `key`, as `1`, `1.0` and `True` are, or else `key`.
  private static func present(_ key: Value, in map: ValueMap) -> Value {
    let number: Double
    switch key {
    case .bool(let flag): number = flag ? 1 : 0
    case .int(let integer): number = Double(integer)
    case .float(let float): number = float
    default: return key
    }
    let others: [Value] = [.float(number), .bool(number == 1)] + (Int(exactly: number).map { [.int($0)] } ?? [])
    return others.first { $0.isEqualInPython(to: key) && map[$0] != nil } ?? key
  }

  /// One string or several side by side.
  private mutating func strings() throws(PythonFault) -> Value? {
    var bytes: [UInt8] = []
    var isText = true
    while let token = current, token.kind == .string {
      position += 1
      isText = try PythonString.append(cursor.bytes[token.start..<token.end], at: token.start, to: &bytes) && isText
    }
    return isText ? .string(String(decoding: bytes, as: UTF8.self)) : nil
  }
}
