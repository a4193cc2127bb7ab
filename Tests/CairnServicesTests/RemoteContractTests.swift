// What every remote must do, each against a real one: a folder, and the S3 server of the test run.
import CairnCore
import CairnServices
import CairnStore
import CairnSystem
import CairnTestSupport
import Synchronization
import Testing

struct RemoteContractTests {
  enum Kind: String, Sendable, CaseIterable { case folder, s3 }

  /// Where CI demands it, a remote without its server is a failure.
  static let kinds = Kind.allCases.filter {
    $0 == .folder || S3Engine.running != nil || Environment.value("CAIRN_CONFORMANCE") == "required"
  }

  private func storage(_ kind: Kind, _ folder: TemporaryFolder) throws -> any RemoteStorage {
    switch kind {
    case .folder: return FolderStorage(folder: folder("remote"))
    case .s3:
      let engine = try #require(S3Engine.running, "the S3 server is not up (Tests/Engines/s3-up.sh)")
      return S3Storage(try engine.client(), prefix: "contract/" + AtomicFile.uniqueWord(), jobs: 8)
    }
  }

  private func upload(_ text: String, to key: String, _ storage: any RemoteStorage, _ folder: TemporaryFolder) throws {
    let path = folder("up" + AtomicFile.uniqueWord())
    try Files.write(Array(text.utf8), to: path)
    try storage.upload(path, to: key, as: nil) { _ in }
  }

  private func hash(_ text: String) -> ContentHash { ContentHash(.md5, ContentHasher.md5(of: Array(text.utf8))) }

  @Test("what is not there is said to be missing, and nothing else", arguments: kinds)
  func missing(kind: Kind) throws {
    let folder = try TemporaryFolder()
    let storage = try storage(kind, folder)
    #expect(try storage.size(of: "no/such") == nil)
    #expect(try storage.read("no/such", limit: 10) == nil)
    #expect(try storage.download("no/such", to: folder("x"), .md5, { _ in }) == nil && !Files.exists(folder("x")))
    #expect(try storage.digests(of: "no/such", .md5, { _ in }) == nil)
    #expect(try !storage.holds(hash("a"), at: RemoteObjects.key(of: hash("a"))))
    var listed: [RemoteFile] = []
    try storage.list("") { (files) throws(Diagnostic) in
      listed += files
      return true
    }
    #expect(listed.isEmpty)
    try storage.remove(["no/such"])
  }

  @Test("what was sent comes back under its name, whatever that is", arguments: kinds)
  func roundTrip(kind: Kind) throws {
    let folder = try TemporaryFolder()
    let storage = try storage(kind, folder)
    let keys = ["a", "files/md5/ab/cdef", "b c/d+e%41&f=g", "ü/日本 #1?x", "runs/ab/" + String(repeating: "k", count: 64) + "/v"]
    for key in keys {
      try upload("of " + key, to: key, storage, folder)
      try upload("of " + key, to: key, storage, folder)
      #expect(try storage.size(of: key) == UInt64(("of " + key).utf8.count), "\(key)")
      #expect(try storage.read(key, limit: 1000) == Array(("of " + key).utf8), "\(key)")
      let path = folder("down")
      let sum = Mutex(0)
      let digests = try storage.download(key, to: path, [.md5, .sha256]) { count in sum.withLock { $0 += count } }
      #expect(digests?.md5 == hash("of " + key).digest && digests?.sha256 != nil, "\(key)")
      #expect(try Files.read(path) == Array(("of " + key).utf8) && sum.withLock { $0 } == ("of " + key).utf8.count)
      try Files.remove(path)
      let read = Mutex(0)
      #expect(try storage.digests(of: key, .md5, { count in read.withLock { $0 += count } })?.md5 == digests?.md5, "\(key)")
      #expect(read.withLock { $0 } == ("of " + key).utf8.count)
    }
    var listed: [String] = []
    try storage.list("") { (files) throws(Diagnostic) in
      listed += files.map(\.key)
      return true
    }
    #expect(listed.sorted() == keys.sorted())
    #expect(throws: Diagnostic.self) { try storage.read("a", limit: 2) }
    try storage.remove([keys[2], keys[3]])
    #expect(try storage.size(of: keys[2]) == nil && storage.size(of: keys[3]) == nil && storage.size(of: "a") != nil)
    try upload("", to: "empty", storage, folder)
    #expect(try storage.read("empty", limit: 1) == [] && storage.size(of: "empty") == 0)
  }

  @Test("an object gets its name only with its bytes", arguments: kinds)
  func wrongBytes(kind: Kind) throws {
    let folder = try TemporaryFolder()
    let storage = try storage(kind, folder)
    try folder.write("f", "other\n")
    for algorithm in [ContentHash.Algorithm.md5, .md5Dos2unix] {
      let wanted = ContentHash(algorithm, hash("wanted\n").digest)
      #expect(throws: Diagnostic.self, "\(algorithm)") {
        try storage.upload(folder("f"), to: RemoteObjects.key(of: wanted), as: wanted) { _ in }
      }
      #expect(try storage.size(of: RemoteObjects.key(of: wanted)) == nil)
    }
    let right = hash("other\n")
    try storage.upload(folder("f"), to: RemoteObjects.key(of: right), as: right) { _ in }
    #expect(try storage.holds(right, at: RemoteObjects.key(of: right)))
  }

  @Test("a listing gives all names once, in as many pages as it takes, and ends when told to", arguments: kinds)
  func pages(kind: Kind) throws {
    let folder = try TemporaryFolder()
    let storage = try storage(kind, folder)
    try folder.write("f", "1\n")
    let names = (0..<1203).map { "many/\($0 % 16)/\($0)" }
    let path = folder("f")
    _ = try Concurrently.each(names.count, threads: 16) { number throws(Diagnostic) in
      try storage.upload(path, to: names[number], as: nil) { _ in }
    }
    func list(_ prefix: String, most: Int = .max) throws -> [String] {
      var found: [String] = []
      try storage.list(prefix) { (files) throws(Diagnostic) in
        found += files.map(\.key)
        return found.count < most
      }
      return found
    }
    #expect(try list("many/").sorted() == names.sorted())
    #expect(try list("many/1").sorted() == names.filter { $0.hasPrefix("many/1") }.sorted())
    #expect(try list("many/3/").count == names.count { $0.hasPrefix("many/3/") })
    #expect(try list("many/", most: 1).count < names.count)
  }

  @Test("eight writers of one object do each other no harm", arguments: kinds)
  func writers(kind: Kind) throws {
    let folder = try TemporaryFolder()
    let storage = try storage(kind, folder)
    let text = String(repeating: "x", count: 100_000)
    try folder.write("f", text)
    let (path, object) = (folder("f"), hash(text))
    _ = try Concurrently.each(8, threads: 8) { _ throws(Diagnostic) in
      try storage.upload(path, to: RemoteObjects.key(of: object), as: object) { _ in }
    }
    #expect(try storage.read(RemoteObjects.key(of: object), limit: 1 << 20) == Array(text.utf8))
  }

  @Test("a large file goes and comes, its bytes counted once", arguments: kinds)
  func large(kind: Kind) throws {
    let folder = try TemporaryFolder()
    let storage = try storage(kind, folder)
    // More than two parts of S3.
    let size = 70 << 20
    var bytes = [UInt8](repeating: 0, count: size)
    for index in stride(from: 0, to: size, by: 4099) { bytes[index] = UInt8(truncatingIfNeeded: index >> 7) }
    try Files.write(bytes, to: folder("f"))
    let object = ContentHash(.md5, ContentHasher.md5(of: bytes))
    let sum = Mutex(0)
    try storage.upload(folder("f"), to: RemoteObjects.key(of: object), as: object) { count in sum.withLock { $0 += count } }
    #expect(sum.withLock { $0 } == size)
    #expect(try storage.size(of: RemoteObjects.key(of: object)) == UInt64(size))
    let digests = try storage.download(RemoteObjects.key(of: object), to: folder("g"), .md5) { _ in }
    #expect(digests?.md5 == object.digest)
    #expect(try storage.digests(of: RemoteObjects.key(of: object), .md5, { _ in })?.md5 == object.digest)
    let other = ContentHash(.md5, hash("other").digest)
    #expect(throws: Diagnostic.self) { try storage.upload(folder("f"), to: RemoteObjects.key(of: other), as: other) { _ in } }
    #expect(try storage.size(of: RemoteObjects.key(of: other)) == nil)
  }
}
