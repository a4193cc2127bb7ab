// What `repro` says to people and to scripts that read DVC's words. Knows events; knows nothing of how stages run.
internal import CairnCore
internal import CairnEngine
internal import Glibc
internal import Synchronization

/// Takes the events of a run as they come, from any thread.
protocol ReproPrinter: Sendable {
  func take(_ event: RunEvent)
  /// Everything has ended: nothing of the run itself is told from here on.
  func settle(_ summary: RunSummary)
  /// The run failed: says which stages, and why.
  func fail(_ summary: RunSummary)
  func end(_ summary: RunSummary, _ status: ExitStatus)
}

/// DVC's lines. With one job they come as they happen; with more, each stage gives one block when it ends.
final class ReproConsole: ReproPrinter {
  private let console: Console
  private let reproduction: Reproduction
  private let isStreaming: Bool
  private let isTerminal: Bool
  /// Told once, when the first stage starts.
  private let hint: String?
  private let state = Mutex(State())

  private struct State {
    /// DVC puts an empty line between a stage that did something and whatever follows; a failure after it changes
    /// nothing in that.
    var owesBlankLine = false
    var hasHinted = false
    var blocks: [StageID: StageBlock] = [:]
    /// Stages that have begun and whose blocks are still to come.
    var open: Set<StageID> = []
    var ended: [(id: StageID, didSomething: Bool)] = []
  }

  init(console: Console, reproduction: Reproduction, isTerminal: Bool = false, hint: String? = nil) {
    self.console = console
    self.reproduction = reproduction
    self.isTerminal = isTerminal
    self.hint = hint
    isStreaming = reproduction.request.jobs == 1
  }

  private func stage(_ id: StageID) -> Stage { reproduction.workspace.project.pipeline[id] }
  private func name(_ id: StageID) -> String { stage(id).address.text(from: reproduction.workspace.folder) }

  func take(_ event: RunEvent) {
    switch event {
    case .considered(let id, let isFrozen):
      if isStreaming, state.withLock({ $0.owesBlankLine }) { console.info("") }
      if !isStreaming { state.withLock { _ = $0.open.insert(id) } }
      if isFrozen {
        say(id, .warning("stage: '\(name(id))' is frozen. Its dependencies are not going to be reproduced."))
      }
    case .fresh(let id):
      let isPlain = stage(id).isPlainFile
      say(id, .info("\(isPlain ? "" : "Stage ")'\(name(id))' didn't change, skipping"))
      close(id, didSomething: false)
    case .started(let id, let reasons, let attempt):
      if let hint, !state.withLock({ state in
        defer { state.hasHinted = true }
        return state.hasHinted
      }) {
        console.note(Color.cyan.paint("hint", if: console.colorsErrors) + ": " + hint)
      }
      if attempt == 1, isTerminal, let reason = reasons.first {
        let words = PrintableText.line("\(name(id))  STALE  because \(ReasonText.short(reason))")
        say(id, .info(Color.grey.paint(words, if: console.colorsOutput)))
      }
      say(id, .info("Running stage '\(name(id))':"))
    case .command(let id, let line):
      say(id, .info("> \(line)"))
      // Before it starts: it may be silent for hours.
      if isStreaming { console.flush() }
    case .output(let id, let stream, let bytes): say(id, .output(stream, bytes))
    case .pulling(let id): say(id, .info("Pulling data for stage: '\(name(id))'"))
    case .pulled(let id): close(id, didSomething: false)
    case .pullFailed(let id): say(id, .info("Unable to pull data for stage: '\(name(id))'"))
    case .verifying(let id):
      let what = stage(id).isFrozen ? "outputs in frozen stage" : "data sources in stage"
      say(id, .info("Verifying \(what): '\(name(id))'"))
    case .importing(let id, let source, let target): say(id, .info("Importing '\(source)' -> '\(target)'"))
    case .restoring(let id):
      say(id, .info("Stage '\(name(id))' is cached - skipping run, checking out outputs"))
    case .warning(let id, let text):
      if let id { say(id, .warning(text)) } else { console.warning(text) }
    case .inputEdited(let id, let path):
      console.warning(WaitingText.edited(name(id), path))
    case .waiting(let id, let path, let pid, let command):
      console.note(WaitingText.line(name(id), path, pid, command))
    case .assigned, .held: break
    case .retrying(let id, let error, let attempt):
      say(id, .warning("\(error.fullMessage); try \(attempt) of \(stage(id).settings.retries + 1)"))
    case .lockChanged(let id, let isNew):
      let lock = PipelineLoader.lockPath(of: stage(id).address.file).relative(to: reproduction.workspace.folder)
      if isNew { say(id, .info("Generating lock file '\(lock)'")) }
      say(id, .info("Updating lock file '\(lock)'"))
    case .ended(_, let result):
      if isStreaming, result != .failed { state.withLock { $0.owesBlankLine = result == .ran || result == .restored } }
    case .finished(let id, let outcome): finished(id, outcome)
    case .skipped(let ids, let cause):
      let names = Self.join(ids.map { "'\(name($0))'" })
      remark("Stage\(ids.count > 1 ? "s" : "") \(names) will be skipped due to this failure", on: cause)
    }
  }

  private func finished(_ id: StageID, _ outcome: Outcome) {
    close(id, didSomething: outcome.error == nil)
    guard let error = outcome.error else { return }
    console.flush()
    switch reproduction.request.policy {
    case .stop: break
    case .keepGoing: remark(error.message, on: id)
    case .ignore: remark(error.message + " (ignored)", on: id)
    }
  }

  /// Behind the block of a stage that has ended, which may still have to wait for another's.
  private func remark(_ text: String, on id: StageID) {
    let isWaiting = state.withLock { state in
      guard state.ended.contains(where: { $0.id == id }) else { return false }
      state.blocks[id, default: StageBlock()].append(.warning(text))
      return true
    }
    if !isWaiting { console.warning(text) }
  }

  func settle(_ summary: RunSummary) {}

  func fail(_ summary: RunSummary) {
    let failures = summary.failures
    if isTerminal, reproduction.request.policy == .stop {
      for (id, error) in failures {
        var block = FailureBlock(stage: name(id), error: error)
        block.hasLog = summary.outcomes.contains { $0.stage == id && $0.outcome.run != nil }
        block.notStarted = summary.notStarted.map(name)
        block.keptCount = summary.count { $0.result == .ran || $0.result == .restored }
        console.note(block.text(usesColor: console.colorsErrors))
      }
      return
    }
    switch reproduction.request.policy {
    case .ignore: break
    case .keepGoing:
      let names = Self.join(failures.map { "'\(name($0.stage))'" })
      var diagnostic = Diagnostic(
        .commandFailed, "failed to reproduce\(failures.count > 1 ? " stages:" : "") \(names)")
      if failures.count == 1 { diagnostic.hint = failures[0].error.hint }
      console.report(diagnostic)
    case .stop:
      for (id, error) in failures {
        console.report(Diagnostic(error.code, "failed to reproduce '\(name(id))'").because(of: error))
      }
    }
  }

  func end(_ summary: RunSummary, _ status: ExitStatus) {
    let open = state.withLock { Array($0.blocks.keys) }
    for id in open { close(id, didSomething: false) }
  }

  private func say(_ id: StageID, _ piece: StageBlock.Piece) {
    if isStreaming { return show(piece) }
    state.withLock { $0.blocks[id, default: StageBlock()].append(piece) }
  }

  /// The stage has said everything: its block is shown whole.
  private func close(_ id: StageID, didSomething: Bool) {
    if isStreaming { return }
    state.withLock { state in
      state.ended.append((id, didSomething))
      // A consumer may end before its producer's end is durable; it is told after it all the same.
      while let next = state.ended.firstIndex(where: { isNext($0.id, state) }) {
        let (id, didSomething) = state.ended.remove(at: next)
        state.open.remove(id)
        guard let block = state.blocks.removeValue(forKey: id) else { continue }
        if state.owesBlankLine { console.info("") }
        block.forEach(show)
        // The next block may come in hours. Of stages with nothing to do there may be thousands at once.
        if didSomething { console.flush() }
        state.owesBlankLine = didSomething
      }
    }
  }

  private func isNext(_ id: StageID, _ state: borrowing State) -> Bool {
    for producer in reproduction.producers(of: id) where state.open.contains(producer) { return false }
    return true
  }

  private func show(_ piece: StageBlock.Piece) {
    switch piece {
    case .info(let text): console.info(text)
    case .warning(let text): console.warning(text)
    case .output(.standardOutput, let bytes):
      console.writeRaw(bytes)
      if isStreaming { console.flush() }
    case .output(.standardError, let bytes): console.writeErrors(bytes)
    }
  }

  /// `a`, `a and b`, `a, b and c`.
  static func join(_ words: [String]) -> String {
    guard words.count > 1, let last = words.last else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " and " + last
  }
}

/// What others do to the files of a stage.
enum WaitingText {
  /// Why it does not start although its producers have ended.
  static func line(_ stage: String, _ path: String, _ pid: Int, _ command: String) -> String {
    PrintableText.line(
      pid == 0
        ? "\(stage) waits for \(path)"
        : "\(stage) waits for \(path), which process \(pid) holds (\(command))")
  }

  static func edited(_ stage: String, _ path: String) -> String {
    PrintableText.line("\(stage): \(path) was edited; put it back or this result will not count")
  }
}
