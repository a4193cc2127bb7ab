// The integer that a floating-point number is, with all its digits. Knows nothing of how either is written.

package enum ExactInteger {
  /// An `.int` or, beyond 64 bits, a `.bigInt`; `nil` for what has a fraction, is infinite or is no number.
  package static func value(of number: Double) -> Value? {
    if let small = Int(exactly: number) { return .int(small) }
    guard number.isFinite, number.rounded(.towardZero) == number else { return nil }
    // Beyond 2^63 the significand is an integer, doubled as often as the exponent says: base 1e9, least first.
    var limbs: [UInt64] = []
    var rest = number.significandBitPattern | 1 << UInt64(Double.significandBitCount)
    while rest > 0 {
      limbs.append(rest % 1_000_000_000)
      rest /= 1_000_000_000
    }
    for _ in Double.significandBitCount..<Int(number.exponent) {
      var carry: UInt64 = 0
      for index in limbs.indices {
        let sum = limbs[index] * 2 + carry
        limbs[index] = sum % 1_000_000_000
        carry = sum / 1_000_000_000
      }
      if carry > 0 { limbs.append(carry) }
    }
    var text = number.sign == .minus ? "-" : ""
    text += String(limbs[limbs.count - 1])
    for limb in limbs.dropLast().reversed() {
      let part = String(limb)
      text += String(repeating: "0", count: 9 - part.utf8.count) + part
    }
    return .bigInt(text)
  }
}
