// What ignore patterns match: the cases were asked of DVC 3.67.1 (pathspec 1.1).
import CairnCore
import Testing

@Suite("ignore patterns")
struct IgnoreRulesTests {
  @Test(
    "match what DVC matches",
    arguments: [
      ("*.tmp", "a/b.tmp", false, true), ("*.tmp", "b.tmp/c", false, true), ("/b", "a/b", false, false),
      ("a/b", "x/a/b", false, false), ("**/b", "x/a/b", false, true), ("d/", "d", false, false),
      ("d/", "d", true, true), ("d/", "d/f", false, true), ("d/**", "d", true, true), ("a/**/z", "a/z", false, true),
      ("a/**/z", "a/b/c/z", false, true), ("[ab]", "a", false, true), ("[!ab]", "a", false, false),
      ("[ab", "[ab", false, false), ("\\#x", "#x", false, true), ("*/", "d", true, false), ("?", "é", false, true),
      ("foo", "foobar", false, false),
    ])
  func match(pattern: String, path: String, isDirectory: Bool, isIgnored: Bool) {
    let rules = IgnoreRules([IgnorePattern(pattern)], in: .root)
    #expect(rules.isIgnored(RepoPath(unchecked: path), isDirectory: isDirectory) == isIgnored)
  }

  @Test("a later pattern takes back, but not below an ignored folder")
  func negation() {
    let rules = IgnoreRules([IgnorePattern("*.csv"), IgnorePattern("!keep.csv"), IgnorePattern("d/")], in: .root)
    #expect(rules.isIgnored(RepoPath(unchecked: "a.csv"), isDirectory: false))
    #expect(!rules.isIgnored(RepoPath(unchecked: "keep.csv"), isDirectory: false))
    #expect(rules.isIgnored(RepoPath(unchecked: "d/keep.csv"), isDirectory: false))
  }

  @Test("patterns of an inner folder hold only there")
  func nested() {
    let rules = IgnoreRules([IgnorePattern(".git/")], in: .root)
      .adding(IgnoreRules.lines(of: "# note\n*.log\n/top\n", name: "sub/.dvcignore"), of: RepoPath(unchecked: "sub"))
    #expect(rules.isIgnored(RepoPath(unchecked: "sub/x/y.log"), isDirectory: false))
    #expect(!rules.isIgnored(RepoPath(unchecked: "y.log"), isDirectory: false))
    #expect(!rules.isIgnored(RepoPath(unchecked: "sub/x/top"), isDirectory: false))
    #expect(rules.match(RepoPath(unchecked: "sub/top"), isDirectory: false).patterns.map(\.shown) == ["sub/.dvcignore:3:/top"])
  }
}
