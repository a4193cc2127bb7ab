// Entries that wait for a server: written whole, read in their order, held by one process at a time.
import CairnCore
@testable import CairnLineage
import CairnSystem
import CairnTestSupport
import Testing

struct OutboxTests {
  private func entry(_ kind: Outbox.Entry.Kind, _ invocation: String, _ moment: Int64, _ digit: UInt8 = 1) -> Outbox.Entry {
    Outbox.Entry(
      kind, document: kind == .open ? nil : .sha256([digit]), invocation: invocation, attempt: "a", moment: moment * 1000,
      destination: "http://h", experiment: "e")
  }

  @Test("what is put is found again, in the order in which it happened, until it is removed")
  func order() throws {
    let folder = try TemporaryFolder()
    let outbox = Outbox(folder: folder.path + "/outbox")
    #expect(outbox.isEmpty)
    #expect(try outbox.entries().isEmpty)
    var run = entry(.run, "B", 3, 2)
    let entries = [entry(.invocation, "A", 9, 3), run, entry(.run, "A", 2, 4), entry(.open, "A", 1), entry(.run, "A", 1, 5)]
    for entry in entries { try outbox.put(entry) }
    #expect(try outbox.entries().map { "\($0.invocation) \($0.kind)" } == ["A open", "A run", "A run", "A invocation", "B run"])
    run.remoteRun = "r"
    run.maker = .this
    run.failure = "no"
    try outbox.put(run)
    #expect(outbox.current(run) == run)
    try outbox.remove(run)
    #expect(outbox.current(run) == nil)
    #expect(try outbox.entries().count == 4)
  }

  @Test("a file that is none is left out")
  func odd() throws {
    let folder = try TemporaryFolder()
    let outbox = Outbox(folder: folder.path)
    try Files.write("{", to: folder.path + "/run-x.json")
    try Files.write("{\"schema\": \"cairn.outbox/v9\"}", to: folder.path + "/run-y.json")
    #expect(try outbox.entries().isEmpty)
  }

  @Test("an invocation's entries are sent by one at a time")
  func lock() throws {
    let folder = try TemporaryFolder()
    let outbox = Outbox(folder: folder.path)
    let held = try outbox.lock("A")
    #expect(held != nil)
    #expect(try outbox.lock("A") == nil)
    withExtendedLifetime(held) {}
  }
}
