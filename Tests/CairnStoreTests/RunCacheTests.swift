import CairnCore
import CairnStore
import Testing

@Suite struct RunCacheTests {
  /// The entry of a stage that DVC 3.67.1 ran; key, value and text are what it wrote.
  private let entry = LockEntry(
    command: .string("cp in out && mkdir -p dir && cp in dir/f && chmod +x out && echo '{}' > m.json"),
    deps: [
      LockedFile(path: "in", hashName: "md5", hashText: "401b30e3b8b5d629635a5c613cdb7919", size: 2),
      LockedFile(path: "src", hashName: "md5", hashText: "2d8b540652193c4a653cb6a3f9325132.dir", size: 3, fileCount: 1),
    ],
    params: ["params.yaml": ["lr": 0.1, "name": "a b", "size": 3]],
    outs: [
      LockedFile(path: "dir", hashName: "md5", hashText: "f4463fce9fb43a29114393ccd514b379.dir", size: 2, fileCount: 1),
      LockedFile(path: "m.json", hashName: "md5", hashText: "8a80554c91d9fca8acb82f023de02f11", size: 3),
      LockedFile(path: "out", hashName: "md5", hashText: "401b30e3b8b5d629635a5c613cdb7919", size: 2, isExecutable: true),
    ])
  private let key = "267785ad2fa87235626340a9e655d39341f7f0a2f31ccfb8ffa1de1e0903c4d0"
  private let value = "b70cc0fb868d1558a8333c6b760b98ff1f3e4b27e30b59b4584985c8ff19ed5d"

  @Test("key and value are DVC's")
  func names() {
    #expect(RunCache.key(entry) == key)
    #expect(RunCache.value(entry) == value)
  }

  @Test("key and value are DVC's for a stage without parameters, whose text is written without a tree of values")
  func namesOfPlainEntry() {
    var entry = LockEntry(
      command: #"cp "in é" out && chmod +x out && mkdir -p dir && cp "in é" dir/f"#,
      deps: [
        LockedFile(path: "in é", hashName: "md5", hashText: "ba8d2b9408ed255ee92a112fe7ba59be", size: 3),
        LockedFile(path: "src", hashName: "md5", hashText: "134c70ba5e66ead9a17838ee53a592a1.dir", size: 2, fileCount: 1),
      ],
      outs: [
        LockedFile(path: "dir", hashName: "md5", hashText: "68d1af169d53aa22670f8a3a160906dd.dir", size: 3, fileCount: 1),
        LockedFile(path: "out", hashName: "md5", hashText: "ba8d2b9408ed255ee92a112fe7ba59be", size: 3, isExecutable: true),
      ])
    #expect(RunCache.key(entry) == "0f11eade58e056edf7899aa4a42440d44da6fb8caac5b157b574aed82958951b")
    #expect(RunCache.value(entry) == "366f7995fa3ff9add8da151c0ea50db47ce2b86729b6fe8370f5821edea226b2")
    // An entry with a key of its own takes the general way, where such a key counts.
    let plain = RunCache.key(entry)
    entry.deps[0].other = ["etag": "x"]
    #expect(RunCache.key(entry) != plain)
  }

  @Test("an entry is written to DVC's place in DVC's bytes, and found again")
  func roundTrip() throws {
    let scratch = try Scratch()
    let runs = RunCache(cache: scratch.cache())
    try runs.save(entry)
    try runs.save(entry)
    let path = ".dvc/cache/runs/26/\(RunCache.key(entry))/\(value)"
    #expect(try scratch.sh("find .dvc/cache/runs -type f -printf '%m %p\\n'") == "644 \(path)\n")
    let written = try scratch.sh("cat \(path)")
    #expect(written == """
      cmd: cp in out && mkdir -p dir && cp in dir/f && chmod +x out && echo '{}' > 
        m.json
      deps:
      - path: in
        hash: md5
        md5: 401b30e3b8b5d629635a5c613cdb7919
        size: 2
      - path: src
        hash: md5
        md5: 2d8b540652193c4a653cb6a3f9325132.dir
        size: 3
        nfiles: 1
      params:
        params.yaml:
          lr: 0.1
          name: a b
          size: 3
      outs:
      - path: dir
        hash: md5
        md5: f4463fce9fb43a29114393ccd514b379.dir
        size: 2
        nfiles: 1
      - path: m.json
        hash: md5
        md5: 8a80554c91d9fca8acb82f023de02f11
        size: 3
      - path: out
        hash: md5
        md5: 401b30e3b8b5d629635a5c613cdb7919
        size: 2
        isexec: true

      """)
    #expect(try runs.entry(for: RunCache.key(entry)) == entry)
    #expect(try runs.restorableEntry(for: RunCache.key(entry)) == nil)
    #expect(try runs.entry(for: String(repeating: "0", count: 64)) == nil)
  }

  @Test("the newest entry counts; a broken one is removed and told")
  func newestAndBroken() throws {
    let scratch = try Scratch()
    let runs = RunCache(cache: scratch.cache())
    var other = entry
    other.outs[1].hashText = "401b30e3b8b5d629635a5c613cdb7919"
    try runs.save(entry)
    try runs.save(other)
    #expect(RunCache.key(other) == RunCache.key(entry))
    let folder = ".dvc/cache/runs/26/\(RunCache.key(entry))"
    try scratch.sh("touch -d '1 hour ago' \(folder)/\(RunCache.value(entry))")
    #expect(try runs.entry(for: RunCache.key(entry)) == other)
    try scratch.sh("echo 'a: [' > \(folder)/\(RunCache.value(other))")
    var told: [String] = []
    #expect(try runs.entry(for: RunCache.key(entry), warn: { told.append($0) }) == nil)
    #expect(told.count == 1)
    #expect(try runs.entry(for: RunCache.key(entry)) == entry)
  }

  @Test("what is being written into an entry's folder is no entry")
  func temporary() throws {
    let scratch = try Scratch()
    let runs = RunCache(cache: scratch.cache())
    try runs.save(entry)
    let other = ".dvc/cache/runs/26/\(RunCache.key(entry))/.cairn-1-00000000000-0.tmp"
    _ = try scratch.sh("sleep 0.02; : > \(other)")
    #expect(try runs.entry(for: RunCache.key(entry)) == entry)
    _ = try scratch.sh("test -e \(other)")
  }

  @Test("an entry whose outputs are in the cache may stand for a run")
  func restorable() throws {
    let scratch = try Scratch()
    try scratch.sh("echo x > out; mkdir dir; echo x > dir/f; echo '{}' > m.json")
    let writer = scratch.writer()
    for name in ["out", "dir", "m.json"] { _ = try writer.save(repoPath(name)) }
    let runs = RunCache(cache: scratch.cache())
    try runs.save(entry)
    #expect(try runs.restorableEntry(for: RunCache.key(entry)) == entry)
    try scratch.sh("rm -f .dvc/cache/files/md5/40/*")
    #expect(try runs.restorableEntry(for: RunCache.key(entry)) == nil)
  }

  @Test("which stages DVC keeps")
  func canKeep() {
    var stage = Stage(address: StageAddress(file: repoPath("dvc.yaml"), name: "t"), kind: .pipeline)
    stage.commands = ["cp a b"]
    stage.dependencies = [Dependency(declared: "a", location: .local(repoPath("a")))]
    stage.outputs = [Output(declared: "b", location: .local(repoPath("b")))]
    #expect(RunCache.canKeep(stage))
    func outside(_ path: String) -> Location { PathResolver(root: "/p", workTree: nil).location(ofAbsolute: path) }
    func but(_ change: (inout Stage) -> Void) -> Bool {
      var changed = stage
      change(&changed)
      return RunCache.canKeep(changed)
    }
    #expect(!but { $0.isAlwaysChanged = true })
    #expect(!but { $0.dependencies = [] })
    #expect(!but { $0.outputs = [] })
    #expect(!but { $0.commands = [] })
    #expect(!but { $0.outputs[0].isPersistent = true })
    #expect(!but { $0.outputs[0].location = outside("/b") })
    #expect(!but { $0.dependencies[0].location = .url("s3://a/b") })
    #expect(but { $0.dependencies[0].location = outside("/a") })
  }
}
