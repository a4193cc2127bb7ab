// Where `cairn verify` lets one check stand for another that follows from it: nothing may slip through between the two.
import CairnTestSupport
import Foundation
import Testing

struct VerifyStandInTests {
  /// A project that is committed after its run.
  ///
  /// - Parameter frozen: an output of the stage that is frozen then.
  private func project(
    _ stages: String, _ files: [String: String] = [:], frozen: String? = nil
  ) throws -> TestRepository {
    let repository = try TestRepository()
    try repository.git("config", "user.name", "a")
    try repository.git("config", "user.email", "a@b")
    for (name, text) in files { try repository.write(name, text) }
    try repository.write("dvc.yaml", "stages:\n" + stages)
    #expect(try repository.cairn("repro", "-q").status == 0)
    if let frozen {
      // Not by `freeze`: of a template it would make a stage.
      let outs = "outs: [\(frozen)]"
      let text = try #require(repository.read("dvc.yaml"))
      let isFlow = text.contains(outs + "}")
      try repository.write(
        "dvc.yaml", text.replacingOccurrences(of: outs, with: outs + (isFlow ? ", frozen: true" : "\n    frozen: true")))
    }
    try repository.commit()
    #expect(try repository.cairn("verify").status == 0)
    return repository
  }

  private func edit(_ repository: TestRepository, _ name: String, _ old: String, _ new: String) throws {
    let text = try #require(repository.read(name))
    #expect(text.contains(old))
    try repository.write(name, text.replacingOccurrences(of: old, with: new))
    try repository.commit()
  }

  /// What stands against the verdict, in the work tree and in the commit, which must be the same.
  private func errors(_ repository: TestRepository, _ arguments: String...) throws -> [String] {
    let looks = try [[], ["--rev", "HEAD"]].map { look in
      let result = try repository.run([try CairnBinary.path(), "verify", "--json"] + look + arguments)
      let document = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
      let checks = try #require(document["checks"] as? [[String: Any]])
      let found = checks.filter { $0["status"] as? String == "failed" && $0["severity"] as? String == "error" }
      #expect(result.status == (found.isEmpty ? 0 : 1))
      return found.map { "\($0["id"] ?? "") \($0["stage"] ?? "")" }
    }
    #expect(looks[0] == looks[1])
    return looks[0]
  }

  private static let kept = """
      a: {cmd: "mkdir -p d; cp s d/x; cp s m", deps: [s], outs: [d: {cache: false}, m: {cache: false}]}
      b: {cmd: cat d/x m > o, deps: [d, m], outs: [o]}

    """

  @Test("a folder that git keeps is held against the run that made it, whoever depends on it", arguments: ["d/x", "d/y"])
  func keptFolders(file: String) throws {
    let repository = try project(Self.kept, ["s": "1\n"])
    try repository.write(file, "9\n")
    try repository.commit()
    #expect(try errors(repository) == ["dep-content b"])
    #expect(try errors(repository, "a") == ["lock-outs a"])
  }

  @Test("an edited file that git keeps is told by the stage that reads it, else by the one that made it")
  func keptFiles() throws {
    let repository = try project(Self.kept, ["s": "1\n"])
    try edit(repository, "m", "1", "9")
    #expect(try errors(repository) == ["dep-content b"])
    #expect(try errors(repository, "a") == ["lock-outs a"])
    try repository.write(".cairn/config.toml", "[verify.severity]\ndep-content = \"warning\"\n")
    try repository.commit()
    #expect(try errors(repository) == ["lock-outs a"])
    let frozen = try project(Self.kept, ["s": "1\n"], frozen: "o")
    try edit(frozen, "m", "1", "9")
    #expect(try errors(frozen) == ["lock-outs a"])
  }

  private static let templated = """
      a:
        cmd: echo ${p} > o
        params: [p, q]
        outs: [o]

    """

  @Test("a command that follows from a parameter is told where the parameter is no error")
  func commands() throws {
    let files = ["params.yaml": "p: 1\nq: 2\n"]
    let repository = try project(Self.templated, files)
    try edit(repository, "params.yaml", "p: 1", "p: 3")
    #expect(try errors(repository) == ["lock-params a"])
    for severity in ["off", "warning"] {
      try repository.write(".cairn/config.toml", "[verify.severity]\nlock-params = \"\(severity)\"\n")
      try repository.commit()
      #expect(try errors(repository) == ["lock-command a"])
    }
    let frozen = try project(Self.templated, files, frozen: "o")
    try edit(frozen, "params.yaml", "p: 1", "p: 3")
    #expect(try errors(frozen) == ["lock-command a"])
  }

  @Test("a frozen stage's parameters may have other values, and are declared as they were")
  func frozenParameters() throws {
    let files = ["params.yaml": "p: 1\nq: 2\nr: 3\n"]
    let moved = try project(Self.templated, files, frozen: "o")
    try edit(moved, "params.yaml", "q: 2", "q: 3")
    #expect(try errors(moved) == [])
    for declared in ["[p]", "[p, q, r]"] {
      let repository = try project(Self.templated, files, frozen: "o")
      try edit(repository, "dvc.yaml", "[p, q]", declared)
      #expect(try errors(repository) == ["lock-params a"])
    }
    let none = try project("  a: {cmd: echo > o, params: [p], outs: [o]}\n", files, frozen: "o")
    try edit(none, "dvc.yaml", "params: [p], ", "")
    #expect(try errors(none) == ["lock-params a"])
  }

  @Test("a fault that changed behind the words that are shown is a new one")
  func newFaults() throws {
    let long = String(repeating: "x", count: 600)
    let keys = (1...7).map { "p\($0)" }
    let values = keys.map { "\($0): 0\n" }.joined() + "long: \(long)0\n"
    func repository() throws -> TestRepository {
      try project(
        "  a: {cmd: \"echo \(long) A > o\", params: [\(keys.joined(separator: ", ")), long], outs: [o]}\n",
        ["params.yaml": values])
    }
    func newOnly(_ file: String, _ before: (String, String), _ after: (String, String)) throws {
      let repository = try repository()
      try edit(repository, file, before.0, before.1)
      try repository.git("tag", "base")
      #expect(try repository.cairn("verify", "--rev", "HEAD", "--base", "base", "--new-only").status == 0)
      try edit(repository, file, after.0, after.1)
      #expect(try repository.cairn("verify", "--rev", "HEAD", "--base", "base", "--new-only").status == 1)
    }
    try newOnly("dvc.yaml", ("x A", "x B"), ("x B", "x C"))
    try newOnly("params.yaml", ("x0\n", "x1\n"), ("x1\n", "x2\n"))
    try newOnly("params.yaml", (": 0\n", ": 1\n"), ("p7: 1", "p7: 2"))
    try newOnly("dvc.yaml", ("p3, p4, p5, p6, p7, ", ""), ("p1, p2, ", "p1, "))
  }
}
