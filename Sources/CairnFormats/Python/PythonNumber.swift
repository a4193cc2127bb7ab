// The value of a Python number. Knows nothing of where it ends.
import CairnCore

enum PythonNumber {
  /// More digits than those of numbers that Python still writes in decimal, 4,300 digits of them.
  private static let mostDigits = 15_000

  /// `nil` for a complex number, for what is no number, and for one that nobody can write down again.
  static func value(_ bytes: [UInt8]) -> Value? {
    guard bytes.last.map({ $0 | 0x20 != UInt8(ascii: "j") }) ?? false else { return nil }
    let digits = bytes.filter { $0 != UInt8(ascii: "_") }
    if digits.count > 2, digits[0] == 0x30 {
      guard digits.count <= mostDigits else { return nil }
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
