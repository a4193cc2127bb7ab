// `cairn metrics`: the numbers that stages measured, and how they changed.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats

struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics", abstract: "Commands to display and compare metrics",
    subcommands: [MetricsShowCommand.self, MetricsDiffCommand.self])
}

enum MetricsPrecision {
  static let standard = 5

  /// Zero is no choice, as in DVC.
  static func digits(_ chosen: Int?) -> Int { chosen.flatMap { $0 == 0 ? nil : $0 } ?? standard }
}

struct MetricsShowCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Print metrics, with optional formatting",
    discussion: """
      cairn metrics show
      cairn metrics show -a --md
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .shortAndLong, help: "Show metrics for all branches.") var allBranches = false
  @Flag(name: [.customShort("T"), .long], help: "Show metrics for all tags.") var allTags = false
  @Flag(name: [.customShort("A"), .long], help: "Show metrics for all commits.") var allCommits = false
  @Flag(name: .long, help: "Show output in JSON format.") var json = false
  @Flag(name: .customLong("md"), help: "Show tabulated output in the Markdown format (GFM).") var markdown = false
  @Flag(
    name: [.customShort("R"), .long],
    help: "If any target is a directory, recursively search and process metrics files.")
  var recursive = false
  @Option(
    name: .long,
    help: ArgumentHelp("Round metrics to `n` digits precision after the decimal point (default: 5).", valueName: "n"))
  var precision: Int?
  @Argument(help: "Limit command scope to these metrics files or directories.", completion: Completions.files) var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    let history = try ValueHistory.open()
    let paths = targets.map { ComparisonCommand.path($0, from: history.folder, history) }
    var selection = ValueHistory.Selection()
    selection.branches = allBranches
    selection.tags = allTags
    selection.commits = allCommits
    let states = selection.isEmpty ? ["": history.workspace] : try history.states(of: [], and: selection)
    var readings: StateReadings = [:]
    for (name, state) in states {
      let reading = state.metrics(paths)
      ComparisonCommand.warn(of: reading, name, "metrics", on: console)
      readings[name] = reading
    }
    // Shown only where it differs from the commit that it stands on.
    if let branch = history.branch(), let now = readings["workspace"], let then = readings[branch],
      !now.hasErrors, !then.hasErrors, now.values == then.values
    {
      readings["workspace"] = nil
    }
    ComparisonCommand.tellErrors(readings.map { ($0, $1) }, on: console)
    if json {
      console.write(JSONWriter.text(value(readings, history)))
      return .success
    }
    let shown = readings.mapValues { reading in
      guard case .files(let files) = reading else { return reading }
      return .files(
        FileReadings(files.map { (ComparisonCommand.shown($0, history), $1) }, uniquingKeysWith: { $1 }))
    }
    let table = try MetricsTable.table(
      shown, showsRevision: !selection.isEmpty, precision: MetricsPrecision.digits(precision))
    if markdown || !table.rows.isEmpty { console.writeTable(table.text(markdown ? .markdown : .plain)) }
    return .success
  }

  private func value(_ readings: StateReadings, _ history: ValueHistory) -> Value {
    var revisions: ValueMap = [:]
    for (name, reading) in readings {
      switch reading {
      case .failed(let error): revisions[.string(name)] = .map(["error": ValueErrorText.value(error)])
      case .files(let files):
        var data: ValueMap = [:]
        for (path, result) in files {
          let entry: ValueMap
          switch result {
          case .success(let value): entry = ["data": value]
          case .failure(let error):
            entry = [
              "error": ValueErrorText.value(
                error, ofFile: path, workingDirectory: history.repository.workingDirectory)
            ]
          }
          data[.string(ComparisonCommand.shown(path, history))] = .map(entry)
        }
        revisions[.string(name)] = .map(["data": .map(data)])
      }
    }
    return .map(revisions)
  }
}

struct MetricsDiffCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Show changed metrics between commits, or to the workspace",
    discussion: """
      cairn metrics diff
      cairn metrics diff v1 main --md
      """)

  @OptionGroup var global: GlobalOptions
  @Option(
    name: .long, parsing: .upToNextOption,
    help: ArgumentHelp(
      "Metrics files or directories to compare, even if not found as `metrics` in `dvc.yaml` (default: all).",
      valueName: "paths"))
  var targets: [String] = []
  @Flag(
    name: [.customShort("R"), .long],
    help: "If any target is a directory, recursively search and process metrics files.")
  var recursive = false
  @Flag(name: .long, help: "Show unchanged metrics as well.") var all = false
  @Flag(name: .long, help: "Show output in JSON format.") var json = false
  @Flag(name: .customLong("md"), help: "Show tabulated output in the Markdown format (GFM).") var markdown = false
  @Flag(name: .long, help: "Don't show metric path.") var noPath = false
  @Option(
    name: .long,
    help: ArgumentHelp("Round metrics to `n` digits precision after the decimal point (default: 5).", valueName: "n"))
  var precision: Int?
  @Argument(help: "Old Git commit to compare.", completion: Completions.revisions) var aRev = "HEAD"
  @Argument(help: "New Git commit to compare.", completion: Completions.revisions) var bRev = "workspace"

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let command = ComparisonCommand(
      what: "metrics",
      table: ComparisonTable(
        title: "Metric", old: aRev, new: bRev, showsPath: !noPath, precision: MetricsPrecision.digits(precision)),
      all: all, json: json, markdown: markdown)
    return try command.run(invocation.console) { history, state in
      state.metrics(targets.map { ComparisonCommand.path($0, from: history.folder, history) })
    }
  }
}
