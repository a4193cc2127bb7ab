// Inputs and outputs that change under a run: told, never claimed.
import CairnTestSupport
import Foundation
import Testing

struct TruthTests {
  private func slowCopy() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml", "stages:\n  copy:\n    cmd: cat in > out; echo > began; sleep 2.2\n    deps: [in]\n    outs: [out]\n")
    try repository.write("in", "one")
    try repository.age("in", bySeconds: 60)
    return repository
  }

  @Test("an input that is edited meanwhile: told at once, nothing claimed, the outputs kept")
  func edited() throws {
    let repository = try slowCopy()
    let running = try repository.startRepro()
    #expect(eventually { repository.exists("began") })
    try repository.write("in", "two")
    let result = running.wait()
    #expect(result.status == 255)
    #expect(result.errors.contains("in was edited; put it back or this result will not count"), "\(result)")
    #expect(result.errors.contains("in was edited while the stage was running"), "\(result)")
    #expect(!repository.exists("dvc.lock"))
    #expect(repository.list(".dvc/cache/runs").isEmpty)
    let run = try #require(repository.list(".cairn/kept").first { $0.count == 64 })
    #expect(repository.read(".cairn/kept/\(run)/out") == "one")
    #expect(try repository.count("input-changed", of: "copy") == 1)
  }

  @Test("an input that is edited and put back is no change")
  func putBack() throws {
    let repository = try slowCopy()
    let running = try repository.startRepro()
    #expect(eventually { repository.exists("began") })
    try repository.write("in", "two")
    usleep(1_300_000)
    try repository.write("in", "one")
    let result = running.wait()
    #expect(result.status == 0, "\(result)")
    #expect(result.errors.contains("in was edited; put it back"), "\(result)")
    try repository.expectSound("put back")
  }

  @Test("what Python drops into a folder is no change, and the lock has the later state")
  func byteCode() throws {
    let repository = try TestRepository()
    try repository.write("src/lib.py", "x = 1\n")
    try repository.write("src/main.py", "import lib\nopen('out', 'w').write(str(lib.x))\n")
    try repository.write(
      "dvc.yaml", "stages:\n  run:\n    cmd: python3 src/main.py\n    deps: [src]\n    outs: [out]\n")
    let result = try repository.cairn("repro")
    #expect(result.status == 0, "\(result)")
    #expect(repository.exists("src/__pycache__"))
    #expect(try #require(repository.read("dvc.lock")).contains("nfiles: 3"))
    try repository.git("add", "src/lib.py", "src/main.py")
    try repository.commit("first")
    // Whoever edits a module has its bytecode written anew, and did nothing to the rest.
    try repository.write("src/lib.py", "x = 'two'\n")
    try repository.commit("second")
    let why = try repository.cairn("why", "run").output
    #expect(why.contains("files: 1 changed") && why.contains("\"second\""), "\(why)")
    let again = try repository.cairn("repro")
    #expect(again.status == 0 && repository.read("out") == "two", "\(again)")
    #expect(try repository.cairn("status").output == "Data and pipelines are up to date.\n")
    #expect(try repository.cairn("lineage", "--down", "src").output.contains(" out "))
    try repository.expectSound("byte code")
  }

  @Test("a stage that rewrites its input by design is trusted, with the lock's hash taken afterwards")
  func rewrites() throws {
    let repository = try TestRepository()
    try repository.write("state", "1\n")
    try repository.write(
      "dvc.yaml",
      """
      stages:
        count:
          cmd: echo 2 >> state; cat state > out
          deps: [state]
          outs: [out]
          meta: {cairn: {rewrites: [state]}}

      """)
    #expect(try repository.cairn("repro").status == 0)
    try repository.expectSound("rewrites")
  }

  @Test("a stage that removes the input it rewrites fails as with DVC: no lock names an input without a hash")
  func removedInput() throws {
    let repository = try TestRepository()
    try repository.write("in", "input\n")
    try repository.write(
      "dvc.yaml",
      "stages:\n  a:\n    cmd: cat in > a; rm in\n    deps: [in]\n    outs: [a]\n    meta:\n      cairn:\n        rewrites: [in]\n")
    let result = try repository.cairn("repro")
    #expect(result.status == 255)
    #expect(result.errors.contains("ERROR: failed to reproduce 'a': dependency 'in' does not exist\n"), "\(result)")
    #expect(!repository.exists("dvc.lock"))
    #expect(try repository.count("failed", of: "a") == 1)
  }

  /// A stage `maker` that makes `made`, and another one.
  private func besideMaker(_ other: String) throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n  maker:\n    cmd: echo 1 > made\n    outs: [made]\n" + other)
    return repository
  }

  private func meddling() throws -> TestRepository {
    try besideMaker(
      """
        meddler:
          cmd: until [ -s made ]; do sleep 0.1; done; sleep 0.4; chmod u+w made; echo 2 >> made; echo > other
          outs: [other]

      """)
  }

  private static let meddled = "'made', an output of 'maker', was changed while 'meddler' ran, which does not declare it"

  @Test("another stage that changes a finished output without declaring it fails the run, and both are named")
  func undeclaredChange() throws {
    let repository = try meddling()
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 255, "\(result)")
    #expect(result.errors.contains("ERROR: \(Self.meddled)\n  --> dvc.yaml:"), "\(result)")
    // Both are recorded as what they were: neither failed, and so it is said nowhere.
    #expect(!result.errors.contains("failed to reproduce"), "\(result)")
    #expect(try repository.count("succeeded", of: "maker") == 1 && repository.count("succeeded", of: "meddler") == 1)
    #expect(try repository.cairn("why", "meddler").status == 0)
    #expect(try repository.cairn("why", "maker").output.contains("made is not what dvc.lock has"))
    let invocations = try repository.shell("cat .cairn/runs/*/*.json | grep -h cairn.invocation/v1").output
    #expect(invocations.contains("\"exit\":255"), "\(invocations)")
    // The next run makes it anew, and is not taken for one with nothing to do.
    let again = try repository.cairn("repro", "-j", "2")
    #expect(again.status == 0 && again.output.contains("'maker'"), "\(again)")
    #expect(repository.read("made") == "1\n")
  }

  @Test("of an undeclared change, events and summary agree with the records; --keep-going fails too, --ignore-errors warns")
  func undeclaredChangePolicies() throws {
    let repository = try meddling()
    let result = try repository.cairn("repro", "-j", "2", "--json")
    #expect(result.status == 255 && result.errors.contains("ERROR: \(Self.meddled)\n"), "\(result)")
    #expect(!result.output.contains("stage-failed"), "\(result)")
    let summary = try #require(result.output.split(separator: "\n").last)
    for part in ["\"event\": \"summary\"", "\"ran\": 2,", "\"failed\": 0,", "\"exit\": 255}"] {
      #expect(summary.contains(part), "\(part): \(summary)")
    }
    let going = try meddling().cairn("repro", "-j", "2", "--keep-going")
    #expect(going.status == 255 && going.errors.contains("ERROR: \(Self.meddled)\n"), "\(going)")
    #expect(!going.errors.contains("failed to reproduce"), "\(going)")
    let ignoring = try meddling().cairn("repro", "-j", "2", "--ignore-errors")
    #expect(ignoring.status == 0 && ignoring.errors.contains("WARNING: \(Self.meddled) (ignored)\n"), "\(ignoring)")
  }

  @Test("a stage that changes an input it declares is told just that, beside others too")
  func declaredChange() throws {
    let repository = try besideMaker(
      """
        growing:
          cmd: chmod u+w made; echo 2 >> made; echo > other
          deps: [made]
          outs: [other]

      """)
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 255, "\(result)")
    #expect(try repository.count("input-changed", of: "growing") == 1)
    #expect(!result.errors.contains("does not declare"), "\(result)")
  }

  @Test("a file that a stage beside makes, missing when it is needed, is named as an undeclared dependency")
  func undeclaredDependency() throws {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        maker:
          cmd: sleep 1; echo 1 > made
          outs: [made]
        reader:
          cmd: cat made > read
          outs: [read]

      """)
    let result = try repository.cairn("repro", "-j", "2")
    #expect(result.status == 255, "\(result)")
    #expect(result.errors.contains("'made'") && result.errors.contains("'maker'"), "\(result)")
  }

  @Test("a file from the future, edited without a trace in its time stamp, is seen as changed")
  func future() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n  copy:\n    cmd: cat in > out\n    deps: [in]\n    outs: [out]\n")
    try repository.write("in", "one")
    try repository.age("in", bySeconds: -86_400)
    #expect(try repository.cairn("repro").status == 0)
    try repository.shell("touch -r in stamp")
    try repository.write("in", "two")
    try repository.shell("touch -r stamp in")
    #expect(try repository.cairn("repro").status == 0)
    #expect(repository.read("out") == "two")
  }

  @Test("what a command prints to standard output and error stays apart", arguments: ["1", "2"])
  func streams(jobs: String) throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages:\n  a:\n    cmd: echo to-out; echo to-err >&2; echo > a\n    outs: [a]\n")
    let result = try repository.cairn("repro", "-j", jobs)
    #expect(result.output.contains("\nto-out\n") && !result.output.contains("\nto-err\n"), "\(result)")
    #expect(result.errors.contains("to-err\n") && !result.errors.contains("to-out"), "\(result)")
  }
}
