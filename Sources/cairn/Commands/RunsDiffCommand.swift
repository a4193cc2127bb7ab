// `cairn runs diff`: two runs side by side.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnLineage

struct RunsDiffCommand: OwnCommand {
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
      a, b,
      environments: (
        a.record.environment.flatMap { store.environment($0) }, b.record.environment.flatMap { store.environment($0) }
      ))
    if json {
      console.write(json: comparison.value)
      return .success
    }
    let names = ShortNames(index)
    for line in Self.lines(comparison, a.record, b.record, names) { console.write(line) }
    return .success
  }

  private static func lines(
    _ comparison: RunComparison, _ a: RunRecord, _ b: RunRecord, _ names: ShortNames
  ) -> [String] {
    func title(_ id: RunID, _ record: RunRecord) -> String {
      "\(names.name(id)) \(record.stage.address) \(HumanText.moment(record.execution.started, withTime: true))"
    }
    let sections = comparison.differences.map { ($0.section.rawValue, $0.items) }
    guard let lines = DifferenceTable.lines(sections, titles: (title(comparison.a, a), title(comparison.b, b))) else {
      return ["\(names.name(comparison.a)) and \(names.name(comparison.b)) do not differ"]
    }
    return lines
  }
}
