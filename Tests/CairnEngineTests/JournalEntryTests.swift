// The journal's lines: what is written is read again, torn lines are not there, and lines of an older form count too.
import CairnCore
import CairnFormats
import CairnStore
import Testing

@testable import CairnEngine

@Suite struct JournalEntryTests {
  private let stage = StageAddress(file: RepoPath(unchecked: "dvc.yaml"), name: "träin\tit")
  private let record = Array("{\"result\":\"succeeded\",\"text\":\"a\\tb\\n\"}\n".utf8)

  private func lines(_ entry: JournalEntry) -> [ArraySlice<UInt8>] { entry.encoded().split(separator: 0x0A) }

  private func isRead(_ line: ArraySlice<UInt8>) -> Bool { if case .none = JournalEntry(line: line) { false } else { true } }

  @Test("a record that is canonical JSON stands in the line as it is", arguments: [true, false])
  func roundTrip(isCanonical: Bool) throws {
    // The second holds a raw line end, as no canonical document does: it must not tear the line.
    let record = isCanonical ? record : Array("{\n\t\"indented\": 1\n}".utf8)
    let lines = lines(
      .ended(
        JournalEntry.Ended(
          attempt: "a", stage: stage, position: 7, place: 5, replaces: nil, entry: Array("cmd: |\n  x\n".utf8),
          ignored: [RepoPath(unchecked: "o ut")], record: record)))
    #expect(lines.count == 1)
    guard case .ended(let read)? = JournalEntry(line: lines[0]) else {
      Issue.record("not read")
      return
    }
    #expect(read.record == record)
    #expect(read.entry == Array("cmd: |\n  x\n".utf8))
    #expect(read.stage == stage)
    #expect(read.ignored == [RepoPath(unchecked: "o ut")])
    #expect(read.position == 7)
    #expect(read.place == 5)
  }

  @Test("a start keeps its lost record, an end without a record stays without")
  func others() throws {
    let start = lines(.started(JournalEntry.Started(attempt: "a", stage: stage, lostRecord: record)))
    guard case .started(let read)? = start.first.flatMap({ JournalEntry(line: $0) }) else {
      Issue.record("not read")
      return
    }
    #expect(read.lostRecord == record)
    let end = lines(
      .ended(
        JournalEntry.Ended(
          attempt: "", stage: stage, position: 0, replaces: nil, entry: [], ignored: [], record: [])))
    guard case .ended(let bare)? = end.first.flatMap({ JournalEntry(line: $0) }) else {
      Issue.record("not read")
      return
    }
    #expect(bare.record.isEmpty)
  }

  @Test("what a run goes on with is read as it was written")
  func continued() throws {
    var unfinished = UnfinishedRun()
    unfinished.add("träin", to: RepoPath(unchecked: "a b/dvc.lock"), position: 7)
    unfinished.add("x\ty", to: RepoPath(unchecked: ".gitignore"), position: 3)
    unfinished.owe([RepoPath(unchecked: "o ut")])
    guard case .continued(let read)? = lines(.continued(unfinished)).first.flatMap({ JournalEntry(line: $0) }) else {
      Issue.record("not read")
      return
    }
    #expect(read == unfinished)
  }

  @Test("a byte that changed anywhere, or a lost tail, makes it no line")
  func torn() throws {
    let line = try #require(lines(.started(JournalEntry.Started(attempt: "a", stage: stage, lostRecord: record))).first)
    for index in line.indices {
      var altered = line
      altered[index] ^= 1
      #expect(!isRead(altered), "byte \(index)")
      #expect(!isRead(line[..<index]), "cut at \(index)")
    }
  }

  @Test("a line whose record is inside the JSON is read")
  func older() throws {
    let json = Array(
      "{\"kind\": \"started\", \"attempt\": \"a\", \"stage\": [\"dvc.yaml\", \"x\"], \"process\": null, \"record\": \"{}\\n\"}".utf8)
    let line = Array(ContentHasher.md5(of: json).hex.prefix(8).utf8) + [0x20] + json
    guard case .started(let read)? = JournalEntry(line: line[...]) else {
      Issue.record("not read")
      return
    }
    #expect(read.lostRecord == Array("{}\n".utf8))
  }
}
