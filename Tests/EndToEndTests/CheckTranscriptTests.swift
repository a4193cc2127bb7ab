// Plays the examples of docs/checks.md: each in a fresh copy of the same project, and each must print what it says.
import CairnTestSupport
import Foundation
import Testing

struct CheckTranscriptTests {
  private static let fixture = PackageFiles.path("Tests/Fixtures/Checks")
  private static let document = PackageFiles.path("docs/checks.md")

  /// The project that all examples start from: run and committed.
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.shell("cp -r '\(Self.fixture)/.' .")
    for arguments in [["add", "-q", "data/raw.csv"], ["repro", "-q"]] {
      let result = try repository.run([try CairnBinary.path()] + arguments)
      try #require(result.status == 0, "\(result)")
    }
    try repository.commit()
    return repository
  }

  /// What the commands of an example print, each behind its own line.
  private func play(_ example: Substring, in repository: TestRepository) throws -> String {
    var text = ""
    for line in example.split(separator: "\n") where line.hasPrefix("$ ") {
      let script = "exec 2>&1; cairn() { '\(try CairnBinary.path())' \"$@\"; }; " + line.dropFirst(2)
      text += line + "\n" + (try repository.shell(script).output)
    }
    return text.replacing(NSUserName() + " accepted", with: "ann accepted")
  }

  /// Records are named by their bytes, which have times in them.
  private func plain(_ text: some StringProtocol) throws -> String {
    String(text).replacing(try Regex(#"\b[0-9a-f]{12}\b"#), with: "RECORD")
  }

  @Test("every example in docs/checks.md prints what stands there (CAIRN_UPDATE_GOLDEN=1 writes it anew)")
  func examples() throws {
    let base = try project()
    let document = try String(contentsOfFile: Self.document, encoding: .utf8)
    let pattern = try Regex("(?s)```console\\n(.*?)```", as: (Substring, Substring).self)
    let examples = document.matches(of: pattern).map(\.output.1)
    #expect(examples.count > 20)
    var updated = document
    for example in examples {
      let now = try play(example, in: try TestRepository(copying: base))
      let isSame = try plain(now) == plain(example)
      if ProcessInfo.processInfo.environment["CAIRN_UPDATE_GOLDEN"] == "1" {
        if !isSame { updated = updated.replacing(example, with: now, maxReplacements: 1) }
      } else {
        #expect(isSame, "docs/checks.md has\n\(example)and it prints\n\(now)")
      }
    }
    if updated != document { try updated.write(toFile: Self.document, atomically: true, encoding: .utf8) }
  }

  @Test("the pipeline that docs/checks.md shows is the one that its examples start from")
  func pipeline() throws {
    let shown = try String(contentsOfFile: Self.fixture + "/dvc.yaml", encoding: .utf8)
    #expect(try PackageFiles.text("docs/checks.md").contains("```yaml\n" + shown + "```"))
  }
}
