// Which attributes a path has, held against `git check-attr`.
import CairnCore
@testable import CairnSystem
import CairnTestSupport
import Testing

struct GitAttributesTests {
  private static let names = [
    "a", "A", "b.txt", "B.TXT", "é", "é.txt", "e\u{301}", "a b", "a]", "[a]", "a-b", "!a", "a*", "a\\b", "1", "a1", "tab\there",
    "d/a", "d/b.txt", "d/e/a", "d/e/f/b.txt", "D/a", "foo/bar/baz", "foobar/baz", "foo/x", "x/d/a", "[attr]x", "#a", "\"a",
  ]

  /// Pairs of the top's file and that of the folder `d`.
  private static let lines: [(top: String, inner: String)] = [
    ("? text", ""), ("?? text", ""), ("* text", ""), ("** text", ""), ("é text", ""), ("\"\\303\\251\" text", ""),
    ("\"\\303\\251.txt\" eol=lf\n\"a b\" text", ""), ("\"tab\\there\" text", ""), ("\"a\\\\\\\\b\" text", ""), ("\"a text", ""),
    ("\"\\400\" text\n* eol=lf", ""), ("[[:alpha:]] text", ""), ("[[:upper:]]* text", ""), ("[![:alpha:]]* text", ""),
    ("[[:digit:]a] text", ""), ("[[:nope:]] text", ""), ("[[:alpha] text", ""), ("[[:]* text", ""), ("[]a]* text", ""), ("[a text", ""),
    ("a[]-]b text", ""), ("a[!a-z]b text", ""), ("a[,-.]b text", ""), ("[^a]* text", ""), ("\\[a\\] text", ""), ("\\!a text", ""),
    ("!a text", ""), ("a\\* text", ""), ("a\\\\b text", ""), ("a\\ text", ""), ("/a text", ""), ("d/ text", ""), ("d/* text", ""),
    ("d/** text", ""), ("**/a text", ""), ("d/**/a text", ""), ("d/**/b.txt text", ""), ("foo** text", ""), ("/foo** text", ""),
    ("foo**/baz text", ""), ("/foo**/baz text", ""), ("f**/baz text", ""), ("*/** text", ""), ("**/d/a text", ""), ("d**a text", ""),
    ("d/?/a text", ""), ("d[/]a text", ""), ("d\\/a text", ""), ("**\\/a text", ""), ("foo/**/baz text", ""), ("*o/x text", ""),
    ("* text -text", ""), ("* -text text", ""), ("* text=a text=b", ""), ("* binary", ""), ("* binary text", ""), ("* text binary", ""),
    ("* -binary", ""), ("* binary -binary", ""), ("* !binary", ""), ("* binary=yes", ""), ("* binary\na text", ""), ("* binary\na -binary", ""),
    ("[attr]m text eol=lf\n* m", ""), ("* m\n[attr]m text eol=lf", ""), ("[attr]m text\n[attr]m -text\n* m", ""), ("[attr]m n\n[attr]n text\n* m", ""),
    ("[attr]binary text\n* binary", ""), ("[attr]m text\n* m -m", ""), ("[attr]m text\n* m=x", ""), ("[attr]m m text\n* m", ""),
    ("[attr] text\n* eol=lf", ""), ("[attr]x y z\n* text", ""), ("[attr]m text\n", "* m"), ("", "[attr]m text\n* m eol=lf"),
    ("* m", "[attr]m text"), ("* text", "* -text"), ("* text", "a !text"), ("", "/a text\nb.txt eol=crlf\n**/a eol=lf\ne/* ident"),
    ("", "d/a text"), ("* -text=auto", ""), ("* !text=auto", ""), ("* te$xt eol=lf", ""), ("* =x", ""), ("* -", ""), ("* text=", ""),
    ("  a text", ""), ("\ta\ttext", ""), ("a text\r", ""), ("# text", ""), ("\\#a text", ""), ("\"#a\" text", ""), ("*\u{b}text\n* eol=lf", ""),
    ("*.TXT text", ""), ("D/a text", ""), ("[A-B]* text", ""), ("a text\n" + String(repeating: "a", count: 2050) + " eol=lf", ""),
    ("* text\n* filter=x " + String(repeating: "y", count: 2050), ""), ("?.* working-tree-encoding=UTF-16 filter=lfs ident", ""),
    ("\u{FEFF}* text", ""), ("* builtin_objectmode=1 text", ""), ("*a*a*a*a*a*a*a*a*a*a*b text", ""),
  ]

  @Test("a path has the attributes that git gives it", arguments: [false, true])
  func sameAsGit(ignoresCase: Bool) throws {
    let folder = try TemporaryFolder()
    func git(_ arguments: String..., input: [UInt8] = []) throws -> String {
      let result = try ChildProcess.run(
        ["git"] + arguments, folder: folder.path, environment: GitRepository.environment, input: input)
      try #require(result.exit.code == 0, "git \(arguments): \(result.errorText)")
      return result.text
    }
    _ = try git("init", "-q")
    _ = try git("config", "core.ignorecase", "\(ignoresCase)")
    let keys: [(String, KeyPath<GitAttributes, GitAttributes.State>)] = [
      ("text", \.text), ("crlf", \.crlf), ("eol", \.eol), ("filter", \.filter), ("ident", \.ident), ("working-tree-encoding", \.encoding),
    ]
    for (top, inner) in Self.lines {
      try folder.write(".gitattributes", top + "\n")
      try folder.write("d/.gitattributes", inner + "\n")
      // As a checkout does, from the index.
      _ = try git("add", "-f", ".gitattributes", "d/.gitattributes")
      let answer = try git(
        "check-attr", "--cached", "-z", "--stdin", "text", "crlf", "eol", "filter", "ident", "working-tree-encoding",
        input: Array(Self.names.map { $0 + "\0" }.joined().utf8))
      let words = answer.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
      // By bytes: two names here are one to Unicode.
      var expected: [[UInt8]: String] = [:]
      for start in stride(from: 0, to: words.count - 2, by: 3) { expected[Array((words[start] + " " + words[start + 1]).utf8)] = words[start + 2] }
      func file(_ text: String, _ place: String) -> GitAttributeFile {
        GitAttributeFile(
          Array((text + "\n").utf8), in: RepoPath(unchecked: place), definesMacros: place.isEmpty, ignoresCase: ignoresCase)
      }
      for name in Self.names {
        let path = RepoPath(unchecked: name)
        let files = [file(top, "")] + (path.isInside(RepoPath(unchecked: "d")) ? [file(inner, "d")] : [])
        let found = GitAttributes(of: path, by: files)
        for (key, place) in keys {
          let word =
            switch found[keyPath: place] {
            case .unspecified: "unspecified"
            case .set: "set"
            case .unset: "unset"
            case .value(let value): value
            }
          #expect(word == expected[Array((name + " " + key).utf8)], "\(key) of \(name) under '\(top.prefix(80))' and in d '\(inner)'")
        }
      }
    }
  }
}
