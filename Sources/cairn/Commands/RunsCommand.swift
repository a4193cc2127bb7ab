// `cairn runs`: what was run, when, by whom, with what. The parent of its subcommands, and what they share.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnLineage

struct RunsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "runs", abstract: "List, compare and bring back recorded runs",
    discussion: """
      Every execution of a stage is a run with a record that is never changed. A run is named by 4 or more digits of
      its record's SHA-256, or as @last or @last:STAGE.
      """,
    subcommands: [
      RunsListCommand.self, RunsShowCommand.self, RunsDiffCommand.self, RunsLogCommand.self, RunsApplyCommand.self,
      RunsSalvageCommand.self, RunsImportCommand.self, RunsExportCommand.self, RunsCheckCommand.self,
      RunsRebuildCommand.self,
    ],
    defaultSubcommand: RunsListCommand.self)
}

/// The project's history, opened for a question.
struct HistoryContext {
  let repository: Repository
  let settings: Settings
  let history: History

  init() throws(Diagnostic) {
    repository = try Repository.findRoot()
    settings = try Settings.load(repository)
    history = try History(repository, cacheFolder: settings.cacheFolder)
  }

  /// The run that a word names, with its record.
  func run(_ word: String, in index: LineageIndex) throws(Diagnostic) -> (id: RunID, record: RunRecord) {
    let id = try index.resolve(word, from: repository.workingFolder ?? .root)
    guard let record = try history.store.record(id) else { throw Diagnostic(.noSuchRun, "no run begins with '\(word)'") }
    return (id, record)
  }

  /// For a list: what is wrong with one record is told, and the others are listed.
  func listed(_ run: RunID, _ console: Console) throws(Diagnostic) -> RunRecord? {
    do {
      return try history.store.record(run)
    } catch {
      guard [.recordAltered, .recordUnreadable].contains(error.code) else { throw error }
      console.leavesOut(error)
      return nil
    }
  }
}

extension Console {
  /// Of a record that cannot be used, in a list of many.
  func leavesOut(_ fault: Diagnostic) { warning("\(fault.fullMessage); it is left out here: see `cairn runs check`") }

  /// One JSON document on standard output.
  func write(json value: Value) {
    write(JSONWriter.text(JSONWriter.strict(value), indent: 2, ensureASCII: false))
  }
}

/// The fewest digits, 4 or more, that tell each run from all others.
struct ShortNames {
  private let index: LineageIndex

  init(_ index: LineageIndex) { self.index = index }

  func name(_ run: RunID) -> String {
    let hex = run.hex
    var digits = 4
    for other in (try? index.neighbours(of: run)) ?? [] {
      digits = max(digits, zip(other.hex.utf8, hex.utf8).prefix { $0 == $1 }.count + 1)
    }
    return String(hex.prefix(digits))
  }
}
