// Pushes to and fetches from a remote that keeps versions: what is sent, what is written down, and what is not when
// something fails. The remote is one in memory that fails where it is told to.
import CairnCore
import CairnFormats
import CairnStore
import CairnSystem
import CairnTestSupport
import Synchronization
import Testing

@testable import CairnEngine

/// Versions are numbered through the whole remote.
private final class MemoryVersions: VersionedStorage {
  struct State {
    var versions: [String: [(id: String, bytes: [UInt8])]] = [:]
    var deleted: Set<String> = []
    var count = 0
    var asked: [String] = []
    /// Keys whose uploads fail.
    var failing: Set<String> = []
    var keepsVersions: Bool? = true
  }
  let state = Mutex(State())
  let place = "s3://bucket/prefix"
  let jobs = 2

  private static func version(_ version: (id: String, bytes: [UInt8])) -> FileVersion {
    FileVersion(etag: ContentHasher.md5(of: version.bytes).hex, id: version.id, size: UInt64(version.bytes.count))
  }

  func keepsVersions() throws(Diagnostic) -> Bool? { state.withLock { $0.keepsVersions } }
  func latest(_ key: String) throws(Diagnostic) -> FileVersion? {
    state.withLock { state in
      state.asked.append("latest " + key)
      return state.deleted.contains(key) ? nil : state.versions[key]?.last.map(Self.version)
    }
  }
  func has(_ version: String, of key: String) throws(Diagnostic) -> Bool {
    state.withLock { $0.versions[key]?.contains { $0.id == version } ?? false }
  }
  func versions(below prefix: String) throws(Diagnostic) -> [RepoPath: FileVersions] {
    state.withLock { state in
      state.asked.append("list " + prefix)
      var found: [RepoPath: FileVersions] = [:]
      for (key, versions) in state.versions where key.hasPrefix(prefix) {
        found[RepoPath(unchecked: key)] = FileVersions(
          latest: state.deleted.contains(key) ? nil : versions.last.map(Self.version), all: Set(versions.map(\.id)))
      }
      return found
    }
  }
  func uploadVersion(
    _ path: String, to key: String, as hash: ContentHash, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> FileVersion {
    let bytes = try Files.read(path) ?? []
    let version: (id: String, bytes: [UInt8])? = state.withLock { state in
      if state.failing.contains(key) { return nil }
      state.count += 1
      state.versions[key, default: []].append(("v\(state.count)", bytes))
      state.deleted.remove(key)
      return ("v\(state.count)", bytes)
    }
    guard let version else { throw Diagnostic(.io, "the line to '\(key)' is down") }
    return Self.version(version)
  }
  func download(
    _ key: String, version: String, to path: String, _ kinds: DigestKinds, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> Digests? {
    guard let bytes = state.withLock({ $0.versions[key]?.first { $0.id == version }?.bytes }) else { return nil }
    try Files.write(bytes, to: path)
    return ContentHasher.digests(of: bytes, kinds)
  }
  func remove(_ keys: [String]) throws(Diagnostic) { state.withLock { $0.deleted.formUnion(keys) } }

  func beside(_ folder: String) -> any RemoteStorage { self }
  func size(of key: String) throws(Diagnostic) -> UInt64? { try latest(key)?.size }
  func list(_ prefix: String, _ use: ([RemoteFile]) throws(Diagnostic) -> Bool) throws(Diagnostic) {}
  func read(_ key: String, limit: Int) throws(Diagnostic) -> [UInt8]? { nil }
  func download(
    _ key: String, to path: String, _ kinds: DigestKinds, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> Digests? { nil }
  func digests(of key: String, _ kinds: DigestKinds, _ report: @escaping ByteReport) throws(Diagnostic) -> Digests? { nil }
  func upload(
    _ path: String, to key: String, as hash: ContentHash?, _ report: @escaping ByteReport
  ) throws(Diagnostic) {}
}

struct VersionedTransferTests {
  private let folder: TemporaryFolder
  private let cache: DataCache
  private let remote = MemoryVersions()

  init() throws {
    folder = try TemporaryFolder()
    cache = DataCache(folder: folder("cache"))
    try Files.makeDirectories(cache.current.folder)
  }

  private func keep(_ text: String) throws -> ContentHash {
    let hash = ContentHash(.md5, ContentHasher.md5(of: Array(text.utf8)))
    try cache.current.write(Array(text.utf8), as: hash)
    return hash
  }

  private func output(file path: String, _ text: String) throws -> VersionedOutput {
    let hash = try keep(text)
    let locked = LockedFile(path: path, hashName: "md5", hashText: hash.text, size: UInt64(text.utf8.count))
    return output(path, locked, hash)
  }

  private func output(folder path: String, _ files: [String: String]) throws -> VersionedOutput {
    let entries = try files.map { DirectoryManifest.Entry(path: $0.key, md5: try keep($0.value).digest) }
    let bytes = ManifestJSON.encode(DirectoryManifest(entries.sorted { $0.path.precedesInBytes($1.path) }))
    let hash = ContentHash(.md5, ContentHasher.md5(of: bytes), isDirectory: true)
    try cache.current.write(bytes, as: hash)
    return output(path, LockedFile(path: path, hashName: "md5", hashText: hash.text), hash)
  }

  private func output(_ path: String, _ locked: LockedFile, _ hash: ContentHash) -> VersionedOutput {
    let stage = Stage(address: StageAddress(file: RepoPath(unchecked: path + ".dvc"), name: nil), kind: .tracked)
    return VersionedOutput(stage: stage, index: 0, path: RepoPath(unchecked: path), locked: locked, hash: hash, part: nil)
  }

  private func push(_ outputs: [VersionedOutput]) throws -> (sent: Int, failures: Int, said: [LockedFile?]) {
    var push = VersionedPush(remote, remote: "r", cache: cache, jobs: 1, TransferProgress())
    let outcome = try push.run(outputs)
    return (outcome.transferred, outcome.failures.count, push.news.map(\.locked))
  }

  /// Of each file of a folder, the version that is written down.
  private func versions(_ locked: LockedFile?) -> [String: String?] {
    var found: [String: String?] = [:]
    for item in locked?.other["files"]?.list ?? [] {
      found[item["relpath"]?.string ?? ""] = .some(item.map.flatMap(NamedVersion.init)?.id)
    }
    return found
  }

  @Test("what went is written down though the rest failed, and a file that did not go has no version")
  func failure() throws {
    remote.state.withLock { $0.failing = ["d/b", "g"] }
    let outputs = [try output(folder: "d", ["a": "1", "b": "2"]), try output(file: "f", "3"), try output(file: "g", "4")]
    let (sent, failures, said) = try push(outputs)
    #expect(sent == 2 && failures == 2)
    #expect(versions(said[0]) == ["a": "v1", "b": nil])
    #expect(said[1]?.other["cloud"]?["r"]?["version_id"]?.string == "v2" && said[2] == nil)
    // The next one sends only those.
    remote.state.withLock { $0.failing = [] }
    var again = outputs
    again[0].locked = try #require(said[0])
    again[1].locked = try #require(said[1])
    let (rest, none, then) = try push(again)
    #expect(rest == 2 && none == 0 && versions(then[0]) == ["a": "v1", "b": "v3"] && then[1] == nil)
  }

  @Test("what has arrived and was not written down is found, and what is older stays named")
  func found() throws {
    let one = try output(file: "f", "1")
    let first = try push([one]).said[0]
    #expect(try push([one]).sent == 0 && push([one]).said[0] == first)
    let two = try output(file: "f", "2")
    #expect(try push([two]).sent == 1)
    // From the older commit: its version is there, so nothing is sent, and the newest stays the newest.
    var older = one
    older.locked = try #require(first)
    let (sent, _, said) = try push([older])
    #expect(sent == 0 && said == [nil])
    #expect(try remote.latest("f")?.etag == two.hash.digest.hex)
  }

  @Test("a remote that keeps no versions gets nothing")
  func noVersions() throws {
    remote.state.withLock { $0.keepsVersions = false }
    let output = try output(file: "f", "1")
    var push = VersionedPush(remote, remote: "r", cache: cache, jobs: 1, TransferProgress())
    #expect(throws: Diagnostic.self) { try push.run([output]) }
    #expect(push.news.isEmpty && remote.state.withLock { $0.versions.isEmpty })
  }

  @Test("a file that became a folder goes when all of the folder has arrived, and not before")
  func becomesFolder() throws {
    _ = try push([try output(file: "d", "1")])
    let folder = try output(folder: "d", ["a": "2", "b": "3"])
    remote.state.withLock { $0.failing = ["d/b"] }
    _ = try push([folder])
    #expect(try remote.latest("d") != nil)
    remote.state.withLock { $0.failing = [] }
    _ = try push([folder])
    #expect(try remote.latest("d") == nil && remote.has("v1", of: "d"))
  }

  @Test("of a large folder the remote is asked once")
  func large() throws {
    let files = Dictionary(uniqueKeysWithValues: (0..<40).map { ("f\($0)", "\($0)") })
    #expect(try push([try output(folder: "d", files)]).sent == 40)
    let asked = remote.state.withLock { $0.asked }
    #expect(asked == ["list d/", "latest d"])
  }

  @Test("a version comes from where it is named; other bytes get into no cache; what is not there is told")
  func fetch() throws {
    let outputs = [try output(folder: "d", ["a": "1", "b": "2"]), try output(file: "f", "3"), try output(file: "g", "4")]
    let said = try push(outputs).said
    // Newer ones are of no matter.
    for text in ["5", "6"] { _ = try push([try output(file: "f", text)]) }
    let cache = DataCache(folder: folder("other"))
    var named = outputs
    for index in named.indices { named[index].locked = try #require(said[index]) }
    remote.state.withLock { state in
      state.versions["d/b"]?[0].bytes = Array("other".utf8)
      state.versions["g"] = nil
    }
    let outcome = try VersionedFetch(remote, cache: cache).run(named)
    #expect(outcome.transferred == 2 && outcome.missing == [outputs[2].hash])
    #expect(outcome.failures.map(\.hash.text) == [ContentHash(.md5, ContentHasher.md5(of: Array("2".utf8))).text])
    #expect(try cache.contains(outputs[1].hash) && cache.current.manifest(outputs[0].hash)?.entries.count == 2)
    // A version that nobody wrote down is as good as its bytes.
    try Files.remove(cache.current.path(of: outputs[1].hash))
    #expect(try VersionedFetch(remote, cache: cache).run([outputs[1]]).missing == [outputs[1].hash])
    let newest = try output(file: "f", "6")
    #expect(try VersionedFetch(remote, cache: cache).run([newest]).transferred == 1)
  }

  @Test("a lock that tells folders file by file is written as it was read")
  func lock() throws {
    let text = """
      schema: '2.0'
      stages:
        s:
          cmd: make
          deps:
          - path: d
            hash: md5
            files:
            - relpath: a
              md5: 60b725f10c9c85c70d97880dfe8191b3
          outs:
          - path: od
            hash: md5
            files:
            - relpath: '1'
              md5: 9a8ad92c50cae39aa2c5604fd0ab6d8c
              size: 2
              cloud:
                r:
                  etag: 9a8ad92c50cae39aa2c5604fd0ab6d8c
                  version_id: 6713011ffc87626f6cf5ecb2b89927b2
          - path: out
            hash: md5
            md5: 9a8ad92c50cae39aa2c5604fd0ab6d8c
            size: 2
            cloud:
              r:
                etag: 9a8ad92c50cae39aa2c5604fd0ab6d8c
                version_id: 6713011ffe4a54c31091cad21e39c1d7

      """
    let lock = try LockYAML.read(SourceText(path: "dvc.lock", bytes: Array(text.utf8))).withHashesOfFiles
    let entry = try #require(lock.entries["s"])
    #expect(entry.out("od")?.hashText == "06aec1b5ab96dc4a7e0e230119e6485d.dir" && entry.out("od")?.fileCount == 1)
    #expect(entry.dep("d")?.contentHash?.isDirectory == true)
    #expect(String(decoding: LockYAML.encode(lock), as: UTF8.self) == text)
    // Run again with the same results: the file keeps its version, the folder has its hash.
    var plain = entry
    plain.outs = entry.outs.map(\.withoutVersions)
    let kept = plain.keepingVersionsOfFiles(in: entry)
    #expect(kept.out("out") == entry.out("out") && kept.out("od") == plain.out("od"))
    plain.outs[1].hashText = "60b725f10c9c85c70d97880dfe8191b3"
    #expect(plain.keepingVersionsOfFiles(in: entry).outs == plain.outs)
  }
}
