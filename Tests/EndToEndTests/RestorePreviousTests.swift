// `cairn restore --previous`: nothing that a failed stage replaced is lost.
import CairnTestSupport
import Testing

/// What a person does between the good run and the failing one, and what must be there afterwards.
struct PreviousCase: Sendable, CustomTestStringConvertible {
  var title: String
  var before: String
  /// Outputs after `restore --previous`: name → text.
  var restored: [String: String]
  var between = ""

  var testDescription: String { title }

  static let all: [PreviousCase] = [
    PreviousCase(
      title: "outputs that the cache holds come from there", before: "",
      restored: ["a.txt": "1\n", "plain.txt": "1\n", "dir/x": "1\n"]),
    PreviousCase(
      title: "an edited output that no cache holds", before: "rm a.txt; echo mine > a.txt; echo own > plain.txt",
      restored: ["a.txt": "mine\n", "plain.txt": "own\n", "dir/x": "1\n"]),
    PreviousCase(
      title: "an edited directory", before: "echo more > dir/y", restored: ["dir/x": "1\n", "dir/y": "more\n"]),
    PreviousCase(
      title: "an output replaced by a link to somewhere else",
      before: "echo far > far; rm a.txt; ln -s far a.txt", restored: ["a.txt": "far\n", "far": "far\n"]),
    PreviousCase(
      title: "failing again does not replace what was kept", before: "echo own > plain.txt",
      restored: ["a.txt": "1\n", "plain.txt": "own\n"], between: "$PROGRAM repro -q; true"),
    PreviousCase(
      title: "what a person wrote after the failure is kept by the next failure",
      before: "echo own > plain.txt", restored: ["plain.txt": "newer\n", "a.txt": "1\n"],
      between: "echo newer > plain.txt; $PROGRAM repro -q; true"),
    PreviousCase(
      title: "an executable file", before: "rm a.txt; echo mine > a.txt; chmod +x a.txt",
      restored: ["a.txt": "mine\n"], between: "test ! -x a.txt"),
  ]
}

struct RestorePreviousTests {
  private func project() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write(
      "dvc.yaml",
      """
      stages:
        one:
          cmd: >-
            if test -e fail; then echo partial > a.txt; echo partial > plain.txt; exit 3; fi;
            cat in > a.txt; cat in > plain.txt; mkdir dir; cat in > dir/x
          deps: [in]
          outs: [a.txt, dir, plain.txt: {cache: false}]

      """)
    try repository.write("in", "1\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    return repository
  }

  @Test(
    "what a failed try left is its own, even where it has no content: a pipe, a link to nothing, a folder with these",
    arguments: ["ln -s nowhere out", "mkfifo out", "mkdir out; mkfifo out/p", "mkdir out; ln -s nowhere out/l; echo 1 > out/1"])
  func leftoverWithoutContent(command: String) throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {one: {cmd: sh make, deps: [in], outs: [out: {cache: false}]}}\n")
    try repository.write("in", "1\n")
    try repository.write("make", "cp in out\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("in", "2\n")
    try repository.write("make", command + "\n")
    let first = try repository.cairn("repro")
    #expect(first.status == 255, "\(first)")
    #expect(try repository.cairn("repro").status == 255)
    let changed = try repository.shell("cp -a out saved; rm -rf out; ln -s elsewhere out; \(CairnBinary.path()) restore --previous one")
    #expect(changed.status != 0 && changed.errors.contains("'out' was changed since the stage failed"), "\(changed)")
    _ = try repository.shell("rm -rf out")
    #expect(try repository.cairn("repro").status == 255)
    let restored = try repository.cairn("restore", "--previous", "one")
    #expect(restored.status == 0 && restored.output == "out  restored\n", "\(restored)")
    #expect(repository.read("out") == "1\n")
  }

  @Test("the outputs as they were before the last try failed", arguments: PreviousCase.all)
  func restores(test: PreviousCase) throws {
    let repository = try project()
    let program = ["PROGRAM": try CairnBinary.path()]
    #expect(try repository.run(["/bin/sh", "-c", test.before], environment: program).status == 0)
    try repository.write("fail", "")
    try repository.write("in", "2\n")
    let failed = try repository.cairn("repro")
    #expect(failed.status == 255)
    #expect(failed.errors.contains("`cairn restore --previous one` brings them back"), "\(failed)")
    #expect(repository.read("a.txt") == "partial\n", "the work tree is as DVC leaves it")
    let between = try repository.run(["/bin/sh", "-c", test.between], environment: program)
    #expect(between.status == 0, "\(between)")
    let result = try repository.cairn("restore", "--previous", "one")
    #expect(result.status == 0, "\(result)")
    for (name, text) in test.restored { #expect(repository.read(name) == text, "\(name) after \(result)") }
    #expect(try repository.cairn("restore", "--previous", "one").status == 1, "there is nothing left to bring back")
  }

  @Test("a success takes away what was kept")
  func success() throws {
    let repository = try project()
    try repository.write("plain.txt", "own\n")
    try repository.write("fail", "")
    #expect(try repository.cairn("repro", "-q", "--force").status == 255)
    #expect(!repository.list(".cairn/kept/previous").isEmpty)
    try repository.remove("fail")
    #expect(try repository.cairn("repro", "-q", "--force").status == 0)
    #expect(repository.list(".cairn/kept/previous").isEmpty)
    #expect(repository.read("plain.txt") == "1\n")
  }

  @Test("what a person made after the failure is not overwritten")
  func inTheWay() throws {
    let repository = try project()
    try repository.write("plain.txt", "own\n")
    try repository.write("fail", "")
    #expect(try repository.cairn("repro", "-q", "--force").status == 255)
    try repository.write("plain.txt", "precious\n")
    let result = try repository.cairn("restore", "--previous", "one")
    #expect(result.status == 255)
    #expect(result.errors.contains("'plain.txt' was changed since the stage failed: move it away first"), "\(result)")
    #expect(repository.read("plain.txt") == "precious\n")
    #expect(repository.read("a.txt") == "partial\n", "nothing else was changed either")
    try repository.shell("mv plain.txt elsewhere")
    #expect(try repository.cairn("restore", "--previous", "one").status == 0)
    #expect(repository.read("plain.txt") == "own\n")
    #expect(repository.read("elsewhere") == "precious\n")
  }

  @Test("a failed stage that made the same outputs again needs nothing back")
  func same() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {s: {cmd: echo 1 > o, outs: [o]}}\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.write("dvc.yaml", "stages: {s: {cmd: echo 1 > o; exit 3, outs: [o]}}\n")
    #expect(try repository.cairn("repro").errors.contains("`cairn restore --previous s` brings them back"))
    let result = try repository.cairn("restore", "--previous", "s")
    #expect(result.status == 0 && result.output == "The outputs of 's' are as they were.\n", "\(result)")
  }

  @Test("what a killed run left is not taken for the previous version")
  func killed() throws {
    let repository = try project()
    try repository.write("plain.txt", "own\n")
    try repository.write("dvc.yaml", (repository.read("dvc.yaml") ?? "").replacing("exit 3", with: "kill -9 $PPID; exit 3"))
    try repository.write("fail", "")
    #expect(try repository.cairn("repro", "-q").status == 137)
    #expect(repository.read("plain.txt") == "partial\n")
    try repository.write("in", "2\n")
    try repository.write("dvc.yaml", (repository.read("dvc.yaml") ?? "").replacing("kill -9 $PPID; exit 3", with: "exit 3"))
    #expect(try repository.cairn("repro", "-q").status == 255)
    #expect(try repository.cairn("restore", "--previous", "one").status == 0)
    #expect(repository.read("plain.txt") == "own\n")
  }

  @Test("where to is to be said")
  func withoutPlace() throws {
    let result = try project().cairn("restore", "one")
    #expect(result.status == 254 && result.errors.contains("say where to"), "\(result)")
  }
}
