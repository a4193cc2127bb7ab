// When ConfigObj writes quotes around a value, and of which kind.
internal import CairnCore

enum ConfigQuoting {
  static func quote(_ value: String) throws(Diagnostic) -> String {
    if value.isEmpty { return "\"\"" }
    let single = value.contains("'")
    let double = value.contains("\"")
    if (single && double) || value.contains("\n") {
      if !value.contains("\"\"\"") { return "\"\"\"\(value)\"\"\"" }
      if !value.contains("'''") { return "'''\(value)'''" }
      throw .cannotQuote(value)
    }
    return needsQuotes(value) || value.contains("#") ? (double ? "'\(value)'" : "\"\(value)\"") : value
  }

  /// A section's name or a key: never of several lines.
  static func quoteName(_ name: String) throws(Diagnostic) -> String {
    if name.isEmpty { return "\"\"" }
    guard needsQuotes(name) || name.contains("#") || name.contains("\n") else { return name }
    if name.contains("\n") || (name.contains("'") && name.contains("\"")) { throw .cannotQuote(name) }
    return name.contains("\"") ? "'\(name)'" : "\"\(name)\""
  }

  private static func needsQuotes(_ value: String) -> Bool {
    let special: Set<Character> = [" ", "\r", "\n", "\u{0B}", "\t", "'", "\""]
    guard let first = value.first, let last = value.last else { return true }
    return special.contains(first) || special.contains(last) || value.contains(",")
  }
}

extension Diagnostic {
  fileprivate static func cannotQuote(_ value: String) -> Diagnostic {
    .configuration("Value \"\(value)\" cannot be safely quoted.")
  }
}
