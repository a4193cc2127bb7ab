// `cairn why`: would it run, and what is the one root cause.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnLineage

struct WhyCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "why", abstract: "Explain what makes stages stale, or why they ran",
    discussion: """
      Names the root cause across stages: the file that somebody edited, not the chain of what follows from it. For a \
      path, of the stage that makes it; without arguments, for the whole project. Ends with 0 when everything is \
      fresh, 1 when something is stale, 2 when it cannot tell. Takes no lock and changes nothing.

      Examples:
        cairn why evaluate
        cairn why --last train       why it ran the last time
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .long, help: "Tell why the newest execution ran, or why it was skipped.") var last = false
  @Option(name: .long, help: ArgumentHelp("Tell why this run ran.", valueName: "run")) var run: String?
  @Flag(name: .long, help: "Leave out what is fresh.") var stale = false
  @Flag(name: .long, help: "Print one JSON document.") var json = false
  @Argument(help: "Stages, or paths of what they make.", completion: Completions.stages) var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    if run != nil, last || !targets.isEmpty {
      throw Diagnostic.wrongUsage("argument --run: not allowed with --last or with targets")
    }
    let repository = try Repository.findRoot()
    let settings = try Settings.load(repository)
    for warning in settings.warnings { console.warning(warning) }
    let workspace = try Workspace.open(repository, settings, mendsCache: false)
    let values = CommittedValues(workspace)
    let commands = CommandChanges(workspace, values)
    let past = PastRuns(workspace, commands)
    if let run { return try tell(past.named(run), of: workspace, on: console) }
    for warning in workspace.project.warnings { console.warning(warning) }
    var wanted: [StageID]?
    if !targets.isEmpty {
      var seen: Set<StageID> = []
      wanted = try TargetResolution(workspace.project, loader: workspace.loader)
        .selections(targets).map(\.stage).filter { seen.insert($0).inserted }
    }
    if last {
      let runs = try past.last(of: wanted) { console.leavesOut($0) }
      return tell(runs, of: workspace, on: console)
    }

    var explanation = try WhyQuery(workspace, commands, past).explain(wanted)
    let status = Self.status(explanation)
    let evidence = WhyEvidence(workspace, values)
    if json {
      console.write(json: WhyJSON(explanation, workspace, evidence, omitsFresh: stale).value)
    } else {
      if stale, wanted != nil { explanation.stages.removeAll { $0.verdict == .fresh } }
      let text = WhyText(explanation, workspace, past, evidence)
      for line in wanted == nil ? text.overview() : text.details() { console.write(line: line) }
    }
    return status
  }

  private func tell(_ runs: [PastRun], of workspace: Workspace, on console: Console) -> ExitStatus {
    if json {
      console.write(json: PastRunJSON(runs).value)
    } else {
      let text = PastRunText(workspace)
      for run in runs { console.write(line: text.line(run)) }
    }
    return .success
  }

  /// What is surely stale answers the question, whatever else cannot be told.
  private static func status(_ explanation: Explanation) -> ExitStatus {
    if explanation.count(.stale) + explanation.differingFrozenCount > 0 { return .no }
    return explanation.count(.unknown) > 0 ? .unknown : .success
  }
}
