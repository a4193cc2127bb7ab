import CairnCore
import CairnStore
import Dispatch
import Synchronization
import Testing

@Suite struct CacheWriterTests {
  private static let files = """
    echo hello>f; echo x>xf; chmod 755 xf; : >empty; echo p>priv; chmod 600 priv; mkdir -p d/s; echo 1 >d/1
    echo y>d/x; chmod 775 d/x; :>d/e; echo z>'d/s/a b'; echo q>d/priv; chmod 600 d/priv; cp f d/dup
    """

  /// What DVC 3.67.1 leaves after `dvc add f xf empty priv d`, for each `cache.type`.
  @Test("workspace and cache are as DVC leaves them", arguments: [
    (
      [LinkType.reflink, .copy],
      "644 1 f d/1,644 1 f d/dup,644 1 f d/e,600 1 f d/priv,644 1 f d/s/a b,775 1 f d/x,644 1 f empty,644 1 f f,"
        + "644 1 f priv,744 1 f xf", "401b30e3b8b5d629635a5c613cdb7919 444 1"
    ),
    (
      [.copy],
      "644 1 f d/1,644 1 f d/dup,644 1 f d/e,600 1 f d/priv,644 1 f d/s/a b,775 1 f d/x,644 1 f empty,644 1 f f,"
        + "644 1 f priv,744 1 f xf", "401b30e3b8b5d629635a5c613cdb7919 444 1"
    ),
    (
      [.hardlink],
      "444 2 f d/1,444 3 f d/dup,644 1 f d/e,444 2 f d/priv,444 2 f d/s/a b,444 2 f d/x,644 1 f empty,444 3 f f,"
        + "444 2 f priv,544 2 f xf", "401b30e3b8b5d629635a5c613cdb7919 544 2"
    ),
    (
      [.symlink],
      "777 1 l d/1,777 1 l d/dup,777 1 l d/e,777 1 l d/priv,777 1 l d/s/a b,777 1 l d/x,777 1 l empty,777 1 l f,"
        + "777 1 l priv,777 1 l xf", "401b30e3b8b5d629635a5c613cdb7919 544 1"
    ),
    (
      [.symlink, .copy],
      "644 1 f d/1,644 1 f d/dup,644 1 f d/e,600 1 f d/priv,644 1 f d/s/a b,775 1 f d/x,777 1 l empty,777 1 l f,"
        + "777 1 l priv,777 1 l xf", "401b30e3b8b5d629635a5c613cdb7919 544 1"
    ),
  ])
  func modes(types: [LinkType], workspace: String, executable: String) throws {
    let scratch = try Scratch()
    try scratch.sh(Self.files)
    let writer = scratch.writer(types)
    for name in ["f", "xf", "empty", "priv", "d"] { _ = try writer.save(repoPath(name)) }
    #expect(try scratch.listing("f xf empty priv d") == workspace.split(separator: ",").joined(separator: "\n") + "\n")
    let objects = try scratch.sh("cd .dvc/cache/files/md5; find . -type f -printf '%P %m %n\\n' | LC_ALL=C sort")
      .split(separator: "\n").map { String($0).replacing("/", with: "") }
    #expect(objects.count == 9)
    #expect(objects.contains(executable))
    #expect(objects.allSatisfy { $0.contains(" 444 ") || $0 == executable })
    // Everything reads as before, and no temporary file is left.
    #expect(try scratch.sh("cat f xf empty priv d/1 d/dup d/e d/x 'd/s/a b' d/priv") == "hello\nx\np\n1\nhello\ny\nz\nq\n")
    #expect(try scratch.sh("find . -name '*.tmp'") == "")
    #expect(try scratch.sh("cd .dvc/cache/files/md5; for f in */*; do case $f in *.dir) ;; *) echo \"$(md5sum < $f | cut -c1-32) $(echo $f | tr -d /)\";; esac; done")
      .split(separator: "\n").allSatisfy { $0.split(separator: " ").first == $0.split(separator: " ").last })
  }

  @Test("what is returned is what is there afterwards", arguments: LinkType.allCases)
  func returned(type: LinkType) throws {
    let scratch = try Scratch()
    try scratch.sh("mkdir d; echo a > d/a; echo b > d/b; echo c > c; touch -d '2 hours ago' d/* c")
    let writer = scratch.writer(type == .reflink ? LinkType.defaults : [type])
    for name in ["d", "c"] {
      let content = try writer.save(repoPath(name), sha256: true)
      #expect(writer.snapshotter.isUnchanged(content, at: repoPath(name)))
      #expect(content.sha256 != nil)
      #expect(writer.snapshotter.observe(repoPath(name)).hash == content.hash)
    }
  }

  @Test("large files arrive whole, once")
  func large() throws {
    let scratch = try Scratch()
    try scratch.sh("seq 1 400000 > a; cp a b; mkdir d; cp a d/a; seq 2 500000 > d/b")
    let writer = scratch.writer()
    for name in ["a", "b", "d"] { _ = try writer.save(repoPath(name), sha256: true) }
    let sums = try scratch.sh("md5sum a d/b | cut -c1-32 | sort")
    #expect(try scratch.sh("find .dvc/cache -type f ! -name '*.dir' | sed 's,.*md5/,,; s,/,,' | sort") == sums)
    #expect(try scratch.sh("find .dvc/cache -type f ! -name '*.dir' -exec md5sum {} + | cut -c1-32 | sort") == sums)
    #expect(try scratch.sh("find .dvc/cache -type f ! -perm 0444") == "")
  }

  @Test("a link to a file becomes the file, what it pointed to stays as it was", arguments: LinkType.allCases)
  func links(type: LinkType) throws {
    let scratch = try Scratch()
    try scratch.sh("echo a > target; ln -s target l; mkdir d; ln -s ../target d/l")
    let writer = scratch.writer(type == .reflink ? LinkType.defaults : [type])
    _ = try writer.save(repoPath("l"))
    _ = try writer.save(repoPath("d"))
    #expect(try scratch.listing("target") == "644 1 f target\n")
    #expect(try scratch.sh("readlink l || true").hasSuffix("target\n") == false)
    #expect(try scratch.sh("cat l d/l") == "a\na\n")
  }

  @Test("without relink the workspace is untouched")
  func noRelink() throws {
    let scratch = try Scratch()
    try scratch.sh("echo a > a; chmod 600 a")
    _ = try scratch.writer([.symlink]).save(repoPath("a"), relink: false)
    #expect(try scratch.listing("a") == "600 1 f a\n")
  }

  @Test("an altered object that lost its protection is replaced")
  func heals() throws {
    let scratch = try Scratch()
    try scratch.sh("echo hello > f")
    let writer = scratch.writer()
    let hash = try #require(try writer.save(repoPath("f")).hash)
    let object = scratch.cache().current.path(of: hash)
    try scratch.sh("chmod u+w \(object); echo bad > \(object)")
    _ = try writer.save(repoPath("f"))
    #expect(try scratch.sh("cat \(object)") == "hello\n")
    #expect(try scratch.cache().contains(hash))
  }

  @Test("legacy hashes go to the legacy layout")
  func legacy() throws {
    let scratch = try Scratch()
    try scratch.sh("printf 'a\\r\\n' > f; mkdir d; printf 'a\\r\\n' > d/f")
    let content = try scratch.writer().save(repoPath("f"), algorithm: .md5Dos2unix)
    #expect(content.hash?.text == "60b725f10c9c85c70d97880dfe8191b3")
    #expect(try scratch.sh("find .dvc/cache -type f") == ".dvc/cache/60/b725f10c9c85c70d97880dfe8191b3\n")
    let folder = try scratch.writer().save(repoPath("d"), algorithm: .md5Dos2unix)
    #expect(try scratch.cache().contains(try #require(folder.hash)))
  }

  @Test("a shared cache is writable for its group")
  func shared() throws {
    let scratch = try Scratch()
    try scratch.sh("echo a > a; mkdir d; echo b > d/b")
    let writer = CacheWriter(cache: scratch.cache([.copy], shared: true), snapshotter: scratch.snapshotter())
    _ = try writer.save(repoPath("a"))
    _ = try writer.save(repoPath("d"))
    #expect(try scratch.sh("stat -c '%a' .dvc/cache/files .dvc/cache/files/md5 .dvc/cache/files/md5/60 a d/b") == "2775\n2775\n2775\n664\n644\n")
  }

  @Test("nothing at the path is no error")
  func missing() throws {
    let scratch = try Scratch()
    #expect(try scratch.writer().save(repoPath("gone")).isMissing)
  }

  @Test("equal files that are stored at once by hard links both share the object")
  func equalAtOnce() throws {
    let scratch = try Scratch()
    let writer = scratch.writer([.hardlink])
    let rounds = 400
    try scratch.sh("for r in $(seq \(rounds)); do echo same $r > $r-1; cp $r-1 $r-2; done")
    for round in 1...rounds {
      // Both at the same moment, else one is through before the other begins.
      let waiting = Atomic(2)
      DispatchQueue.concurrentPerform(iterations: 2) { number in
        waiting.subtract(1, ordering: .relaxed)
        // Where there is one thread for both, the other never comes.
        var patience = 1_000_000
        while waiting.load(ordering: .relaxed) > 0, patience > 0 { patience -= 1 }
        #expect(throws: Never.self) { try writer.save(repoPath("\(round)-\(number + 1)")) }
      }
    }
    #expect(try scratch.sh("stat -c '%h %a' *-[12] | sort | uniq -c | tr -s ' '") == " \(2 * rounds) 3 444\n")
  }
}
