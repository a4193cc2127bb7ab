// Several processes at once in one project: each stage is executed once, and nothing is torn or undone.
import CairnTestSupport
import Foundation
import Testing

struct TogetherTests {
  @Test("repros that overlap share the work: each stage is executed once", arguments: [2, 10])
  func overlapping(count: Int) throws {
    let reference = try CountedPipeline()
    #expect(try reference.repository.cairn("repro").status == 0)
    let pipeline = try CountedPipeline(seconds: 0.05)
    let running = try (1...count).map { _ in try pipeline.repository.startRepro("-j", "2") }
    for result in running.map({ $0.wait() }) { #expect(result.status == 0, "\(result)") }
    #expect(pipeline.executions().values.allSatisfy { $0 == 1 }, "\(pipeline.executions())")
    #expect(pipeline.executions().count == 7)
    #expect(try Leavings(pipeline.repository) == Leavings(reference.repository))
    try pipeline.repository.expectSound("\(count) at once")
  }

  @Test("repros of disjoint targets go on side by side; both have their entries and their .gitignore lines")
  func disjoint() throws {
    for round in 1...max(1, rounds / 2) {
      let pipeline = try CountedPipeline(seconds: 0.05)
      let running = try (1...3).map { try pipeline.repository.startRepro("b\($0)") }
      for result in running.map({ $0.wait() }) { #expect(result.status == 0, "\(result)") }
      let executions = pipeline.executions()
      #expect(executions == ["a1": 1, "a2": 1, "a3": 1, "b1": 1, "b2": 1, "b3": 1], "round \(round)")
      let ignored = try #require(pipeline.repository.read(".gitignore")).split(separator: "\n").sorted()
      #expect(ignored == ["/a1", "/a2", "/a3", "/b1", "/b2", "/b3"], "round \(round)")
      let last = try pipeline.repository.cairn("repro")
      #expect(last.status == 0, "\(last)")
      #expect(pipeline.executions().values.allSatisfy { $0 == 1 }, "round \(round): \(pipeline.executions())")
      try pipeline.repository.expectSound("round \(round)")
    }
  }

  @Test("no older outputs are put under a command that runs: apply, even by force, is refused")
  func applyBesideARun() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n  a:\n    cmd: cat in > a; sleep $(cat in)\n    deps: [in]\n    outs: [a]\n")
    try repository.write("in", "0\n")
    #expect(try repository.cairn("repro").status == 0)
    try repository.write("in", "48.5\n")
    let running = try repository.startRepro()
    #expect(eventually { repository.isRunning("sleep\u{0}48.5") && repository.read("a") == "48.5\n" })
    let applied = try repository.cairn("runs", "apply", "--force", "@last:a")
    #expect(applied.status == 255 && applied.errors.contains("is in use: process \(running.pid)"), "\(applied)")
    #expect(repository.read("a") == "48.5\n")
    running.signal(SIGTERM)
    _ = running.wait()
  }

  @Test("what has ended is in dvc.lock and .gitignore soon, although the stage after it goes on for long")
  func whileALongOneRuns() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      "stages:\n  a:\n    cmd: echo a > a\n    outs: [a]\n"
        + "  b:\n    cmd: sleep 47.5; cat a > b\n    deps: [a]\n    outs: [b]\n")
    let running = try repository.startRepro()
    #expect(eventually { repository.read(".gitignore") == "/a\n" })
    #expect(eventually { repository.read("dvc.lock")?.contains("path: a\n") ?? false })
    #expect(repository.isRunning("sleep\u{0}47.5"))
    running.signal(SIGTERM)
    _ = running.wait()
  }

  @Test("a stage that ends while git is asked about the one before keeps its line in .gitignore")
  func slowGit() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      "stages:\n" + [("a", "1.3"), ("b", "0.2"), ("c", "1.5")].map { name, seconds in
        "  \(name):\n    cmd: sleep \(seconds); echo \(name) > \(name)\n    outs: [\(name)]\n"
      }.joined())
    let git = try repository.shell("command -v git").output.trimmingCharacters(in: .whitespacesAndNewlines)
    let scratch = try TemporaryFolder("cairn-git-")
    let folder = scratch.path
    try "#!/bin/sh\ncase \"$*\" in *check-ignore*) sleep 1;; esac\nexec \(git) \"$@\"\n"
      .write(toFile: folder + "/git", atomically: false, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/git")
    let path = folder + ":" + (repository.environment["PATH"] ?? "/usr/bin:/bin")
    let result = try withExtendedLifetime(scratch) {
      try repository.cairn("repro", "-j", "1", environment: ["PATH": path])
    }
    #expect(result.status == 0, "\(result)")
    #expect(repository.read(".gitignore") == "/a\n/b\n/c\n")
  }

  @Test("cairn works inside a stage's command, and says so where it would wait for ever")
  func nested() throws {
    let repository = try TestRepository()
    let cairn = try CairnBinary.path()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        inner:
          cmd: echo inner > inner
          outs: [inner]
        outer:
          cmd: \(cairn) repro inner && echo outer > outer
          outs: [outer]
        self:
          cmd: \(cairn) repro -f self && echo self > self
          outs: [self]

      """)
    let result = try repository.cairn("repro", "outer")
    #expect(result.status == 0, "\(result)")
    let lock = try #require(repository.read("dvc.lock"))
    #expect(lock.contains("  inner:\n") && lock.contains("  outer:\n"))
    let endless = try repository.cairn("repro", "self")
    #expect(endless.status == 255, "\(endless)")
    #expect((endless.output + endless.errors).contains("is held by the stage that this command runs in"), "\(endless)")
  }

  @Test("dvc and cairn beside each other, neither undoes the other", .enabled(if: DVCOracle.isAvailable, "needs the real DVC"))
  func besideDVC() throws {
    let pipeline = try CountedPipeline(width: 2, seconds: 0.6)
    let repository = pipeline.repository
    let dvc = try #require(DVCOracle.path)
    let theirs = try repository.start([dvc, "repro", "b1"])
    let ours = try repository.startRepro("-j", "2", "b2")
    // DVC asks nothing of stages that run now, its own included; of all others it must be able to.
    let status = try repository.dvc("status", "end")
    #expect(status.errors.isEmpty || status.errors.contains("is busy"), "\(status)")
    let ourResult = ours.wait()
    let theirResult = theirs.wait()
    #expect(ourResult.status == 0, "\(ourResult)")
    #expect(theirResult.status == 0, "\(theirResult)")
    #expect(pipeline.executions() == ["a1": 1, "a2": 1, "b1": 1, "b2": 1])
    let last = try repository.cairn("repro")
    #expect(last.status == 0, "\(last)")
    #expect(pipeline.executions().values.allSatisfy { $0 == 1 }, "\(pipeline.executions())")
    #expect(try repository.dvc("status").output.contains("Data and pipelines are up to date."))
  }

  @Test("dvc works inside a stage's command", .enabled(if: DVCOracle.isAvailable, "needs the real DVC"))
  func dvcInside() throws {
    let repository = try TestRepository()
    let dvc = try #require(DVCOracle.path)
    try repository.write(
      "dvc.yaml",
      "stages:\n  a:\n    cmd: \(dvc) status c && \(dvc) root > a\n    outs: [a]\n  b:\n    cmd: sleep 1; echo b > b\n    outs: [b]\n  c:\n    cmd: echo c > c\n    outs: [c]\n")
    // `c` is left out: DVC refuses to look at what a stage that runs now makes, its own repro's too.
    let result = try repository.cairn("repro", "-j", "2", "a", "b")
    #expect(result.status == 0, "\(result)")
  }
}
