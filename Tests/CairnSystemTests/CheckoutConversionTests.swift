// Which bytes a checkout gives, held against git itself.
import CairnCore
@testable import CairnSystem
import CairnTestSupport
import Testing

struct CheckoutConversionTests {
  private static let contents = [
    "a\nb\n", "a\r\nb\r\n", "a\nb\r\n", "a\rb\n", "a\0b\n", "\u{1}\u{2}\u{3}\n", "", "no end", "a\n\u{1A}",
    "$Id$\n", "x $Id: old $ y $Id\n", "$Id: multi\nline$\n", "$Id: keeps this one$\n", "ünï\n",
  ]
  private static let attributes = [
    "", "* text", "* -text", "* text=auto", "* eol=crlf", "* eol=lf", "* text eol=crlf", "* text=auto eol=crlf",
    "* text=auto eol=lf", "* binary", "* crlf", "* -crlf", "* crlf=input", "* ident", "* ident eol=crlf",
    "* eol=crlf\nf1 -text", "f* text=auto\nf2 binary", "/f3 eol=crlf\nsub/** eol=crlf", "[attr]win text eol=crlf\nf* win",
    "\"f4\" eol=crlf\n#f5 eol=crlf", "f[56] eol=crlf", "**/f7 eol=crlf", "sub/ eol=crlf", "f8 eol=crlf\nf8 !eol",
    "* text working-tree-encoding=UTF-16LE", "* text eol=crlf working-tree-encoding=utf-16",
    "* text working-tree-encoding=UTF-16LE-BOM", "* text working-tree-encoding=UTF-16BE-BOM",
    "* ident working-tree-encoding=utf16be", "* text=foo crlf=input", "* text=foo eol=crlf", "* binary -binary",
    "* text=foo -crlf eol=crlf", "* text working-tree-encoding=ISO-8859-1",
  ]

  @Test("a blob becomes the bytes that git checkout writes", arguments: [[], ["core.autocrlf=true"], ["core.autocrlf=input"], ["core.eol=crlf"]])
  func sameAsGit(settings: [String]) throws {
    for attributes in Self.attributes {
      let folder = try TemporaryFolder()
      func git(_ arguments: String...) throws {
        let result = try ChildProcess.run(["git"] + arguments, folder: folder.path, environment: GitRepository.environment)
        try #require(result.exit.code == 0, "git \(arguments): \(result.errorText)")
      }
      try git("init", "-q")
      for (number, text) in Self.contents.enumerated() {
        try folder.write("f\(number)", text)
        try folder.write("sub/f\(number)", text)
      }
      // As it is, whatever the attributes will say.
      try git("add", ".")
      try folder.write(".gitattributes", attributes + "\n")
      for setting in settings {
        let parts = setting.split(separator: "=").map(String.init)
        try git("config", parts[0], parts[1])
      }
      let repository = try #require(try GitRepository.at(folder.path))
      let listing = try GitListing.index(of: repository)
      let rules = GitAttributeFile(
        Array((attributes + "\n").utf8), in: .root, definesMacros: true, ignoresCase: false)
      let objects = GitObjects(repository)
      for (path, file) in listing.files where path.name != ".gitattributes" {
        try Files.remove(folder(path.text))
        try git("checkout", "--", path.text)
        let expected = try #require(try Files.read(folder(path.text)))
        let found = GitAttributes(of: path, by: [rules])
        let blob = try #require(try objects.object(file.object))
        guard case .bytes(let bytes) = CheckoutConversion.convert(
          blob, object: file.object, found, CheckoutSettings(repository))
        else {
          Issue.record("\(path) is unknown")
          continue
        }
        #expect(bytes == expected, "\(path) under '\(attributes)' and \(settings): \(Self.contents)")
      }
    }
  }

  @Test("what a program of the user's makes is unknown, and a pointer is no content")
  func unknown() {
    var attributes = GitAttributes()
    attributes.filter = .value("lfs")
    let pointer = Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n".utf8)
    var settings = CheckoutSettings()
    func isUnknown(_ bytes: [UInt8]) -> Bool {
      if case .unknown = CheckoutConversion.convert(bytes, object: "", attributes, settings) { true } else { false }
    }
    #expect(isUnknown(pointer))
    #expect(!isUnknown(Array("plain\n".utf8)))
    settings.filters = ["lfs"]
    #expect(isUnknown(Array("plain\n".utf8)))
    attributes.filter = .unspecified
    attributes.encoding = .value("SHIFT_JIS")
    #expect(isUnknown(Array("plain\n".utf8)))
    attributes.encoding = .value("latin1")
    #expect(isUnknown(Array("€\n".utf8)))
  }
}

struct GitListingTests {
  @Test("the index and a commit list the same, with and without git", arguments: ["2", "3", "4"])
  func listing(version: String) throws {
    let folder = try TemporaryFolder()
    func git(_ arguments: String...) throws {
      let result = try ChildProcess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b"] + arguments, folder: folder.path,
        environment: GitRepository.environment)
      try #require(result.exit.code == 0, "git \(arguments): \(result.errorText)")
    }
    try git("init", "-q")
    for name in ["a", "a-b", "a.c", "d/e/f", "d-x", "d/é", "z"] { try folder.write(name, name) }
    try Files.chmod(folder("z"), 0o755)
    try #require(try FileLink.make(.symlink, from: "d/e", to: folder("link")))
    try git("add", ".")
    try git("commit", "-qm", "x")
    try git("update-index", "--index-version", version)
    let repository = try #require(try GitRepository.at(folder.path))
    let index = try GitListing.index(of: repository)
    let commit = try #require(try GitListing.commit("HEAD", of: repository))
    #expect(index.files == commit.files)
    #expect(Dictionary(uniqueKeysWithValues: try #require(repository.entriesInIndex()).map { ($0.path, $0.file) }) == index.files)
    #expect(index.files(below: RepoPath(unchecked: "d")).map(\.text) == ["d/e/f", "d/é"])
    #expect(index[RepoPath(unchecked: "z")]?.kind == .executable)
    #expect(try GitListing.commit("nope", of: repository) == nil)

    func follow(_ path: String) -> GitTarget {
      index.follow(RepoPath(unchecked: path)) { $0.text == "link" ? "d/e" : nil }
    }
    #expect(follow("link/f") == .file(RepoPath(unchecked: "d/e/f")))
    #expect(follow("link") == .folder(RepoPath(unchecked: "d/e")))
    #expect(follow("link/no") == .missing(RepoPath(unchecked: "d/e/no")))
    #expect(index.follow(RepoPath(unchecked: "link")) { _ in "/etc" } == .outside("/etc"))
    #expect(index.follow(RepoPath(unchecked: "link")) { _ in "link" } == .circle(RepoPath(unchecked: "link")))
  }
}
