// What a remote that keeps versions must do, against the S3 server of the test run and its bucket with versions.
import CairnCore
import CairnServices
import CairnStore
import CairnSystem
import CairnTestSupport
import Synchronization
import Testing

@Suite(.enabled(if: S3Engine.running != nil || Environment.value("CAIRN_CONFORMANCE") == "required"))
struct VersionedStorageTests {
  private let folder: TemporaryFolder
  private let engine: S3Engine
  private let prefix = "versions/" + AtomicFile.uniqueWord()

  init() throws {
    folder = try TemporaryFolder()
    engine = try #require(S3Engine.running, "the S3 server is not up (Tests/Engines/s3-up.sh)")
  }

  private func storage(versions: Bool = true, encryptedBy headers: HTTPHeaders = [:]) throws -> S3Storage {
    let client = try engine.client(bucket: versions ? engine.bucket + "-versions" : engine.bucket)
    return S3Storage(client, prefix: prefix, encryptedBy: headers, jobs: 4)
  }

  private func hash(_ text: String) -> ContentHash { ContentHash(.md5, ContentHasher.md5(of: Array(text.utf8))) }

  private func send(_ text: String, to key: String, _ storage: some VersionedStorage) throws -> FileVersion {
    let path = folder(AtomicFile.uniqueWord())
    try Files.write(Array(text.utf8), to: path)
    return try storage.uploadVersion(path, to: key, as: hash(text)) { _ in }
  }

  private func bring(_ key: String, _ version: String, _ storage: some VersionedStorage) throws -> String? {
    let path = folder(AtomicFile.uniqueWord())
    guard try storage.download(key, version: version, to: path, .md5, { _ in }) != nil else {
      #expect(!Files.exists(path))
      return nil
    }
    return try Files.read(path).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("each version of a file comes back, also from under a mark of deletion")
  func versions() throws {
    let storage = try storage()
    #expect(try storage.keepsVersions() == true)
    for key in ["f", "d/ü +%41 &x"] {
      #expect(try storage.latest(key) == nil)
      let first = try send("one", to: key, storage)
      let second = try send("two!", to: key, storage)
      #expect(first.id != second.id && first.etag == hash("one").digest.hex && second.size == 4)
      #expect(try storage.latest(key) == second)
      try storage.remove([key])
      #expect(try storage.latest(key) == nil)
      for (version, text) in [(first, "one"), (second, "two!")] {
        #expect(try storage.has(version.id, of: key))
        #expect(try bring(key, version.id, storage) == text)
      }
    }
  }

  @Test("a version that is not there, of another file, or of no server's making is missing, and no fault")
  func missing() throws {
    let storage = try storage()
    let version = try send("one", to: "f", storage)
    for (key, id) in [("g", version.id), ("f", String(repeating: "0", count: 32)), ("f", "no such/version?")] {
      #expect(try !storage.has(id, of: key), "\(key) \(id)")
      #expect(try bring(key, id, storage) == nil, "\(key) \(id)")
    }
  }

  @Test("a listing has all versions below a folder, in as many pages as it takes")
  func listing() throws {
    let storage = try storage()
    var sent: [String: [FileVersion]] = [:]
    for key in ["d/a", "d/b c", "d/sub/ü"] { sent[key] = [try send("1", to: key, storage), try send("2", to: key, storage)] }
    _ = try send("beside", to: "dd", storage)
    try storage.remove(["d/a"])
    let many = Mutex(0)
    _ = try Concurrently.each(600, threads: 16) { number throws(Diagnostic) in
      let path = folder("many\(number)")
      try Files.write([1], to: path)
      for _ in 0..<2 {
        _ = try storage.uploadVersion(path, to: "d/many/\(number)", as: ContentHash(.md5, ContentHasher.md5(of: [1]))) { _ in }
      }
      many.withLock { $0 += 1 }
    }
    let found = try storage.versions(below: "d/")
    #expect(found.count == 603 && many.withLock { $0 } == 600)
    for (key, versions) in sent {
      #expect(found[RepoPath(unchecked: key)]?.all == Set(versions.map(\.id)), "\(key)")
      #expect(found[RepoPath(unchecked: key)]?.latest == (key == "d/a" ? nil : versions[1]), "\(key)")
    }
    #expect(found.values.reduce(0) { $0 + $1.all.count } == 1206)
  }

  @Test("a bucket without versions says so, before anything is sent and after")
  func unversioned() throws {
    let storage = try storage(versions: false)
    #expect(try storage.keepsVersions() == false)
    let failure = #expect(throws: Diagnostic.self) { _ = try send("one", to: "f", storage) }
    #expect(
      failure?.fullMessage
        == "unexpected error - while uploading '\(engine.bucket)/\(prefix)/f', support for versioning could not be detected")
    // A version named by what says "null" would be the next one, too.
    #expect(try storage.latest("f") == nil && storage.size(of: "f") == 3)
  }

  @Test("a large file goes in parts, and its version is known")
  func large() throws {
    let storage = try storage()
    let path = folder("large")
    let bytes = [UInt8](repeating: 7, count: 70 << 20)
    try Files.write(bytes, to: path)
    let digest = ContentHasher.md5(of: bytes)
    let version = try storage.uploadVersion(path, to: "large", as: ContentHash(.md5, digest)) { _ in }
    #expect(version.size == 70 << 20 && version.etag.hasSuffix("-3"))
    #expect(try storage.latest("large") == version && storage.has(version.id, of: "large"))
    let digests = try storage.download("large", version: version.id, to: folder("back"), .md5) { _ in }
    #expect(digests?.md5 == digest)
  }

  @Test("what is encrypted with a key of our own is read with that key alone")
  func customerKey() throws {
    let options: ValueMap = [
      "url": .string("s3://\(engine.bucket)-versions/\(prefix)"), "endpointurl": .string(engine.endpoint),
      "access_key_id": .string(engine.keys.accessKeyID), "secret_access_key": .string(engine.keys.secretAccessKey),
    ]
    var encrypted = options
    encrypted["sse_customer_key"] = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    let services = RemoteServices(CurlTransport(), S3Engine.nowhere)
    let ours = try #require(try services.storage("r", encrypted, relativeTo: "/") as? S3Storage)
    let version = try send("secret", to: "f", ours)
    #expect(try bring("f", version.id, ours) == "secret")
    #expect(try ours.latest("f")?.id == version.id && ours.has(version.id, of: "f") && ours.size(of: "f") == 6)
    let others = try #require(try services.storage("r", options, relativeTo: "/") as? S3Storage)
    #expect(throws: Diagnostic.self) { try others.read("f", limit: 10) }
    encrypted["sse_customer_key"] = "no base64!"
    #expect(throws: Diagnostic.self) { try services.storage("r", encrypted, relativeTo: "/") }
    encrypted["sse_customer_key"] = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    encrypted["sse_kms_key_id"] = "k"
    let failure = #expect(throws: Diagnostic.self) { try services.storage("r", encrypted, relativeTo: "/") }
    #expect(failure?.message.contains("mutually exclusive") ?? false)
  }
}
