// The helpers that all tests stand on.
import CairnTestSupport
import Testing

struct TestSupportTests {
  @Test("a marked text gives the place back, line by line")
  func marks() {
    let marked = MarkedText("stages:\n  a: {▸dep: [x]}\n")
    #expect(marked.text == "stages:\n  a: {dep: [x]}\n")
    #expect(marked.marks == [MarkedText.Place(line: 2, column: 7)])
  }

  @Test("a command's exit code, output and errors come back")
  func command() throws {
    let result = try Command.run(["sh", "-c", "cat; echo bad >&2; pwd; exit 3"], in: "/usr", input: "in\n")
    #expect(result.status == 3)
    #expect(result.output == "in\n/usr\n")
    #expect(result.errors == "bad\n")
  }

  @Test("a command that dies of a signal has the shell's status for it")
  func signal() throws {
    #expect(try Command.run(["sh", "-c", "kill -9 $$"], in: "/").status == 137)
  }

  @Test("a repository is a git repository that DVC would know, and files go in and out")
  func repository() throws {
    let repository = try TestRepository()
    try repository.write("a/b.txt", "1\n")
    try repository.age("a/b.txt", bySeconds: 60)
    try repository.commit()
    #expect(try repository.git("ls-files") == ".dvc/.gitignore\n.dvc/config\n.dvcignore\na/b.txt\n")
    #expect(repository.read("a/b.txt") == "1\n")
    #expect(repository.read("c") == nil)
  }
}
