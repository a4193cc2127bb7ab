import CairnCore
@testable import CairnSystem
import Glibc
import CairnTestSupport
import Testing

@Suite struct FilesTests {
  @Test("stat tells kinds, and nothing for what is not there")
  func stat() throws {
    let folder = try TemporaryFolder()
    try folder.write("file", "12345")
    #expect(symlink("file", folder("link")) == 0 && symlink("gone", folder("dangling")) == 0)
    #expect(mkfifo(folder("fifo"), 0o600) == 0)
    let file = try #require(try FileStat.of(folder("file")))
    #expect(file.kind == .file && file.size == 5 && !file.isExecutable)
    #expect(abs(file.modified - WallClock.now()) < 5_000_000_000)
    #expect(try FileStat.of(folder("link"))?.inode == file.inode)
    #expect(try FileStat.of(folder("link"), followLinks: false)?.kind == .symlink)
    #expect(try FileStat.of(folder("dangling")) == nil)
    #expect(try FileStat.of(folder("dangling"), followLinks: false)?.kind == .symlink)
    #expect(try FileStat.of(folder("fifo"))?.kind == .other)
    #expect(try FileStat.of(folder("file/below")) == nil)
    #expect(try FileStat.of(folder.path)?.kind == .directory)
  }

  @Test("times are set and read to the nanosecond, before 1970 as well", arguments: [
    1_700_000_000_123_456_789, 0, 999_999_999, -1, -1_000_000_001,
  ] as [Nanoseconds])
  func times(time: Nanoseconds) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("f", "")
    try Files.setModified(path, time)
    #expect(try FileStat.of(path)?.modified == time)
  }

  @Test("names that are not UTF-8, or look like escapes, come back as they went", arguments: [
    [0xFF, 0x41], [0x61, 0xC3], Array("ü\u{10FF90}".utf8), Array("e\u{301}".utf8), Array("a\nb\t ".utf8),
  ] as [[UInt8]])
  func names(bytes: [UInt8]) throws {
    let folder = try TemporaryFolder()
    let name = FileName.escape(bytes)
    try Files.write("x", to: folder(name))
    let listed = try #require(try Files.list(folder.path))
    #expect(listed.map { FileName.bytes($0.name) } == [bytes])
    #expect(try Files.readText(folder(listed[0].name)) == "x")
    #expect(try DirectoryWalk.files(folder.path)?.map { FileName.bytes($0.path) } == [bytes])
  }

  @Test("a name with NUL names nothing else")
  func nul() throws {
    let folder = try TemporaryFolder()
    try folder.write("a", "x")
    #expect(throws: Diagnostic.self) { try Files.read(folder("a\0b")) }
  }

  @Test("reading: nothing, an empty file, one without a size, one that is large")
  func read() throws {
    let folder = try TemporaryFolder()
    #expect(try Files.read(folder("none")) == nil)
    #expect(try Files.read(folder.write("empty", "")) == [])
    #expect(try (Files.readText("/proc/self/stat") ?? "").contains("("))
    let large = [UInt8](repeating: 7, count: 3_000_001)
    try Files.write(large, to: folder("large"))
    #expect(try Files.read(folder("large")) == large)
    #expect(throws: Diagnostic.self) { try Files.read(folder.path) }
  }

  @Test("errors are in Python's words")
  func words() throws {
    let folder = try TemporaryFolder()
    let path = folder("no/such")
    let error = #expect(throws: Diagnostic.self) { try Files.write("x", to: path) }
    #expect(error?.message == "[Errno 2] No such file or directory: '\(path)'")
    #expect(error?.isSystemError(ENOENT) == true && error?.isSystemError(EACCES) == false)
    #expect(SystemError.quoted("it's") == "\"it's\"")
    #expect(SystemError.quoted("it's \"so\"\n") == "'it\\'s \"so\"\\n'")
    #expect(Diagnostic.system(EXDEV, "link", "a", "b").message == "[Errno 18] Invalid cross-device link: 'a' -> 'b'")
  }

  @Test("folders are made with their parents, also through links, and not over a file")
  func folders() throws {
    let folder = try TemporaryFolder()
    try Files.makeDirectories(folder("a/b/c/"))
    try Files.makeDirectories(folder("a/b/c"))
    #expect(symlink("a", folder("link")) == 0)
    try Files.makeDirectories(folder("link/b/d"))
    #expect(Files.isDirectory(folder("a/b/d")))
    try folder.write("file", "")
    #expect(throws: Diagnostic.self) { try Files.makeDirectories(folder("file")) }
    #expect(throws: Diagnostic.self) { try Files.makeDirectories(folder("file/below")) }
    #expect(try Files.removeEmptyDirectory(folder("a")) == false)
    #expect(try Files.removeEmptyDirectory(folder("a/b/d")) == true)
  }

  @Test("a tree is removed without following links, read-only folders too")
  func removeTree() throws {
    let folder = try TemporaryFolder()
    try folder.write("outside/keep", "x")
    try folder.write("tree/a/b/file", "x")
    #expect(symlink(folder("outside"), folder("tree/link")) == 0)
    try Files.chmod(folder("tree/a/b"), 0o500)
    #expect(try Files.removeTree(folder("tree")))
    #expect(!Files.exists(folder("tree"), followLinks: false))
    #expect(Files.exists(folder("outside/keep")))
    #expect(try !Files.removeTree(folder("tree")))
  }

  @Test("a walk finds everything once, with stat, and enters only what it is told to")
  func walk() throws {
    let folder = try TemporaryFolder()
    for name in ["a/1", "a/b/2", "a.b/3", "skip/4", "z"] { try folder.write(name, name) }
    #expect(symlink("a", folder("link")) == 0)
    let files = try #require(try DirectoryWalk.files(folder.path))
    #expect(files.map(\.path) == ["a.b/3", "a/1", "a/b/2", "link", "skip/4", "z"])
    #expect(files.map(\.stat.size) == [5, 3, 5, 1, 6, 1])
    var seen: Set<String> = []
    try DirectoryWalk.visit(folder.path) { item in
      #expect(seen.insert(item.path).inserted)
      return item.path == "skip" ? .skip : .enter
    }
    #expect(seen == ["a", "a/1", "a/b", "a/b/2", "a.b", "a.b/3", "skip", "link", "z"])
    #expect(try DirectoryWalk.files(folder("none")) == nil)
    struct Stop: Error {}
    let error = #expect(throws: Diagnostic.self) {
      try DirectoryWalk.visit(folder.path) { _ throws(Diagnostic) in throw Diagnostic(.usage, "stop") }
    }
    #expect(error?.message == "stop")
  }

  @Test("links are read as they are written")
  func readLink() throws {
    let folder = try TemporaryFolder()
    #expect(symlink("some/../where", folder("link")) == 0)
    #expect(try Files.readLink(folder("link")) == "some/../where")
    #expect(try Files.readLink(folder.write("file", "")) == nil)
    #expect(try Files.realPath(folder("link")) == nil)
  }
}

@Suite struct AtomicFileTests {
  @Test("the new bytes are there, the mode is as asked, nothing else is left")
  func write() throws {
    let folder = try TemporaryFolder()
    let path = folder("lock")
    try AtomicFile.write(Array("one".utf8), to: path, mode: 0o640, sync: true)
    #expect(try FileStat.of(path)?.mode == 0o640)
    try AtomicFile.write(Array("two".utf8), to: path, sync: false)
    #expect(try folder.text("lock") == "two")
    try Files.chmod(path, 0o755)
    try AtomicFile.writeKeepingMode(Array("three".utf8), to: path, sync: false)
    #expect(try FileStat.of(path)?.mode == 0o755)
    #expect(try Files.list(folder.path)?.count == 1)
  }

  @Test("a link to a user's file stays a link; the file that it leads to is replaced, or made")
  func links() throws {
    let folder = try TemporaryFolder()
    try folder.write("real/lock", "old")
    try Files.chmod(folder("real/lock"), 0o640)
    let relative = folder("relative"), dangling = folder("dangling")
    #expect(symlink(folder("real/lock"), folder("absolute")) == 0)
    #expect(symlink("absolute", relative) == 0)
    #expect(symlink("real/new", dangling) == 0)
    try AtomicFile.writeKeepingMode(Array("two".utf8), to: relative, sync: false)
    try AtomicFile.writeKeepingMode(Array("new".utf8), to: dangling, sync: false)
    #expect(try folder.text("real/lock") == "two")
    #expect(try FileStat.of(folder("real/lock"))?.mode == 0o640)
    #expect(try folder.text("real/new") == "new")
    #expect(try Files.readLink(relative) == "absolute")
    #expect(try Files.readLink(dangling) == "real/new")
    try AtomicFile.writeKeepingMode(Array("own".utf8), to: relative, sync: false, followsLinks: false)
    #expect(try Files.readLink(relative) == nil)
    #expect(try folder.text("real/lock") == "two")
  }

  @Test("the same bytes are not written again")
  func unchanged() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("f", "same")
    let before = try FileStat.of(path)
    #expect(try !AtomicFile.writeIfChanged(Array("same".utf8), to: path, sync: false))
    #expect(try FileStat.of(path) == before)
    #expect(try AtomicFile.writeIfChanged(Array("other".utf8), to: path, sync: false))
  }

  @Test("when the target cannot be replaced it stays, and the temporary file goes")
  func failure() throws {
    let folder = try TemporaryFolder()
    try folder.write("taken/inside", "x")
    #expect(throws: Diagnostic.self) { try AtomicFile.write([1], to: folder("taken"), sync: false) }
    #expect(try Files.list(folder.path)?.map(\.name) == ["taken"])
  }

  @Test("a full disk keeps the old file whole", .enabled(if: getuid() == 0))
  func fullDisk() throws {
    let folder = try TemporaryFolder()
    let mount = folder("small")
    try Files.makeDirectories(mount)
    let mounted = try ChildProcess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount])
    // A container without the right to mount cannot play this.
    guard mounted.exit.code == 0 else { return }
    defer { _ = try? ChildProcess.run(["umount", mount]) }
    try Files.write("old", to: mount + "/f")
    let error = #expect(throws: Diagnostic.self) {
      try AtomicFile.write([UInt8](repeating: 1, count: 200_000), to: mount + "/f", sync: true)
    }
    #expect(error?.code == .noSpace)
    #expect(try Files.readText(mount + "/f") == "old")
    #expect(try Files.list(mount)?.map(\.name) == ["f"])
    let copied = #expect(throws: Diagnostic.self) {
      try Files.write([UInt8](repeating: 1, count: 200_000), to: folder("big"))
      _ = try FileLink.make(.copy, from: folder("big"), to: mount + "/copy")
    }
    #expect(copied?.code == .noSpace)
    #expect(try Files.list(mount)?.map(\.name) == ["f"])
  }

  @Test("what is appended by several writers never mixes")
  func append() throws {
    let folder = try TemporaryFolder()
    let files = try (0..<4).map { _ in try AppendFile(folder("journal")) }
    for round in 0..<50 { for (index, file) in files.enumerated() { try file.append(Array("\(index) \(round)\n".utf8)) } }
    try files[0].sync()
    let lines = try #require(try folder.text("journal")).split(separator: "\n")
    #expect(lines.count == 200)
    #expect(Set(lines).count == 200)
    #expect(files[0].isInPlace())
    try Files.remove(folder("journal"))
    #expect(!files[0].isInPlace())
  }
}

@Suite struct FileLinkTests {
  @Test("each kind makes the file appear, or says that it cannot and leaves nothing", arguments: FileLink.Kind.allCases)
  func kinds(kind: FileLink.Kind) throws {
    let folder = try TemporaryFolder()
    let source = try folder.write("source", "content")
    try Files.chmod(source, 0o444)
    let target = folder("target")
    guard try FileLink.make(kind, from: source, to: target) else {
      #expect(kind == .reflink)
      #expect(!Files.exists(target, followLinks: false))
      return
    }
    #expect(try folder.text("target") == "content")
    let one = try #require(try FileStat.of(source))
    let other = try #require(try FileStat.of(target, followLinks: false))
    switch kind {
    case .hardlink: #expect(other.inode == one.inode)
    case .symlink: #expect(try Files.readLink(target) == source)
    case .copy, .reflink: #expect(other.inode != one.inode && other.mode & 0o200 != 0)
    }
  }

  @Test("an empty file is made anew, not linked")
  func empty() throws {
    let folder = try TemporaryFolder()
    let source = try folder.write("source", "")
    #expect(try FileLink.make(.hardlink, from: source, to: folder("target")))
    #expect(try FileStat.of(source)?.links == 1)
  }

  @Test("a hard link to a link goes to the file")
  func throughLink() throws {
    let folder = try TemporaryFolder()
    let source = try folder.write("source", "x")
    #expect(symlink("source", folder("link")) == 0)
    #expect(try FileLink.make(.hardlink, from: folder("link"), to: folder("target")))
    #expect(try FileStat.of(folder("target"), followLinks: false)?.inode == FileStat.of(source)?.inode)
  }

  @Test("what exists is not overwritten", arguments: FileLink.Kind.allCases)
  func taken(kind: FileLink.Kind) throws {
    let folder = try TemporaryFolder()
    let source = try folder.write("source", "new")
    try folder.write("target", "old")
    let error = #expect(throws: Diagnostic.self) { try FileLink.make(kind, from: source, to: folder("target")) }
    #expect(error?.isSystemError(EEXIST) == true)
    #expect(try folder.text("target") == "old")
    try FileLink.copyAtomically(from: source, to: folder("target"), mode: 0o444)
    #expect(try folder.text("target") == "new")
    #expect(try FileStat.of(folder("target"))?.mode == 0o444)
  }

  @Test("files without a size are copied by reading them")
  func unsized() throws {
    let folder = try TemporaryFolder()
    #expect(try FileLink.make(.copy, from: "/proc/self/status", to: folder("status")))
    #expect(try (folder.text("status") ?? "").contains("Pid:"))
  }
}
