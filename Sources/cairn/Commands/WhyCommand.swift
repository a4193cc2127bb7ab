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

      --between tells of two commits instead: why the results at the second are other ones than at the first. It holds \
      what their locks have against one another, from git alone: no checkout, no data. Ends with 1 when something \
      differs.

      Examples:
        cairn why evaluate
        cairn why --last train       why it ran the last time
        cairn why --between v1.0 HEAD train
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .long, help: "Tell why the newest execution ran, or why it was skipped.") var last = false
  @Option(name: .long, help: ArgumentHelp("Tell why this run ran.", valueName: "run")) var run: String?
  @Option(
    name: .long, parsing: .upToNextOption,
    help: ArgumentHelp(
      "Tell why the results at the second of two commits are other ones than at the first.", valueName: "rev"),
    completion: Completions.revisions)
  var between: [String] = []
  @Flag(name: .long, help: "Leave out what is fresh.") var stale = false
  @Flag(name: .long, help: "Print one JSON document.") var json = false
  @Argument(help: "Stages, or paths of what they make.", completion: Completions.stages) var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    if run != nil, last || !targets.isEmpty {
      throw Diagnostic.wrongUsage("argument --run: not allowed with --last or with targets")
    }
    if !between.isEmpty { return try tellBetween(invocation) }
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
      console.write(json: WhyJSON(
          explanation, of: workspace.project.pipeline, workspace.records, evidence, omitsFresh: stale).value)
    } else {
      if stale, wanted != nil { explanation.stages.removeAll { $0.verdict == .fresh } }
      let text = WhyText(explanation, workspace, past, evidence)
      for line in wanted == nil ? text.overview() : text.details() { console.write(line: line) }
    }
    return status
  }

  /// The words behind the two revisions are targets, as those before the option are.
  private func tellBetween(_ invocation: Invocation) throws -> ExitStatus {
    if last || run != nil {
      throw Diagnostic.wrongUsage("argument --between: not allowed with argument --\(last ? "last" : "run")")
    }
    guard between.count > 1 else {
      throw Diagnostic.wrongUsage("argument --between: expected 2 arguments")
        .hinting("name both commits, as in `cairn why --between HEAD~1 HEAD`")
    }
    let console = invocation.console
    let repository = try Repository.findRoot()
    let from = try CommittedProject.open(between[0], repository)
    let to = try CommittedProject.open(between[1], repository)
    for warning in to.settings.warnings + to.project.warnings { console.warning(warning) }
    let query = try BetweenCommits(from: from, to: to)
    let wanted = between.dropFirst(2) + targets
    let answer = try wanted.isEmpty ? query.explain() : query.explain(Array(wanted))
    let evidence = BetweenEvidence(query)
    if json {
      console.write(json: BetweenJSON(answer, query, evidence, omitsSame: stale).value)
    } else {
      let text = BetweenText(stale && !wanted.isEmpty ? answer.withoutSame : answer, query, evidence)
      for line in wanted.isEmpty ? text.overview() : text.details() { console.write(line: line) }
    }
    if answer.isDifferent { return .no }
    return answer.explanation.count(.unknown) > 0 ? .unknown : .success
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
