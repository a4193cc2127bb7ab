// `diff` and `data status` in small projects: what they print, and each of their exit codes.
import CairnTestSupport
import Testing

struct DataCommandTests {
  /// A file and a folder, committed, then both changed.
  private func changed() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("file", "one\n")
    try repository.write("dir/a", "a\n")
    try repository.write("dir/b", "b\n")
    try repository.cairn("add", "-q", "file", "dir")
    try repository.commit()
    try repository.write("file", "two\n")
    try repository.write("dir/b", "c\n")
    try repository.shell("mv dir/a dir/z")
    return repository
  }

  @Test("diff tells what changed since the commit, as text, table and document")
  func diff() throws {
    let repository = try changed()
    let text = try repository.cairn("diff")
    #expect(text.status == 0)
    #expect(
      text.output == """
        Renamed:
            dir/a -> dir/z

        Modified:
            dir/
            dir/b
            file

        files summary: 1 renamed, 2 modified

        """)
    #expect(
      try repository.cairn("diff", "--md", "--show-hash", "--targets", "file").output == """
        | Status   | Hash               | Path   |
        |----------|--------------------|--------|
        | modified | 5bbf5a52..c193497a | file   |


        """)
    #expect(
      try repository.cairn("diff", "--json", "--show-hash", "--targets", "dir/b").output == """
        {"added": [], "deleted": [], "modified": [{"path": "dir/b", "hash": \
        {"old": "3b5d5c3712955042212316173ccf37be", "new": "2cd6ee2c70b0bde53fbe6cac3c8b8bb1"}}], "renamed": [], \
        "not in cache": []}

        """)
    try repository.commit()
    #expect(try repository.cairn("diff", "HEAD~", "HEAD").output.isEmpty)
    try repository.cairn("add", "-q", "file")
    try repository.commit("newest")
    #expect(try repository.cairn("diff", ":/work", ":/newest", "--json").output.contains(#"[{"path": "file"}]"#))
  }

  @Test(
    "Under -q tables are printed, and lists and documents are not, as DVC has it",
    arguments: [
      (["diff", "--md"], "| modified | dir/b "), (["diff"], nil), (["diff", "--json"], nil),
      (["ls", ".", "--size"], "file.dvc"), (["ls", ".", "--tree"], "└── "), (["ls", "."], nil),
      (["ls", ".", "--json"], nil), (["stage", "list"], "file.dvc  Outputs file"), (["data", "status"], nil),
    ] as [([String], String?)])
  func quiet(_ words: [String], _ expected: String?) throws {
    let repository = try changed()
    let result = try repository.run([try CairnBinary.path()] + words + ["-q"] + (words.first == "stage" ? ["--all"] : []))
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    if let expected { #expect(result.output.contains(expected)) } else { #expect(result.output.isEmpty) }
  }

  @Test("commit of a file that is not there, in a tracked folder, leaves the .dvc file as it is")
  func commitOfNothing() throws {
    let repository = try changed()
    let before = repository.read("dir.dvc")
    let result = try repository.cairn("commit", "-f", "dir/nope")
    #expect(result.status == 255 && result.errors.contains("[Errno 2] No such file or directory: '"), "\(result)")
    #expect(repository.read("dir.dvc") == before)
  }

  @Test("diff tells what the cache lacks, unless it is asked not to, or for two commits")
  func missing() throws {
    let repository = try changed()
    try repository.remove(".dvc/cache")
    let missing = "Not in cache:\n    dir/\n    file\n"
    #expect(try repository.cairn("diff").output.contains(missing))
    #expect(try !repository.cairn("diff", "--hide-missing").output.contains("cache"))
    #expect(try repository.cairn("diff", "HEAD", "workspace", "--json").output.hasSuffix("\"renamed\": []}\n"))
  }

  @Test(
    "diff ends with 1 where DVC knows why, and with 255 where not",
    arguments: [
      ("diff nope", Int32(1), "ERROR: failed to get diff - unknown Git revision 'nope'\n"),
      ("diff workspace", 1, "ERROR: failed to get diff - unknown Git revision 'workspace'\n"),
      ("diff --targets nope", 255, "ERROR: unexpected error - [Errno 2] No such file or directory: 'nope'\n"),
      ("diff HEAD HEAD HEAD", 254, "ERROR: unrecognized arguments: HEAD\n"),
      ("data status --untracked-files=some", 254,
        "ERROR: argument --untracked-files: invalid choice: 'some' (choose from 'no', 'all')\n"),
      ("data status --not-in-remote -r nope", 251,
        "ERROR: configuration error - config file error: remote 'nope' doesn't exist\n"),
      ("data", 254, "ERROR: the following arguments are required: cmd\n"),
    ])
  func failures(line: String, status: Int32, words: String) throws {
    let repository = try changed()
    let result = try repository.run([try CairnBinary.path()] + line.split(separator: " ").map(String.init))
    #expect(result.status == status && result.errors.hasPrefix(words), "\(result)")
  }

  @Test("a target in a folder whose list is lost cannot be compared: the list's place is told")
  func lostList() throws {
    let repository = try changed()
    try repository.remove(".dvc/cache")
    let result = try repository.cairn("diff", "--targets", "dir/a")
    #expect(result.status == 255)
    #expect(
      result.errors.hasPrefix(
        "ERROR: unexpected error - failed to load directory ('dir',): [Errno 2] No such file or directory: '"
          + repository.path(".dvc/cache/files/md5/")), "\(result)")
  }

  @Test("neither command works without a project, nor diff without git or a commit")
  func outside() throws {
    let folder = try TestRepository(git: false, dvc: false)
    for words in [["diff"], ["data", "status"]] {
      #expect(try folder.run([try CairnBinary.path()] + words).status == 253)
    }
    let plain = try TestRepository(git: false)
    let result = try plain.cairn("diff")
    #expect(result.status == 1 && result.errors.hasPrefix("ERROR: failed to get diff - Only supported for Git"))
    #expect(try plain.cairn("data", "status").output == "No changes.\n")
    let empty = try TestRepository()
    #expect(try empty.cairn("diff", "--json").output == "{}\n")
    #expect(try empty.cairn("data", "status").output == "No changes in an empty git repo.\n")
  }

  @Test("data status tells what is committed, what is not, and what lies beside it")
  func status() throws {
    let repository = try changed()
    try repository.cairn("add", "-q", "file")
    try repository.write("new", "")
    let result = try repository.cairn("data", "status", "--granular", "--unchanged", "--untracked-files")
    #expect(result.status == 0)
    #expect(
      result.output == """
        DVC committed changes:
          (git commit the corresponding dvc files to update the repo)
                modified: file

        DVC uncommitted changes:
          (use "dvc commit <file>..." to track changes)
          (use "dvc checkout <file>..." to discard changes)
                modified: dir/
                modified: dir/b
                renamed: dir/a -> dir/z

        Untracked files:
          (use "git add <file> ..." or "dvc add <file>..." to commit to git or to dvc)
                new
        (there are other changes not tracked by dvc, use "git status" to see)

        """)
    #expect(
      try repository.cairn("data", "status", "--json").output == """
        {"committed": {"modified": ["file"]}, "uncommitted": {"modified": ["dir/"]}}

        """)
    #expect(
      try repository.cairn("data", "status", "--json", "--granular", "--unt", "--", "dir/b", "new").output == """
        {"uncommitted": {"modified": ["dir/b"]}, "untracked": ["new"]}

        """)
  }

  @Test("a folder whose lock is gone was deleted as one, whatever is there now")
  func unlockedFolder() throws {
    let repository = try TestRepository()
    try repository.write("dvc.yaml", "stages: {a: {cmd: 'mkdir -p d && echo 1 > d/x && echo 1 > f', outs: [d, f]}}\n")
    #expect(try repository.cairn("repro", "-q").status == 0)
    try repository.commit()
    try repository.remove("dvc.lock")
    // As DVC 3.67.1 prints it.
    #expect(
      try repository.cairn("data", "status", "--json").output
        == #"{"committed": {"deleted": ["d/", "f"]}, "uncommitted": {"added": ["d/", "f"]}}"# + "\n")
  }

  @Test("a question changes nothing: no folder of Cairn's is made for it")
  func changesNothing() throws {
    let repository = try changed()
    try repository.remove(".cairn")
    for words in [["diff"], ["data", "status"], ["ls", "."]] {
      #expect(try repository.run([try CairnBinary.path()] + words).status == 0)
    }
    #expect(!repository.exists(".cairn"))
    #expect(try repository.git("status", "--porcelain").isEmpty)
  }

  @Test("data status tells what cache and remote lack; of what no list names, nothing is known")
  func places() throws {
    let repository = try changed()
    try repository.cairn("remote", "add", "-q", "-d", "store", repository.path("store"))
    try repository.shell("mkdir -p store/files && mv .dvc/cache/files/md5 store/files && rm -rf .dvc/cache")
    let status = ["data", "status", "--json", "--granular"]
    let program = try CairnBinary.path()
    #expect(
      try repository.run([program] + status + ["--not-in-remote"]).output == """
        {"not_in_cache": ["dir/", "file", "dir/b", "dir/a"], "uncommitted": {"modified": ["dir/", "file", "dir/b"], \
        "renamed": [{"old": "dir/a", "new": "dir/z"}]}}

        """)
    try repository.remove("store")
    #expect(
      try repository.run([program] + status + ["--not-in-remote"]).output == """
        {"not_in_cache": ["dir/", "file"], "not_in_remote": ["dir/", "file"], "uncommitted": \
        {"modified": ["dir/", "file"], "unknown": ["dir/b", "dir/z"]}}

        """)
    try repository.cairn("remote", "modify", "-q", "store", "url", "gs://bucket")
    let far = try repository.run([program] + status + ["--not-in-remote"])
    #expect(far.status == 254 && far.errors.contains("of a kind that is not in Cairn yet"), "\(far)")
  }
}
