// `cairn status`: what differs from what `dvc.lock` and `.dvc` files say, as DVC lays it out.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats

struct StatusCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show what differs from the last reproduction",
    discussion: """
      Compares the workspace with dvc.lock and .dvc files: commands, dependencies, parameters and outputs. `cairn why` \
      explains what it finds. With -q nothing is printed, and the exit code is 1 when something differs.

      Examples:
        cairn status
        cairn status -d train
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .shortAndLong, help: "Show status of a local cache compared to a remote repository.") var cloud = false
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Remote storage to compare local cache to", valueName: "name")) var remote: String?
  @Flag(
    name: .shortAndLong, help: "Show status of a local cache compared to a remote repository for all branches.")
  var allBranches = false
  @Flag(
    name: [.customShort("T"), .long],
    help: "Show status of a local cache compared to a remote repository for all tags.")
  var allTags = false
  @Flag(
    name: [.customShort("A"), .long],
    help: "Show status of a local cache compared to a remote repository for all commits.")
  var allCommits = false
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Number of jobs to run simultaneously with --cloud.", valueName: "number"))
  var jobs: Int?
  @Flag(name: [.customShort("d"), .long], help: "Show status for all dependencies of the specified target.")
  var withDeps = false
  @Flag(name: [.customShort("R"), .long], help: "Show status of all stages in the specified directory.")
  var recursive = false
  @Flag(name: .long, help: "Show status in JSON format.") var json = false
  @Flag(name: .long, help: "Ignore updates to imported data.") var noUpdates = false
  @Argument(help: "Limit command scope to these tracked files/directories, .dvc files and stage names.", completion: Completions.stages)
  var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let repository = try Repository.findRoot()
    let settings = try Settings.load(repository)
    for warning in settings.warnings { console.warning(warning) }
    if isRemoteMeant { return try compareWithRemote(repository, settings, console) }
    let workspace = try Workspace.open(repository, settings)
    let status: ProjectStatus
    do throws(Diagnostic) {
      try refuseMeaninglessOptions()
      for warning in workspace.project.warnings { console.warning(warning) }
      status = try ProjectStatus(of: selections(workspace), in: workspace, checksUpdates: !noUpdates)
    } catch {
      // DVC's status ends with 1 where it fails by an error of its own, unlike its other commands.
      throw error.code == .io ? error : error.exiting(.no)
    }
    for warning in status.warnings { console.warning(warning) }
    if json {
      console.write(JSONWriter.text(status.value))
    } else if global.quiet > 0 {
      return status.entries.isEmpty ? .success : .no
    } else if status.entries.isEmpty {
      if let failure = workspace.project.failures.first { throw failure.diagnostic }
      console.write(workspace.project.pipeline.stages.isEmpty ? Self.emptyProject : Self.upToDate)
    } else {
      for entry in status.entries { show(entry, on: console) }
    }
    return .success
  }

  private var isRemoteMeant: Bool { cloud || !(remote ?? "").isEmpty }

  private func compareWithRemote(
    _ repository: Repository, _ settings: Settings, _ console: Console
  ) throws -> ExitStatus {
    let history = try ValueHistory.open()
    var selection = ValueHistory.Selection()
    selection.branches = allBranches
    selection.tags = allTags
    selection.commits = allCommits
    let states =
      selection.isEmpty || settings.hasNoSCM ? ["": history.workspace]
      : try history.states(of: [], and: selection)
    let status = try RemoteStatus(
      of: states, targets, withDependencies: withDeps, recursive: recursive, remote: remote,
      jobs: jobs.flatMap { $0 > 0 ? $0 : nil }, repository: repository, settings: settings)
    for warning in status.warnings { console.warning(warning) }
    if json {
      console.write(JSONWriter.text(status.value))
    } else if global.quiet > 0 {
      return status.entries.isEmpty ? .success : .no
    } else if !status.entries.isEmpty {
      let indent = cloud ? "\t" : ""
      for (path, condition) in status.entries { show(condition.rawValue, path.text, indent: indent, on: console) }
    } else if try history.workspace.project().pipeline.stages.isEmpty {
      console.write(Self.emptyProject)
    } else {
      let name = remote.flatMap { $0.isEmpty ? nil : $0 } ?? settings.defaultRemote
      console.write("Cache and remote '\(name ?? "None")' are in sync.")
    }
    return .success
  }

  private static let upToDate = "Data and pipelines are up to date."
  private static let emptyProject = """
    There are no data or pipelines tracked in this project yet.
    See <https://dvc.org/doc/start> to get started!
    """

  private func selections(_ workspace: Workspace) throws(Diagnostic) -> [StageSelection] {
    if targets.isEmpty, let failure = workspace.project.failures.first { throw failure.diagnostic }
    return try TargetResolution(workspace.project, loader: workspace.loader)
      .selections(targets, withDependencies: withDeps, recursive: recursive)
  }

  private func refuseMeaninglessOptions() throws(Diagnostic) {
    let options = [
      ("--all-branches", allBranches), ("--all-tags", allTags), ("--all-commits", allCommits),
      ("--jobs", (jobs ?? 0) != 0),
    ]
    let given = options.filter(\.1).map(\.0)
    if !given.isEmpty {
      throw Diagnostic(
        .usage, "The following options are meaningless for local status: \(given.joined(separator: ", "))")
    }
  }

  private func show(_ entry: ProjectStatus.Entry, on console: Console) {
    console.write(entry.address + ":")
    for part in entry.parts {
      switch part {
      case .words(let words): console.write("\t" + words)
      case .paths(let title, let paths):
        console.write("\t\(title):")
        show(paths, indent: "\t\t", on: console)
      }
    }
  }

  private func show(_ paths: ValueMap, indent: String, on console: Console) {
    for (path, status) in paths {
      let name = path.string ?? ""
      if let keys = status.map {
        console.write("\(indent)\(name):")
        show(keys, indent: indent + "\t", on: console)
      } else {
        show(status.string ?? "", name, indent: indent, on: console)
      }
    }
  }

  private func show(_ status: String, _ path: String, indent: String, on console: Console) {
    let word = status + ":"
    console.write(indent + word + String(repeating: " ", count: max(1, 20 - word.count)) + path)
  }
}
