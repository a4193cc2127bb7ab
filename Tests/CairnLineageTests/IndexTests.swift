// Both indexes answer the same questions from the same records, and can be deleted at any time.
import CairnCore
import CairnLineage
import CairnSystem
import Foundation
import Testing

@Suite struct IndexTests {
  private func stage(_ name: String, deps: [String], outs: [String]) -> Stage {
    var stage = Stage(address: StageAddress(file: RepoPath(unchecked: "dvc.yaml"), name: name), kind: .pipeline)
    stage.dependencies = deps.map { Dependency(declared: $0, location: .local(RepoPath(unchecked: $0))) }
    stage.outputs = outs.map { Output(declared: $0, location: .local(RepoPath(unchecked: $0))) }
    return stage
  }

  @Test("behind a lock entry stands the earliest good run with its command, parameters and hashes")
  func behind() throws {
    let place = TemporaryStore()
    let producers = ProducerIndex(path: place.top + "/.cairn/producers")
    func write(_ record: RunRecord) throws -> RunID {
      let id = try place.store.write(record)
      producers.add(id, record)
      return id
    }
    let inputs = [("in", "11")], outputs = [("out", "22")]
    _ = try write(.example("s", inputs: inputs, outputs: outputs, at: 0, result: .failed))
    let good = try write(.example("s", inputs: inputs, outputs: outputs, at: 1))
    _ = try write(.example("s", inputs: inputs, outputs: outputs, at: 2))
    _ = try write(.example("other", inputs: inputs, outputs: outputs, at: 0))
    var restored = RunRecord.example("renamed", inputs: inputs, outputs: outputs, at: 3, result: .restored)
    restored.stage.cmd = ["run s"]
    restored.restoredFrom = good
    _ = try write(restored)

    var entry = LockEntry(
      command: "run s", deps: [LockedFile(path: "in", hashName: "md5", hashText: "11")],
      outs: [LockedFile(path: "out", hashName: "md5", hashText: "22")])
    let work = WorkKey(stage("s", deps: ["in"], outs: ["out"]), entry)
    let index = try place.index
    #expect(producers.run(behind: work, of: "s") == good)
    #expect(try index.run(behind: work, of: "s") == good)
    #expect(producers.run(behind: work, of: "renamed") == good)
    #expect(try index.run(behind: work, of: "renamed") == good)
    #expect(producers.runs(thatDid: work).first == good)
    entry.outs[0].hashText = "33"
    let unknown = WorkKey(stage("s", deps: ["in"], outs: ["out"]), entry)
    #expect(producers.run(behind: unknown, of: "s") == nil)
    #expect(try index.run(behind: unknown, of: "s") == nil)

    #expect(producers.producer(of: "out", md5: "22") { nil } != nil)
    #expect(producers.producer(of: "out", md5: "11") { nil } == nil)
    // Read from its file by another process, and made anew from the records.
    for file in [place.top + "/.cairn/producers", place.top + "/.cairn/again"] {
      let again = ProducerIndex(path: file)
      try again.catchUp(with: place.store)
      #expect(again.run(behind: work, of: "s") == good)
    }
  }

  @Test("a stage of the same name in another repository that shares the cache is not ours; its work is known")
  func foreign() throws {
    let place = TemporaryStore(shared: true)
    let theirs = RecordStore(folder: place.top + "/theirs", sharedFolder: place.top + "/cache/cairn")
    let store = RecordStore(folder: place.top + "/.cairn/runs", sharedFolder: place.top + "/cache/cairn") {
      $0 == "unknown" ? nil : $0 == "https://example.org/r.git"
    }
    func example(_ repository: String, at second: Int64) -> RunRecord {
      var record = RunRecord.example("s", inputs: [("in", "11")], outputs: [("out", "22")], at: second)
      record.source.repository = repository
      return record
    }
    let foreign = try theirs.write(example("https://example.org/other.git", at: 1))
    _ = try theirs.write(example("unknown", at: 2))
    let work = WorkKey(
      command: ["run s"], inputs: [("in", "11")], parameters: [], outputs: [("out", "22")])
    for round in 0..<2 {
      // The second time, from its file.
      let producers = ProducerIndex(path: place.top + "/.cairn/producers")
      if round == 0 { try producers.catchUp(with: store) }
      #expect(producers.history(of: "s") == nil && !producers.hasSucceeded("s"))
      #expect(producers.run(behind: work, of: "s") == nil)
      #expect(producers.newest(thatLeft: work, of: "s") == nil)
      #expect(producers.producer(of: "out", md5: "22") { nil } == nil)
      #expect(producers.runs(thatDid: work) == [foreign])
    }
    let path = place.top + "/.cairn/lineage.sqlite"
    var index = try LineageIndex(path: path, store: store)
    #expect(try index.last() == nil && index.run(behind: work, of: "s") == nil)
    #expect(try index.runs(LineageIndex.Filter(stage: "s")) == [])

    // A colleague's clone of ours, and what lies in our own store whatever it says.
    let colleague = try theirs.write(example("https://example.org/r.git", at: 3))
    let own = try store.write(example("https://example.org/renamed.git", at: 4))
    let producers = ProducerIndex(path: place.top + "/.cairn/producers")
    try producers.catchUp(with: store)
    #expect(producers.run(behind: work, of: "s") == colleague)
    #expect(producers.producer(of: "out", md5: "22") { nil } == own)
    index = try LineageIndex(path: path, store: store)
    #expect(try index.runs(LineageIndex.Filter(stage: "s")) == [own, colleague])
    #expect(try index.previous(of: colleague, stage: "s") == nil)
  }

  @Test("an input that the command changed counts as the lock has it, and 1 equals 1.0")
  func workKey() {
    var record = RunRecord.example("s", inputs: [("db", "11")], outputs: [("out", "22")], params: ["lr": 1])
    record.inputs[0].after = (md5: "99", sha256: nil, size: 1)
    let same = WorkKey(
      command: ["run s"], inputs: [("db", "99")], parameters: [("params.yaml", [("lr", 1.0)])],
      outputs: [("out", "22")])
    #expect(WorkKey(record).digest == same.digest)
    record.params["params.yaml"]?["lr"] = "1"
    #expect(WorkKey(record).digest != same.digest)
  }

  @Test("estimates are the median of the newest good runs, with the last attempt however it ended")
  func history() throws {
    let place = TemporaryStore()
    let producers = ProducerIndex(path: place.top + "/.cairn/producers")
    #expect(producers.history(of: "s") == nil)
    for (number, seconds) in [100, 1, 2, 3, 4, 5, 9].enumerated() {
      var record = RunRecord.example("s", at: Int64(number))
      record.execution.finished = record.execution.started + Int64(seconds) * 1_000_000_000
      record.execution.peakMemory = UInt64(seconds)
      producers.add(try place.store.write(record), record)
    }
    var failed = RunRecord.example("s", at: 50, result: .failed)
    failed.execution.exit = 1
    let last = try place.store.write(failed)
    producers.add(last, failed)
    let history = try #require(producers.history(of: "s"))
    #expect(history.seconds == 3.5)
    #expect(history.samples == 6)
    #expect(history.peakMemory == 9)
    #expect(history.lastRun == last)
    #expect(history.lastResult == .failed)
  }

  @Test("a damaged producer index is discarded, a damaged SQLite file too", arguments: [5, 300, 400])
  func damaged(_ offset: Int) throws {
    let place = TemporaryStore()
    let record = RunRecord.example("s", outputs: [("out", "22")])
    let id = try place.store.write(record)
    let path = place.top + "/.cairn/producers"
    ProducerIndex(path: path).add(id, record)
    var bytes = try #require(try Files.read(path))
    #expect(bytes.count == 3 * 128)
    if offset < bytes.count { bytes[offset] ^= 0xFF } else { bytes.append(1) }
    try Files.write(bytes, to: path)
    let producers = ProducerIndex(path: path)
    #expect(producers.producer(of: "out", md5: "22") { nil } == nil)
    try producers.catchUp(with: place.store)
    #expect(producers.producer(of: "out", md5: "22") { nil } == id)

    _ = try place.index
    try Files.write(Array(repeating: 7, count: 5000), to: place.top + "/.cairn/lineage.sqlite")
    #expect(try place.index.count() == 1)
  }

  @Test("a page of the SQLite file that only a question reads is damaged: the file is made anew, and the answer is whole")
  func damagedPage() throws {
    let place = TemporaryStore()
    for number in 0..<60 {
      _ = try place.store.write(.example("s", outputs: [("out", "\(number)")], at: Int64(number)))
    }
    #expect(try place.index.runs().count == 60)
    let path = place.top + "/.cairn/lineage.sqlite"
    let whole = try #require(try Files.read(path))
    #expect(whole.count > 8 * 4096)
    for page in 1..<whole.count / 4096 {
      try Files.write(whole[..<(page * 4096)] + Array(repeating: 7, count: 4096) + whole[((page + 1) * 4096)...], to: path)
      let index = try place.index
      #expect(try index.runs().count == 60, "page \(page)")
      #expect(try index.artifacts(path: "out").count == 60, "page \(page)")
      #expect(try index.count() == 60, "page \(page)")
    }
  }

  @Test("runs are listed newest first, by stage, path and result")
  func list() throws {
    let place = TemporaryStore()
    let a = try place.store.write(.example("train@0", inputs: [("data/x", "1")], outputs: [("m", "2")], at: 1))
    let index = try place.index
    #expect(try index.runs() == [a])
    // Written after the index was opened: the next opening sees it.
    let b = try place.store.write(.example("train@1", outputs: [("data", "3")], at: 2, result: .failed))
    let c = try place.store.write(.example("eval", inputs: [("m", "2")], at: 3))
    let again = try place.index
    #expect(try again.runs() == [c, b, a])
    #expect(try again.runs(.init(stage: "train@*")) == [b, a])
    #expect(try again.runs(.init(path: "data")) == [b, a])
    #expect(try again.runs(.init(results: [.failed])) == [b])
    #expect(try again.runs(.init(limit: 1)) == [c])
    #expect(try again.last(of: "train@0") == a)
    // A record that is gone is forgotten.
    try Files.remove(place.path(c.digest))
    #expect(try place.index.runs() == [b, a])
  }

  @Test("what another process puts into the store, or takes from it, is noticed, however long nothing happened")
  func followed() throws {
    let place = TemporaryStore(shared: true)
    let path = place.top + "/.cairn/lineage.sqlite"
    let theirs = RecordStore(folder: place.top + "/theirs", sharedFolder: place.top + "/cache/cairn")
    let first = try place.store.write(.example("s", outputs: [("out", "1")], at: 1))
    _ = try place.index
    // Until every folder is known to be as it was.
    Thread.sleep(forTimeInterval: 2.2)
    for _ in 0..<2 { _ = try place.index }
    let size = try #require(try Files.read(path)).count
    var written = [first]
    for number in 2..<40 {
      written.append(try theirs.write(.example("s", outputs: [("out", "\(number)")], at: Int64(number))))
      #expect(try place.index.runs().count == number)
    }
    #expect(try #require(try Files.read(path)).count >= size)
    try Files.remove(place.path(first.digest))
    try Files.remove(place.path(first.digest, in: "/cache/cairn"))
    #expect(try place.index.runs() == written.dropFirst().reversed())
    // One that was damaged is mended: its folder is looked at until it can be read.
    let last = try #require(written.last)
    let whole = try #require(try Files.read(place.path(last.digest, in: "/cache/cairn")))
    try FileManager.default.removeItem(atPath: place.path(last.digest, in: "/cache/cairn"))
    #expect(try place.index.runs().count == written.count - 2)
    try Files.write([1, 2, 3], to: place.path(last.digest, in: "/cache/cairn"))
    Thread.sleep(forTimeInterval: 2.2)
    for _ in 0..<2 { #expect(try place.index.runs().count == written.count - 2) }
    try FileManager.default.removeItem(atPath: place.path(last.digest, in: "/cache/cairn"))
    _ = FileManager.default.createFile(atPath: place.path(last.digest, in: "/cache/cairn"), contents: Data(whole))
    #expect(try place.index.runs().count == written.count - 1)
    // Where no cache is shared any more, what lay there is not here.
    let alone = RecordStore(folder: place.top + "/.cairn/runs", sharedFolder: nil)
    #expect(try LineageIndex(path: path, store: alone).runs().isEmpty)
  }

  @Test("a reconstructed run stands behind an entry where none was observed, and tells nothing of durations")
  func reconstructed() throws {
    let place = TemporaryStore()
    let producers = ProducerIndex(path: place.top + "/.cairn/producers")
    func write(_ record: RunRecord) throws -> RunID {
      let id = try place.store.write(record)
      producers.add(id, record)
      return id
    }
    var record = RunRecord.example("s", inputs: [("in", "11")], outputs: [("out", "22")], at: 1)
    record.reconstructed = .init(commit: String(repeating: "4e", count: 20), lock: "dvc.lock")
    let old = try write(record)
    let work = WorkKey(record)
    for file in [producers, ProducerIndex(path: place.top + "/.cairn/producers")] {
      #expect(file.run(behind: work, of: "s") == old && file.isReconstructed(old))
      #expect(file.producer(of: "out", md5: "22") { nil } == old)
      #expect(file.history(of: "s") == nil && !file.hasSucceeded("s"))
      #expect(file.newest(thatLeft: work, of: "s") == nil)
    }
    #expect(try place.index.run(behind: work, of: "s") == old && place.index.last(of: "s") == old)
    let new = try write(.example("s", inputs: [("in", "11")], outputs: [("out", "22")], at: 9))
    #expect(producers.run(behind: work, of: "s") == new && producers.producer(of: "out", md5: "22") { nil } == new)
    #expect(producers.runs(thatDid: work) == [new, old])
    #expect(try place.index.run(behind: work, of: "s") == new)
    let artifact = LineageArtifact(repository: "", path: "out", md5: "22", sha256: nil, size: 1000)
    #expect(try place.index.generators(of: artifact) == [new, old])
    #expect(try place.index.generators(of: artifact, limit: 1) == [new])
  }

  @Test("a run is named by 4 digits or more, @last or @last:STAGE")
  func names() throws {
    let place = TemporaryStore()
    let a = try place.store.write(.example("a", at: 1))
    let b = try place.store.write(.example("b", at: 2))
    let index = try place.index
    #expect(try index.resolve(String(a.hex.prefix(8))) == a)
    #expect(try index.resolve("run:" + a.hex.uppercased()) == a)
    #expect(try index.resolve("@last") == b)
    #expect(try index.resolve("@last:a") == a)
    for word in ["abc", "a@last", "@lasting", "@last:", "xyz1", "0000"] where !a.hex.hasPrefix(word) {
      #expect(throws: Diagnostic.self) { try index.resolve(word) }
    }
  }

  @Test("digits that begin two names are an error that lists both")
  func ambiguous() throws {
    let place = TemporaryStore()
    var seen: [Substring: RunID] = [:]
    var second = Int64(0)
    var pair: (RunID, RunID)?
    // Four digits repeat after some hundred records.
    while pair == nil, second < 2000 {
      let id = RunID(try place.store.write(.example("s", at: second)).digest)
      if let other = seen.updateValue(id, forKey: id.hex.prefix(4)) { pair = (other, id) }
      second += 1
    }
    let (a, b) = try #require(pair)
    let index = try place.index
    #expect {
      try index.resolve(String(a.hex.prefix(4)))
    } throws: { error in
      guard let diagnostic = error as? Diagnostic, diagnostic.code == .ambiguousRun else { return false }
      let notes = diagnostic.notes.map(\.message).joined()
      return notes.contains(a.hex.prefix(12)) && notes.contains(b.hex.prefix(12))
    }
  }
}
