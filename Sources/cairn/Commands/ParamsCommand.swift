// `cairn params diff`: which parameters changed.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats

struct ParamsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "params", abstract: "Commands to display params", subcommands: [ParamsDiffCommand.self])
}

struct ParamsDiffCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Show changed params between commits, or to the workspace",
    discussion: """
      Compared are the parameters that stages declare, those that templates take, and the files of the top-level \
      `params`.

      cairn params diff
      cairn params diff main --targets params.yaml --md
      """)

  @OptionGroup var global: GlobalOptions
  @Option(
    name: .long, parsing: .upToNextOption,
    help: ArgumentHelp(
      "Params files to compare, even if not found as `params` in `dvc.yaml` (default: all tracked params).",
      valueName: "paths"))
  var targets: [String] = []
  @Flag(name: .long, help: "Show unchanged params as well.") var all = false
  @Flag(name: .long, help: "Show only params that are stage dependencies.") var deps = false
  @Flag(name: .long, help: "Show output in JSON format.") var json = false
  @Flag(name: .customLong("md"), help: "Show tabulated output in the Markdown format (GFM).") var markdown = false
  @Flag(name: .long, help: "Don't show params path.") var noPath = false
  @Argument(help: "Old Git commit to compare.", completion: Completions.revisions) var aRev = "HEAD"
  @Argument(help: "New Git commit to compare.", completion: Completions.revisions) var bRev = "workspace"

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let command = ComparisonCommand(
      what: "params",
      table: ComparisonTable(title: "Param", old: aRev, new: bRev, showsPath: !noPath, showsChange: false),
      all: all, json: json, markdown: markdown)
    return try command.run(invocation.console) { history, state in
      // As DVC reads them: from the project's root, wherever the user stands.
      state.parameters(targets.map { ComparisonCommand.path($0, from: .root, history) }, dependenciesOnly: deps)
    }
  }
}

/// What `params diff` and `metrics diff` have in common.
struct ComparisonCommand {
  /// `params` or `metrics`.
  var what: String
  var table: ComparisonTable
  var all: Bool
  var json: Bool
  var markdown: Bool

  func run(
    _ console: Console, read: (ValueHistory, ProjectState) -> StateReading
  ) throws -> ExitStatus {
    let history = try ValueHistory.open()
    var comparison = try ValueComparison(from: [:], to: [:], all: all) { _ in nil }
    if try !history.hasNoCommits() {
      var readings: StateReadings = [:]
      for (name, state) in try history.states(of: [table.old, table.new]) {
        let reading = read(history, state)
        Self.warn(of: reading, name, what, on: console)
        readings[name] = reading
      }
      // Two names of one commit stand under both together, and then DVC finds neither.
      let wanted = [table.old, table.new].compactMap { name in readings[name].map { (name, $0) } }
      Self.tellErrors(wanted, on: console)
      comparison = try ValueComparison(
        from: readings[table.old]?.values ?? [:], to: readings[table.new]?.values ?? [:], all: all
      ) { text in
        (try? JSONReader.parse(SourceText(path: "", bytes: Array(text.utf8))))?.value
      }
    }
    comparison.files = FileChanges(
      comparison.files.map { (Self.shown($0, history), $1) }, uniquingKeysWith: { $1 })
    if json {
      console.write(try Self.text(comparison))
      return .success
    }
    let table = table.table(comparison)
    if markdown || !table.rows.isEmpty { console.writeTable(table.text(markdown ? .markdown : .plain)) }
    return .success
  }

  /// A path that the user typed, relative to the project.
  static func path(_ text: String, from folder: RepoPath, _ history: ValueHistory) -> String {
    if text.hasPrefix("/") { return Repository.relative(text, to: history.repository.root) }
    return folder.resolving(text)?.text
      ?? Repository.relative(
        Repository.join(history.repository.absolute(folder), text), to: history.repository.root)
  }

  static func shown(_ path: String, _ history: ValueHistory) -> String {
    RepoPath(path)?.relative(to: history.folder) ?? path
  }

  static func warn(of reading: StateReading, _ revision: String, _ what: String, on console: Console) {
    guard case .failed(let error) = reading else { return }
    console.warning(
      "failed to load \(what) in revision \(PythonText.quoted(revision)), \(ValueErrorText.message(error))")
  }

  static func tellErrors(_ readings: [(String, StateReading)], on console: Console) {
    var names: [String] = []
    for (name, reading) in readings where reading.hasErrors && !names.contains(name) { names.append(name) }
    if names.isEmpty { return }
    console.note(
      "DVC failed to load some metrics for following revisions: '\(names.joined(separator: ", "))'.",
      evenIfQuiet: true)
  }

  private static func text(_ comparison: ValueComparison) throws(Diagnostic) -> String {
    var files: ValueMap = [:]
    for (path, changes) in comparison.files {
      var keys: ValueMap = [:]
      for (key, change) in changes {
        var pair: ValueMap = ["old": change.old, "new": change.new]
        if let difference = change.difference { pair["diff"] = difference }
        for case .timestamp(let text) in [change.old, change.new] {
          let type = PythonText.typeName(.timestamp(text))
          throw Diagnostic.unexpected(.notJSON, "Object of type \(type) is not JSON serializable")
        }
        keys[.string(key)] = .map(pair)
      }
      files[.string(path)] = .map(keys)
    }
    return JSONWriter.text(.map(files))
  }
}

extension Diagnostic.Code {
  static let notJSON = Diagnostic.Code("not-json")
}
