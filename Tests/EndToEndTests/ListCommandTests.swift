// `list` (`ls`) of repositories on this machine: what it prints, and each of its exit codes.
import CairnTestSupport
import Testing

struct ListCommandTests {
  /// A script, a folder of data and a file of data, committed; the data is only in the cache.
  private func sample() throws -> TestRepository {
    let repository = try TestRepository()
    try repository.write("code/run.sh", "true\n")
    try repository.shell("chmod +x code/run.sh")
    try repository.write("data/a", "one\n")
    try repository.write("data/sub/b", "twotwo\n")
    try repository.write("file", "x\n")
    try repository.cairn("add", "-q", "data", "file")
    try repository.commit()
    try repository.shell("git tag v1 && rm -r data file")
    return repository
  }

  @Test("files and data are listed, there or not: a folder, all of it, data alone, a tree")
  func lists() throws {
    let repository = try sample()
    #expect(
      try repository.cairn("ls", ".").output == """
        .dvcignore
        .gitignore
        code
        data
        data.dvc
        file
        file.dvc

        """)
    #expect(try repository.cairn("list", ".", "-R", "--dvc-only").output == "data/a\ndata/sub/b\nfile\n")
    #expect(try repository.cairn("ls", ".", "data").output == "a\nsub\n")
    #expect(
      try repository.cairn("ls", "-T", ".", "data").output == """
        data
        ├── a
        └── sub
            └── b

        """)
    #expect(try repository.cairn("ls", "-T", "-L", "1", ".", "data").output == "data\n├── a\n└── sub\n")
    #expect(try repository.cairn("ls", ".", "-R", "-L", "0").output == ".\n")
    #expect(try repository.cairn("ls", ".", "data/sub/b").output == "b\n")
    #expect(try repository.cairn("ls", ".", "code", "--dvc-only").output.isEmpty)
    #expect(try repository.cairn("ls", ".", in: "code").output.hasPrefix("../.dvcignore\n"))
  }

  @Test("sizes, hashes and the document")
  func columns() throws {
    let repository = try sample()
    #expect(
      try repository.cairn("ls", ".", "--size", "--show-hash", "--dvc-only").output == """
        11  73addd62dbe6ab771d8a972e16e6b93d.dir  data
         2  401b30e3b8b5d629635a5c613cdb7919      file

        """)
    #expect(
      try repository.cairn("ls", ".", "data", "--json").output == """
        [{"isout": true, "isdir": false, "isexec": false, "size": null, "md5": \
        "5bbf5a52328e7439ae6e719dfe712200", "path": "a"}, {"isout": true, "isdir": true, "isexec": false, \
        "size": null, "md5": null, "path": "sub"}]

        """)
    #expect(try repository.cairn("ls", ".", "code", "--json").output.contains("\"isexec\": true, \"size\": 5"))
  }

  @Test("a commit is listed as it was, from a folder, by file:// and from a bare repository")
  func commits() throws {
    let repository = try sample()
    try repository.shell("git rm -q --cached file.dvc && rm file.dvc && git commit -qm less")
    for url in [".", "file://" + repository.root] {
      #expect(
        try repository.cairn("ls", url, "--rev", "v1", "--json").output.contains("\"path\": \"file.dvc\""), "\(url)")
      #expect(try !repository.cairn("ls", url, "--rev", "HEAD").output.contains("file.dvc"), "\(url)")
    }
    try repository.git("clone", "-q", "--bare", ".", "../bare.git")
    #expect(try repository.cairn("ls", "../bare.git", "code", "--rev", "v1").output == "run.sh\n")
    #expect(try repository.cairn("ls", ".", "code", "--rev").output == "run.sh\n")
    // Of git's own object of a folder.
    let whole = try repository.cairn("ls", ".", "--rev", "v1", "--json").output
    #expect(whole.contains("\"size\": 34, \"md5\": null, \"path\": \"code\""))
  }

  @Test("a list that the cache lacks is taken from a remote, also from one that the call names")
  func remotes() throws {
    let repository = try sample()
    try repository.shell("mkdir -p store/files && mv .dvc/cache/files/md5 store/files")
    let lost = try repository.cairn("ls", ".", "data")
    #expect(lost.status == 255)
    #expect(
      lost.errors.hasPrefix(
        "ERROR: unexpected error - failed to load directory ('data',): [Errno 2] No such file or directory: '"),
      "\(lost)")
    try repository.cairn("remote", "add", "-q", "store", repository.path("store"))
    #expect(try repository.cairn("ls", ".", "data", "--remote", "store").output == "a\nsub\n")
    try repository.cairn("remote", "add", "-q", "-d", "other", repository.path("other"))
    let option = "url=\(repository.path("store"))"
    #expect(try repository.cairn("ls", ".", "data", "--remote-config", option).output == "a\nsub\n")
    try repository.write("settings", "[core]\n    remote = store\n")
    #expect(try repository.cairn("ls", ".", "data", "--config", "settings").output == "a\nsub\n")
  }

  @Test("a project inside is hidden, and listed by its name; ignored names are left out")
  func projectsInside() throws {
    let repository = try sample()
    try repository.write("inner/data/x", "x\n")
    try repository.cairn("init", "-q", "--subdir", in: "inner")
    try repository.cairn("add", "-q", "data", in: "inner")
    try repository.write(".dvcignore", "*.tmp\n")
    try repository.write("a.tmp", "")
    try repository.shell("rm -r inner/data")
    let top = try repository.cairn("ls", ".").output
    #expect(!top.contains("inner") && !top.contains("a.tmp"))
    #expect(try repository.cairn("ls", ".", "inner").output == ".dvcignore\n.gitignore\ndata\ndata.dvc\n")
    #expect(try repository.cairn("ls", ".", "inner/data").output == "x\n")
  }

  @Test("without a project, and without git, files are listed all the same")
  func plain() throws {
    let folder = try TestRepository(git: false, dvc: false)
    try folder.write("d/f", "")
    #expect(try folder.cairn("ls", ".", "-R").output == "d/f\n")
    let result = try folder.cairn("ls", ".", "--rev", "HEAD")
    #expect(
      result.status == 1
        && result.errors == "ERROR: failed to list '.' - \(folder.root) is not a git repository\n", "\(result)")
  }

  @Test(
    "ls ends with 1 where DVC knows why, with 255 where not, and with 254 for a wrong line",
    arguments: [
      ("ls . nope", Int32(1), "ERROR: [Errno 2] No such file or directory: '"),
      ("ls . nope --rev v1", 1, "ERROR: [Errno 2] No such file or directory: '/nope': ('nope',)\n"),
      ("ls . --rev nope", 1, "ERROR: failed to list '.' - unknown Git revision 'nope'\n"),
      ("ls nope", 1, "ERROR: failed to list 'nope' - SCM error: Failed to clone repo 'nope' to '"),
      ("ls . --remote nope", 1, "ERROR: failed to list '.' - config file error: remote 'nope' doesn't exist\n"),
      ("ls . --config nope", 1, "ERROR: [Errno 2] No such file or directory: 'nope'\n"),
      ("ls ext::false", 1, "ERROR: failed to list 'ext::false' - SCM error: Failed to clone repo"),
      ("ls . --tree --json", 255, "ERROR: Cannot use --tree and --json options together.\n"),
      ("ls . -R -L -1", 255, "ERROR: unexpected error - maxdepth must be at least 1\n"),
      ("ls", 254, "ERROR: the following arguments are required: url\n"),
      ("ls . -R code", 254, "ERROR: unrecognized arguments: code\n"),
    ])
  func failures(line: String, status: Int32, words: String) throws {
    let repository = try sample()
    let result = try repository.run([try CairnBinary.path()] + line.split(separator: " ").map(String.init))
    #expect(result.status == status && result.errors.hasPrefix(words), "\(result)")
  }
}
