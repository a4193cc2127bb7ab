// The order in which a collector hears of starts and ends.
import CairnCore
import CairnEngine
import CairnLineage
import CairnTestSupport
import Testing

struct LineageEventsTests {
  private func record(_ stage: String, _ inputs: [String], _ outputs: [String], _ result: RunResult = .succeeded) -> RunRecord {
    var execution = RunRecord.Execution(started: 1_780_308_000_000_000_000, cairn: "1.0.0", os: "Linux")
    execution.finished = execution.started + 1_000_000
    var record = RunRecord(
      stage: .init(address: stage, file: "dvc.yaml", wdir: ".", cmd: ["run"]), invocation: "01JQ0000000000000000000000",
      actor: .init(name: "ann", host: "gpu1"), source: .init(), execution: execution, result: result)
    record.inputs = inputs.map { .init(path: $0, md5: "m", sha256: nil, size: 1, producer: nil, origin: .init(.none)) }
    record.outputs = outputs.map { .init(path: $0, role: "out", md5: "m", sha256: nil, size: 1, annotations: [:]) }
    return record
  }

  private func start(_ record: RunRecord) -> StartingRun {
    var draft = record
    draft.outputs = []
    draft.result = .lost
    let attempt = AttemptName.uuid(invocation: record.invocation, address: record.stage.address, attempt: record.execution.attempt)
    return StartingRun(attempt: attempt, draft: draft, outputs: record.outputs.map(\.path))
  }

  private func id(_ record: RunRecord) -> RunID { RunID(.sha256(Array(record.stage.address.utf8))) }

  private func played(_ body: (LineageEvents) -> Void) throws -> [String] {
    let folder = try TemporaryFolder()
    let queue = EventQueue(beside: RecordStore(folder: folder.path + "/.cairn/runs", sharedFolder: nil))
    let project = ExportProject(repository: nil, root: "/p", folder: "", remote: nil)
    body(LineageEvents(queue, OpenLineage(project), destination: "http://h/api/v1/lineage"))
    return try queue.entries().map(\.words)
  }

  @Test("a run is told of after the end of what made its inputs, though it began before that was recorded")
  func consumers() throws {
    let make = record("make", [], ["parts"])
    let read = record("read", ["parts/a"], ["out"])
    let last = record("last", ["out"], [], .failed)
    let other = record("other", ["elsewhere"], ["x"])
    let words = try played { events in
      events.started(start(make))
      events.started(start(read))
      events.started(start(other))
      // It failed before the record of what it read was written.
      events.recorded(read, id(read))
      events.started(start(last))
      events.recorded(last, id(last))
      events.recorded(make, id(make))
      events.recorded(other, id(other))
    }
    #expect(words == [
      "START of repro", "START of make", "START of other", "COMPLETE of make", "START of read", "COMPLETE of read",
      "START of last", "FAIL of last", "COMPLETE of other",
    ])
  }

  @Test("what a process that died had told is not told again, and has the outputs that it told of")
  func toldBefore() throws {
    let folder = try TemporaryFolder()
    let queue = EventQueue(beside: RecordStore(folder: folder.path + "/.cairn/runs", sharedFolder: nil))
    let format = OpenLineage(ExportProject(repository: nil, root: "/p", folder: "", remote: nil))
    let make = record("make", [], ["parts"])
    let died = record("died", ["parts"], ["y"])
    let first = LineageEvents(queue, format, destination: "http://h")
    first.started(start(make))
    first.recorded(make, id(make))
    first.started(start(died))
    let second = LineageEvents(queue, format, destination: "http://h")
    var lost = died
    lost.outputs = []
    lost.result = .lost
    second.recorded(make, id(make))
    second.recorded(lost, id(lost))
    second.recovered()
    let entries = try queue.entries()
    #expect(entries.map(\.words) == [
      "START of repro", "START of make", "COMPLETE of make", "START of died", "ABORT of died", "ABORT of repro",
    ])
    #expect(entries[4].event["outputs"]?.list?.count == 1)
    #expect(!queue.told(make.invocation).hasBegun)
  }

  @Test("a run of which only the end is known, as after a crash, has a start and an end; what came from a cache has none")
  func recovered() throws {
    let words = try played { events in
      events.recorded(record("restored", [], ["x"], .restored), id(record("restored", [], [])))
      events.recorded(record("died", [], ["y"], .lost), id(record("died", [], [])))
      events.recovered()
    }
    #expect(words == ["START of repro", "START of died", "ABORT of died", "ABORT of repro"])
  }
}
