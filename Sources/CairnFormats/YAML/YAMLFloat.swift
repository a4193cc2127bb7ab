// Floating-point numbers as Python's `repr` writes them. Knows nothing of YAML's own words for them.

enum YAMLFloat {
  /// Shortest digits that read back; an exponent below 1e-4 and from 1e16 on.
  static func repr(_ number: Double) -> String {
    if number.isNaN { return "nan" }
    if number.isInfinite { return number < 0 ? "-inf" : "inf" }
    // Swift's shortest digits are Python's; only the layout differs.
    var digits: [UInt8] = []
    var point = 0
    var exponent = 0
    var seenPoint = false
    let text = Array(number.magnitude.description.utf8)
    var index = 0
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: ".") {
        seenPoint = true
      } else if byte == UInt8(ascii: "e") {
        exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
        break
      } else {
        digits.append(byte)
        if !seenPoint { point += 1 }
      }
      index += 1
    }
    point += exponent
    while let first = digits.first, first == 0x30, digits.count > 1 {
      digits.removeFirst()
      point -= 1
    }
    while digits.count > 1, digits.last == 0x30 { digits.removeLast() }
    if digits == [0x30] { point = 1 }
    var result: [UInt8] = number.sign == .minus ? [UInt8(ascii: "-")] : []
    if point > 16 || point < -3 {
      result.append(digits[0])
      if digits.count > 1 {
        result.append(UInt8(ascii: "."))
        result += digits[1...]
      }
      let power = point - 1
      result += Array("e\(power < 0 ? "-" : "+")\(abs(power) < 10 ? "0" : "")\(abs(power))".utf8)
    } else if point <= 0 {
      result += Array("0.".utf8) + [UInt8](repeating: 0x30, count: -point) + digits
    } else if digits.count <= point {
      result += digits + [UInt8](repeating: 0x30, count: point - digits.count) + Array(".0".utf8)
    } else {
      result += digits[..<point] + [UInt8(ascii: ".")] + digits[point...]
    }
    return String(decoding: result, as: UTF8.self)
  }
}
