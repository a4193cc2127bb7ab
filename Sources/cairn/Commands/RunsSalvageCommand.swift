// `cairn runs salvage`: the outputs of a run whose input changed meanwhile.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnLineage

struct RunsSalvageCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "salvage", abstract: "Bring back outputs that were kept but not trusted",
    discussion: """
      A run whose input changed while it ran leaves no lock entry; what it made is kept beside its record. This puts it
      back into the workspace. With --accept a person vouches for it: the lock gets the hashes of the start, and a
      record says who accepted.

      cairn runs salvage 7f3a
      cairn runs salvage 7f3a --accept
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(help: "Also write the lock, as made by the inputs of the start.") var accept = false
  @Argument(help: ArgumentHelp("A run.", valueName: "run")) var run: String

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    let context = try HistoryContext()
    let (id, record) = try context.run(run, in: context.history.index())
    let restoration = RunRestoration(context.repository, context.settings)
    for path in try restoration.salvage(record, of: id) { console.info("\(path)  restored") }
    if accept {
      let accepted = try restoration.accept(
        record, of: id, history: context.history, waitsForLock: invocation.waitsForLock)
      console.info("accepted as \(accepted.short): dvc.lock has the hashes of the start")
    }
    return .success
  }
}
