// `cairn data status`: how data, the files that record it, and the last commit stand to each other.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Commands related to data management", subcommands: [DataStatusCommand.self])
}

struct DataStatusCommand: CairnCommand, OptionalValues {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show changes between the last commit, dvcfiles and workspace",
    discussion: """
      "Committed" is what dvc.lock and .dvc files say and the last commit does not: commit them. "Uncommitted" is what \
      the data is and they do not say: `cairn commit` or `cairn checkout`. It ends with 0, whatever it finds.

      Examples:
        cairn data status
        cairn data status --granular --untracked-files data
      """)

  static let optionalValues: [String: String?] = ["--untracked-files": "all"]

  @OptionGroup var global: GlobalOptions
  @Flag(name: .long, help: "Show output in JSON format.") var json = false
  @Flag(name: .long, help: "Show granular file-level info for DVC-tracked directories.") var granular = false
  @Flag(name: .long, help: "Show unmodified DVC-tracked files.") var unchanged = false
  @Option(
    name: .long,
    help: ArgumentHelp("Show untracked files: no or all; without a value, all.", valueName: "mode"),
    completion: .list(["no", "all"]))
  var untrackedFiles = "no"
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Remote storage to check (only applicable with --not-in-remote).", valueName: "name"),
    completion: Completions.remotes)
  var remote: String?
  @Flag(name: .long, help: "Show files not in remote.") var notInRemote = false
  @Flag(name: .long, help: "Use cached remote index (don't check remote). Here, a folder is checked all the same.")
  var noRemoteRefresh = false
  @Argument(
    help: "Limit command scope to these tracked files/directories, .dvc files and stage names.",
    completion: Completions.files)
  var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    guard ["no", "all"].contains(untrackedFiles) else {
      throw Diagnostic.usage(
        "argument --untracked-files: invalid choice: '\(untrackedFiles)' (choose from 'no', 'all')")
    }
    let console = invocation.console
    let repository = try Repository.findRoot()
    let settings = try Settings.load(repository)
    for warning in settings.warnings { console.warning(warning) }
    var options = DataStatus.Options()
    options.targets = targets
    options.isGranular = granular
    options.asksRemote = notInRemote
    options.asksForUntracked = untrackedFiles == "all"
    options.asksGit = !json
    let chosen = notInRemote ? remote.flatMap { $0.isEmpty ? nil : $0 } : nil
    let status = try DataStatus(options, of: DataProject(repository, settings, remote: chosen))
    for warning in status.warnings { console.warning(warning) }
    let text = DataStatusText(status: status, showsUnchanged: unchanged)
    if json { console.write(text.json) } else { text.write(to: console) }
    return .success
  }
}
