// What a record says of the code and of the inputs that a stage ran with.
import CairnTestSupport
import Foundation
import Testing

/// The newest record of a stage.
private func lastRecord(of stage: String, in repository: TestRepository) throws -> [String: Any] {
  var newest: (start: String, record: [String: Any])?
  for folder in repository.list(".cairn/runs") where folder.count == 2 {
    for name in repository.list(".cairn/runs/" + folder) where name.hasSuffix(".json") {
      let bytes = try #require(repository.bytes(".cairn/runs/\(folder)/\(name)"))
      let record = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
      guard (record["stage"] as? [String: Any])?["address"] as? String == stage,
        let start = (record["execution"] as? [String: Any])?["started"] as? String
      else { continue }
      if newest.map({ $0.start < start }) ?? true { newest = (start, record) }
    }
  }
  return try #require(newest?.record)
}

private func lastSource(of stage: String, in repository: TestRepository) throws -> [String: Any] {
  try #require(try lastRecord(of: stage, in: repository)["source"] as? [String: Any])
}

private func origins(of stage: String, in repository: TestRepository) throws -> [String?] {
  let inputs = try #require(try lastRecord(of: stage, in: repository)["inputs"] as? [[String: Any]])
  return inputs.map { ($0["origin"] as? [String: Any])?["kind"] as? String }
}

struct RecordTests {
  @Test("a stage that ran before, without an entry in the lock, has no record there; it is not told that it never ran")
  func lostEntry() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {s: {cmd: cat f > o, deps: [f], outs: [o]}}\n")
    try repository.write("f", "1\n")
    #expect(try repository.cairn("repro", "--json").output.contains("\"never-run\""))
    try repository.remove("dvc.lock")
    try repository.write("f", "2\n")
    let result = try repository.cairn("repro", "--json")
    #expect(result.output.contains("\"no-record\"") && !result.output.contains("\"never-run\""), "\(result)")
  }

  @Test("an input that was edited by hand is not recorded as the work of the stage that makes it")
  func edited() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: echo 1 > oa, outs: [oa: {cache: false}]}
        b: {cmd: cat oa > ob, deps: [oa], outs: [ob]}

      """)
    #expect(try repository.cairn("repro").status == 0)
    #expect(try origins(of: "b", in: repository) == ["stage"])
    try repository.write("oa", "hand\n")
    #expect(try repository.cairn("repro", "-s", "b").status == 0)
    #expect(try origins(of: "b", in: repository) == ["none"])
    try repository.commit()
    try repository.write("oa", "another hand\n")
    #expect(try repository.cairn("repro", "-s", "b").status == 0)
    #expect(try origins(of: "b", in: repository) == ["git"])
    #expect(try repository.cairn("repro").status == 0)
    #expect(try origins(of: "b", in: repository) == ["stage"])
  }

  @Test("a file that was edited by hand in a folder that a stage makes is not recorded as the stage's work")
  func editedInFolder() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: mkdir d; echo 1 > d/x; echo 1 > d/y, outs: [d]}
        b: {cmd: cat d/x d/y > ob, deps: [d/x, d/y], outs: [ob]}

      """)
    #expect(try repository.cairn("repro").status == 0)
    #expect(try origins(of: "b", in: repository) == ["stage", "stage"])
    try repository.remove("d/x")
    try repository.write("d/x", "hand\n")
    #expect(try repository.cairn("repro", "-s", "b").status == 0)
    #expect(try origins(of: "b", in: repository) == ["none", "stage"])
  }

  @Test(
    "code that was edited while an earlier stage ran is told of the later one",
    arguments: ["util.py", "src/util.py", "params.yaml"])
  func editedMeanwhile(file: String) throws {
    let repository = try TestRepository()
    let dependency = file == "params.yaml" ? "deps: [oa], params: [k]" : "deps: [\(file.prefix { $0 != "/" }), oa]"
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: 'echo 1 > oa; echo > began; sleep 1', outs: [oa]}
        b: {cmd: cat oa \(file) > ob, \(dependency), outs: [ob]}

      """)
    try repository.write(file, "k: 1\n")
    try repository.commit()
    try repository.age(file, bySeconds: 60)
    let running = try repository.start([try CairnBinary.path(), "repro"])
    for _ in 0..<500 where !repository.exists("began") { usleep(10_000) }
    try repository.write(file, "k: 2\n")
    let result = running.wait()
    #expect(result.status == 0, "\(result)")
    #expect(try lastSource(of: "a", in: repository)["dirty"] as? Bool == false)
    let source = try lastSource(of: "b", in: repository)
    #expect(source["dirty"] as? Bool == true)
    #expect((source["changed"] as? [String: Any])?.keys.sorted() == [file])
  }

  @Test("an output in git that was edited by hand differs from the commit; one that a stage wrote does not")
  func editedOutput() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: cat f > oa; mkdir -p da; cat f > da/x, deps: [f], outs: [oa: {cache: false}, da: {cache: false}]}
        b: {cmd: cat oa f > ob, deps: [oa, f], outs: [ob]}

      """)
    func changed(of stage: String) throws -> [String] {
      ((try lastSource(of: stage, in: repository)["changed"] as? [String: Any])?.keys).map { $0.sorted() } ?? []
    }
    try repository.write("f", "1\n")
    #expect(try repository.cairn("repro").status == 0)
    try repository.commit()
    try repository.write("f", "2\n")
    try repository.git("commit", "-qam", "f")
    for jobs in ["1", "2"] {
      #expect(try repository.cairn("repro", "-f", "-j", jobs).status == 0)
      #expect(try changed(of: "a") == [])
      #expect(try changed(of: "b") == [])
    }
    try repository.write("oa", "hand\n")
    try repository.write("da/x", "hand\n")
    #expect(try repository.cairn("repro", "-s", "b").status == 0)
    #expect(try changed(of: "b") == ["da/x", "oa"])
    #expect(try lastSource(of: "b", in: repository)["dirty"] as? Bool == true)
  }

  @Test("a stage of another repository that shares the cache is not taken for ours; that of a clone is")
  func sharedCache() throws {
    let pipeline = "stages: {s: {cmd: cat f > o, deps: [f], outs: [o]}}\n"
    let first = try TestRepository()
    let second = try TestRepository()
    let clone = try TestRepository()
    for (repository, remote) in [
      (first, "https://ann@host/first.git"), (second, "https://host/second"), (clone, "git@host:first.git"),
    ] {
      try repository.git("remote", "add", "origin", remote)
      try repository.cairn("cache", "dir", first.root + "/../shared")
      try repository.write("dvc.yaml", pipeline)
      try repository.write("f", "1\n")
      try repository.commit()
    }
    #expect(try first.cairn("repro").status == 0)
    try second.write("f", "2\n")
    let result = try second.cairn("repro", "--json")
    #expect(result.output.contains("\"never-run\""), "\(result)")
    #expect(try second.cairn("runs", "list", "--json").output.components(separatedBy: "\"run\":").count == 2)
    try clone.write("f", "3\n")
    #expect(try clone.cairn("repro", "--json").output.contains("\"no-record\""))
    // What the run-cache holds is whoever's made it.
    try second.write("f", "1\n")
    #expect(try second.cairn("repro").status == 0)
    #expect(try lastRecord(of: "s", in: second)["restored_from"] is String)
  }
}

/// Git is no part of what DVC needs: each of these was once an error after the stages had run.
struct WithoutGitTests {
  enum Fault: String, CaseIterable, Sendable { case noProgram, foreignOwner, brokenHead }

  private func environment(_ fault: Fault, _ repository: TestRepository) throws -> [String: String] {
    switch fault {
    case .noProgram:
      try repository.shell(
        "mkdir -p ../bin; for tool in sh cat sleep date; do ln -sf \"$(command -v $tool)\" ../bin/$tool; done")
      return ["PATH": repository.root + "/../bin"]
    // Git's own way to take the repository for another user's.
    case .foreignOwner: return ["GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"]
    case .brokenHead:
      try repository.write(".git/HEAD", "garbage\n")
      return [:]
    }
  }

  @Test("what compares with a commit says that git does not answer, and takes nothing for empty")
  func comparisons() throws {
    let repository = try TestRepository()
    try repository.write("f", "1\n")
    try repository.cairn("add", "-q", "f")
    try repository.commit()
    let environment = try environment(.foreignOwner, repository)
    for words in [["diff"], ["params", "diff"], ["metrics", "diff"], ["data", "status"], ["metrics", "show", "-A"],
      ["verify", "--rev", "HEAD"], ["ls", ".", "--rev", "HEAD"]]
    {
      let result = try repository.run([try CairnBinary.path()] + words, environment: environment)
      #expect(result.status == 255 && result.output.isEmpty, "\(words): \(result)")
      #expect(result.errors.contains("is not owned by current user"), "\(words): \(result)")
      #expect(result.errors.contains("git config --global --add safe.directory"))
    }
    // A commit that is there, and whose tree is lost.
    try repository.shell("rm .git/objects/$(git rev-parse HEAD^{tree} | sed 's,..,&/,')")
    for words in [["diff"], ["params", "diff"], ["verify", "--rev", "HEAD"]] {
      let result = try repository.run([try CairnBinary.path()] + words)
      #expect(result.status != 0 && result.output.isEmpty && result.errors.hasPrefix("ERROR: "), "\(words): \(result)")
    }
  }

  @Test("stages run where git does not answer, and nothing is claimed of the work tree", arguments: Fault.allCases)
  func repro(_ fault: Fault) throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        a: {cmd: cat f > sub/a.bin, deps: [f], outs: [sub/a.bin]}
        b: {cmd: cat sub/a.bin > sub/b, deps: [sub/a.bin], outs: [sub/b]}

      """)
    try repository.write("f", "1\n")
    try repository.write("sub/.gitignore", "*.bin\n")
    try repository.commit()
    let environment = try environment(fault, repository)
    let result = try repository.cairn("repro", environment: environment)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    #expect(repository.read("sub/.gitignore") == "*.bin\n/b\n")
    let source = try lastSource(of: "a", in: repository)
    #expect(source["dirty"] is NSNull)
    #expect((source["commit"] is NSNull) == (fault == .brokenHead))
    #expect(try origins(of: "a", in: repository) == ["git"])

    try repository.write("data", "1\n")
    try repository.write("f", "2\n")
    for arguments in [
      ["add", "data"], ["status"], ["why"], ["why", "a"], ["repro"], ["commit", "-f"], ["checkout"], ["runs"],
      ["runs", "show", "@last"], ["repro"], ["config", "core.autostage", "true"], ["repro", "-f"],
    ] {
      let result = try repository.run([try CairnBinary.path()] + arguments, environment: environment)
      // `why` tells by its status that a stage is stale.
      #expect(result.status == (arguments.first == "why" ? 1 : 0), "\(arguments) \(result)")
    }
    #expect(repository.read(".gitignore") == "/data\n")
    let refused = try repository.cairn("add", "f", environment: environment)
    #expect(refused.status != 0 && refused.errors.contains("already tracked by SCM"), "\(refused)")
  }
}
