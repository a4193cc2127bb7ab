// How Python writes values as text: what DVC puts into commands and messages. Knows nothing of DVC.

package enum PythonText {
  /// Python's `str(value)`.
  package static func str(_ value: Value) -> String {
    switch value {
    case .string(let text), .timestamp(let text): text
    default: repr(value)
    }
  }

  /// Python's `repr(value)`.
  package static func repr(_ value: Value) -> String {
    switch value {
    case .null: "None"
    case .bool(let flag): flag ? "True" : "False"
    case .int(let number): String(number)
    case .bigInt(let digits): digits
    case .float(let number): repr(number)
    case .string(let text), .timestamp(let text): quoted(text)
    case .list(let items): "[" + items.map(repr).joined(separator: ", ") + "]"
    case .map(let map): "{" + map.map { repr($0) + ": " + repr($1) }.joined(separator: ", ") + "}"
    }
  }

  /// Python's name for the value's type.
  package static func typeName(_ value: Value) -> String {
    switch value {
    case .null: "NoneType"
    case .bool: "bool"
    case .int, .bigInt: "int"
    case .float: "float"
    case .string: "str"
    case .timestamp(let text): text.utf8.count > 10 ? "datetime" : "date"
    case .list: "list"
    case .map: "dict"
    }
  }

  /// Python's `repr` of a float: the shortest digits that read back the same, in Python's layout.
  package static func repr(_ number: Double) -> String {
    if number.isNaN { return "nan" }
    if number.isInfinite { return number < 0 ? "-inf" : "inf" }
    let sign = number.sign == .minus ? "-" : ""
    // Swift finds the same shortest digits; only where the exponent begins differs.
    let text = number.magnitude.description
    let parts = text.split(separator: "e")
    let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let whole = String(mantissa[0])
    let fraction = mantissa.count > 1 ? String(mantissa[1]) : ""
    var digits = whole + fraction
    var point = whole.utf8.count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
    while digits.utf8.count > 1, digits.hasPrefix("0") {
      digits.removeFirst()
      point -= 1
    }
    while digits.utf8.count > 1, digits.hasSuffix("0") { digits.removeLast() }
    if digits == "0" { return sign + "0.0" }
    let count = digits.utf8.count
    if point > 16 || point <= -4 {
      let exponent = point - 1
      let tail = digits.dropFirst()
      let power = String(exponent.magnitude)
      return sign + digits.prefix(1) + (tail.isEmpty ? "" : "." + tail) + (exponent < 0 ? "e-" : "e+")
        + (power.utf8.count < 2 ? "0" + power : power)
    }
    if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
    if point >= count { return sign + digits + String(repeating: "0", count: point - count) + ".0" }
    return sign + digits.prefix(point) + "." + digits.dropFirst(point)
  }

  /// Python's `repr` of a text.
  package static func quoted(_ text: String) -> String {
    let quote: Unicode.Scalar = text.unicodeScalars.contains("'") && !text.unicodeScalars.contains("\"") ? "\"" : "'"
    var out = String.UnicodeScalarView()
    out.append(quote)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": out.append(contentsOf: "\\\\".unicodeScalars)
      case "\n": out.append(contentsOf: "\\n".unicodeScalars)
      case "\r": out.append(contentsOf: "\\r".unicodeScalars)
      case "\t": out.append(contentsOf: "\\t".unicodeScalars)
      case quote:
        out.append("\\")
        out.append(quote)
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let hex = String(scalar.value, radix: 16)
        out.append(contentsOf: ("\\x" + (hex.utf8.count < 2 ? "0" + hex : hex)).unicodeScalars)
      default: out.append(scalar)
      }
    }
    out.append(quote)
    return String(out)
  }
}
