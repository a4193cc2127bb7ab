import CairnCore
@testable import CairnSystem
import CairnTestSupport
import Testing

/// A real repository with two commits.
private struct Fixture {
  let folder: TemporaryFolder
  let git: GitRepository

  init() throws {
    folder = try TemporaryFolder()
    let path = folder.path
    try Self.git(path, "init", "-q", "-b", "main")
    try Self.git(path, "config", "user.name", "Ann Example")
    try Self.git(path, "config", "user.email", "ann@example.org")
    try folder.write("params.yaml", "a: 1\nb: 2\n")
    try folder.write("sub/dir/file.txt", "one\ntwo\n")
    try folder.write(".gitignore", "*.log\n/out\n")
    try Self.git(path, "add", ".")
    try Self.git(path, "commit", "-q", "-m", "first")
    try folder.write("params.yaml", "a: 1\nb: 3\n")
    try Self.git(path, "commit", "-q", "-am", "raise b")
    git = try #require(try GitRepository.find(from: path + "/sub/dir"))
  }

  static func git(_ folder: String, _ arguments: String...) throws {
    let result = try ChildProcess.run(["git"] + arguments, folder: folder, environment: GitRepository.environment)
    try #require(result.exit.code == 0, "git \(arguments): \(result.errorText)")
  }

  func ask(_ arguments: String...) throws -> String {
    try ChildProcess.run(["git"] + arguments, folder: folder.path, environment: GitRepository.environment).text
      .trimmingWhitespace()
  }
}

@Suite struct GitRepositoryTests {
  @Test("the user's ignore file is the one of the first configuration that names one")
  func userIgnoreFile() throws {
    let fixture = try Fixture()
    let folder = fixture.folder.path
    func files(_ variables: [String: String] = ["HOME": folder + "/home"]) -> GitIgnoreFiles {
      GitIgnoreFiles(fixture.git, directory: "/here") { ($0 == "GIT_CONFIG_NOSYSTEM" ? "1" : nil) ?? variables[$0] }
    }
    let exclude = folder + "/.git/info/exclude"
    #expect(files().patterns == [exclude, folder + "/home/.config/git/ignore"])
    #expect(files(["XDG_CONFIG_HOME": "/xdg"]).patterns == [exclude, "/xdg/git/ignore"])
    #expect(files([:]).patterns == [exclude])
    try fixture.folder.write("home/.gitconfig", "[core]\n\texcludesFile = ~/mine\n")
    #expect(files().patterns == [exclude, folder + "/home/mine"])
    #expect(files().configuration == [folder + "/.git/config", folder + "/home/.gitconfig"])
    #expect(files(["HOME": folder + "/home", "GIT_CONFIG_GLOBAL": "/none"]).patterns.last == folder + "/home/.config/git/ignore")
    try Fixture.git(folder, "config", "core.excludesFile", "ours")
    #expect(files().patterns == [exclude, "/here/ours"])
  }

  @Test("it is found from below, and not where there is none")
  func find() throws {
    let fixture = try Fixture()
    #expect(fixture.git.workTree == fixture.folder.path)
    #expect(fixture.git.gitDirectory == fixture.folder.path + "/.git")
    #expect(try GitRepository.find(from: "/tmp") == nil || Files.exists("/tmp/.git") || Files.exists("/.git"))
  }

  @Test("commit and branch are read from loose refs, packed refs, and a detached HEAD")
  func head() throws {
    let fixture = try Fixture()
    let expected = try fixture.ask("rev-parse", "HEAD")
    #expect(try fixture.git.headCommit() == expected)
    #expect(try fixture.git.branch() == "main")
    try Fixture.git(fixture.folder.path, "pack-refs", "--all")
    #expect(!Files.exists(fixture.folder(".git/refs/heads/main")))
    #expect(try fixture.git.headCommit() == expected)
    try Fixture.git(fixture.folder.path, "checkout", "-q", "--detach", "HEAD~1")
    #expect(try fixture.git.headCommit() == fixture.ask("rev-parse", "HEAD"))
    #expect(try fixture.git.branch() == nil)
    let branches = try fixture.git.headFiles()
    #expect(branches == [fixture.folder(".git/HEAD")])
  }

  @Test("an unborn branch has a name and no commit")
  func unborn() throws {
    let folder = try TemporaryFolder()
    try Fixture.git(folder.path, "init", "-q", "-b", "trunk")
    let git = try #require(try GitRepository.at(folder.path))
    #expect(try git.headCommit() == nil)
    #expect(try git.branch() == "trunk")
    #expect(try git.rootCommit() == nil)
    #expect(try git.lastCommit(of: "x") == nil)
  }

  @Test("a linked work tree has its own HEAD and the main one's refs")
  func linkedWorkTree() throws {
    let fixture = try Fixture()
    let other = try TemporaryFolder()
    let path = other("linked")
    try Fixture.git(fixture.folder.path, "worktree", "add", "-q", "-b", "side", path, "HEAD~1")
    let git = try #require(try GitRepository.find(from: path + "/sub"))
    #expect(git.workTree == path)
    #expect(git.commonDirectory == fixture.git.gitDirectory)
    #expect(git.mainWorkTree == fixture.folder.path)
    #expect(try git.branch() == "side")
    #expect(try git.headCommit() == fixture.ask("rev-parse", "side"))
  }

  @Test("a submodule is a repository of its own")
  func submodule() throws {
    let fixture = try Fixture()
    let other = try TemporaryFolder()
    try Fixture.git(other.path, "init", "-q")
    try Fixture.git(other.path, "-c", "protocol.file.allow=always", "submodule", "add", "-q", fixture.folder.path, "inner")
    let git = try #require(try GitRepository.find(from: other("inner/sub")))
    #expect(git.workTree == other("inner"))
    #expect(try git.headCommit() == fixture.git.headCommit())
  }

  @Test("the remote's address carries no credentials", arguments: [
    ("https://ann:secret@git.example.org/team/x.git", "https://git.example.org/team/x.git"),
    ("https://token@git.example.org:8443/x", "https://git.example.org:8443/x"),
    ("ssh://git:pw@host/x", "ssh://git@host/x"),
    ("git@github.com:team/x.git", "git@github.com:team/x.git"),
    ("https://host/a@b", "https://host/a@b"),
    ("https://u:p@host/x.git?private_token=t0k3n", "https://host/x.git"),
    ("https://host/x.git?private_token=t0k3n#part", "https://host/x.git"),
    ("https://host#t0k3n", "https://host"),
    ("/srv/git/x.git", "/srv/git/x.git"),
  ])
  func remote(url: String, expected: String) throws {
    let fixture = try Fixture()
    #expect(try fixture.git.remoteURL() == nil)
    try Fixture.git(fixture.folder.path, "remote", "add", "zeta", "https://other/z")
    try Fixture.git(fixture.folder.path, "remote", "add", "origin", url)
    #expect(try fixture.git.remoteURL() == expected)
  }

  @Test("configuration with quotes, comments and escapes")
  func config() {
    let config = GitConfig("[Remote \"a \\\"b\"] ; c\n\turl = \"x # y\" # z\n[remote \"o\"]\nURL=p\\\\q\n  url = last ; c\n")
    #expect(config.value("remote", "a \"b", "url") == "x # y")
    #expect(config.value("remote", "o", "url") == "last")
  }

  @Test("tracked files that changed, with odd names, and no others")
  func changes() throws {
    let fixture = try Fixture()
    let odd = "sub/ü \"q\"\n.txt"
    try fixture.folder.write(odd, "x")
    try fixture.git.add([odd])
    try Fixture.git(fixture.folder.path, "commit", "-q", "-m", "odd")
    #expect(try fixture.git.changedTrackedFiles() == [])
    try fixture.folder.write(odd, "y")
    try fixture.folder.write("untracked.txt", "x")
    try Files.remove(fixture.folder("params.yaml"))
    #expect(
      try fixture.git.changedTrackedFiles() == [
        GitChange(path: "params.yaml", index: " ", workTree: "D"), GitChange(path: odd, index: " ", workTree: "M"),
      ])
    #expect(try fixture.git.trackedFiles(["sub", "untracked.txt", "params.yaml"]) == ["params.yaml", "sub/dir/file.txt", odd])
    #expect(try !fixture.git.isTracked("untracked.txt"))
    #expect(try !fixture.git.isTracked("sub/*.txt"), "a name is no pattern")
  }

  @Test("ignored paths are those of .gitignore")
  func ignored() throws {
    let fixture = try Fixture()
    #expect(try fixture.git.ignored(["a.log", "out", "sub/out", "params.yaml"]) == ["a.log", "out"])
    #expect(try fixture.git.ignored([]) == [])
  }

  @Test("files of a commit, by tree and by content")
  func objects() throws {
    let fixture = try Fixture()
    let objects = GitObjects(fixture.git)
    #expect(try objects.show("HEAD", "params.yaml") == Array("a: 1\nb: 3\n".utf8))
    #expect(try objects.show("HEAD~1", "params.yaml") == Array("a: 1\nb: 2\n".utf8))
    #expect(try objects.show("HEAD", "no such") == nil)
    #expect(try objects.show("HEAD", "sub") == nil)
    #expect(try objects.show("nothing", "params.yaml") == nil)
    #expect(try objects.show("HEAD", "sub/dir/file.txt") == Array("one\ntwo\n".utf8))
    let tree = try #require(try fixture.git.tree("HEAD"))
    #expect(tree.map(\.path) == [".gitignore", "params.yaml", "sub/dir/file.txt"])
    #expect(tree[1].size == 10 && tree[1].mode == "100644")
    #expect(try objects.object(tree[2].object) == Array("one\ntwo\n".utf8))
    #expect(try fixture.git.tree("HEAD", path: "sub")?.map(\.path) == ["sub/dir/file.txt"])
    #expect(try fixture.git.tree("no-such") == nil)
  }

  @Test("a large object arrives whole, and the next one after it")
  func largeObject() throws {
    let fixture = try Fixture()
    let large = [UInt8]((0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    try Files.write(large, to: fixture.folder("large"))
    try fixture.git.add(["large"])
    try Fixture.git(fixture.folder.path, "commit", "-q", "-m", "large")
    let objects = GitObjects(fixture.git)
    #expect(try objects.show("HEAD", "large") == large)
    #expect(try objects.show("HEAD", "params.yaml")?.count == 10)
  }

  @Test("who committed a file last")
  func lastCommit() throws {
    let fixture = try Fixture()
    let commit = try #require(try fixture.git.lastCommit(of: "params.yaml"))
    #expect(commit.subject == "raise b" && commit.author == "Ann Example")
    #expect(commit.name == (try fixture.git.headCommit()))
    #expect(abs(commit.date - WallClock.now()) < 100_000_000_000)
    #expect(try fixture.git.lastCommit(of: "never") == nil)
  }

  @Test("the commits of a file come with their parents, and a file's old name with the commit that gave it another")
  func history() throws {
    let fixture = try Fixture()
    let raised = try #require(try fixture.git.headCommit())
    try Fixture.git(fixture.folder.path, "mv", "params.yaml", "a b.yaml")
    try Fixture.git(fixture.folder.path, "commit", "-q", "-m", "rename")
    let renamed = try #require(try fixture.git.headCommit())
    let history = try fixture.git.history(of: "params.yaml", from: "HEAD", limit: 9)
    #expect(history.map(\.commit).prefix(2) == [renamed, raised])
    #expect(history.first?.parents == [raised])
    #expect(try fixture.git.history(of: "params.yaml", from: "HEAD", limit: 1).count == 1)
    #expect(try fixture.git.history(of: "never", from: "HEAD", limit: 9) == [])
    #expect(try fixture.git.renamed("a b.yaml", in: renamed, from: raised) == "params.yaml")
    #expect(try fixture.git.renamed("params.yaml", in: renamed, from: raised) == nil)
  }

  @Test("changed lines are counted, of two files anywhere")
  func lines() throws {
    let fixture = try Fixture()
    let old = try fixture.folder.write("old", "a\nb\nc\n")
    let new = try fixture.folder.write("new", "a\nc\nd\ne\n")
    #expect(try GitRepository.lineCounts(from: old, to: new) == LineCounts(added: 2, removed: 1))
    #expect(try GitRepository.lineCounts(from: old, to: old) == LineCounts(added: 0, removed: 0))
    try Files.write([0, 1, 2], to: fixture.folder("binary"))
    #expect(try GitRepository.lineCounts(from: old, to: fixture.folder("binary")) == nil)
  }

  @Test("the patch of all changes can be applied, has a limit, and leaves out what it shall")
  func patch() throws {
    let fixture = try Fixture()
    #expect(try fixture.git.patch(limit: 1000) == [])
    try fixture.folder.write("params.yaml", "a: 7\n")
    try Files.write([0, 255, 1], to: fixture.folder("sub/dir/file.txt"))
    let patch = try #require(try fixture.git.patch(limit: 10_000))
    #expect(try fixture.git.patch(limit: 50) == nil)
    let part = try #require(try fixture.git.patch(limit: 10_000, excluding: ["params.yaml"]))
    #expect(!String(decoding: part, as: UTF8.self).contains("params.yaml") && !part.isEmpty)
    try Fixture.git(fixture.folder.path, "checkout", "-q", ".")
    try Files.write(patch, to: fixture.folder("p.log"))
    try Fixture.git(fixture.folder.path, "apply", "p.log")
    #expect(try fixture.folder.text("params.yaml") == "a: 7\n")
    #expect(try Files.read(fixture.folder("sub/dir/file.txt")) == [0, 255, 1])
  }

  @Test("the patch of all changes can be applied whatever the user's settings of diffs are")
  func patchSettings() throws {
    let fixture = try Fixture()
    let lines = (1...9).map { "line \($0)\n" }
    try fixture.folder.write("long", lines.joined())
    try Fixture.git(fixture.folder.path, "add", "long")
    try Fixture.git(fixture.folder.path, "commit", "-q", "-m", "long")
    for (key, value) in [("context", "0"), ("interHunkContext", "9"), ("noprefix", "true"), ("submodule", "log")] {
      try Fixture.git(fixture.folder.path, "config", "diff." + key, value)
    }
    let edited = ["new\n"] + lines.map { $0 == "line 5\n" ? "line five\n" : $0 }
    try fixture.folder.write("long", edited.joined())
    let patch = try #require(try fixture.git.patch(limit: 10_000))
    try Fixture.git(fixture.folder.path, "checkout", "-q", ".")
    try Files.write(patch, to: fixture.folder("p.log"))
    try Fixture.git(fixture.folder.path, "apply", "p.log")
    #expect(try fixture.folder.text("long") == edited.joined())
  }

  @Test("one repository by several addresses is one place")
  func places() {
    for same in ["git@host:team/x.git", "ssh://git@host/team/x", "https://host/team/x/", "host:team/x"] {
      #expect(GitRepository.isSamePlace("https://host/team/x.git", same), "\(same)")
    }
    for other in ["https://host/team/y.git", "https://other/team/x.git", "/host/team/x.git"] {
      #expect(!GitRepository.isSamePlace("https://host/team/x.git", other), "\(other)")
    }
  }

  @Test("what the index names is read where git does not answer", arguments: ["2", "3", "4"])
  func index(version: String) throws {
    let fixture = try Fixture()
    for name in ["a", "sub/dir/b", "sub/dir/b2", "ünder score", String(repeating: "x", count: 200)] {
      try fixture.folder.write(name, "")
    }
    try Fixture.git(fixture.folder.path, "add", ".")
    try Fixture.git(fixture.folder.path, "update-index", "--index-version", version)
    if version == "3" {
      try fixture.folder.write("later", "")
      try Fixture.git(fixture.folder.path, "add", "--intent-to-add", "later")
    }
    let expected = try fixture.git.trackedFiles()
    #expect(expected.count > 6)
    #expect(fixture.git.namesInIndex() == expected)
    try Fixture.git(fixture.folder.path, "update-index", "--split-index")
    #expect(fixture.git.namesInIndex() == nil)
    try Files.write("garbage\n", to: fixture.folder(".git/HEAD"))
    #expect(throws: Diagnostic.self) { try fixture.git.trackedFiles() }
  }

  @Test("revisions, and git's own words when it fails")
  func faults() throws {
    let fixture = try Fixture()
    #expect(try fixture.git.revision("main") == fixture.git.headCommit())
    #expect(try fixture.git.revision("nothing") == nil)
    #expect(try fixture.git.revision("--help") == nil)
    let error = #expect(throws: Diagnostic.self) { try fixture.git.add(["no such file"]) }
    #expect(error?.fullMessage == "git add failed: fatal: pathspec 'no such file' did not match any files")
  }
}
