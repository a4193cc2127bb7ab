// `cairn runs salvage`: the outputs of a run whose input changed meanwhile.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnLineage

struct RunsSalvageCommand: OwnCommand {
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
  @Flag(help: "Print one JSON document.") var json = false
  @Argument(help: ArgumentHelp("A run.", valueName: "run")) var run: String

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let context = try HistoryContext()
    let (id, record) = try context.run(run, in: context.history.index())
    let restoration = RunRestoration(context.repository, context.settings, arguments: invocation.arguments)
    let restored = try restoration.salvage(record, of: id)
    for path in restored { console.info(PrintableText.line("\(path)  restored")) }
    if restored.isEmpty, !accept { console.info("The outputs are as that run made them.") }
    var accepted: RunID?
    if accept {
      let vouched = try restoration.accept(
        record, of: id, history: context.history, waitsForLock: invocation.waitsForLock)
      console.info("accepted as \(vouched.short): dvc.lock has the hashes of the start")
      accepted = vouched
    }
    if json {
      console.write(json: .map([
        "schema": "cairn.runs-salvage/v1", "run": .string(id.hex), "stage": .string(record.stage.address),
        "outputs": .list(restored.map { .string($0) }), "accepted": accepted.map { .string($0.hex) } ?? .null,
      ]))
    }
    return .success
  }
}
