// `cairn lineage` where records are not here, or are of before the repository had its present address: what cannot be
// seen is said.
import CairnTestSupport
import Foundation
import Testing

struct LineageUnseenTests {
  private func json(_ result: CommandResult) throws -> [String: Any] {
    try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
  }

  private func unknown(_ result: CommandResult) throws -> [[String: Any]] {
    try #require(try json(result)["unknown"] as? [[String: Any]], "\(result)")
  }

  /// raw.csv → prepare → clean.csv → train → model.pkl, committed.
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("raw.csv", "1\n")
    try repository.write("code", "1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        prepare: {cmd: cat raw.csv raw.csv > clean.csv, deps: [raw.csv], outs: [clean.csv]}
        train: {cmd: cat clean.csv code > model.pkl, deps: [clean.csv, code], outs: [model.pkl]}

      """)
    #expect(try repository.cairn("add", "-q", "raw.csv").status == 0)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("run")
    return repository
  }

  private func forget(_ stage: String, in repository: TestRepository) throws {
    let list = try json(repository.cairn("runs", "--stage", stage, "--json"))
    for run in try #require(list["runs"] as? [[String: Any]]).compactMap({ $0["run"] as? String }) {
      try repository.shell("rm -f .cairn/runs/\(run.prefix(2))/\(run.dropFirst(2)).json")
    }
  }

  // MARK: Addresses

  @Test("a file of a folder has its story and its users also when the repository has got another address since")
  func address() throws {
    let repository = try TestRepository()
    for name in ["ok.csv", "other.csv"] { try repository.write("data/" + name, name + "\n") }
    try repository.write(
      "dvc.yaml", "stages: {s: {cmd: mkdir dout && cat data/* > dout/all.csv && cp data/ok.csv dout, deps: [data], outs: [dout]}}\n")
    #expect(try repository.cairn("add", "-q", "data").status == 0)
    try repository.commit("data")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("run")
    func check(_ when: String) throws {
      let down = try repository.cairn("lineage", "data/ok.csv", "--down")
      #expect(down.status == 0 && down.output.contains(" dout "), "\(when): \(down)")
      let up = try repository.cairn("lineage", "dout/all.csv")
      #expect(up.status == 0 && up.output.contains(" data ") && !up.output.contains("there is no record"), "\(when): \(up)")
    }
    try check("without an address")
    try repository.git("remote", "add", "origin", "https://git.example.org/t/x.git")
    try check("with one")
    try repository.git("remote", "set-url", "origin", "https://git.example.org/t/y.git")
    try check("with another")
  }

  @Test("the MD5 of a file that only a folder's contents name is found")
  func hashInFolder() throws {
    let repository = try TestRepository()
    try repository.write("data/ok.csv", "ok\n")
    try repository.write("data/other.csv", "other\n")
    try repository.write("lone/f", "lone\n")
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat data/* > o, deps: [data], outs: [o]}}\n")
    #expect(try repository.cairn("add", "-q", "data", "lone").status == 0)
    #expect(try repository.cairn("repro", "-q").status == 0)
    func md5(_ name: String) throws -> String { String(try repository.shell("md5sum \(name)").output.prefix(32)) }
    for word in [try md5("data/ok.csv"), "md5:" + (try md5("data/ok.csv")).uppercased()] {
      let result = try repository.cairn("lineage", word, "--down")
      #expect(result.output.hasPrefix("data/ok.csv") && result.output.contains(" o "), "\(result)")
    }
    let lone = try repository.cairn("lineage", try md5("lone/f"))
    #expect(lone.output.hasPrefix("lone/f"), "\(lone)")
    #expect(try repository.cairn("lineage", String(repeating: "0", count: 32)).status == 255)
  }

  // MARK: Two things

  @Test("what is not a number is the same as itself")
  func notANumber() throws {
    let repository = try TestRepository()
    try repository.write("code", "1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        s:
          cmd: 'echo "{\\"loss\\": NaN}" > m.json; cp code o'
          deps: [code]
          outs: [o]
          metrics: [{m.json: {cache: false}}]

      """)
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit("first")
    try repository.write("code", "2\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    let record = try repository.cairn("runs", "show", "@last:s", "--json").output
    #expect(record.lowercased().contains("nan"), "\(record)")
    for result in [try repository.cairn("runs", "diff", "@last:s"), try repository.cairn("lineage", "--rev", "HEAD", "o", "o")] {
      #expect(result.status == 0 && result.output.contains("code") && !result.output.contains("loss"), "\(result)")
    }
  }
}
