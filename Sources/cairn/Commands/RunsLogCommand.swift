// `cairn runs log`: what the command printed.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnLineage

struct RunsLogCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Print what the command of a run printed",
    discussion: """
      cairn runs log @last:train
      cairn runs log 7f3a | less -R
      cairn runs log 7f3a --json
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(help: "Print one JSON document.") var json = false
  @Argument(help: ArgumentHelp("A run.", valueName: "run")) var run: String

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let context = try HistoryContext()
    var (id, record) = try context.run(run, in: context.history.index())
    let store = context.history.store
    if record.log == nil, let source = record.restoredFrom ?? record.accepts, let made = try store.record(source) {
      console.note("\(record.result.rawValue): this is the log of \(source.short), which made its outputs")
      (id, record) = (source, made)
    }
    guard let log = record.log else {
      if record.hasPrintedNothing {
        if json { console.write(json: document(id, record, nil, [])) }
        return .success
      }
      console.note(PrintableText.line("run \(id.short) of '\(record.stage.address)' has no log"))
      if json { console.write(json: document(id, record, nil, nil)) }
      return .no
    }
    if let bytes = try store.object(log.sha256) {
      if json { console.write(json: document(id, record, .present, bytes)) } else { console.writeRaw(bytes) }
      return .success
    }
    let presence = try store.presence(of: log.sha256)
    if case .erased(let tombstone) = presence {
      console.note(
        PrintableText.line(
          "the log of run \(id.short) is erased: \(tombstone.reason) (\(tombstone.actor), \(tombstone.time))"))
    } else {
      console.note("the log of run \(id.short) is \(presence.word)")
    }
    if json { console.write(json: document(id, record, presence, nil)) }
    return .unknown
  }

  private func document(_ id: RunID, _ record: RunRecord, _ presence: Presence?, _ bytes: [UInt8]?) -> Value {
    let text = bytes.map { bytes in
      String(validating: bytes, as: UTF8.self).map(Value.string)
        ?? .map(["$bytes": .string(String(decoding: Base64.encode(bytes), as: UTF8.self))])
    }
    let log = record.log.map { log in
      Value.map([
        "sha256": .string(log.sha256.hex), "size": .int(Int(log.size)), "dropped": .int(Int(log.dropped)),
        "state": presence.map { .string($0.word) } ?? .null,
      ])
    }
    return .map([
      "schema": "cairn.runs-log/v1", "run": .string(id.hex), "stage": .string(record.stage.address),
      "result": .string(record.result.rawValue), "log": log ?? .null, "text": text ?? .null,
    ])
  }
}

extension RunRecord {
  /// Its command was seen to end, and there is no log: one that was lost would be named. What came from the cache, was
  /// accepted or died with its process has no log for another reason.
  fileprivate var hasPrintedNothing: Bool {
    guard log == nil, execution.finished != nil else { return false }
    return switch result {
    case .succeeded, .failed, .aborted, .inputChanged: true
    case .restored, .accepted, .lost: false
    }
  }
}
