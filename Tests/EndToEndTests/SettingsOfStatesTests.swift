// Answers that hang on which state of a project is meant: revisions without a name, projects without git, settings that
// name a remote that is not there.
import CairnTestSupport
import Testing

struct SettingsOfStatesTests {
  /// A parameter and a metric, committed, then changed.
  private func sample() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "metrics: [m.json]\n")
    try repository.write("m.json", #"{"m": 1}"#)
    try repository.write("params.yaml", "p: 1\n")
    try repository.write("file", "one\n")
    try repository.cairn("add", "-q", "file")
    try repository.commit()
    try repository.write("m.json", #"{"m": 2}"#)
    try repository.write("params.yaml", "p: 2\n")
    try repository.write("file", "two\n")
    return repository
  }

  @Test("an empty revision is HEAD; the workspace is not compared with itself")
  func emptyRevisions() throws {
    let repository = try sample()
    for words in [["diff"], ["params", "diff"], ["metrics", "diff"]] {
      func run(_ more: String...) throws -> CommandResult {
        try repository.run([try CairnBinary.path()] + words + more)
      }
      let usual = try run()
      #expect(usual.status == 0 && !usual.output.isEmpty, "\(words) \(usual)")
      #expect(try run("").output == usual.output, "\(words)")
      // Both are of one commit.
      #expect(try run("", "HEAD").output.isEmpty, "\(words)")
      for result in [try run("workspace"), try run("workspace", "workspace")] {
        #expect(result.status == (words == ["diff"] ? 1 : 255), "\(words) \(result)")
        #expect(result.errors.contains("unknown Git revision 'workspace'"), "\(words) \(result)")
      }
    }
  }

  @Test("without git metrics of all branches, tags and commits are those of the workspace")
  func withoutGit() throws {
    let repository = try TestRepository(git: false)
    try repository.write("dvc.yaml", "metrics: [m.json]\n")
    try repository.write("m.json", #"{"m": 1}"#)
    for option in ["-a", "-T", "-A"] {
      let shown = try repository.cairn("metrics", "show", option)
      #expect(shown.status == 0, "\(shown)")
      #expect(shown.output == "Revision    Path    m\nworkspace   m.json  1\n", "\(shown)")
    }
    #expect(try repository.cairn("metrics", "diff").status == 255)
  }

  @Test("lists of folders are in today's cache, whatever cache a commit's settings name")
  func movedCache() throws {
    let repository = try TestRepository()
    for name in ["a", "b"] {
      try repository.write("d/" + name, name)
      #expect(try repository.cairn("add", "-q", "d").status == 0)
      try repository.commit()
    }
    try repository.shell("mv .dvc/cache moved")
    #expect(try repository.cairn("config", "cache.dir", repository.path("moved")).status == 0)
    let result = try repository.cairn("diff", "HEAD~1", "HEAD", "--json")
    let changes = #"{"added": [{"path": "d/b"}], "deleted": [], "modified": [{"path": "d/"}]"#
    #expect(result.output.hasPrefix(changes), "\(result)")
  }

  @Test("an output that .dvcignore hides has DVC's name for the fault")
  func ignoredOutput() throws {
    let repository = try sample()
    try repository.write(".dvcignore", "file\n")
    let result = try repository.cairn("metrics", "show", "--json")
    #expect(result.output.contains(#""type": "OutputIsIgnoredError""#), "\(result)")
  }

  @Test("a remote that is not there hinders the states whose settings name it, and no others")
  func missingRemote() throws {
    let repository = try sample()
    try repository.cairn("add", "-q", "file")
    try repository.commit()
    try repository.shell("printf '[core]\\n    remote = nope\\n' >> .dvc/config")
    let commits = try repository.cairn("diff", "HEAD~1", "HEAD")
    #expect(commits.status == 0 && commits.output.contains("file"), "\(commits)")
    let workspace = try repository.cairn("diff")
    #expect(workspace.status == 1 && workspace.errors.contains("remote 'nope' doesn't exist"), "\(workspace)")
    #expect(try repository.cairn("data", "status").status == 251)
    let listing = try repository.cairn("ls", ".")
    #expect(listing.status == 255 && listing.errors.hasPrefix("ERROR: unexpected error - 'nope'"), "\(listing)")
    #expect(try repository.cairn("ls", "file://" + repository.root).status == 0)
    #expect(try repository.cairn("status").status == 0)
    try repository.commit()
    #expect(try repository.cairn("diff", "HEAD~1", "HEAD").status == 1)
  }

  @Test("commands that only look leave a damaged list in the cache, and say that it is one")
  func damagedList() throws {
    let repository = try TestRepository()
    try repository.write("data/a", "a\n")
    try repository.cairn("add", "-q", "data")
    try repository.commit()
    let list = try repository.shell("find .dvc/cache -name '*.dir'").output.split(separator: "\n").joined()
    try repository.shell("chmod u+w \(list) && echo corrupted > \(list) && chmod 444 \(list)")
    for words in [["diff"], ["data", "status", "--granular"], ["why", "data.dvc"], ["verify"]] {
      _ = try repository.run([try CairnBinary.path()] + words)
      #expect(repository.read(list) == "corrupted\n", "\(words)")
    }
    let name = list.split(separator: "/").suffix(2).joined()
    #expect(
      try repository.cairn("ls", ".", "-R").errors.hasPrefix(
        "ERROR: unexpected error - failed to load directory ('data',): object \(name) is corrupted: "
          + "Expecting value: line 1 column 1 (char 0)"))
    #expect(repository.read(list) == "corrupted\n")
  }

  @Test("a broken file is named as it is seen from the folder that one stands in")
  func brokenFiles() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "metrics: [m.json]\nstages:\n  s: {cmd: 'echo ${a}'}\n")
    try repository.write("m.json", "{}")
    try repository.write("params.yaml", "a: [\n")
    try repository.write("sub/file", "")
    let words = "unable to read: '../params.yaml', YAML file structure is corrupted"
    let shown = try repository.cairn("metrics", "show", "--json", in: "sub")
    #expect(shown.output.contains(#""msg": "\#(words)""#), "\(shown)")
    #expect(shown.errors.contains("WARNING: failed to load metrics in revision '', \(words)"), "\(shown)")
    #expect(try repository.cairn("status", in: "sub").errors.hasPrefix("ERROR: \(words)"))
    try repository.write("dvc.yaml", "stages: [\n")
    #expect(try repository.cairn("status", in: "sub").errors.hasPrefix("'../dvc.yaml' is invalid."))
  }
}
