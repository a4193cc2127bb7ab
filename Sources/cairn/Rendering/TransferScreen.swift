// How push, fetch and pull talk: progress, warnings, the closing line.
internal import CairnCore
internal import CairnEngine
internal import CairnStore

struct TransferScreen {
  let progress = TransferProgress()
  private let console: Console

  init(_ console: Console) { self.console = console }

  /// Runs a command that holds the project's lock; what it throws is told as DVC tells it.
  ///
  /// - Parameter framing: what failed, for people.
  func run(
    _ framing: String, waitsForLock: Bool, _ body: (OpenProject) throws -> Void
  ) throws -> ExitStatus {
    let project = try OpenProject.open()
    do {
      let lock = try project.lock(waitsForEver: waitsForLock)
      defer { lock.release() }
      try body(project)
    } catch let error as Diagnostic {
      throw error.exitCode == 254 ? error : error.framed(framing).exiting(.no)
    }
    return .success
  }

  func transfer(
    _ what: String, _ body: (inout DataTransfer.Outcome) throws(Diagnostic) -> Void
  ) throws(Diagnostic) -> DataTransfer.Outcome {
    var outcome = DataTransfer.Outcome()
    let line = console.isQuiet ? nil : TransferLine(what, progress)
    defer {
      line?.end()
      for words in outcome.said { console.write(words) }
      for warning in outcome.warnings { console.warning(warning) }
      for note in outcome.notes { console.note(note) }
      for error in outcome.errors { console.error(error) }
    }
    try body(&outcome)
    return outcome
  }

  func summary(_ counts: [(Int, String)], remote: String?, _ project: OpenProject) {
    if (remote ?? "").isEmpty, project.settings.defaultRemote == nil {
      console.note("No remote provided and no default remote set.")
    }
    let words = CheckoutText.summary(counts)
    console.write(words.isEmpty ? "Everything is up to date." : words)
  }
}
