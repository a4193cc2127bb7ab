// The words for broken YAML. Knows nothing of how the fault was found.
package import CairnCore

extension Diagnostic.Code {
  /// A text that is not YAML, or YAML that DVC refuses (duplicate keys, unknown tags, several documents).
  package static let yamlSyntax = Diagnostic.Code("yaml-syntax")
  /// A file that is not UTF-8.
  package static let notUTF8 = Diagnostic.Code("not-utf-8")
}

enum YAMLFault {
  /// DVC's first line; the parser's words follow as notes, the first of them being what stands at `mark`.
  static func invalid(
    _ source: SourceText, _ problem: String, at mark: SourceMark?,
    context: String? = nil, contextMark: SourceMark? = nil
  ) -> Diagnostic {
    let prefix = source.path.hasPrefix("/") || source.path.hasPrefix("..") ? "" : "./"
    let conflict = hasConflictMarker(source.bytes) ? " (possible merge conflicts)" : ""
    var fault = Diagnostic(.yamlSyntax, "'\(prefix)\(source.path)' is invalid\(conflict).", at: mark)
    fault.hasErrorPrefix = false
    fault = fault.noting(capitalized(problem))
    if let context { fault = fault.noting(capitalized(context), at: contextMark) }
    return fault
  }

  static func encoding(_ source: SourceText, byte: UInt8, position: Int, reason: String) -> Diagnostic {
    let hex = String(byte, radix: 16)
    return Diagnostic(.notUTF8, "unable to read: '\(source.path)', is not valid utf-8")
      .because(
        of: Diagnostic(
          .notUTF8,
          "'utf-8' codec can't decode byte 0x\(hex.count < 2 ? "0" : "")\(hex) in position \(position): \(reason)"))
  }

  static func control(_ source: SourceText, character: UInt32, at mark: SourceMark?) -> Diagnostic {
    let hex = String(character, radix: 16)
    let padded = String(repeating: "0", count: max(0, 4 - hex.count)) + hex
    return Diagnostic(
      .yamlSyntax, "unable to read: '\(source.path)', YAML file structure is corrupted", at: mark
    ).because(
      of: Diagnostic(.yamlSyntax, "unacceptable character #x\(padded): special characters are not allowed"))
  }

  private static func capitalized(_ text: String) -> String {
    guard let first = text.first else { return text }
    return first.uppercased() + text.dropFirst()
  }

  /// A line of seven `<`, `=` or `>`, a blank and anything: what git leaves behind.
  private static func hasConflictMarker(_ bytes: [UInt8]) -> Bool {
    var start = 0
    while start < bytes.count {
      let first = bytes[start]
      if first == 0x3C || first == 0x3D || first == 0x3E, start + 7 < bytes.count, bytes[start + 7] == 0x20,
        bytes[start..<start + 7].allSatisfy({ $0 == first })
      {
        return true
      }
      guard let end = bytes[start...].firstIndex(of: 0x0A) else { return false }
      start = end + 1
    }
    return false
  }
}
