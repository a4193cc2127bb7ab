// examples/ci: each commit has the one fault that its tag names, and the README's table says how verify ends.
import CairnTestSupport
import Foundation
import Testing

struct HistoryExampleTests {
  private struct Verdict: Decodable {
    struct Check: Decodable {
      var id: String
      var status: String
      var optional: Bool?
    }
    var checks: [Check]
  }

  private func makeHistory(_ repository: TestRepository, _ folder: String) throws {
    let script = PackageFiles.path("examples/ci/make-history")
    let result = try repository.run([script, folder], environment: ["CAIRN_BIN": try CairnBinary.path()])
    #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty, "\(result)")
  }

  /// Of each tag in README.md's table the exit code that it promises.
  private func promises() throws -> [String: Int32] {
    var found: [String: Int32] = [:]
    for line in try PackageFiles.text("examples/ci/README.md").split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let code = Int32(cells[2].prefix(1))
      for tag in cells[0].split(whereSeparator: { "`, ".contains($0) }) { found[String(tag)] = code }
    }
    return found
  }

  @Test("each commit of examples/ci has its tag's fault and no other, and ends as the README says")
  func faults() throws {
    let repository = try TestRepository(git: false, dvc: false)
    try makeHistory(repository, "history")
    let promises = try promises()
    let tags = try repository.git("-C", "history", "tag").split(separator: "\n").map(String.init)
    #expect(tags == promises.keys.sorted())
    for tag in tags {
      let result = try repository.cairn("verify", "--rev", tag, "--json", in: "history")
      #expect(result.status == promises[tag], "\(tag): \(result)")
      let checks = try JSONDecoder().decode(Verdict.self, from: Data(result.output.utf8)).checks
      let failed = checks.filter { $0.status == "failed" }.map(\.id)
      #expect(failed == (["sound", "unknown"].contains(tag) ? [] : [tag]))
      let unknown = checks.filter { $0.status == "unknown" && $0.optional != true }.map(\.id)
      #expect(unknown.isEmpty == !["unknown", "pipeline-valid"].contains(tag), "\(tag): \(unknown)")
      // What takes it back is sound again, and so is what came before it.
      let before = try repository.cairn("verify", "--rev", tag + "^", "-q", in: "history")
      #expect(before.status == 0, "before \(tag)")
    }
  }

  @Test("the history is the same each time, and is not made where something is")
  func same() throws {
    let repository = try TestRepository(git: false, dvc: false)
    for folder in ["one", "two"] { try makeHistory(repository, folder) }
    let heads = try ["one", "two"].map { try repository.git("-C", $0, "rev-parse", "HEAD") }
    #expect(heads[0] == heads[1])
    #expect(try repository.git("-C", "one", "status", "--porcelain") == "")
    let again = try repository.run(
      [PackageFiles.path("examples/ci/make-history"), "one"], environment: ["CAIRN_BIN": try CairnBinary.path()])
    #expect(again.status == 1 && again.errors == "ERROR: 'one' is not empty\n", "\(again)")
  }
}
