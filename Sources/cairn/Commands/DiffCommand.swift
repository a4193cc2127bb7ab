// `cairn diff`: which data came, went, changed or moved between commits, or since one.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct DiffCommand: CairnCommand, OptionalValues {
  static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Show changed data between commits, or to the workspace",
    discussion: """
      Compares what dvc.lock and .dvc files recorded in a commit with another commit, or with the data that is in the \
      workspace now; of folders, file by file. `cairn data status` shows what is not committed, and to whom.

      Examples:
        cairn diff
        cairn diff v1 main --targets data --md
      """)

  static let optionalValues: [String: String?] = ["--targets": nil]

  @OptionGroup var global: GlobalOptions
  @Option(
    name: .long, parsing: .upToNextOption,
    help: ArgumentHelp(
      "Specific DVC-tracked files to compare. Accepts one or more file paths.", valueName: "paths"),
    completion: Completions.files)
  var targets: [String] = []
  @Flag(name: .long, help: "Format the output into a JSON.") var json = false
  @Flag(name: .long, help: "Display hash value for each entry.") var showHash = false
  @Flag(name: .customLong("md"), help: "Show tabulated output in the Markdown format (GFM).") var markdown = false
  @Flag(name: .long, help: "Hide missing cache file status.") var hideMissing = false
  @Argument(help: "Old Git commit to compare.", completion: Completions.revisions) var aRev = "HEAD"
  @Argument(
    help: "New Git commit to compare (default: the current workspace).", completion: Completions.revisions)
  var bRev: String?

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    let repository = try Repository.findRoot()
    let settings = try Settings.load(repository)
    for warning in settings.warnings { console.warning(warning) }
    let newer = bRev.flatMap { $0.isEmpty ? nil : $0 }
    let diff: DataDiff
    do throws(Diagnostic) {
      diff = try DataDiff(from: aRev, to: newer, targets, in: DataProject(repository, settings))
    } catch {
      throw error.framed("failed to get diff").exiting(.no)
    }
    let text = DataDiffText(diff: diff, showsHash: showHash, hidesMissing: hideMissing || newer != nil)
    if json {
      console.write(text.json)
    } else if markdown {
      console.writeTable(try text.markdown())
    } else {
      try text.write(to: console)
    }
    return .success
  }
}
