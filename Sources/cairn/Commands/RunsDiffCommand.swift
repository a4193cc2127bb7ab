// `cairn runs diff`: two runs side by side.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnLineage

struct RunsDiffCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare two runs",
    discussion: """
      Parameters, inputs, outputs, metrics, code and environment, what differs only. With one run, it is compared with
      the run of the same stage before it.

      cairn runs diff @last:train
      cairn runs diff 7f3a b81c --json
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(help: "Print one JSON document.") var json = false
  @Argument(help: ArgumentHelp("A run.", valueName: "a")) var first: String
  @Argument(help: ArgumentHelp("The run to compare it with.", valueName: "b")) var second: String?

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let context = try HistoryContext()
    let index = try context.history.index()
    var a = try context.run(first, in: index)
    let b: (id: RunID, record: RunRecord)
    if let second {
      b = try context.run(second, in: index)
    } else {
      b = a
      guard let previous = try index.previous(of: b.id, stage: b.record.stage.address) else {
        throw Diagnostic(.noSuchRun, "stage '\(b.record.stage.address)' has no run before '\(first)'")
      }
      a = try context.run(previous.hex, in: index)
    }
    let store = context.history.store
    let comparison = RunComparison(
      a, b, environments: (Self.document(a.record.environment, store), Self.document(b.record.environment, store)))
    if json {
      console.write(json: comparison.value)
      return .success
    }
    let names = try ShortNames(index)
    for line in Self.lines(comparison, a.record, b.record, names) { console.write(line) }
    return .success
  }

  private static func document(_ digest: Digest32?, _ store: RecordStore) -> Value? {
    guard let digest, let bytes = (try? store.document(digest)) ?? nil else { return nil }
    return (try? JSONReader.parse(SourceText(path: digest.hex, bytes: bytes)))?.value
  }

  private static func lines(
    _ comparison: RunComparison, _ a: RunRecord, _ b: RunRecord, _ names: ShortNames
  ) -> [String] {
    func title(_ id: RunID, _ record: RunRecord) -> String {
      "\(names.name(id)) \(record.stage.address) \(HumanText.moment(record.execution.started, withTime: true))"
    }
    var rows: [[String]] = []
    for (section, items) in comparison.differences {
      for (number, item) in items.enumerated() {
        let (was, now) = (text(item.was), text(item.now))
        rows.append([number == 0 ? section.rawValue : "", item.name, was, now + change(item)])
      }
    }
    if rows.isEmpty { return ["\(names.name(comparison.a)) and \(names.name(comparison.b)) do not differ"] }
    rows.insert(["", "", title(comparison.a, a), title(comparison.b, b)], at: 0)
    let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell + String(repeating: " ", count: widths[column] - cell.count + 2)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  private static func text(_ value: Value?) -> String {
    guard let value else { return "-" }
    if let file = value.map, let md5 = file["md5"] {
      let size = file["size"]?.int.flatMap { HumanText.size(UInt64(exactly: $0)) }
      return [size, md5.string.map { "md5 " + $0.prefix(8) }].compactMap { $0 }.joined(separator: " ")
    }
    // A commit or the hash of a file says no more in full.
    if let text = value.string, text.utf8.count == 40 || text.utf8.count == 64, Hex.decode(text) != nil {
      return String(text.prefix(text.utf8.count == 40 ? 7 : 12))
    }
    return HumanText.value(value)
  }

  /// Of two numbers, by how much.
  private static func change(_ item: RunComparison.Difference) -> String {
    switch (item.was, item.now) {
    case (.int(let a), .int(let b)): return "  (\(b >= a ? "+" : "")\(b - a))"
    case (.some(let was), .some(let now)):
      guard was.bool == nil, now.bool == nil, let a = was.number, let b = now.number else { return "" }
      let rounded = ((b - a) * 1e6).rounded() / 1e6
      return "  (\(rounded >= 0 ? "+" : "")\(rounded))"
    default: return ""
    }
  }
}
