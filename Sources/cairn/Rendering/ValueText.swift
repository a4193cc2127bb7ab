// How values of parameters and metrics look in DVC's tables. Knows nothing of tables.
internal import CairnCore
internal import Glibc

enum ValueText {
  /// Python's `str`; with a precision, numbers with a fraction are rounded to so many digits behind the point.
  static func field(_ value: Value, precision: Int?) -> String {
    guard let precision, precision != 0 else { return PythonText.str(value) }
    return PythonText.str(rounded(value, precision))
  }

  private static func rounded(_ value: Value, _ digits: Int) -> Value {
    switch value {
    case .float(let number): .float(round(number, digits))
    case .list(let items): .list(items.map { rounded($0, digits) })
    case .map(let map): .map(map.mapValues { rounded($0, digits) })
    default: value
    }
  }

  /// Python's `round(number, digits)`: the digits of the exact value, ties to even.
  static func round(_ number: Double, _ digits: Int) -> Double {
    guard number.isFinite, digits <= 323 else { return number }
    guard digits >= 0 else {
      let unit = pow(10, Double(-digits))
      return unit.isFinite ? (number / unit).rounded(.toNearestOrEven) * unit : 0
    }
    // The C library rounds the exact value, which arithmetic on doubles cannot.
    var text = [CChar](repeating: 0, count: 700)
    let length = withVaList([Int32(digits), number]) { vsnprintf(&text, text.count, "%.*f", $0) }
    return length > 0 && Int(length) < text.count ? strtod(text, nil) : number
  }
}
