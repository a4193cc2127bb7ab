// The list of runs: a table for people, `cairn.runs/v1` for programs.
internal import CairnCore
internal import CairnFormats
internal import CairnLineage

enum RunsTable {
  struct Row {
    var name: String
    var record: RunRecord
    /// The stage's run before it: what changed since is told.
    var previous: RunRecord?
  }

  static func value(_ runs: [(RunID, RunRecord)]) -> Value {
    .map(["schema": "cairn.runs/v1", "runs": .list(runs.map(value))])
  }

  private static func value(_ run: RunID, _ record: RunRecord) -> Value {
    let params = record.params.map { file, values in
      (Value.string(file), Value.map(ValueMap(values.map { (.string($0.key), $0.value) }, uniquingKeysWith: { $1 })))
    }
    return .map([
      "run": .string(run.hex), "stage": .string(record.stage.address), "result": .string(record.result.rawValue),
      "started": .string(Timestamp.text(record.execution.started)),
      "seconds": record.seconds.map { .float($0) } ?? .null,
      "exit": record.execution.exit.map { .int($0) } ?? .null,
      "actor": .map(["name": .string(record.actor.name), "host": .string(record.actor.host)]),
      "reconstructed": reconstructed(record), "reasons": .list(record.reasons), "params": .map(ValueMap(params, uniquingKeysWith: { $1 })),
      "metrics": .map(ValueMap(record.metrics.map { (.string($0.key), $0.value) }, uniquingKeysWith: { $1 })),
    ])
  }

  /// `null` for a run that was observed.
  private static func reconstructed(_ record: RunRecord) -> Value {
    record.reconstructed.map { .map(["commit": .string($0.commit), "lock": .string($0.lock)]) } ?? .null
  }

  static func word(_ record: RunRecord) -> String {
    record.reconstructed == nil ? word(record.result) : "reconstructed"
  }

  private static func word(_ result: RunResult) -> String {
    switch result {
    case .succeeded: "ran"
    case .restored: "from cache"
    case .accepted: "accepted"
    case .failed: "FAILED"
    case .aborted: "ABORTED"
    case .inputChanged: "INPUT CHANGED"
    case .lost: "LOST"
    }
  }

  static func lines(_ rows: [Row], usesColor: Bool) -> [String] {
    let cells = rows.map { row in
      let record = row.record
      return [
        row.name, record.stage.address, word(record), HumanText.moment(record.execution.started),
        HumanText.duration(record.result == .restored ? nil : record.seconds),
        record.actor.text,
      ].map(PrintableText.line)
    }
    let widths = (0..<6).map { column in cells.map { $0[column].count }.max() ?? 0 }
    return zip(rows, cells).map { row, cells in
      var line = ""
      for (column, cell) in cells.enumerated() {
        let space = String(repeating: " ", count: widths[column] - cell.count)
        // Durations are read from the right.
        let padded = column == 4 ? space + cell : cell + space
        let isBad = column == 2 && !row.record.result.leavesLock
        line += Color.red.paint(padded, if: usesColor && isBad) + "  "
      }
      line += PrintableText.line(tail(row).joined(separator: "  "))
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// Changed parameters, metrics, or how it failed.
  private static func tail(_ row: Row) -> [String] {
    let record = row.record
    if !record.result.leavesLock {
      if let exit = record.execution.exit, exit != 0 { return ["exit \(exit)"] }
      return FailureText.line(record).map { [String($0.prefix(60))] } ?? []
    }
    var words: [String] = []
    let before = Dictionary(row.previous?.parameterLeaves ?? [], uniquingKeysWith: { first, _ in first })
    for (name, value) in record.parameterLeaves {
      guard let old = before[name], !old.isEqualInPython(to: value) else { continue }
      words.append("\(name) \(HumanText.value(old)) → \(HumanText.value(value))")
    }
    words = Array(words.prefix(3))
    words += record.metricLeaves.prefix(3).map { "\($0.0) \(HumanText.value($0.1))" }
    return words
  }
}

extension RunRecord.Actor {
  /// `ann@gpu1`; the name alone where no host is known.
  var text: String { host.isEmpty ? name : "\(name)@\(host)" }
}
