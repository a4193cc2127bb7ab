// What a tracking server has not received yet: one small file for each document, kept until it was sent.
// Knows files and their order; knows no server.
package import CairnCore
import CairnFormats
package import CairnSystem

/// A folder of entries, each written whole and taken away only when what it stands for has arrived.
///
/// An entry names a document of the store; it holds no copy of it, and nothing secret. That it is durable follows from
/// the journal: whoever replays that adds what it recorded again, and sending twice does nothing.
package struct Outbox: Sendable {
  package let folder: String

  package init(folder: String) { self.folder = folder }

  /// Beside the store, so that all work trees have one.
  package init(beside store: RecordStore) {
    let slash = store.folder.utf8.lastIndex(of: UInt8(ascii: "/")) ?? store.folder.startIndex
    folder = store.folder[..<slash] + "/outbox"
  }

  package struct Entry: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
      /// An invocation that has begun: the server shows it as running.
      case open
      case run, invocation
      /// An output of a run that is to be a version of a registered model.
      case model
    }

    package var kind: Kind
    /// The record that it is about; of `open`, none.
    package var document: Digest32?
    /// A ULID.
    package var invocation: String
    /// What the attempt is called before its record exists.
    package var attempt: String?
    /// When it began.
    package var moment: Nanoseconds
    /// The server's address, without user and password.
    package var destination: String
    package var experiment: String
    /// The server's own name for the run, where it is known.
    package var remoteRun: String?
    /// A process that has asked the server for that name, and will write it here.
    package var maker: ProcessIdentity?
    /// Of a model: the path of the output, and the name to register it under.
    package var path: String?
    package var name: String?
    /// Why it is still here, as the last try said it.
    package var failure: String?

    package init(
      _ kind: Kind, document: Digest32?, invocation: String, attempt: String? = nil, moment: Nanoseconds,
      destination: String, experiment: String
    ) {
      self.kind = kind
      self.document = document
      self.invocation = invocation
      self.attempt = attempt
      self.moment = moment
      self.destination = destination
      self.experiment = experiment
    }

    /// What it is about.
    package struct Key: Hashable, Sendable {
      private let name: String
      fileprivate init(_ name: String) { self.name = name }
    }
    package var key: Key { Key(fileName) }

    var fileName: String {
      let subject = document?.hex ?? invocation
      let part = path.map { "-" + Digest32.sha256(Array($0.utf8)).hex.prefix(16) } ?? ""
      return "\(kind.rawValue)-\(subject)\(part).json"
    }
  }

  /// Writes the entry, in place of one about the same.
  package func put(_ entry: Entry) throws(Diagnostic) {
    try Files.makeDirectories(folder)
    try AtomicFile.write(
      JSONWriter.bytes(entry.value, ensureASCII: false) + [0x0A], to: folder + "/" + entry.fileName, sync: false)
  }

  package func remove(_ entry: Entry) throws(Diagnostic) { _ = try Files.remove(folder + "/" + entry.fileName) }

  /// The entry about the same as it stands now; `nil` when it was sent meanwhile.
  package func current(_ entry: Entry) -> Entry? { read(entry.fileName) }

  /// All entries, in the order in which they are to be sent; a file that is none is left out.
  package func entries() throws(Diagnostic) -> [Entry] {
    try (Files.list(folder) ?? []).lazy.filter { $0.name.hasSuffix(".json") && !AtomicFile.isTemporaryName($0.name) }
      .compactMap { read($0.name) }
      .sorted { ($0.invocation, $0.kind.order, $0.moment, $0.fileName) < ($1.invocation, $1.kind.order, $1.moment, $1.fileName) }
  }

  /// Cheap: opens nothing.
  package var isEmpty: Bool { ((try? Files.list(folder)) ?? nil)?.contains { $0.name.hasSuffix(".json") } != true }

  /// The right to send what belongs to an invocation, of one process at a time; `nil` while another has it.
  package func lock(_ invocation: String) throws(Diagnostic) -> OpenFileLock? {
    try Files.makeDirectories(folder)
    // A few files for all of them: one for each would have to be taken away again.
    return try OpenFileLock.tryLock(folder + "/lock-" + Digest32.sha256(Array(invocation.utf8)).hex.prefix(2), .exclusive)
  }

  private func read(_ name: String) -> Entry? {
    guard let bytes = (try? Files.read(plain: folder + "/" + name)) ?? nil,
      let value = try? JSONReader.value(bytes, name: name)
    else { return nil }
    return Entry(value)
  }
}

extension Outbox.Entry.Kind {
  fileprivate var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension Outbox.Entry {
  static let schema = "cairn.outbox/v1"

  var value: Value {
    var map: ValueMap = ["schema": .string(Self.schema), "kind": .string(kind.rawValue)]
    map["document"] = document.map { .string($0.hex) } ?? .null
    map["invocation"] = .string(invocation)
    if let attempt { map["attempt"] = .string(attempt) }
    map["moment"] = .string(Timestamp.text(moment))
    map["destination"] = .string(destination)
    map["experiment"] = .string(experiment)
    if let remoteRun { map["remote_run"] = .string(remoteRun) }
    if let maker {
      map["maker"] = .map([
        "host": .string(maker.host), "boot": .string(maker.bootID), "pid": .int(Int(maker.pid)),
        "start": maker.startTime.map { .int(Int(truncatingIfNeeded: $0)) } ?? .null,
      ])
    }
    if let path { map["path"] = .string(path) }
    if let name { map["name"] = .string(name) }
    if let failure { map["failure"] = .string(failure) }
    return .map(map)
  }

  init?(_ value: Value) {
    guard value["schema"]?.string == Self.schema, let kind = value["kind"]?.string.flatMap(Kind.init(rawValue:)),
      let invocation = value["invocation"]?.string, let moment = value["moment"]?.string.flatMap(Timestamp.parse),
      let destination = value["destination"]?.string, let experiment = value["experiment"]?.string
    else { return nil }
    let document = value["document"]?.string.flatMap { Digest32(hex: $0) }
    if document == nil, kind != .open { return nil }
    self.init(
      kind, document: document, invocation: invocation, attempt: value["attempt"]?.string, moment: moment,
      destination: destination, experiment: experiment)
    remoteRun = value["remote_run"]?.string
    path = value["path"]?.string
    name = value["name"]?.string
    failure = value["failure"]?.string
    if let process = value["maker"], let host = process["host"]?.string, let boot = process["boot"]?.string,
      let pid = process["pid"]?.int
    {
      maker = ProcessIdentity(
        host: host, bootID: boot, pid: Int32(truncatingIfNeeded: pid),
        startTime: process["start"]?.int.map { UInt64(truncatingIfNeeded: $0) })
    }
  }
}
