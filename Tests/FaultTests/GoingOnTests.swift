// A run that goes on where another one was cut short: locks and `.gitignore` end as if there had been one serial run.
import CairnTestSupport
import Glibc
import Testing

struct GoingOnTests {
  /// `second` fails until there is a file `go`; meanwhile `third` and `fourth` end well beside it.
  private func failed() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n" + stages)
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 255, "\(result)")
    #expect(names(in: repository) == ["first", "third", "fourth"])
    #expect(repository.read(".gitignore") == nil)
    try repository.write("go", "")
    return repository
  }

  private func stage(_ name: String, _ command: String = "true", deps: String = "") -> String {
    "  \(name):\n    cmd: \(command) && echo \(name) > \(name)\n\(deps)    outs: [\(name)]\n"
  }

  private var stages: String {
    stage("first") + stage("second", "sleep 0.5 && test -e go", deps: "    deps: [first]\n") + stage("third")
      + stage("fourth", deps: "    deps: [third]\n")
  }

  private func names(in repository: TestRepository) -> [String] {
    (repository.read("dvc.lock") ?? "").split(separator: "\n").compactMap { line in
      line.hasPrefix("  ") && !line.hasPrefix("   ") ? String(line.dropFirst(2).dropLast()) : nil
    }
  }

  @Test("after a failure: what ended well behind it comes in its place, and gets the lines that went")
  func failure() throws {
    let repository = try failed()
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("Stage 'fourth' didn't change, skipping"), "\(result)")
    #expect(names(in: repository) == ["first", "second", "third", "fourth"])
    // As DVC, which never gives back the line of a stage before the failure.
    #expect(repository.read(".gitignore") == "/second\n/third\n/fourth\n")
    #expect(!repository.exists(".cairn/unfinished.json"))
    try repository.expectSound("went on")
  }

  @Test("a lock that somebody else has written since keeps its order")
  func changedMeanwhile() throws {
    let repository = try failed()
    try repository.write("dvc.lock", #require(repository.read("dvc.lock")) + "# seen\n")
    #expect(try repository.cairn("repro", "-j", "2").status == 0)
    #expect(names(in: repository) == ["first", "third", "fourth", "second"])
  }

  @Test("a run of other stages leaves the rest of the order to whoever does it")
  func narrower() throws {
    let repository = try failed()
    #expect(try repository.cairn("repro", "first").status == 0)
    #expect(try repository.cairn("repro", "-j", "2").status == 0)
    #expect(names(in: repository) == ["first", "second", "third", "fourth"])
  }

  @Test("a stage that is added before those that had ended in their turn comes behind them, as in DVC")
  func addedMeanwhile() throws {
    let repository = try failed()
    try repository.write("dvc.yaml", "stages:\n" + stage("zeroth") + stages)
    #expect(try repository.cairn("repro", "-j", "2").status == 0)
    #expect(names(in: repository) == ["first", "zeroth", "second", "third", "fourth"])
    #expect(repository.read(".gitignore") == "/zeroth\n/second\n/third\n/fourth\n")
    #expect(!repository.exists(".cairn/unfinished.json"))
  }

  @Test("what a run comes to that wants other stages has its place then, as in DVC")
  func cameTo() throws {
    let repository = try failed()
    #expect(try repository.cairn("repro", "third").status == 0)
    #expect(try repository.cairn("repro", "-j", "2").status == 0)
    #expect(names(in: repository) == ["first", "third", "second", "fourth"])
    #expect(repository.read(".gitignore") == "/third\n/second\n/fourth\n")
  }

  @Test("after `kill -9`, what had ended in its turn stays where it is")
  func killed() throws {
    let repository = try TestRepository()
    let other = stage("first") + stage("second", "sleep 1.5", deps: "    deps: [first]\n") + stage("third")
    try repository.write("dvc.yaml", "stages:\n" + other)
    let run = try repository.startRepro("-j", "2")
    #expect(eventually { ["first", "third"].allSatisfy { isJournalled($0, in: repository) } })
    run.signal(SIGKILL)
    _ = run.wait()
    try repository.write("dvc.yaml", "stages:\n" + stage("zeroth") + other)
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 0, "\(result)")
    #expect(result.output.contains("Stage 'third' didn't change, skipping"), "\(result)")
    #expect(names(in: repository) == ["first", "zeroth", "second", "third"])
    #expect(repository.read(".gitignore") == "/first\n/zeroth\n/second\n/third\n")
    try repository.expectSound("went on")
  }

  @Test("a second `kill -9`, while the first one's journal is written out, costs no place", arguments: ["replayWritten", "replayed"])
  func killedTwice(point: String) throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml", "stages:\n" + stage("first") + stage("second", "test -e go || sleep 20", deps: "    deps: [first]\n")
        + stage("third"))
    let run = try repository.startRepro("-j", "2")
    #expect(eventually { ["first", "third"].allSatisfy { isJournalled($0, in: repository) } })
    run.signal(SIGKILL)
    _ = run.wait()
    try repository.write("go", "")
    try repository.write(".cairn/.cairn-1-00000000000-0.tmp", "")
    try repository.age(".cairn/.cairn-1-00000000000-0.tmp", bySeconds: 10)
    let crashed = try repository.cairn("repro", "-j", "2", environment: ["CAIRN_FAULT_POINT": point])
    #expect(crashed.status == 137, "\(crashed)")
    #expect(try repository.cairn("repro", "-j", "2").status == 0)
    #expect(names(in: repository) == ["first", "second", "third"])
    #expect(repository.read(".gitignore") == "/first\n/second\n/third\n")
    #expect(try repository.shell("find .cairn -name '*.tmp'").output == "")
    try repository.expectSound("killed twice")
  }

  @Test("lines that had gone with a failure keep their places when the run that gives them back is killed")
  func killedWhileOwing() throws {
    let repository = try failed()
    let crashed = try repository.cairn("repro", "-j", "2", environment: ["CAIRN_FAULT_POINT": "beforeJournalRemoved"])
    #expect(crashed.status == 137, "\(crashed)")
    #expect(try repository.cairn("repro", "-j", "2").status == 0)
    #expect(names(in: repository) == ["first", "second", "third", "fourth"])
    #expect(repository.read(".gitignore") == "/second\n/third\n/fourth\n")
    try repository.expectSound("killed while owing")
  }

  @Test("what one run has ended comes into the files when it dies beside another one that finds all of it done")
  func diedBeside() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      "stages:\n" + stage("first") + stage("slow", "sleep 20") + stage("third", "touch begun && sleep 1.5"))
    let dying = try repository.startRepro("-j", "2", "first", "slow")
    #expect(eventually { isJournalled("first", in: repository) })
    let other = try repository.startRepro("-j", "2", "first", "third")
    #expect(eventually { repository.exists("begun") })
    dying.signal(SIGKILL)
    _ = dying.wait()
    let result = other.wait()
    #expect(result.status == 0, "\(result)")
    let again = try repository.cairn("repro", "-j", "2", "first", "third")
    #expect(again.output.hasSuffix("Data and pipelines are up to date.\n"), "\(again)")
    #expect(repository.list(".cairn/journal").isEmpty)
    #expect(repository.read(".gitignore") == "/first\n/third\n")
    #expect(try repository.count("lost", of: "slow") == 1)
  }

  @Test("lines of a run that went on beside this one, and ended before it, come into the serial order")
  func endedBeside() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml", "stages:\n" + stage("first", "touch begun && sleep 2.5") + stage("second") + stage("third", "sleep 1.5"))
    let other = try repository.startRepro("-j", "1", "second", "third")
    #expect(eventually { isJournalled("second", in: repository) })
    let last = try repository.startRepro("-j", "1", "first")
    #expect(eventually { repository.exists("begun") })
    #expect(other.wait().status == 0)
    #expect(repository.read(".gitignore") == "/second\n/third\n")
    #expect(last.wait().status == 0)
    #expect(repository.read(".gitignore") == "/first\n/second\n/third\n")
    #expect(names(in: repository) == ["first", "second", "third"])
  }

  private func isJournalled(_ stage: String, in repository: TestRepository) -> Bool {
    repository.list(".cairn/journal").contains { file in
      (repository.read(".cairn/journal/" + file) ?? "").split(separator: "\n").contains {
        $0.contains("\"ended\"") && $0.contains("\"\(stage)\"]")
      }
    }
  }

  @Test("a file of ours that is damaged costs the order alone", arguments: ["", "{", "[1]", #"{"schema": "cairn.unfinished/v1", "added": 3}"#])
  func damaged(_ text: String) throws {
    let repository = try failed()
    try repository.write(".cairn/unfinished.json", text)
    #expect(try repository.cairn("repro", "-j", "2").status == 0)
    #expect(Set(names(in: repository)) == ["first", "second", "third", "fourth"])
    try repository.expectSound("damaged")
  }
}
