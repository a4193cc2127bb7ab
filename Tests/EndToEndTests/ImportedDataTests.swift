// What `list`, `diff` and `data status` tell of data that was imported from another repository: by its records, and
// where those do not say, by a look at that repository.
import CairnTestSupport
import Testing

struct ImportedDataTests {
  /// A repository with a folder and a file of data and a folder of git's, and one that imports them: `data` with a hash
  /// that no cache here knows, and the others without their bytes. Both are committed.
  private func sample() throws -> (source: TestRepository, repository: TestRepository) {
    let source = try TestRepository()
    try source.write("data/a", "one\n")
    try source.write("data/sub/b", "twotwo\n")
    try source.write("file", "x\n")
    try source.cairn("add", "-q", "data", "file")
    try source.write("code/run", "true\n")
    try source.write("code/in/inner", "inner\n")
    try source.cairn("add", "-q", "code/in/inner")
    try source.commit()
    let revision = try source.git("rev-parse", "HEAD").split(separator: "\n").joined()
    let words = source.read("data.dvc")?.split { $0 == " " || $0 == "\n" }
    let hash = try #require(words?.first { $0.hasSuffix(".dir") }.map(String.init))
    // What has changed there since counts for nothing.
    try source.write("data/c", "new\n")
    try source.cairn("add", "-q", "data")
    try source.commit()
    let repository = try TestRepository()
    func importing(_ path: String, to name: String, md5: String? = nil) throws {
      let known = md5.map { ["md5: \($0)", "size: 11", "nfiles: 2"] } ?? []
      try repository.writeImport(of: path, from: source, at: revision, to: name, fields: known + ["hash: md5"])
    }
    try importing("data", to: "data", md5: hash)
    try repository.commit()
    try importing("data", to: "later")
    try importing("code", to: "code")
    try importing("file", to: "file")
    try repository.commit()
    return (source, repository)
  }

  @Test("a list that is nowhere here is taken from the repository that it was imported from")
  func lists() throws {
    let (source, repository) = try sample()
    defer { withExtendedLifetime(source) {} }
    #expect(try repository.cairn("ls", ".", "data").output == "a\nsub\n")
    #expect(
      try repository.cairn("ls", ".", "-R", "--dvc-only").output
        == "code/in/.gitignore\ncode/in/inner\ncode/run\ndata/a\ndata/sub/b\nfile\nlater/a\nlater/sub/b\n")
    #expect(try repository.cairn("ls", ".", "data/sub").output == "b\n")
    #expect(try repository.cairn("ls", "file://" + repository.root, "later").output == "a\nsub\n")
  }

  @Test("an import without a hash is a file or a folder as it is there; hash and size of it are not known")
  func kinds() throws {
    let (source, repository) = try sample()
    defer { withExtendedLifetime(source) {} }
    let text = try repository.cairn("ls", ".", "--json", "--dvc-only").output
    for (name, isFolder) in [("code", true), ("file", false), ("later", true)] {
      let entry = """
        {"isout": true, "isdir": \(isFolder), "isexec": false, "size": null, "md5": null, "path": "\(name)"}
        """
      #expect(text.contains(entry), "\(text)")
    }
    #expect(
      try repository.cairn("ls", ".", "code/", "-R", "--json").output.contains(
        #""isexec": false, "size": 5, "md5": null, "path": "run"}"#))
    // As with DVC: nobody has looked at the folder that it would be in.
    #expect(try repository.cairn("ls", ".", "later/a").status == 1)
  }

  @Test("diff and data status see what an import without its bytes holds")
  func differences() throws {
    let (source, repository) = try sample()
    defer { withExtendedLifetime(source) {} }
    #expect(
      try repository.cairn("diff", "HEAD~1", "HEAD", "--json").output == """
        {"added": [{"path": "code/in/.gitignore"}, {"path": "code/in/inner"}, {"path": "code/run"}, {"path": "file"}, \
        {"path": "later/a"}, {"path": "later/sub/b"}], "deleted": [], "modified": [], "renamed": []}

        """)
    #expect(
      try repository.cairn("data", "status", "--granular", "--json").output == """
        {"not_in_cache": ["data/"], "uncommitted": {"deleted": ["data/"]}}

        """)
  }

  @Test("a repository that is gone hinders only what has to be looked up there")
  func gone() throws {
    let (source, repository) = try sample()
    try repository.shell("mv '\(source.root)' '\(source.root).gone'")
    defer { _ = try? repository.shell("mv '\(source.root).gone' '\(source.root)'") }
    // One commit back there is but the import whose kind is recorded.
    #expect(try repository.cairn("ls", ".", "--rev", "HEAD~1", "--dvc-only").output == "data\n")
    let folder = try repository.cairn("ls", ".", "data")
    #expect(folder.status == 255)
    #expect(
      folder.errors.hasPrefix(
        "ERROR: unexpected error - failed to load directory ('data',): [Errno 2] No such file or directory: 'data'"))
    for (words, status) in [(["ls", "."], Int32(1)), (["diff"], 1), (["data", "status"], 255)] {
      let result = try repository.run([try CairnBinary.path()] + words)
      #expect(result.status == status, "\(words) \(result)")
      #expect(result.errors.contains("SCM error: Failed to clone repo '\(source.root)' to '"), "\(result)")
    }
  }

  @Test("of imports DVC tells the same", .enabled(if: DVCOracle.isAvailable, "needs the real DVC"))
  func sameAsDVC() throws {
    let (source, repository) = try sample()
    defer { withExtendedLifetime(source) {} }
    let questions = [
      ["ls", "."], ["ls", ".", "-R", "--json"], ["ls", ".", "--tree", "--size", "--show-hash"],
      ["ls", ".", "data", "--json"],
      ["diff"], ["diff", "HEAD~1", "HEAD", "--json", "--show-hash"], ["data", "status", "--granular", "--json"],
    ]
    for words in questions {
      let ours = try repository.run([try CairnBinary.path()] + words)
      let theirs = try repository.run([try #require(DVCOracle.path)] + words)
      #expect(ours.output == theirs.output && ours.status == theirs.status, "\(words)")
    }
  }
}
