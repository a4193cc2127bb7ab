// Records on the disk: whole, under their hash, once.
import CairnCore
import CairnLineage
import CairnSystem
import Foundation
import Testing

@Suite struct RecordStoreTests {
  @Test("a record lies under the SHA-256 that sha256sum gives for its file")
  func name() throws {
    let place = TemporaryStore()
    let id = try place.store.write(RunRecord.example("train", outputs: [("model.pkl", "aa")]))
    let file = place.path(id.digest)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/sha256sum")
    process.arguments = [file]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    process.waitUntilExit()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(text.hasPrefix(id.hex + " "))
    #expect(try place.store.record(id)?.stage.address == "train")
  }

  @Test("what is not there is nil, whatever exists already")
  func missing() throws {
    let place = TemporaryStore()
    let nowhere = RunID(try #require(Digest32(hex: String(repeating: "ab", count: 32))))
    #expect(try place.store.record(nowhere) == nil)
    try place.store.put(object: [1])
    #expect(try place.store.record(nowhere) == nil)
    #expect(try place.store.presence(of: nowhere.digest) == .missing)
  }

  @Test("a record that a journal still holds is not missing")
  func pending() throws {
    let place = TemporaryStore()
    let producer = RunRecord.example("prepare", outputs: [("a", "aa")])
    let id = try TemporaryStore().store.write(producer)
    var consumer = RunRecord.example("train", inputs: [("a", "aa")])
    consumer.inputs[0].producer = id
    try place.store.write(consumer)
    #expect(try StoreCheck(place.store).faults.map(\.hash) == [id.digest])
    #expect(try StoreCheck(place.store, pending: [id.digest]).isWhole)
  }

  @Test("an altered record is reported and never used; a right copy in the shared store is")
  func altered() throws {
    let place = TemporaryStore()
    let id = try place.store.write(RunRecord.example("train"))
    try spoil(place.path(id.digest))
    #expect { try place.store.record(id) } throws: { ($0 as? Diagnostic)?.code == .recordAltered }
    #expect(try place.store.presence(of: id.digest) == .altered)

    let shared = TemporaryStore(shared: true)
    let other = try shared.store.write(RunRecord.example("train"))
    try spoil(shared.path(other.digest))
    #expect(try shared.store.record(other) != nil)
  }

  private func spoil(_ path: String) throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    var bytes = try #require(try Files.read(path))
    bytes[20] ^= 1
    try Files.write(bytes, to: path)
  }

  @Test("writing the same bytes again does nothing; a torn file of another length is written anew")
  func idempotent() throws {
    let place = TemporaryStore()
    let bytes = Array("hello".utf8)
    let digest = try place.store.put(object: bytes)
    let before = try FileStat.of(place.path(digest, suffix: ""))
    #expect(try place.store.put(object: bytes) == digest)
    #expect(try FileStat.of(place.path(digest, suffix: ""))?.inode == before?.inode)
    try Files.chmod(place.path(digest, suffix: ""), 0o644)
    try Files.write(Array("hel".utf8), to: place.path(digest, suffix: ""))
    try place.store.put(object: bytes)
    #expect(try place.store.object(digest) == bytes)
  }

  @Test("beside a shared cache each document also lies there, and is read from there")
  func shared() throws {
    let place = TemporaryStore(shared: true)
    let id = try place.store.write(RunRecord.example("train"))
    #expect(Files.exists(place.path(id.digest, in: "/cache/cairn")))
    try Files.remove(place.path(id.digest))
    #expect(try place.store.record(id) != nil)
    #expect(try place.store.documents() == [id.digest])
  }

  @Test("git and DVC never see the store")
  func ignored() throws {
    let place = TemporaryStore()
    try place.store.put(object: [])
    #expect(try Files.readText(place.top + "/.cairn/.gitignore") == "*\n!config.toml\n")
    #expect(try Files.readText(place.top + "/.cairn/.dvcignore") == "*\n")
    try Files.write("mine\n", to: place.top + "/.cairn/.gitignore")
    try RecordStore(folder: place.store.folder, sharedFolder: nil).put(object: [1])
    #expect(try Files.readText(place.top + "/.cairn/.gitignore") == "mine\n")
  }

  @Test("a store keeps its name")
  func identifier() throws {
    let place = TemporaryStore()
    let name = try place.store.identifier()
    #expect(UUID(uuidString: name) != nil)
    #expect(try RecordStore(folder: place.store.folder, sharedFolder: nil).identifier() == name)
  }

  @Test("a run is named by four digits, and by more where another document begins with them")
  func shortName() throws {
    let place = TemporaryStore()
    let run = try place.store.write(RunRecord.example("train"))
    #expect(place.store.shortName(of: run) == run.hex.prefix(4))
    let digit = run.hex.dropFirst(6).first == "0" ? "1" : "0"
    let other = try #require(Digest32(hex: run.hex.prefix(6) + digit + run.hex.dropFirst(7)))
    #expect(FileManager.default.createFile(atPath: place.path(other), contents: Data()))
    #expect(place.store.shortName(of: run) == run.hex.prefix(7))
  }

  @Test("an erased object is told from a missing one")
  func erased() throws {
    let place = TemporaryStore()
    let log = try place.store.put(object: Array("a log of people".utf8))
    #expect(try place.store.presence(of: log) == .present)
    let tombstone = Tombstone(
      hash: log, reason: "request 17", authority: "GDPR art. 17", actor: "ann", time: "2026-05-12T14:02:00Z")
    try place.store.put(tombstone)
    try Files.remove(place.path(log, suffix: ""))
    #expect(try place.store.presence(of: log) == .erased(tombstone))
    // Another program may name its actor as records do.
    let other = try place.store.put(object: Array("another".utf8))
    let line = "{\"actor\":{\"host\":\"h\",\"name\":\"bob\"},\"hash\":\"\(other.hex)\",\"schema\":\"cairn.tombstone/v1\"}\n"
    let name = try place.store.put(document: Array(line.utf8))
    try AtomicFile.write(Array((name.hex + "\n").utf8), to: place.store.folder + "/tombstones/" + other.hex, sync: false)
    #expect(try place.store.tombstone(of: other)?.actor == "bob")
  }

  @Test("two invocations written at once both stay heads; the next one follows both")
  func heads() throws {
    let place = TemporaryStore()
    func invocation(_ number: Int, previous: [Digest32]) -> InvocationRecord {
      InvocationRecord(
        invocation: "01JQ000000000000000000000\(number)", actor: .init(name: "ann", host: "h"), started: 0, finished: 1,
        arguments: ["repro"], commit: nil, stages: [], store: "s", previous: previous, exit: 0)
    }
    let first = try place.store.write(invocation(1, previous: place.store.heads()))
    #expect(place.store.heads() == [first])
    let a = try place.store.write(invocation(2, previous: [first]))
    let b = try place.store.write(invocation(3, previous: [first]))
    #expect(place.store.heads() == [a, b].sorted())
    let last = try place.store.write(invocation(4, previous: place.store.heads()))
    #expect(place.store.heads() == [last])
    // No other record names the newest one: that it is gone is told all the same.
    #expect(try StoreCheck(place.store).isWhole)
    try Files.remove(place.path(last, suffix: ".json"))
    let faults = try StoreCheck(place.store).faults
    #expect(faults.map(\.hash) == [last] && faults.first?.role == "head")
  }

  @Test("behind the invocations of another repository that shares the cache the nearest of ours are found")
  func foreignHeads() throws {
    let place = TemporaryStore(shared: true)
    func store(_ name: String) -> RecordStore {
      RecordStore(folder: place.top + "/" + name, sharedFolder: place.top + "/cache/cairn") { $0 == "ours" }
    }
    func write(_ number: Int, _ repository: String, to store: RecordStore) throws -> Digest32 {
      var record = RunRecord.example("s", at: Int64(number))
      record.source.repository = repository
      let run = try store.write(record)
      return try store.write(
        InvocationRecord(
          invocation: "01JQ000000000000000000000\(number)", actor: .init(name: "ann", host: "h"), started: 0, finished: 1,
          arguments: ["repro"], commit: nil, stages: [.init(stage: "s", state: .ran, run: run)], store: "s",
          previous: store.heads(), exit: 0))
    }
    let ours = store("ours")
    let colleague = store("colleague")
    _ = try write(1, "ours", to: colleague)
    _ = try write(2, "theirs", to: store("theirs"))
    #expect(try ours.newestInvocations().map { $0.invocation.last } == ["1"])
    _ = try write(3, "ours", to: ours)
    _ = try write(4, "theirs", to: store("theirs"))
    #expect(try ours.newestInvocations().compactMap { $0.invocation.last }.max() == "3")
  }

  @Test("many threads may write at once")
  func threads() throws {
    let place = TemporaryStore()
    DispatchQueue.concurrentPerform(iterations: 64) { number in
      _ = try? place.store.write(RunRecord.example("stage\(number % 32)"))
    }
    #expect(try place.store.documents().count == 32)
  }
}
