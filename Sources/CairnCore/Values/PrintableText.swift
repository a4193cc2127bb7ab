// Text of others in Cairn's own lines and pages: values, paths, commands. Knows characters; knows nothing of what they mean.
package enum PrintableText {
  /// On one line: what a terminal would obey, or what would turn the rest of the line around, is shown as an escape
  /// (`\x1b`, `\u{202e}`), the end of a line as `⏎`. Of what is shown already, nothing changes.
  package static func line(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { escape($0) != nil }) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let escape = escape(scalar) {
        result.append(contentsOf: escape.unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// The same for a text whose columns count: a tab stays, what a terminal would obey is one `�`.
  package static func aligned(_ text: some Sequence<Character>) -> String {
    String(text.map { $0 != "\t" && $0.unicodeScalars.contains { escape($0) != nil } ? "\u{FFFD}" : $0 })
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 0x0A: "⏎"
    case 0x09: "\\t"
    case 0x0D: "\\r"
    case 0..<0x20, 0x7F..<0xA0: short(scalar.value)
    // What sets the direction of writing, and the ends of lines and paragraphs.
    case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x206F: "\\u{" + String(scalar.value, radix: 16) + "}"
    // A byte of a file's name that is no UTF-8, and that older terminals obey.
    case 0x10FF80..<0x10FFA0: short(scalar.value & 0xFF)
    // A surrogate that stands alone.
    case 0xFD800...0xFDFFF: "\\u" + String(scalar.value & 0xFFFF, radix: 16)
    default: nil
    }
  }

  private static func short(_ number: UInt32) -> String {
    "\\x" + (number < 16 ? "0" : "") + String(number, radix: 16)
  }
}
