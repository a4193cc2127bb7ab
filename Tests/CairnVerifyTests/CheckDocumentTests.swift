// Holds docs/checks.md to the list of checks: a section for each, and how grave each is by default.
import CairnCore
import CairnTestSupport
import Testing

struct CheckDocumentTests {
  /// The sections of the checks, by their headings.
  private func sections() throws -> [(heading: String, text: String)] {
    try PackageFiles.text("docs/checks.md").components(separatedBy: "\n### ").dropFirst().map { section in
      let lines = section.split(separator: "\n", maxSplits: 1)
      return (String(lines[0]), String(lines.last ?? ""))
    }
  }

  @Test("every check has a section in docs/checks.md, in the order of the list, and every section is of a check")
  func headings() throws {
    #expect(try sections().map(\.heading) == CheckID.allCases.map(\.rawValue))
  }

  @Test("a section of verify's begins with the severity that the check has by default")
  func severities() throws {
    for section in try sections() {
      let id = try #require(CheckID(rawValue: section.heading))
      let words = id.isOfVerify ? (id.defaultSeverity == .error ? "*Error" : "*Warning") : "*Points at"
      #expect(section.text.drop(while: \.isNewline).hasPrefix(words), "\(id.rawValue)")
    }
  }
}
