// How the text of a path becomes one of the project's.
import CairnCore
import Testing

@Suite struct RepoPathTests {
  @Test("a path is resolved by its text alone", arguments: [
    ("a", "b/c", "a/b/c"), ("", "b", "b"), ("a", "./b", "a/b"), ("a", "b/.", "a/b"), ("a", "b//c", "a/b/c"),
    ("a", "b/", "a/b"), ("a", ".", "a"), ("a", "", "a"), ("a/b", "../c", "a/c"), ("a", "..", ""), ("a", "../..", nil),
    ("", "..", nil), ("a", "/b", nil), ("a", "...", "a/..."), ("a", ".hidden", "a/.hidden"), ("a", "b/..c", "a/b/..c"),
    ("a", "x/../y", "a/y"), ("a", "x/..", "a"), ("", "ä/ö", "ä/ö"), ("a", "....", "a/...."), ("a", "b./c", "a/b./c"),
  ] as [(String, String, String?)])
  func resolving(folder: String, text: String, expected: String?) {
    #expect(RepoPath(unchecked: folder).resolving(text)?.text == expected)
  }
}
