import CairnCore
import CairnStore
import Testing

@Suite struct SnapshotterTests {
  private struct Ignoring: PathFilter {
    let names: Set<String>
    func isIgnored(_ path: RepoPath, isDirectory: Bool) -> Bool { names.contains(path.name) }
  }

  @Test("a file has its MD5, size and executable bit, and SHA-256 when asked")
  func file() throws {
    let scratch = try Scratch()
    try scratch.sh("echo hello > f; chmod +x f")
    guard case .file(let file) = scratch.snapshotter().observe(repoPath("f"), sha256: true) else {
      Issue.record("no file")
      return
    }
    #expect(file.hash.text == "b1946ac92492d2347c6235b4d2611184")
    #expect(file.sha256?.hex == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03")
    #expect(file.size == 6)
    #expect(file.isExecutable)
    #expect(scratch.snapshotter().observe(repoPath("f")).sha256 == nil)
  }

  @Test("files of an earlier look are taken as that look found them, and others as they are")
  func trusting() throws {
    let scratch = try Scratch()
    // Of a file with two names the change of its inode does not count: it would be too young here.
    try scratch.sh("echo hello > f; echo hello > g; touch -d '2020-01-01 00:00:00.5' f g; ln f f2; ln g g2")
    let snapshotter = scratch.snapshotter()
    guard case .file(let before) = snapshotter.observe(repoPath("f")) else {
      Issue.record("no file")
      return
    }
    _ = snapshotter.observe(repoPath("g"))
    try scratch.sh("echo other > f; echo other > g")
    let seen = SeenFiles(
      [repoPath("f"): SeenFiles.File(fingerprint: before.fingerprint, mode: 0o100755)], taken: snapshotter.index.now())
    let trusting = snapshotter.trusting(seen)
    #expect(trusting.observe(repoPath("f")).hash == before.hash)
    guard case .file(let file) = trusting.observe(repoPath("f")) else { return }
    #expect(file.isExecutable)
    #expect(trusting.observe(repoPath("g")).hash != before.hash)
    #expect(snapshotter.observe(repoPath("f")).hash != before.hash)
  }

  @Test("a folder has DVC's hash: links to files count, links to folders and empty folders do not")
  func folder() throws {
    let scratch = try Scratch()
    // The hash is what `dvc add d` of DVC 3.67.1 gives for the same folder.
    try scratch.sh("mkdir -p d/sub d/none real; echo a>d/a; echo b>d/sub/b; echo x>real/x; ln -s ../real d/ldir; ln -s a d/lfile")
    guard case .directory(let folder) = scratch.snapshotter().observe(repoPath("d"), sha256: true) else {
      Issue.record("no folder")
      return
    }
    #expect(folder.hash.text == "aaeafaa6be5989a262f8e01674a46b35.dir")
    #expect(folder.size == 6)
    #expect(folder.fileCount == 3)
    #expect(folder.manifest.entries.map(\.path) == ["a", "lfile", "sub/b"])
    #expect(folder.sha256 != nil)
  }

  @Test("what the filter ignores is not there")
  func ignoring() throws {
    let scratch = try Scratch()
    try scratch.sh("mkdir -p d/.git d/skip; echo a>d/a; echo b>d/b; echo x>d/.git/x; ln -s nowhere d/broken")
    let snapshotter = scratch.snapshotter(filter: Ignoring(names: ["b", ".git", "skip", "broken"]))
    guard case .directory(let folder) = snapshotter.observe(repoPath("d")) else {
      Issue.record("no folder")
      return
    }
    #expect(folder.manifest.entries.map(\.path) == ["a"])
  }

  @Test("odd names are kept to the byte")
  func oddNames() throws {
    let scratch = try Scratch()
    try scratch.sh("mkdir d; touch 'd/a b' \"d/$(printf 'x\\377')\" \"d/$(printf 'e\\314\\201')\" \"d/$(printf '\\303\\251')\"")
    guard case .directory(let folder) = scratch.snapshotter().observe(repoPath("d")) else {
      Issue.record("no folder")
      return
    }
    #expect(folder.manifest.entries.map { FileName.bytes($0.path) } == [
      Array("a b".utf8), [0x65, 0xCC, 0x81], [0x78, 0xFF], [0xC3, 0xA9],
    ])
  }

  @Test("a broken link, a pipe, or a .dvcignore inside makes a folder unknown, never fresh", arguments: [
    "ln -s nowhere d/l", "mkfifo d/p", "touch d/.dvcignore",
  ])
  func unknown(script: String) throws {
    let scratch = try Scratch()
    try scratch.sh("mkdir d; echo a>d/a; " + script)
    guard case .unknown = scratch.snapshotter().observe(repoPath("d")) else {
      Issue.record("must be unknown")
      return
    }
  }

  @Test("nothing is missing, also behind a broken link")
  func missing() throws {
    let scratch = try Scratch()
    try scratch.sh("ln -s nowhere l; touch f")
    #expect(scratch.snapshotter().observe(repoPath("gone")).isMissing)
    #expect(scratch.snapshotter().observe(repoPath("l")).isMissing)
    #expect(scratch.snapshotter().observe(repoPath("f/x")).isMissing)
  }

  @Test("many files have the digests that each has alone, and the index knows them afterwards")
  func many() throws {
    let scratch = try Scratch()
    try scratch.sh("mkdir d; i=0; while [ $i -lt 300 ]; do echo $i > d/$i; i=$((i+1)); done; touch -d '2 hours ago' d/*")
    let snapshotter = scratch.snapshotter()
    guard case .directory(let folder) = snapshotter.observe(repoPath("d")) else {
      Issue.record("no folder")
      return
    }
    for entry in folder.manifest.entries {
      #expect(entry.md5 == ContentHasher.md5(of: Array((entry.path + "\n").utf8)))
    }
    snapshotter.index.flush()
    #expect(scratch.index().count == 300)
  }

  @Test("an unchanged file is not read again, a changed one is")
  func indexed() throws {
    let scratch = try Scratch()
    try scratch.sh("echo one > f; touch -d '2 hours ago' f; ln f link")
    let snapshotter = scratch.snapshotter()
    let first = snapshotter.observe(repoPath("f"))
    // Same size, same inode, same stamp, and another name: only reading would tell.
    try scratch.sh("touch -r f stamp; printf 'two\\n' > f; touch -r stamp f")
    #expect(snapshotter.observe(repoPath("f")).hash == first.hash)
    // With one name the inode tells.
    try scratch.sh("rm link")
    #expect(snapshotter.observe(repoPath("f")).hash != first.hash)
    try scratch.sh("touch f")
    #expect(snapshotter.observe(repoPath("f")).hash != first.hash)
  }

  @Test("a file changed right after it was hashed is noticed")
  func racy() throws {
    let scratch = try Scratch()
    let snapshotter = scratch.snapshotter()
    try scratch.sh("echo one > f")
    let first = snapshotter.observe(repoPath("f"))
    try scratch.sh("touch -r f stamp; printf 'two\\n' > f; touch -r stamp f")
    #expect(snapshotter.observe(repoPath("f")).hash != first.hash)
    #expect(!snapshotter.isUnchanged(first, at: repoPath("f")))
  }

  @Test("isUnchanged sees every kind of change", arguments: [
    ("true", true), ("echo more >> d/a", false), ("rm d/a", false), ("touch d/new", false), ("mkdir d/empty", true),
    ("chmod +x d/a", false), ("mv d/a d/z", false), ("rm -r d; echo x > d", false), ("rm -r d", false),
  ])
  func unchanged(script: String, expected: Bool) throws {
    let scratch = try Scratch()
    try scratch.sh("mkdir -p d/s; echo a>d/a; echo b>d/s/b; touch -d '2 hours ago' d/a d/s/b")
    let snapshotter = scratch.snapshotter()
    let before = snapshotter.observe(repoPath("d"))
    try scratch.sh(script)
    #expect(snapshotter.isUnchanged(before, at: repoPath("d")) == expected)
  }
}
