// Events that a collector has not taken yet: one small file for each, in the order in which they must arrive.
// Knows files; knows no collector, and nothing of what an event says.
package import CairnCore
import CairnFormats
package import CairnSystem
import Synchronization

/// A folder of events, each written whole and taken away only when the collector has it.
package struct EventQueue: Sendable {
  package let folder: String

  /// Beside the store, so that all work trees have one.
  package init(beside store: RecordStore) { folder = Outbox(beside: store).folder + "/openlineage" }

  package struct Entry: Sendable {
    /// Of its file: what was put first comes first.
    package var name: String
    /// The collector's address.
    package var destination: String
    /// `START of train`.
    package var words: String
    package var event: Value
    /// Why the collector refused it.
    package var failure: String?

    package init(name: String, destination: String, words: String, event: Value, failure: String? = nil) {
      self.name = name
      self.destination = destination
      self.words = words
      self.event = event
      self.failure = failure
    }
  }

  /// Of the last event that this process has put: names go on from there, whatever the clock does.
  private static let last = Mutex<Nanoseconds>(0)

  /// Puts an event behind all others.
  package func put(_ event: Value, _ words: String, to destination: String) throws(Diagnostic) {
    let moment = Self.last.withLock { last in
      last = max(last + 1, WallClock.now())
      return last
    }
    let digits = String(moment)
    let name = String(repeating: "0", count: max(0, 20 - digits.count)) + digits + "-\(ProcessIdentity.this.pid).json"
    try put(Entry(name: name, destination: destination, words: words, event: event))
  }

  /// Writes the entry, in place of the one of its name.
  package func put(_ entry: Entry) throws(Diagnostic) {
    try Files.makeDirectories(folder)
    try AtomicFile.write(
      JSONWriter.bytes(entry.value, ensureASCII: false) + [0x0A], to: folder + "/" + entry.name, sync: false)
  }

  // MARK: What was put

  /// What an invocation has told, for whoever takes over from a process that died: one JSON document a line.
  package struct Told: Sendable {
    package var hasBegun = false
    /// By attempt: what it was said to make.
    package var starts: [String: [String]] = [:]
    package var ends: Set<String> = []
    package init() {}
  }

  private func toldPath(_ invocation: String) -> String { folder + "/told-" + invocation }

  /// Notes what was put. A line that is missing after a crash lets something be told twice.
  package func note(_ invocation: String, _ what: ValueMap) {
    try? Files.makeDirectories(folder)
    try? AppendFile(toldPath(invocation)).append(JSONWriter.bytes(.map(what), ensureASCII: false) + [0x0A])
  }

  package func told(_ invocation: String) -> Told {
    var told = Told()
    guard let bytes = (try? Files.read(plain: toldPath(invocation))) ?? nil else { return told }
    for line in bytes.split(separator: 0x0A) {
      guard let value = try? JSONReader.value(Array(line), name: "told") else { continue }
      told.hasBegun = true
      if let attempt = value["start"]?.string { told.starts[attempt] = (value["outputs"]?.list ?? []).compactMap(\.string) }
      if let attempt = value["end"]?.string { told.ends.insert(attempt) }
    }
    return told
  }

  /// Nothing more will be told of it.
  package func forget(_ invocation: String) { _ = try? Files.remove(toldPath(invocation)) }

  package func remove(_ entry: Entry) throws(Diagnostic) { _ = try Files.remove(folder + "/" + entry.name) }

  /// In the order in which they are to be sent.
  package func names() throws(Diagnostic) -> [String] {
    try (Files.list(folder) ?? []).map(\.name).filter { $0.hasSuffix(".json") && !AtomicFile.isTemporaryName($0) }.sorted()
  }

  /// `nil` for one that was sent meanwhile, and for a file that is none.
  package func entry(_ name: String) -> Entry? {
    guard let bytes = (try? Files.read(plain: folder + "/" + name)) ?? nil,
      let value = try? JSONReader.value(bytes, name: name)
    else { return nil }
    return Entry(name, value)
  }

  package func entries() throws(Diagnostic) -> [Entry] { try names().compactMap(entry) }

  /// The right to send, of one process at a time; `nil` while another has it.
  package func lock() throws(Diagnostic) -> OpenFileLock? {
    try Files.makeDirectories(folder)
    return try OpenFileLock.tryLock(folder + "/lock", .exclusive)
  }
}

extension EventQueue.Entry {
  static let schema = "cairn.outbox-event/v1"

  var value: Value {
    var map: ValueMap = [
      "schema": .string(Self.schema), "destination": .string(destination), "words": .string(words), "event": event,
    ]
    if let failure { map["failure"] = .string(failure) }
    return .map(map)
  }

  init?(_ name: String, _ value: Value) {
    guard value["schema"]?.string == Self.schema, let destination = value["destination"]?.string,
      let words = value["words"]?.string, let event = value["event"]
    else { return nil }
    self.init(name: name, destination: destination, words: words, event: event, failure: value["failure"]?.string)
  }
}
