// The lines of a run in `.gitignore` while others write the same file.
import CairnCore
import CairnSystem
import CairnTestSupport
import Testing

@testable import CairnEngine

@Suite struct IgnoreBookTests {
  let repository: TestRepository
  let book: IgnoreBook

  init() throws {
    repository = try TestRepository()
    try repository.write(".gitignore", "mine\n")
    book = IgnoreBook(root: repository.root, git: try #require(try GitRepository.find(from: repository.root)))
  }

  private func end(_ name: String, at position: Int) throws {
    try book.add([RepoPath(unchecked: name)], position: position)
    try book.write()
  }

  @Test("lines that others add between two writes stay, through the writes after that too")
  func others() throws {
    try end("b", at: 1)
    try repository.write(".gitignore", "mine\n/b\n/theirs\n")
    try end("d", at: 3)
    try end("c", at: 2)
    #expect(repository.read(".gitignore") == "mine\n/theirs\n/b\n/c\n/d\n")
    try book.takeBack()
    #expect(repository.read(".gitignore") == "mine\n/theirs\n")
  }

  @Test("lines of two runs of one pipeline come into its order")
  func order() throws {
    book.useSerialOrder { ["a", "b", "c"].map { RepoPath(unchecked: $0) } }
    try end("c", at: 0)
    try repository.write(".gitignore", "mine\n/c\n/b\n/theirs\n")
    try end("a", at: 1)
    #expect(repository.read(".gitignore") == "mine\n/theirs\n/a\n/b\n/c\n")
    try book.takeBack()
    #expect(repository.read(".gitignore") == "mine\n/theirs\n/b\n")
  }

  @Test("lines that a run before it added come into one order with its own, and stay when it fails")
  func unfinished() throws {
    var earlier = UnfinishedRun()
    let file = RepoPath(unchecked: ".gitignore")
    earlier.add("c", to: file, position: 3)
    earlier.add("a", to: file, position: 1)
    book.goOn(with: earlier)
    try repository.write(".gitignore", "mine\n/a\n/old\n/c\ntheirs\n")
    try end("b", at: 2)
    #expect(repository.read(".gitignore") == "mine\n/old\ntheirs\n/a\n/b\n/c\n")
    #expect(book.new(["old", "b", "c"].map { RepoPath(unchecked: $0) }).map(\.text) == ["b", "c"])
    try book.takeBack()
    #expect(repository.read(".gitignore") == "mine\n/old\ntheirs\n/a\n/c\n")
  }

  @Test(
    "an output that a pattern covers needs no line, wherever the pattern stands",
    arguments: [".gitignore", ".git/info/exclude", "sub/.gitignore", "nowhere"])
  func covered(by file: String) throws {
    try repository.remove(".gitignore")
    try repository.write("sub/a.bin", "")
    try repository.write(file, "*.bin\n")
    try end("sub/a.bin", at: 1)
    try end("sub/b", at: 2)
    let lines = [".gitignore": "/b\n", ".git/info/exclude": "/b\n", "sub/.gitignore": "*.bin\n/b\n"]
    #expect(repository.read("sub/.gitignore") == lines[file] ?? "/a.bin\n/b\n")
  }
}
