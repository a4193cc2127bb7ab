// One name for "this command on these inputs with these parameters gave these outputs".
// Knows records and lock entries; knows nothing of stages' names, disks or indexes.
package import CairnCore
internal import CairnFormats
import Crypto

/// The first 16 bytes of a SHA-256 over command, inputs, parameters and outputs, each by path and MD5.
///
/// Equal for a lock entry and for every record that could stand behind it, whatever the stage was called. Of an
/// input that the command changed the hash *afterwards* counts, since that is what the lock has. Paths are as records
/// have them; order does not count; `1` and `1.0` are one value, as they are for DVC.
package struct WorkKey: Sendable {
  package let digest: Digest16
  /// Of a lock entry: what its records have where they have `formerRecordPath`s.
  package private(set) var former: Digest16?

  package init(_ digest: Digest16) { self.digest = digest }

  /// All by which a record of this work may be found.
  package var digests: [Digest16] { [digest] + (former.map { [$0] } ?? []) }

  /// Whether a record with this digest did the work.
  package func isWork(of record: Digest16) -> Bool { record == digest || record == former }

  package init(_ record: RunRecord) {
    self.init(
      command: record.stage.cmd,
      inputs: record.inputs.filter { $0.role != "params" }.map {
        ($0.path, $0.after?.md5 ?? $0.md5 ?? Self.text($0.dataset))
      },
      parameters: record.params.map { file, values in (file, values.map { ($0.key, $0.value) }) },
      outputs: record.outputs.map { ($0.path, $0.md5 ?? "") })
  }

  /// What the lock says of `stage`.
  package init(_ stage: Stage, _ entry: LockEntry) {
    self.init(stage, entry) { $0.recordPath }
    let hasFormer =
      stage.dependencies.contains { $0.location.formerRecordPath != nil }
      || stage.parameters.contains { $0.location.formerRecordPath != nil }
      || stage.outputs.contains { $0.location.formerRecordPath != nil }
    if hasFormer {
      former = WorkKey(stage, entry) { $0.formerRecordPath ?? $0.recordPath }.digest
    }
  }

  private init(_ stage: Stage, _ entry: LockEntry, name: (Location) -> String) {
    let inputs = Dictionary(stage.dependencies.map { ($0.declared, $0.location) }, uniquingKeysWith: { a, _ in a })
    let files = Dictionary(stage.parameters.map { ($0.declared, $0.location) }, uniquingKeysWith: { a, _ in a })
    let outputs = Dictionary(stage.outputs.map { ($0.declared, $0.location) }, uniquingKeysWith: { a, _ in a })
    self.init(
      command: entry.command.list?.compactMap(\.string) ?? entry.command.string.map { [$0] } ?? [],
      inputs: entry.deps.map { (inputs[$0.path].map(name) ?? $0.path, $0.hashText ?? Self.text($0.dataset)) },
      parameters: entry.params.map { file, values in
        (files[file].map(name) ?? file, values.map { ($0.key, $0.value) })
      },
      outputs: entry.outs.map { (outputs[$0.path].map(name) ?? $0.path, $0.hashText ?? "") })
  }

  package init(
    command: [String], inputs: [(path: String, md5: String)], parameters: [(file: String, values: [(String, Value)])],
    outputs: [(path: String, md5: String)]
  ) {
    var text: [UInt8] = []
    text.reserveCapacity(1024)
    func add(_ part: String) {
      text.append(contentsOf: part.utf8)
      text.append(0)
    }
    add("cmd")
    command.forEach(add)
    for (title, files) in [("in", inputs), ("out", outputs)] {
      add(title)
      for file in files.sorted(by: { $0.path.precedesInBytes($1.path) }) {
        add(file.path)
        add(file.md5)
      }
    }
    add("params")
    for file in parameters.sorted(by: { $0.file.precedesInBytes($1.file) }) {
      add(file.file)
      for (key, value) in file.values.sorted(by: { $0.0.precedesInBytes($1.0) }) {
        add(key)
        Self.add(value, to: &text)
      }
    }
    digest = Digest32.sha256(text).high
  }

  /// A dataset has no hash: its lock tells it.
  package static func text(_ dataset: ValueMap?) -> String {
    dataset.map { String(decoding: CanonicalJSON.encode(.map($0)), as: UTF8.self) } ?? ""
  }

  private static func add(_ value: Value, to text: inout [UInt8]) {
    func add(_ tag: Unicode.Scalar, _ body: String) {
      text.append(UInt8(ascii: tag))
      text.append(contentsOf: body.utf8)
      text.append(0)
    }
    switch value {
    case .null: add("n", "")
    case .bool(let flag): add("i", flag ? "1" : "0")
    case .int(let number): add("i", String(number))
    case .bigInt(let digits): add("i", digits)
    case .float(let number):
      if let whole = Int(exactly: number) { add("i", String(whole)) } else { add("f", String(number.bitPattern)) }
    case .string(let string): add("s", string)
    case .timestamp(let string): add("t", string)
    case .list(let items):
      add("l", String(items.count))
      for item in items { Self.add(item, to: &text) }
    case .map(let map):
      add("m", String(map.count))
      let pairs = map.map { (Self.bytes($0.key), $0.value) }.sorted { $0.0.lexicographicallyPrecedes($1.0) }
      for (key, value) in pairs {
        text.append(contentsOf: key)
        Self.add(value, to: &text)
      }
    }
  }

  private static func bytes(_ value: Value) -> [UInt8] {
    var bytes: [UInt8] = []
    add(value, to: &bytes)
    return bytes
  }
}
