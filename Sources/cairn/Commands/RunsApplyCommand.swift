// `cairn runs apply`: a run's parameters and outputs, back into the workspace.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnLineage

struct RunsApplyCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Bring back a run's parameters and outputs",
    discussion: """
      Parameters are put into their files, whose layout and comments stay; outputs come from the cache. Locks are left
      alone: `cairn repro` then finds what it knows in the run-cache.

      cairn runs apply 7f3a
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .shortAndLong, help: "Replace outputs that no cache holds.") var force = false
  @Flag(help: "Print one JSON document.") var json = false
  @Argument(help: ArgumentHelp("A run.", valueName: "run")) var run: String

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let context = try HistoryContext()
    let (id, record) = try context.run(run, in: context.history.index())
    let result = try RunRestoration(context.repository, context.settings, arguments: invocation.arguments)
      .apply(record, of: id, force: force)
    for change in result.parameters {
      let was = change.was.map { HumanText.value($0) } ?? "-"
      let now = change.now.map { HumanText.value($0) } ?? "-"
      console.info(PrintableText.line("\(change.file): \(change.key)  \(was) → \(now)"))
    }
    for path in result.outputs { console.info(PrintableText.line("\(path)  restored")) }
    if result.parameters.isEmpty, result.outputs.isEmpty { console.info("Everything is as that run left it.") }
    for path in result.missing {
      console.warning(PrintableText.line("'\(path)' is not in the cache and was left as it is"))
    }
    if json {
      console.write(json: .map([
        "schema": "cairn.runs-apply/v1", "run": .string(id.hex), "stage": .string(record.stage.address),
        "params": .list(result.parameters.map { change in
          .map([
            "path": .string(change.file), "key": .string(change.key), "was": change.was ?? .null,
            "now": change.now ?? .null,
          ])
        }), "outputs": .list(result.outputs.map { .string($0) }),
        "missing": .list(result.missing.map { .string($0) }),
      ]))
    }
    return result.missing.isEmpty ? .success : .no
  }
}
