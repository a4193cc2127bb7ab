// Floats as Python writes them. Knows nothing of JSON or YAML.

package enum PythonFloat {
  /// Python's `repr(float)`: the shortest digits that read back the same; an exponent below 1e-4 and from 1e16 on
  /// (`1e-05`, `1e+16`), else a plain decimal with a point (`100.0`); `inf`, `-inf`, `nan`.
  package static func repr(_ x: Double) -> String {
    if x.isNaN { return "nan" }
    if x.isInfinite { return x < 0 ? "-inf" : "inf" }
    // Swift finds the same digits and differs in the layout alone: not where both write a plain decimal.
    if 1e-4 <= abs(x), abs(x) < 1e15 { return x.description }
    var digits: [UInt8] = []
    var pointAt: Int?
    var exponent = 0
    let text = Array(x.description.utf8)
    var index = 0
    let isNegative = text.first == UInt8(ascii: "-")
    if isNegative { index = 1 }
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: ".") {
        pointAt = digits.count
      } else if byte == UInt8(ascii: "e") {
        exponent = Int(String(decoding: text[(index + 1)...], as: UTF8.self)) ?? 0
        break
      } else {
        digits.append(byte)
      }
      index += 1
    }
    /// The value is 0.DIGITS × 10^point.
    var point = (pointAt ?? digits.count) + exponent
    let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
    digits.removeFirst(zeros)
    point -= zeros
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    let sign = isNegative ? "-" : ""
    if digits.isEmpty { return sign + "0.0" }
    return sign + layOut(digits, point: point)
  }

  private static func layOut(_ digits: [UInt8], point: Int) -> String {
    let zero = UInt8(ascii: "0")
    var out: [UInt8] = []
    if point > 16 || point < -3 {
      out.append(digits[0])
      if digits.count > 1 {
        out.append(UInt8(ascii: "."))
        out.append(contentsOf: digits.dropFirst())
      }
      out.append(UInt8(ascii: "e"))
      out.append(point > 0 ? UInt8(ascii: "+") : UInt8(ascii: "-"))
      let power = abs(point - 1)
      if power < 10 { out.append(zero) }
      out.append(contentsOf: String(power).utf8)
    } else if point <= 0 {
      out.append(contentsOf: [zero, UInt8(ascii: ".")])
      out.append(contentsOf: repeatElement(zero, count: -point))
      out.append(contentsOf: digits)
    } else if digits.count <= point {
      out.append(contentsOf: digits)
      out.append(contentsOf: repeatElement(zero, count: point - digits.count))
      out.append(contentsOf: [UInt8(ascii: "."), zero])
    } else {
      out.append(contentsOf: digits.prefix(point))
      out.append(UInt8(ascii: "."))
      out.append(contentsOf: digits.dropFirst(point))
    }
    return String(decoding: out, as: UTF8.self)
  }
}
