// Python's literals: what `ast.literal_eval` takes, read from tokens. Nothing is ever executed.
import CairnCore

/// Reads one expression; anything but a literal is `nil`. Tuples and sets become lists, since that is what YAML and
/// JSON make of them; complex numbers, bytes and `...` are no values of ours and count as no literal.
struct PythonLiteral {
  let cursor: TextCursor
  let tokens: ArraySlice<PythonToken>
  private var position: Int
  private static let deepest = 200

  init(_ tokens: ArraySlice<PythonToken>, of cursor: TextCursor) {
    self.tokens = tokens
    self.cursor = cursor
    position = tokens.startIndex
  }

  /// The whole slice as one literal, `1, 2` without parentheses included.
  static func value(_ tokens: ArraySlice<PythonToken>, of cursor: TextCursor) throws(PythonFault) -> Value? {
    var reader = PythonLiteral(tokens, of: cursor)
    guard let first = try reader.expression(depth: 0) else { return nil }
    if reader.isAtEnd { return first }
    var items = [first]
    while reader.skip(",") {
      if reader.isAtEnd { return .list(items) }
      guard let item = try reader.expression(depth: 0) else { return nil }
      items.append(item)
    }
    return reader.isAtEnd ? .list(items) : nil
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
    case .newline, .indent, .dedent: return nil
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

  /// What a sign may stand before: a number, perhaps in parentheses.
  private mutating func operand(depth: Int) throws(PythonFault) -> Value? {
    if isOp("-") || isOp("+") { return nil }
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
    guard let first = try expression(depth: depth + 1) else { return nil }
    guard isOp(":") else {
      var members: [Value] = [first]
      if skip(",") {
        guard let rest = try items(until: "}", depth: depth) else { return nil }
        for item in rest where !members.contains(where: { $0.isEqualInPython(to: item) }) { members.append(item) }
      } else if !skip("}") {
        return nil
      }
      return .list(members)
    }
    var key = first
    while true {
      guard skip(":"), let value = try expression(depth: depth + 1) else { return nil }
      map[key] = value
      if skip("}") { return .map(map) }
      guard skip(",") else { return nil }
      if skip("}") { return .map(map) }
      guard let next = try expression(depth: depth + 1) else { return nil }
      key = next
    }
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

enum PythonNumber {
  /// `nil` for a complex number and for what is no number.
  static func value(_ bytes: [UInt8]) -> Value? {
    guard bytes.last.map({ $0 | 0x20 != UInt8(ascii: "j") }) ?? false else { return nil }
    let digits = bytes.filter { $0 != UInt8(ascii: "_") }
    if digits.count > 2, digits[0] == 0x30 {
      switch digits[1] | 0x20 {
      case UInt8(ascii: "x"): return DecimalText.value(Array(digits[2...]), radix: 16)
      case UInt8(ascii: "o"): return DecimalText.value(Array(digits[2...]), radix: 8)
      case UInt8(ascii: "b"): return DecimalText.value(Array(digits[2...]), radix: 2)
      default: break
      }
    }
    if digits.allSatisfy({ 0x30...0x39 ~= $0 }) { return DecimalText.value(digits, radix: 10) }
    // Swift wants digits on both sides of the point.
    var text = String(decoding: digits, as: UTF8.self)
    if digits.first == UInt8(ascii: ".") { text = "0" + text }
    if let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) {
      let next = text.utf8.index(after: point)
      if next == text.utf8.endIndex || !(0x30...0x39 ~= text.utf8[next]) { text.insert("0", at: next) }
    }
    return Double(text).map(Value.float)
  }

  static func negated(_ number: Value) -> Value? {
    switch number {
    case .int(let number): .int(-number)
    case .bigInt(let digits):
      // The smallest Int has no positive twin.
      Int("-" + digits).map(Value.int) ?? .bigInt("-" + digits)
    case .float(let number): .float(-number)
    default: nil
    }
  }
}
