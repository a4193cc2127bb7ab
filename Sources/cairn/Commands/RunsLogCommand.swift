// `cairn runs log`: what the command printed.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnLineage

struct RunsLogCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Print what the command of a run printed",
    discussion: """
      cairn runs log @last:train
      cairn runs log 7f3a | less -R
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: ArgumentHelp("A run.", valueName: "run")) var run: String

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    let context = try HistoryContext()
    var (id, record) = try context.run(run, in: context.history.index())
    let store = context.history.store
    if record.log == nil, let source = record.restoredFrom ?? record.accepts, let made = try store.record(source) {
      console.note("\(record.result.rawValue): this is the log of \(source.short), which made its outputs")
      (id, record) = (source, made)
    }
    guard let log = record.log else {
      console.note("run \(id.short) of '\(record.stage.address)' has no log")
      return .no
    }
    if let bytes = try store.object(log.sha256) {
      console.writeRaw(bytes)
      return .success
    }
    let presence = try store.presence(of: log.sha256)
    if case .erased(let tombstone) = presence {
      console.note("the log of run \(id.short) is erased: \(tombstone.reason) (\(tombstone.actor), \(tombstone.time))")
    } else {
      console.note("the log of run \(id.short) is \(presence.word)")
    }
    return .unknown
  }
}
