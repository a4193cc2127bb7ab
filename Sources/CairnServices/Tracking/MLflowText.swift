// Names and values as MLflow takes them: what it would cut, refuse or store as something else is made fit here, and told.
// Knows no records.
import CairnCore
import CairnFormats

/// - Source: MLflow's own validation (`mlflow.utils.validation`), measured with 3.17.
enum MLflowText {
  static let keyLimit = 250
  static let parameterLimit = 6000
  static let tagLimit = 8000
  static let registryTagLimit = 100_000
  static let datasetNameLimit = 500
  static let digestLimit = 36

  /// A key as it is taken: letters, digits, `_ - . : /` and blanks, a normal path, not too long.
  static func key(_ text: String) -> String {
    var scalars = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { scalars.append(isTaken(scalar) ? scalar : "_") }
    var key = String(scalars)
    if !isNormal(key) {
      key = key.replacing("/", with: "_")
      if key.isEmpty || key == "." || key.hasPrefix("..") { key = "_" + key.dropFirst() }
    }
    guard key.unicodeScalars.count > keyLimit else { return key }
    // The end of a long name says more than its beginning; what it was tells it from others.
    let mark = "_" + PayloadHash.sha256(Array(text.utf8)).prefix(8)
    return cut(key, to: keyLimit - mark.unicodeScalars.count, mark: "") + mark
  }

  /// What Python calls a word's character.
  private static func isTaken(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "_", "-", ".", ":", "/", " ": return true
    default: break
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber, .letterNumber,
      .otherNumber:
      return true
    default: return false
    }
  }

  /// Whether a path of that name would be called that.
  private static func isNormal(_ key: String) -> Bool {
    if key.isEmpty || key == "." || key.hasPrefix("..") || key.hasPrefix("/") || key.hasSuffix("/") { return false }
    guard key.utf8.contains(UInt8(ascii: "/")) else { return true }
    return key.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
  }

  /// At most so many characters (code points, as the server counts them).
  static func cut(_ text: String, to limit: Int, mark: String = "…") -> String {
    guard text.utf8.count > limit, text.unicodeScalars.count > limit else { return text }
    let kept = text.unicodeScalars.prefix(limit - mark.unicodeScalars.count)
    return String(String.UnicodeScalarView(kept)) + mark
  }

  /// A number of a metric as JSON; `nil` for what is none. Infinities come back as the largest numbers that there are.
  static func metric(_ value: Value) -> Double? {
    switch value {
    case .int(let number): Double(number)
    case .bigInt(let digits): Double(digits)
    case .float(let number): number
    default: nil
    }
  }

  static func json(_ number: Double) -> Value {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    return .float(number)
  }
}

/// Gives each name a key of its own: two that would become the same one are told apart.
struct MLflowKeys {
  private var taken: [String: String] = [:]
  /// Names that had to change, and what they became.
  private(set) var changed: [(name: String, key: String)] = []

  mutating func key(_ name: String) -> String {
    var key = MLflowText.key(name)
    if let other = taken[key], !other.hasSameBytes(as: name) {
      let mark = "_" + PayloadHash.sha256(Array(name.utf8)).prefix(8)
      key = MLflowText.cut(key, to: MLflowText.keyLimit - 9, mark: "") + mark
    }
    taken[key] = name
    if !key.hasSameBytes(as: name) { changed.append((name, key)) }
    return key
  }
}
