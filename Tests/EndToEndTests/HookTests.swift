// What git's hooks do once `cairn install` has written them: when they stop git, what they say, what they let pass.
import CairnTestSupport
import Foundation
import Testing

/// A project in git with hooks, and with cairn on PATH as `cairn`.
private struct Hooked {
  let repository: TestRepository
  let folder: String

  /// - Parameter folder: the project's, from the top of git's work tree.
  init(in folder: String = ".") throws {
    self.folder = folder
    repository = try TestRepository(dvc: folder == ".")
    try FileManager.default.createDirectory(atPath: repository.path("bin"), withIntermediateDirectories: true)
    try repository.write(".git/info/exclude", "/bin/\n")
    try FileManager.default.createSymbolicLink(
      atPath: repository.path("bin/cairn"), withDestinationPath: try CairnBinary.path())
    if folder != "." {
      try repository.write(folder + "/in", "")
      #expect(try repository.cairn("init", "-q", "--subdir", in: folder).status == 0)
    }
    try repository.write(folder + "/dvc.yaml", "stages:\n  a:\n    cmd: cp in out\n    deps: [in]\n    outs: [out]\n")
    try repository.write(folder + "/in", "1\n")
    #expect(try repository.cairn("install", in: folder).status == 0)
  }

  var path: String { repository.path("bin") + ":/usr/bin:/bin" }

  func git(_ words: String..., in folder: String = ".", path: String? = nil) throws -> CommandResult {
    try repository.run(["git"] + words, in: folder, environment: ["PATH": path ?? self.path])
  }

  func commit(_ message: String = "work", in folder: String = ".", path: String? = nil) throws -> CommandResult {
    _ = try git("add", "--all", in: folder)
    return try git("commit", "--quiet", "--allow-empty", "-m", message, in: folder, path: path)
  }

  /// The first commit, with a run behind it.
  func begin() throws {
    #expect(try repository.cairn("repro", "-q", in: folder).status == 0)
    let result = try commit("first")
    #expect(result.status == 0, "\(result)")
  }

  func edit() throws { try repository.write(folder + "/in", "2\n") }
}

struct HookTests {
  private static let stopped = "cairn: not committed, for the result could not be made again"

  @Test("the first commit goes on before anything has run, and says what is missing")
  func firstCommit() throws {
    let project = try Hooked()
    let result = try project.commit()
    #expect(result.status == 0, "\(result)")
    #expect(result.errors.contains("NOT REPRODUCIBLE"), "\(result)")
    #expect(result.errors.contains("cairn: the first commit goes on; `cairn repro` before the next one mends this\n"))
  }

  @Test("a commit with a new fault is stopped, with the way around it; an old fault stops no later commit")
  func preCommit() throws {
    let project = try Hooked()
    try project.begin()
    try project.edit()
    let stopped = try project.commit()
    #expect(stopped.status == 1 && stopped.errors.contains(Self.stopped), "\(stopped)")
    #expect(stopped.errors.contains("a: in was edited after the stage ran"), "\(stopped)")
    #expect(stopped.errors.contains("git commit --no-verify"))
    #expect(try project.git("commit", "--quiet", "-m", "later", "--no-verify").status == 0)
    try project.repository.write("README", "")
    let later = try project.commit()
    #expect(later.status == 0 && !later.errors.contains("cairn:"), "\(later)")
  }

  @Test("what is committed is looked at: a dvc.lock that was not added hides nothing, an edit that was not either")
  func index() throws {
    let project = try Hooked()
    try project.begin()
    try project.edit()
    #expect(try project.repository.cairn("repro", "-q").status == 0)
    _ = try project.git("add", "in")
    let forgotten = try project.git("commit", "--quiet", "-m", "lock forgotten")
    #expect(forgotten.status == 1 && forgotten.errors.contains(Self.stopped), "\(forgotten)")
    #expect(try project.git("commit", "--quiet", "--all", "-m", "both").status == 0)
    try project.repository.write("in", "3\n")
    try project.repository.write("README", "")
    _ = try project.git("add", "README")
    let other = try project.git("commit", "--quiet", "-m", "only README")
    #expect(other.status == 0 && !other.errors.contains("cairn:"), "\(other)")
    let one = try project.git("commit", "--quiet", "-m", "only in", "in")
    #expect(one.status == 1 && one.errors.contains(Self.stopped), "\(one)")
  }

  @Test("in a linked work tree, and of a project below git's top, the hook looks at what is committed there")
  func places() throws {
    for folder in [".", "services/it's"] {
      let project = try Hooked(in: folder)
      try project.begin()
      #expect(try project.git("worktree", "add", "--quiet", "../linked").status != 128)
      let linked = project.repository.root + "/../linked"
      try project.repository.write("../linked/\(folder)/in", "2\n")
      let stopped = try project.commit(in: linked)
      #expect(stopped.status == 1 && stopped.errors.contains(Self.stopped), "\(folder): \(stopped)")
      let here = try project.commit()
      #expect(here.status == 0 && !here.errors.contains("cairn:"), "\(folder): \(here)")
    }
  }

  @Test(
    "where git was told of its folder and its index by variables, the hook looks at the same", arguments: [".", "sub"])
  func variables(folder: String) throws {
    let project = try Hooked(in: folder)
    try project.begin()
    try project.edit()
    let git = project.repository.path(".git")
    let told = ["git", "--git-dir", git, "--work-tree", project.repository.root]
    let elsewhere = try project.repository.run(
      told + ["commit", "--quiet", "--all", "-m", "a"], in: "/", environment: ["PATH": project.path])
    #expect(elsewhere.status == 1 && elsewhere.errors.contains(Self.stopped), "\(elsewhere)")
    // An index of the caller's own, in which nothing has changed.
    _ = try project.repository.run(["cp", ".git/index", "other-index"])
    let other = try project.repository.run(
      ["git", "commit", "--quiet", "--allow-empty", "-m", "b"],
      environment: ["PATH": project.path, "GIT_INDEX_FILE": project.repository.path("other-index")])
    #expect(other.status == 0 && !other.errors.contains("cairn:"), "\(other)")
  }

  @Test("where the commit that is checked out has no project, hooks say and do nothing")
  func noProject() throws {
    let project = try Hooked()
    try project.begin()
    #expect(try project.git("checkout", "--quiet", "--orphan", "empty").status == 0)
    _ = try project.git("rm", "-r", "-q", "--force", ".")
    try? project.repository.remove(".dvc")
    let result = try project.commit()
    #expect(result.status == 0 && result.output.isEmpty && result.errors.isEmpty, "\(result)")
  }

  @Test("without cairn on PATH a commit goes on and says that nobody could tell; a push is stopped")
  func notOnPath() throws {
    let project = try Hooked()
    try project.begin()
    let plain = "/usr/bin:/bin"
    let commit = try project.commit(path: plain)
    #expect(commit.status == 0)
    #expect(commit.errors == "cairn is not on PATH: could not tell whether this commit is reproducible\n", "\(commit)")
    try project.repository.git("init", "--quiet", "--bare", "../remote")
    let push = try project.git("push", "--quiet", "../remote", "HEAD:refs/heads/main", path: plain)
    #expect(push.status == 1, "\(push)")
    #expect(push.errors.hasPrefix("cairn is not on PATH: could not tell whether what is pushed is reproducible\n"))
  }

  @Test("a push of commits that are not reproducible is stopped, whatever is checked out; deleting a branch is not")
  func prePush() throws {
    let project = try Hooked()
    try project.begin()
    try project.repository.git("init", "--quiet", "--bare", "../remote")
    let good = try project.git("push", "--quiet", "../remote", "HEAD:refs/heads/main")
    #expect(good.status == 0, "\(good)")
    #expect(good.errors.contains("the data was not pushed: no remote is configured"))
    try project.edit()
    _ = try project.git("commit", "--quiet", "--all", "-m", "bad", "--no-verify")
    _ = try project.git("branch", "bad")
    _ = try project.git("reset", "--quiet", "--hard", "HEAD~1")
    let bad = try project.git("push", "--quiet", "../remote", "bad", "HEAD:refs/heads/good")
    #expect(bad.status == 1 && bad.errors.contains("in was edited after the stage ran"), "\(bad)")
    #expect(bad.errors.contains("Push it all the same: git push --no-verify"), "\(bad)")
    #expect(bad.errors.contains("cairn: of refs/heads/bad:\n"), "\(bad)")
    // What has no project has no faults.
    let pages = try project.repository.shell(
      "git update-ref refs/heads/pages $(git commit-tree -m p $(git mktree </dev/null)) && git notes add -m n"
        + " && git tag blob $(git rev-parse HEAD:in)")
    #expect(pages.status == 0, "\(pages)")
    let others = try project.git("push", "--quiet", "../remote", "pages", "refs/notes/commits", "blob")
    #expect(others.status == 0, "\(others)")
    let gone = try project.git("push", "--quiet", "../remote", ":main")
    #expect(gone.status == 0, "\(gone)")
    // The data goes along where there is a place for it.
    #expect(try project.repository.cairn("remote", "add", "-q", "-d", "r", "../data").status == 0)
    #expect(try project.git("push", "--quiet", "../remote", "HEAD:refs/heads/again").status == 0)
    #expect(project.repository.exists("../data/files/md5"))
  }

  @Test("a hook of others gets its words and its standard input, as without Cairn")
  func others() throws {
    let project = try Hooked()
    try project.begin()
    let theirs = "#!/bin/sh\necho \"theirs: $1\" >&2\ncat >&2\nexec true\n"
    try project.repository.write(".git/hooks/pre-push", theirs)
    #expect(try project.repository.cairn("install").status == 0)
    try project.repository.git("init", "--quiet", "--bare", "../remote")
    let result = try project.git("push", "--quiet", "../remote", "HEAD:refs/heads/main")
    let head = try project.repository.git("rev-parse", "HEAD").prefix(40)
    #expect(result.status == 0, "\(result)")
    #expect(
      result.errors.hasSuffix("theirs: ../remote\nHEAD \(head) refs/heads/main \(String(repeating: "0", count: 40))\n"),
      "\(result)")
  }

  @Test("after a checkout of a branch the data is that of the branch; a checkout of files leaves it")
  func postCheckout() throws {
    let project = try Hooked()
    try project.begin()
    _ = try project.git("checkout", "--quiet", "-b", "two")
    try project.edit()
    #expect(try project.repository.cairn("repro", "-q").status == 0)
    #expect(try project.commit("two").status == 0)
    #expect(try project.git("checkout", "--quiet", "main").status == 0)
    #expect(project.repository.read("out") == "1\n")
    #expect(try project.git("checkout", "two", "--", "dvc.lock").status == 0)
    #expect(project.repository.read("out") == "1\n")
  }

  @Test("what could not be told lets a commit go on, and stops a push")
  func unknown() throws {
    let project = try Hooked()
    try project.begin()
    try project.repository.write("other/list", "")
    let inside = ["-C", project.repository.path("other")]
    for words in [["init", "-q"], ["add", "."], ["commit", "-q", "-m", "a"]] {
      #expect(try project.repository.run(["git"] + inside + words).status == 0)
    }
    let commit = try project.repository.git("-C", "other", "rev-parse", "HEAD").prefix(40)
    try project.repository.write(
      "dvc.yaml", "stages:\n  a:\n    cmd: cp in out\n    deps: [in, other/list]\n    outs: [out]\n")
    #expect(try project.repository.cairn("repro", "-q").status == 0)
    try project.repository.git("add", "dvc.yaml", "dvc.lock")
    try project.repository.write(".gitmodules", "[submodule \"other\"]\n\tpath = other\n\turl = ../other\n")
    try project.repository.git("add", ".gitmodules")
    try project.repository.git("update-index", "--add", "--cacheinfo", "160000,\(commit),other")
    try project.repository.remove("other")
    let result = try project.git("commit", "--quiet", "-m", "a submodule")
    #expect(result.status == 0, "\(result)")
    #expect(result.errors.contains("UNKNOWN"), "\(result)")
    let told = "cairn: could not tell whether this commit is reproducible; it goes on\n"
    #expect(result.errors.hasSuffix(told), "\(result)")
    try project.repository.git("init", "--quiet", "--bare", "../remote")
    let push = try project.git("push", "--quiet", "../remote", "HEAD:refs/heads/main")
    #expect(push.status == 1 && push.errors.contains("it could not be told whether it is reproducible"), "\(push)")
  }
}
