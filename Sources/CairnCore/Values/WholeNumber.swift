// Integers of any size, as Python has them. Knows how to take one from another; nothing else is asked of them.

/// In decimal digits, the most significant first, none of them a leading zero; zero has none.
private struct WholeNumber {
  var isNegative: Bool
  var digits: ArraySlice<UInt8>

  init?(_ value: Value) {
    let text: String
    switch value {
    case .int(let number): text = String(number)
    case .bigInt(let decimal): text = decimal
    case .bool(let flag): text = flag ? "1" : ""
    default: return nil
    }
    isNegative = text.hasPrefix("-")
    digits = text.utf8.dropFirst(isNegative ? 1 : 0).map { $0 - 0x30 }.drop { $0 == 0 }
  }

  /// Of magnitudes.
  static func isLess(_ a: ArraySlice<UInt8>, _ b: ArraySlice<UInt8>) -> Bool {
    a.count == b.count ? a.lexicographicallyPrecedes(b) : a.count < b.count
  }

  /// `larger` plus or minus `smaller`, by school arithmetic.
  static func combine(_ larger: ArraySlice<UInt8>, _ smaller: ArraySlice<UInt8>, adds: Bool) -> [UInt8] {
    var result: [UInt8] = []
    var carry = 0
    var rest = smaller[...]
    for digit in larger.reversed() {
      let other = Int(rest.popLast() ?? 0)
      let sum = Int(digit) + carry + (adds ? other : -other)
      carry = sum < 0 ? -1 : sum / 10
      result.append(UInt8(sum - carry * 10))
    }
    if carry > 0 { result.append(1) }
    while result.last == 0 { result.removeLast() }
    return result.reversed()
  }
}

extension Value {
  /// `self - other`, exact; `nil` unless both are integers (a truth counts as one, as in Python).
  package func wholeDifference(from other: Value) -> Value? {
    guard let a = WholeNumber(self), let b = WholeNumber(other) else { return nil }
    let isSwapped = WholeNumber.isLess(a.digits, b.digits)
    let (larger, smaller) = isSwapped ? (b.digits, a.digits) : (a.digits, b.digits)
    let digits = WholeNumber.combine(larger, smaller, adds: a.isNegative != b.isNegative)
    if digits.isEmpty { return .int(0) }
    let isNegative = isSwapped ? !b.isNegative : a.isNegative
    let text = (isNegative ? "-" : "") + String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self)
    return Int(text).map(Value.int) ?? .bigInt(text)
  }
}
