// One line of the journal, as a value and as bytes. Knows nothing of files.
package import CairnCore
import CairnFormats
import CairnStore
package import CairnSystem
import Glibc

/// What the journal says: a command was started, an execution ended well.
package enum JournalEntry: Sendable {
  case started(Started)
  case ended(Ended)
  /// The execution ended without a lock entry: failed, aborted, input-changed.
  case closed(attempt: String)
  /// What this run goes on with: the files may get another order at any moment from here on.
  case continued(UnfinishedRun)

  package struct Started: Sendable {
    package var attempt: String
    package var stage: StageAddress
    /// The record that this execution becomes when no end follows: its canonical bytes, `result` being `lost`.
    package var lostRecord: [UInt8]
    /// Who runs it; `nil` in a journal that does not say.
    package var process: ProcessIdentity?

    package init(attempt: String, stage: StageAddress, lostRecord: [UInt8], process: ProcessIdentity? = .this) {
      self.attempt = attempt
      self.stage = stage
      self.lostRecord = lostRecord
      self.process = process
    }
  }

  package struct Ended: Sendable {
    package var attempt: String
    package var stage: StageAddress
    /// Its place in the serial order of the run: new entries of the lock are ordered by it.
    package var position: Int
    /// Where a serial run of the same would have been by then: all before it have ended.
    package var place: Int
    /// The MD5 of the entry that this one replaces, as `LockBook.encode` writes it; `nil` when there was none.
    /// An entry is only replayed onto the state that it was made from, or it would undo what came later.
    package var replaces: Digest16?
    /// As `LockBook.encode` writes it.
    package var entry: [UInt8]
    /// Output paths that `.gitignore` must name.
    package var ignored: [RepoPath]
    /// Whether the run-cache gets `entry`.
    package var isKept: Bool
    /// The run record's canonical bytes; empty where none is written (`fresh` with a missing lock entry).
    package var record: [UInt8]

    package init(
      attempt: String, stage: StageAddress, position: Int, place: Int = 0, replaces: Digest16?, entry: [UInt8],
      ignored: [RepoPath], isKept: Bool = false, record: [UInt8]
    ) {
      self.attempt = attempt
      self.stage = stage
      self.position = position
      self.place = place
      self.replaces = replaces
      self.entry = entry
      self.ignored = ignored
      self.isKept = isKept
      self.record = record
    }
  }

  /// `CHECKSUM JSON [TAB RECORD] NEWLINE`: the first eight hexadecimal digits of the MD5 of all that follows up to the
  /// end of the line, a space, one line of JSON, and the record's own bytes, whose last is the line's end: JSON
  /// escapes tabs and line ends, so neither part can hold one. A record inside the JSON, as `record`, is read as well.
  package func encoded() -> [UInt8] {
    // Two for each stage: written without a tree of values in between, and in place, behind a gap for the checksum.
    var body = [UInt8](repeating: 0x20, count: Self.checksumLength + 1)
    var record: [UInt8] = []
    switch self {
    case .started(let start):
      record = start.lostRecord
      body.reserveCapacity(512 + record.count)
      body.append("{\"kind\": \"started\", \"attempt\": ")
      JSONWriter.appendUTF8(start.attempt, to: &body)
      Self.append(start.stage, to: &body)
      body.append(", \"process\": ")
      body.append(contentsOf: start.process == .this ? Self.thisProcess : Self.bytes(start.process))
    case .ended(let end):
      record = end.record
      body.reserveCapacity(512 + end.entry.count + record.count)
      body.append("{\"kind\": \"ended\", \"attempt\": ")
      JSONWriter.appendUTF8(end.attempt, to: &body)
      Self.append(end.stage, to: &body)
      body.append(", \"position\": ")
      body.append(contentsOf: String(end.position).utf8)
      body.append(", \"place\": ")
      body.append(contentsOf: String(end.place).utf8)
      body.append(", \"replaces\": ")
      if let replaces = end.replaces { JSONWriter.appendUTF8(replaces.hex, to: &body) } else { body.append("null") }
      body.append(", \"entry\": ")
      JSONWriter.appendUTF8(String(decoding: end.entry, as: UTF8.self), to: &body)
      body.append(", \"ignored\": [")
      for (index, path) in end.ignored.enumerated() {
        if index > 0 { body.append(", ") }
        JSONWriter.appendUTF8(path.text, to: &body)
      }
      body.append("]")
      if end.isKept { body.append(", \"kept\": true") }
    case .closed(let attempt):
      body.append("{\"kind\": \"closed\", \"attempt\": ")
      JSONWriter.appendUTF8(attempt, to: &body)
    case .continued(let unfinished):
      body.append("{\"kind\": \"continued\", \"attempt\": \"\", \"run\": ")
      body.append(contentsOf: JSONWriter.bytes(.map(unfinished.value), ensureASCII: false))
    }
    // What is no canonical record would tear the line.
    let isCanonical = Self.isOneLine(record)
    if !isCanonical, !record.isEmpty {
      body.append(", \"record\": ")
      JSONWriter.appendUTF8(String(decoding: record, as: UTF8.self), to: &body)
    }
    body.append("}")
    if isCanonical {
      body.append(0x09)
      body.append(contentsOf: record.dropLast())
    }
    let checksum = Self.checksum(body[(Self.checksumLength + 1)...])
    for (index, digit) in checksum.utf8.enumerated() { body[index] = digit }
    body.append(0x0A)
    return body
  }

  private static let checksumLength = 8
  private static let thisProcess = bytes(.this)

  private static func bytes(_ process: ProcessIdentity?) -> [UInt8] {
    JSONWriter.bytes(process.map(value) ?? .null, ensureASCII: false)
  }

  /// No tab, and one line end, which is the last byte.
  private static func isOneLine(_ record: [UInt8]) -> Bool {
    record.withUnsafeBytes { bytes in
      guard bytes.count > 0, let start = bytes.baseAddress else { return false }
      return memchr(start, 0x09, bytes.count) == nil
        && memchr(start, 0x0A, bytes.count) == UnsafeMutableRawPointer(mutating: start + bytes.count - 1)
    }
  }

  /// `nil` for a line that was not written whole.
  package init?(line: ArraySlice<UInt8>) {
    guard line.count > 9, line[line.startIndex + 8] == 0x20 else { return nil }
    let body = Array(line.dropFirst(9))
    guard Self.checksum(body[...]).utf8.elementsEqual(line.prefix(Self.checksumLength)) else { return nil }
    let tab = body.firstIndex(of: 0x09)
    guard let value = try? JSONReader.parse(SourceText(path: "journal", bytes: Array(body[..<(tab ?? body.count)]))).value,
      let kind = value["kind"]?.string, let attempt = value["attempt"]?.string
    else { return nil }
    let record = tab.map { Array(body[($0 + 1)...]) + [0x0A] } ?? Array((value["record"]?.string ?? "").utf8)
    switch kind {
    case "started":
      guard let stage = Self.address(value["stage"]) else { return nil }
      self = .started(
        Started(attempt: attempt, stage: stage, lostRecord: record, process: Self.process(value["process"])))
    case "ended":
      guard let stage = Self.address(value["stage"]), let entry = value["entry"]?.string,
        let position = value["position"]?.int
      else { return nil }
      self = .ended(
        Ended(
          attempt: attempt, stage: stage, position: position, place: value["place"]?.int ?? 0,
          replaces: value["replaces"]?.string.flatMap { Digest16(hex: $0) }, entry: Array(entry.utf8),
          ignored: (value["ignored"]?.list ?? []).compactMap { $0.string.map(RepoPath.init(unchecked:)) },
          isKept: value["kept"]?.bool ?? false, record: record))
    case "closed": self = .closed(attempt: attempt)
    case "continued": self = .continued(UnfinishedRun(value["run"] ?? .null))
    default: return nil
    }
  }

  private static func value(_ process: ProcessIdentity) -> Value {
    .map([
      "host": .string(process.host), "boot": .string(process.bootID), "pid": .int(Int(process.pid)),
      "start": process.startTime.map { .int(Int(truncatingIfNeeded: $0)) } ?? .null,
    ])
  }

  private static func process(_ value: Value?) -> ProcessIdentity? {
    guard let host = value?["host"]?.string, let boot = value?["boot"]?.string, let pid = value?["pid"]?.int else {
      return nil
    }
    return ProcessIdentity(
      host: host, bootID: boot, pid: Int32(truncatingIfNeeded: pid),
      startTime: value?["start"]?.int.map { UInt64(truncatingIfNeeded: $0) })
  }

  private static func append(_ stage: StageAddress, to body: inout [UInt8]) {
    body.append(", \"stage\": [")
    JSONWriter.appendUTF8(stage.file.text, to: &body)
    body.append(", ")
    if let name = stage.name { JSONWriter.appendUTF8(name, to: &body) } else { body.append("null") }
    body.append("]")
  }

  private static func address(_ value: Value?) -> StageAddress? {
    guard let parts = value?.list, parts.count == 2, let file = parts[0].string else { return nil }
    return StageAddress(file: RepoPath(unchecked: file), name: parts[1].string)
  }

  private static func checksum(_ bytes: ArraySlice<UInt8>) -> String {
    let digest = bytes.withUnsafeBytes { ContentHasher.md5(of: $0) }
    return String(digest.hex.prefix(checksumLength))
  }
}
