import CairnStore
import Testing

@Suite struct GitIgnoreFileTests {
  @Test("an entry is anchored and its special characters are escaped", arguments: [
    ("data", "/data"), ("a b", "/a b"), ("x[1]", "/x\\[1\\]"), ("!#*?\\", "/\\!\\#\\*\\?\\\\"), ("é", "/é"),
  ])
  func entry(name: String, expected: String) { #expect(GitIgnoreFile.entry(for: name) == expected) }

  @Test("a line is added at the end, once, after a line end", arguments: [
    ("", "/a\n"), ("/b\n", "/b\n/a\n"), ("/b", "/b\n/a\n"), ("/a\n/b\n", "/a\n/b\n"), ("/a", "/a\n/a\n"),
  ])
  func adding(text: String, expected: String) {
    let result = GitIgnoreFile.adding("a", to: Array(text.utf8))
    #expect(String(decoding: result, as: UTF8.self) == expected)
  }

  @Test("removing takes every such line, whatever space is around it, and the file with the last", arguments: [
    ("a", "/a\n", nil), ("a", "/b\n/a\n/c\n", "/b\n/c\n"), ("a", " /a \n/b", "/b"), ("a", "/ab\n", "/ab\n"),
    ("x[1]", "/x\\[1\\]\n", "/x\\[1\\]\n"), ("a", "", nil),
  ] as [(String, String, String?)])
  func removing(name: String, text: String, expected: String?) {
    let result = GitIgnoreFile.removing(name, from: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    #expect(result == expected)
  }

  @Test("the file appears with its first line and goes with its last")
  func effects() throws {
    let scratch = try Scratch()
    #expect(try GitIgnoreFile.add("a", in: scratch.root))
    #expect(try !GitIgnoreFile.add("a", in: scratch.root))
    #expect(try scratch.sh("cat .gitignore") == "/a\n")
    #expect(try GitIgnoreFile.remove("a", in: scratch.root) == nil)
    #expect(try scratch.sh("ls -A") == "")
  }
}
