// Cairn's own commands once for their happy path and each exit code: why, runs, lineage, restore, repro --json.
import CairnTestSupport
import Foundation
import Testing

/// The penguins, in a copy, with everything run.
private func penguins() throws -> TestRepository {
  let repository = try TestRepository(copying: template.get())
  return repository
}

private let template = Result {
  let repository = try TestRepository()
  let copied = try Command.run(["cp", "-r", PackageFiles.path("examples/penguins") + "/.", repository.root], in: "/")
  guard copied.status == 0 else { throw TestSupportError("cannot copy the example: \(copied)") }
  try repository.commit("the penguins")
  let result = try repository.cairn("repro")
  guard result.status == 0 else { throw TestSupportError("the example does not run: \(result)") }
  try repository.commit("results")
  return repository
}

private func json(_ result: CommandResult) throws -> [String: Any] {
  try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any], "\(result)")
}

struct OwnCommandTests {
  @Test("a command that does not exist, with the one that was probably meant")
  func nearestCommand() throws {
    let result = try TestRepository().cairn("repo")
    #expect(result.status == 254)
    #expect(result.errors.contains("\nhint: did you mean 'repro'?\n"), "\(result)")
  }

  @Test(
    "outside a project and with a broken configuration, Cairn's own commands end with 255, DVC's with DVC's codes",
    arguments: [["why"], ["runs"], ["runs", "check"], ["lineage", "x"], ["restore", "--previous", "x"]])
  func failures(arguments: [String]) throws {
    let outside = try TestRepository(git: false, dvc: false)
    #expect(try outside.run([CairnBinary.path()] + arguments).status == 255)
    #expect(try outside.cairn("status").status == 253)
    let broken = try TestRepository()
    try broken.write(".dvc/config", "[core\n")
    #expect(try broken.run([CairnBinary.path()] + arguments).status == 255)
    #expect(try broken.cairn("status").status == 251)
  }

  @Test("why: 0 when all is fresh, 1 and the root cause when a parameter was edited")
  func why() throws {
    let repository = try penguins()
    #expect(try repository.cairn("why").status == 0)
    let parameters = try #require(repository.read("params.yaml"))
    try repository.write("params.yaml", parameters.replacingOccurrences(of: "epochs: 300", with: "epochs: 200"))
    let result = try repository.cairn("why")
    #expect(result.status == 1)
    #expect(result.output.contains("params.yaml: train.epochs"), "\(result)")
    let document = try json(repository.cairn("why", "--json"))
    #expect(document["schema"] as? String == "cairn.why/v1")
    let causes = try #require(document["causes"] as? [[String: Any]])
    #expect(causes.count == 1)
    #expect(causes.first?["key"] as? String == "train.epochs")
    #expect(causes.first?["was"] as? Int == 300 && causes.first?["now"] as? Int == 200)
  }

  @Test("a parameter edit re-runs what it must: the report's inputs come out the same, so it stays")
  func earlyCutOff() throws {
    let repository = try penguins()
    let parameters = try #require(repository.read("params.yaml"))
    try repository.write("params.yaml", parameters.replacingOccurrences(of: "epochs: 300", with: "epochs: 200"))
    let result = try repository.cairn("repro")
    #expect(result.status == 0, "\(result)")
    for stage in ["train", "evaluate"] { #expect(result.output.contains("Running stage '\(stage)':"), "\(result)") }
    for stage in ["prepare", "describe", "split", "report"] {
      #expect(result.output.contains("Stage '\(stage)' didn't change, skipping"), "\(result)")
    }
  }

  @Test("repro --json is one event a line, each with the schema, and a summary at the end")
  func events() throws {
    let repository = try penguins()
    try repository.remove("dvc.lock")
    try repository.remove(".dvc/cache/runs")
    let result = try repository.cairn("repro", "--json")
    #expect(result.status == 0, "\(result)")
    let events = try result.output.split(separator: "\n").map {
      try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(events.allSatisfy { $0["schema"] as? String == "cairn.event/v1" })
    #expect(events.filter { $0["event"] as? String == "stage-started" }.count == 6)
    #expect(events.last?["event"] as? String == "summary")
    #expect(events.last?["ran"] as? Int == 6)
  }

  @Test(
    "repro --json ends with a summary also where nothing could run",
    arguments: [
      (["--json"], "stages: [\n", 255), (["--json", "nothing"], "stages: {a: {cmd: echo}}\n", 255),
      (["--json", "-j", "0"], "stages: {a: {cmd: echo}}\n", 254),
      (["--json"], "stages: {a: {cmd: echo, meta: {cairn: {resources: {licence: 2}}}}}\n", 255),
    ])
  func summaryOfNothing(_ arguments: [String], _ pipeline: String, _ status: Int32) throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", pipeline)
    try Self.expectEmptySummary(try repository.run([CairnBinary.path(), "repro"] + arguments), status)
  }

  @Test("repro --json has its summary outside of a project, and with a broken configuration")
  func summaryOutside() throws {
    try Self.expectEmptySummary(try TestRepository(git: false, dvc: false).cairn("repro", "--json"), 253)
    let broken = try TestRepository()
    try broken.write(".dvc/config", "[core\n")
    try Self.expectEmptySummary(try broken.cairn("repro", "--json"), 251)
  }

  private static func expectEmptySummary(_ result: CommandResult, _ status: Int32) throws {
    #expect(result.status == status && !result.errors.isEmpty, "\(result)")
    let summary = try json(result)
    #expect(summary["schema"] as? String == "cairn.event/v1" && summary["event"] as? String == "summary")
    for key in ["ran", "restored", "unchanged", "fresh", "failed", "skipped", "seconds"] {
      #expect(summary[key] as? Int == 0, "\(key): \(result)")
    }
    #expect(summary["exit"] as? Int == Int(status) && summary["invocation"] is String, "\(result)")
  }

  @Test("of what repro --json tells, a producer's end precedes all of its consumers, and a reason names its run")
  func eventOrder() throws {
    let repository = try TestRepository()
    var pipeline = "stages:\n  s0: {cmd: cat in > f0, deps: [in], outs: [f0]}\n"
    for number in 1..<12 {
      pipeline += "  s\(number): {cmd: cat f\(number - 1) > f\(number), deps: [./f\(number - 1)], outs: [f\(number)]}\n"
    }
    try repository.write("dvc.yaml", pipeline)
    for round in 0..<6 {
      try repository.write("in", "\(round)\n")
      let result = try repository.cairn("repro", "--json", "-j", "2")
      #expect(result.status == 0, "\(result)")
      let events = try result.output.split(separator: "\n").map {
        try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
      }
      let told = events.map { "\($0["event"] ?? "") \($0["stage"] ?? "")" }
      #expect(told.dropLast() == (0..<12).flatMap { ["stage-started s\($0)", "stage-finished s\($0)"] }[...])
      guard round > 0 else { continue }
      for (made, used) in zip(events.dropFirst(), events.dropFirst(2)) where used["event"] as? String == "stage-started" {
        let reason = try #require((used["reasons"] as? [[String: Any]])?.first)
        let producer = try #require(reason["producer"] as? [String: Any], "\(used)")
        #expect(producer["stage"] as? String == made["stage"] as? String)
        #expect(producer["run"] as? String == made["run"] as? String)
      }
    }
  }

  @Test("every execution is a record whose name is the SHA-256 of its bytes")
  func records() throws {
    let repository = try penguins()
    let runs = try json(repository.cairn("runs", "list", "--json"))
    #expect(runs["schema"] as? String == "cairn.runs/v1")
    let stages = try #require(runs["runs"] as? [[String: Any]]).compactMap { $0["stage"] as? String }
    #expect(stages.sorted() == ["describe", "evaluate", "prepare", "report", "split", "train"])
    let check = try repository.shell(
      #"cd .cairn/runs && for f in */*.json; do n=$(echo "$f" | tr -d / | sed 's/.json$//'); [ "$(sha256sum < "$f" | cut -c1-64)" = "$n" ] || exit 1; done"#)
    #expect(check.status == 0, "\(check)")
    #expect(try repository.cairn("runs", "check").status == 0)
  }

  @Test("runs log has what the command printed, runs show the inputs; an unknown run is an error")
  func runs() throws {
    let repository = try penguins()
    #expect(try repository.cairn("runs", "log", "@last:prepare").output.contains("342 complete rows"))
    #expect(try repository.cairn("runs", "show", "@last:train").output.contains("data/train.csv"))
    #expect(try repository.cairn("runs", "show", "0000000").status == 255)
  }

  @Test("lineage of the model leads back to the raw data, and of the raw data down to the report")
  func lineage() throws {
    let repository = try penguins()
    let up = try repository.cairn("lineage", "model.json")
    #expect(up.status == 0)
    #expect(up.output.contains("data/penguins.csv"), "\(up)")
    #expect(up.output.contains("train.epochs"), "\(up)")
    let down = try repository.cairn("lineage", "data/penguins.csv", "--down")
    #expect(down.output.contains("report.md"), "\(down)")
    let document = try json(repository.cairn("lineage", "model.json", "--json"))
    #expect(document["schema"] as? String == "cairn.lineage/v1")
    #expect(try repository.cairn("lineage", "nothing.txt").status != 0)
  }

  @Test("after a failure, restore --previous brings back outputs that no cache held")
  func restorePrevious() throws {
    let repository = try penguins()
    let before = try #require(repository.read("report.md"))
    let pipeline = try #require(repository.read("dvc.yaml"))
    try repository.write("dvc.yaml", pipeline.replacingOccurrences(of: "python3 src/report.py", with: "false src/report.py"))
    let result = try repository.cairn("repro")
    #expect(result.status == 255)
    #expect(result.errors.contains("cairn restore --previous report"), "\(result)")
    #expect(!repository.exists("report.md"))
    #expect(try repository.cairn("restore", "--previous", "report").status == 0)
    #expect(repository.read("report.md") == before)
  }

  @Test("the example's lock is DVC's, byte for byte", .enabled(if: DVCOracle.isAvailable))
  func sameLock() throws {
    let ours = try penguins()
    let theirs = try TestRepository()
    _ = try Command.run(["cp", "-r", PackageFiles.path("examples/penguins") + "/.", theirs.root], in: "/")
    #expect(try theirs.dvc("repro", "-q").status == 0)
    #expect(ours.read("dvc.lock") == theirs.read("dvc.lock"))
    #expect(ours.read(".gitignore") == theirs.read(".gitignore"))
    #expect(try ours.dvc("status").output.contains("Data and pipelines are up to date."))
  }

  @Test("git status is clean beside the files that DVC makes: .cairn hides itself")
  func gitStatus() throws {
    let repository = try penguins()
    #expect(try repository.git("status", "--porcelain") == "")
    #expect(try repository.git("ls-files").contains(".cairn") == false)
  }
}
