// `cairn runs show`: one run in full.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnLineage

struct RunsShowCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show all that is recorded of a run",
    discussion: """
      cairn runs show @last:train
      cairn runs show 7f3a --json
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(help: "Print the record itself, byte for byte.") var json = false
  @Argument(help: ArgumentHelp("The run to show.", valueName: "run")) var run: String

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let context = try HistoryContext()
    let index = try context.history.index()
    let (id, record) = try context.run(run, in: index)
    if json {
      guard let bytes = try context.history.store.document(id.digest) else { return .unknown }
      console.writeRaw(bytes)
      return .success
    }
    let view = RunView(id: id, record: record, store: context.history.store, names: ShortNames(index))
    for line in try view.lines() { console.write(line) }
    return .success
  }
}
