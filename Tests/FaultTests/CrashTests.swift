// `kill -9` at each named place of a run, and at random moments: nothing is lost, nothing is claimed that is not so.
import CairnEngine
import CairnTestSupport
import Foundation
import Testing

struct CrashTests {
  @Test(
    "a crash at each place: what had ended well is not run again, what had not is lost",
    arguments: FaultPoint.allCases.filter { ![.replayWritten, .replayed].contains($0) })
  func crash(at point: FaultPoint) throws {
    let reference = try CountedPipeline(width: 1)
    #expect(try reference.repository.cairn("repro", "-j", "1").status == 0)

    let pipeline = try CountedPipeline(width: 1)
    let repository = pipeline.repository
    let crashed = try repository.cairn("repro", "-j", "1", environment: ["CAIRN_FAULT_POINT": point.rawValue])
    #expect(crashed.status == 137, "\(crashed)")
    let resumed = try repository.cairn("repro", "-j", "1")
    #expect(resumed.status == 0, "\(resumed)")

    #expect(try Leavings(repository) == Leavings(reference.repository))
    #expect(try repository.shell("find .dvc/cache/runs -type f | wc -l").output == "3\n")
    let keeps: [FaultPoint] = [.journalWritten, .journalSynced, .recordsWritten, .lockWritten, .beforeJournalRemoved]
    if keeps.contains(point) {
      #expect(pipeline.executions()["a1"] == 1)
      #expect(try repository.count("lost", of: "a1") == 0)
    } else {
      #expect(pipeline.executions()["a1"] == (point == .startJournalled ? 1 : 2))
      #expect(try repository.count("lost", of: "a1") == 1)
    }
    let lost = try repository.results().filter { $0.result == "lost" }
    // A consumer may have begun before its producer was durable.
    for (stage, count) in pipeline.executions() { #expect(count <= 1 + lost.count { $0.stage == stage }) }
    #expect(try repository.results().count == 3 + lost.count)
    try repository.expectSound("after \(point)")
  }

  @Test("why tells of a try that was lost, once its journal was read")
  func lostIsTold() throws {
    let repository = try CountedPipeline(width: 1).repository
    let crashed = try repository.cairn("repro", "-j", "1", environment: ["CAIRN_FAULT_POINT": FaultPoint.startJournalled.rawValue])
    #expect(crashed.status == 137, "\(crashed)")
    // Any command that takes the lock reads it.
    try repository.write("other", "1\n")
    #expect(try repository.cairn("add", "other").status == 0)
    let result = try repository.cairn("why", "a1")
    #expect(result.output.contains("last try failed"), "\(result)")
    #expect(result.output.contains("died with its process"), "\(result)")
  }

  @Test("kill -9 at random moments, with the commands of the dead run ended before the next one")
  func randomKills() throws {
    let reference = try CountedPipeline(width: 4)
    #expect(try reference.repository.cairn("repro").status == 0)
    for round in 1...rounds {
      let pipeline = try CountedPipeline(width: 4, seconds: 0.02)
      let repository = pipeline.repository
      for _ in 1...3 {
        let running = try repository.startRepro("-j", "2")
        usleep(UInt32.random(in: 5_000...300_000))
        running.signal(SIGKILL)
        let check = try repository.cairn("runs", "check")
        #expect(check.status == 0, "\(check)")
        _ = running.wait()
        if let lock = repository.read("dvc.lock") { #expect(lock.hasPrefix("schema: '2.0'\n") && lock.hasSuffix("\n")) }
      }
      let last = try repository.cairn("repro", "-j", "2")
      #expect(last.status == 0, "round \(round): \(last)")
      #expect(try Leavings(repository) == Leavings(reference.repository), "round \(round)")
      // Each execution beyond the first has a record that tells of the one before.
      let lost = try repository.results().filter { $0.result == "lost" }
      for (stage, count) in pipeline.executions() {
        #expect(count <= 1 + lost.count { $0.stage == stage }, "round \(round): \(stage) ran \(count) times")
      }
      try repository.expectSound("round \(round)")
    }
  }

  @Test("a command that outlives the killed cairn is ended before its stage runs again")
  func orphans() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n  a:\n    cmd: test -e go || sleep 41.5; echo done > a\n    outs: [a]\n")
    try repository.killRepro(whileRunning: "sleep\u{0}41.5")
    try repository.write("go", "")
    #expect(try repository.cairn("repro").status == 0)
    #expect(!repository.isRunning("sleep\u{0}41.5"))
    #expect(try repository.count("lost", of: "a") == 1)
  }

  @Test("kill -9 of a checkout leaves nothing of ours among the user's files, and the next one completes it", arguments: [
    "copy", "reflink,copy", "hardlink", "symlink",
  ])
  func checkout(types: String) throws {
    let repository = try TestRepository()
    #expect(try repository.shell("mkdir d && seq 300 | split -l 1 -a 3 - d/f && head -c 20000000 /dev/zero > d/z").status == 0)
    #expect(try repository.cairn("config", "cache.type", types).status == 0)
    #expect(try repository.cairn("add", "d").status == 0)
    let names = try repository.shell("find . -path ./.dvc -prune -o -path ./.cairn -prune -o -path ./.git -prune -o -print | sort").output
    // With everything linked anew, and with nothing there.
    for arguments in [["checkout", "--relink"], ["checkout"]] {
      for _ in 1...rounds {
        if arguments.count == 1 { try repository.remove("d") }
        let running = try repository.start([try CairnBinary.path()] + arguments)
        #expect(eventually { repository.exists("d/faa") || repository.exists("d/z") })
        usleep(UInt32.random(in: 0...60_000))
        running.signal(SIGKILL)
        _ = running.wait()
        let odd = try repository.shell("find d -name '.*'").output
        #expect(odd == "", "\(arguments)")
        let again = try repository.cairn("checkout")
        #expect(again.status == 0, "\(again)")
        #expect(try repository.shell("find .dvc/tmp -name '.*'").output == "")
      }
      #expect(try repository.shell("find . -path ./.dvc -prune -o -path ./.cairn -prune -o -path ./.git -prune -o -print | sort").output == names)
      let status = try repository.cairn("status")
      #expect(status.output == "Data and pipelines are up to date.\n", "\(status)")
    }
  }

  @Test("previous outputs that no cache holds survive a crash of the command's run")
  func previousOutputs() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml", "stages:\n  a:\n    cmd: cat in > a\n    deps: [in]\n    outs:\n    - a:\n        cache: false\n")
    try repository.write("in", "1")
    #expect(try repository.cairn("repro").status == 0)
    try repository.write("a", "edited by hand")
    try repository.write("in", "22")
    let crashed = try repository.cairn("repro", environment: ["CAIRN_FAULT_POINT": "startJournalled"])
    #expect(crashed.status == 137)
    let found = try repository.shell("grep -rl 'edited by hand' . --include='*'")
    #expect(!found.output.isEmpty, "the edited output is gone")
  }

  @Test("what restore brings back after a crash is not written over by a command that outlived it")
  func restoreAfterCrash() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml", "stages:\n  a:\n    cmd: sleep $(cat in); cat in > a\n    deps: [in]\n    outs:\n    - a:\n        cache: false\n")
    try repository.write("in", "0\n")
    #expect(try repository.cairn("repro").status == 0)
    try repository.write("a", "edited by hand\n")
    try repository.write("in", "49.5\n")
    try repository.killRepro(whileRunning: "sleep\u{0}49.5")
    #expect(try repository.cairn("restore", "--previous", "a").status == 0)
    #expect(repository.read("a") == "edited by hand\n")
    #expect(!repository.isRunning("sleep\u{0}49.5"))
    #expect(try repository.count("lost", of: "a") == 1)
  }

  @Test("the file that was being written beside the lock goes with its dead writer, however young it is")
  func temporaryFile() throws {
    let repository = try CountedPipeline(width: 1).repository
    let running = try repository.startRepro(environment: ["CAIRN_FAULT_POINT": "journalSynced"])
    #expect(running.wait().status == 137)
    try repository.write(".cairn-\(running.pid)-abc.tmp", "schema: '2.0'\n")
    let another = ".cairn-\(ProcessInfo.processInfo.processIdentifier)-abc.tmp"
    try repository.write(another, "of somebody who lives")
    #expect(try repository.cairn("repro").status == 0)
    #expect(repository.list().filter { $0.hasSuffix(".tmp") } == [another])
  }
}
