// `cairn runs list`: the runs, newest first.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnLineage

struct RunsListCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List runs, newest first",
    discussion: """
      cairn runs --stage train -n 5
      cairn runs --path model.pkl --json
      """)

  @OptionGroup var global: GlobalOptions
  @Option(help: "Only runs of this stage; `*` stands for any text.") var stage: String?
  @Option(help: "Only runs that read or wrote this path, or something below it.") var path: String?
  @Flag(help: "Only runs that failed, were aborted or lost, or whose input changed.") var failed = false
  @Flag(help: "Only runs that are going on now, also on other hosts.") var running = false
  @Option(name: .customShort("n"), help: ArgumentHelp("At most this many runs.", valueName: "number")) var limit: Int?
  @Flag(help: "Print one JSON document.") var json = false

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    if let limit, limit < 0 { throw Diagnostic.wrongUsage("argument -n: must not be negative") }
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let context = try HistoryContext()
    let index = try context.history.index()
    if running { return try listRunning(context, console) }
    let folder = context.repository.workingFolder ?? .root
    let address = try stage.map { name in try index.address(of: name, from: folder) }
    var filter = LineageIndex.Filter(stage: address, limit: limit)
    if let path {
      guard let inside = folder.resolving(path) else {
        throw Diagnostic(.usage, "'\(path)' is outside of the project")
      }
      filter.path = inside.text
    }
    if failed { filter.results = [.failed, .aborted, .lost, .inputChanged] }
    let runs = try index.runs(filter)
    if json {
      console.write(
        json: RunsTable.value(
          try runs.compactMap { run in try context.listed(run, console).map { (run, $0) } }))
      return .success
    }
    let names = ShortNames(index)
    var rows: [RunsTable.Row] = []
    for run in runs {
      guard let record = try context.listed(run, console) else { continue }
      let previous = try index.previous(of: run, stage: record.stage.address)
      let before = previous.flatMap { (try? context.history.store.record($0)) ?? nil }
      rows.append(RunsTable.Row(name: names.name(run), record: record, previous: before))
    }
    for line in RunsTable.lines(rows, usesColor: console.colorsOutput) { console.write(line) }
    if rows.isEmpty, limit != 0 {
      console.note((failed ? "no recorded run failed" : "no recorded run") + (stage.map { " of '\($0)'" } ?? ""))
    }
    return .success
  }

  private func listRunning(_ context: HistoryContext, _ console: Console) throws -> ExitStatus {
    let live = try RunningStages.list(context.repository)
    if json {
      let runs = live.map { run in
        Value.map([
          "run": .null, "stage": .string(run.stage), "result": "running",
          "started": .string(Timestamp.text(run.started)), "seconds": .null, "exit": .null,
          "actor": .map(["name": .string(run.actor.name), "host": .string(run.actor.host)]),
          "reconstructed": .null, "reasons": .list([]), "params": .emptyMap, "metrics": .emptyMap,
        ])
      }
      console.write(json: .map(["schema": "cairn.runs/v1", "runs": .list(runs)]))
      return .success
    }
    for run in live {
      console.write(
        line: "\(run.stage)  running since \(HumanText.moment(run.started))  \(run.actor.name)@\(run.actor.host)")
    }
    if live.isEmpty { console.note("nothing is running") }
    return .success
  }
}
