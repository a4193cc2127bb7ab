// What follows when a command has ended: inputs proved, outputs kept, the end committed, or the failure told.
import CairnCore
import CairnStore
import CairnSystem
import Dispatch
import Synchronization

extension StageExecution {
  func ended(
    _ observation: Observation, judged: Judged, draft: RunRecord, log: LogBuffer, attemptName: String
  ) {
    var draft = draft
    // A tracker may have let the command wait.
    if observation.started > draft.execution.started { draft.execution.started = observation.started }
    let seconds = Double(observation.finished - observation.started) / 1e9
    context.beside?.ran(id, from: observation.started, to: observation.finished)
    context.provenance.describe(observation, log: log, in: &draft, records: context.records)
    draft.claims = context.provenance.takeClaims(attemptName)
    context.inputWatch.end(id)
    let isAborted = progress.withLock { progress in
      progress.job = nil
      progress.endedAttempt = draft.execution.attempt
      return progress.stopSignal != nil
    }
    guard observation.isSuccess else {
      var error = Diagnostic.commandFailed(observation, stage: stage, name: context.name(stage))
      if isAborted { error.code = .aborted }
      if let hint = TrackedExecutor.hint(log.lastLines(40)) { error = error.hinting(hint) }
      if let missing = context.beside?.undeclared(id, started: observation.started, log: log, context) {
        error = error.because(of: missing)
      }
      return failed(
        error, result: isAborted ? .aborted : .failed, draft: draft, judged: judged, attemptName: attemptName,
        seconds: seconds)
    }
    do throws(Diagnostic) {
      let proof = try InputProof.check(stage, judged.snapshot, context)
      // A lock cannot name an input that a forced stage never had, or that a rewriting one removed.
      if isForced || !proof.rewritten.isEmpty { try checkInputsExist(proof.snapshot, hasRun: true) }
      draft.describe(proof)
      if let change = proof.firstChange {
        return changedInput(change, draft: draft, attemptName: attemptName, seconds: seconds)
      }
      let kept = try context.outputs.collect(
        stage, lock: judged.lock, commits: context.request.commits, position: position, context)
      context.beside?.made(id, kept)
      FaultPoint.reach(.objectsStored)
      let entry = makeEntry(proof.snapshot, kept)
      context.provenance.describe(outputs: kept, of: stage, in: &draft, context)
      draft.result = .succeeded
      let isKept = context.outputs.prepareRunCache(stage, entry, context)
      let bytes = context.provenance.encode(draft)
      commit(
        entry, record: bytes, run: context.provenance.identify(bytes), result: .ran, seconds: seconds,
        attemptName: attemptName, isUnchanged: judged.lock?.outs.map(\.withoutVersions) == entry.outs, isKept: isKept,
        draft: draft)
    } catch {
      failed(error, result: .failed, draft: draft, judged: judged, attemptName: attemptName, seconds: seconds)
    }
  }

  /// An input was edited while the command ran: the outputs are kept under the record, and nothing is claimed.
  func changedInput(_ change: InputProof.Change, draft: RunRecord, attemptName: String, seconds: Double) {
    var draft = draft
    do throws(Diagnostic) {
      let kept = try context.outputs.snapshotWithoutCommitting(stage, context)
      context.provenance.describe(outputs: kept, of: stage, in: &draft, context)
      draft.result = .inputChanged
      draft.error = .init(code: Diagnostic.Code.inputChanged.rawValue, message: change.message)
      let bytes = context.provenance.encode(draft)
      let run = context.provenance.identify(bytes)
      try context.outputs.keep(stage, under: run, context)
      try context.committer.closed(attempt: attemptName, record: bytes)
      context.provenance.producers.add(run, draft)
      fail(
        Diagnostic.inputChanged(change, stage: context.name(stage), run: context.records.shortName(of: run)), run: run,
        seconds: seconds, exit: draft.execution.exit)
    } catch {
      fail(error, run: nil, seconds: seconds)
    }
  }

  func failed(
    _ error: Diagnostic, result: RunResult, draft: RunRecord, judged: Judged, attemptName: String, seconds: Double
  ) {
    var draft = draft
    draft.result = result
    draft.error = .init(code: error.code.rawValue, message: error.fullMessage)
    let bytes = context.provenance.encode(draft)
    var run: RunID?
    do throws(Diagnostic) {
      try context.committer.closed(attempt: attemptName, record: bytes)
      let written = context.provenance.identify(bytes)
      context.provenance.producers.add(written, draft)
      run = written
    } catch {
      // Nothing may name a record that is not there.
      context.emit(.warning(id, error.fullMessage))
    }
    let attempt = draft.execution.attempt
    guard result == .failed, attempt <= stage.settings.retries else {
      return fail(error, run: run, seconds: seconds, exit: draft.execution.exit)
    }
    context.emit(.retrying(id, after: error, attempt: attempt + 1))
    progress.withLock { progress in
      progress.attempt = attempt + 1
      progress.previousAttempt = run
    }
    do throws(Diagnostic) {
      // What the failed try left is removed as before any other run; what was moved aside stays aside.
      try context.outputs.removePartial(stage, context)
      var again = judged
      again.snapshot = context.observer.inputs(of: stage, lock: judged.lock, sha256: true)
      self.run(again)
    } catch {
      fail(error, run: run, seconds: seconds)
    }
  }

  func fail(_ error: Diagnostic, run: RunID?, seconds: Double, exit: Int? = nil) {
    var error = error
    if let aside = progress.withLock({ $0.aside }) {
      context.outputs.noteFailure(stage, aside)
      if error.hint == nil { error = error.hintingPrevious(aside.isRestorable, stage: context.name(stage)) }
    }
    leaveHost()
    releasePaths()
    var outcome = Outcome(result: .failed, run: run, seconds: seconds)
    outcome.error = error
    outcome.exit = exit
    report(.finished(.failed))
    report(.settled(outcome))
  }

  func makeEntry(_ snapshot: StageSnapshot, _ outputs: [Content]) -> LockEntry {
    stage.sorted(
      LockEntry(
        command: stage.commandValue, deps: stage.sortedDependencies(snapshot.dependencies),
        params: stage.sortedParameters(snapshot.parameters),
        outs: zip(stage.outputs, outputs).map { LockedFile(path: $0.declared, content: $1) }))
  }

  func commit(
    _ entry: LockEntry, record: [UInt8], run: RunID?, result: StageResult, seconds: Double, attemptName: String = "",
    isUnchanged: Bool = false, isKept: Bool = false, restoredFrom: RunID? = nil, draft: RunRecord? = nil
  ) {
    let ignored: [RepoPath]
    do throws(Diagnostic) {
      ignored = try context.outputs.ignore(
        stage.outputs.compactMap { $0.isCached ? $0.location.local : nil }, position: position)
    } catch {
      return fail(error, run: nil, seconds: seconds)
    }
    // The run-cache keeps what was made, and no versions of it.
    let put = context.book.put(
      stage.address, position: position, entry: entry.keepingVersionsOfFiles(in: context.book.entry(of: stage.address)))
    context.provenance.source.ended(stage)
    if put.isChange { context.emit(.lockChanged(id, isNew: put.isFirst)) }
    if let run, let draft { context.provenance.announce(run, draft) }
    leaveHost()
    var made = Outcome(result: result, run: run, seconds: seconds)
    made.isUnchanged = isUnchanged
    made.restoredFrom = restoredFrom
    made.exit = result == .ran && !record.isEmpty ? 0 : nil
    let outcome = made
    // Before consumers may start: the journal has ends before the starts that stand on them.
    context.committer.commit(
      Commitment(
        ended: JournalEntry.Ended(
          attempt: attemptName, stage: stage.address, position: position, place: willEnd(),
          replaces: put.replaces, entry: put.encoded, ignored: ignored, isKept: isKept, record: record)
      ) { [self] error in
        // Not before the journal has it: who waits for these paths looks there.
        releasePaths()
        if error == nil, let run, let draft { context.provenance.remember(run, draft) }
        var settled = outcome
        if let error {
          settled.result = .failed
          settled.error = error
          settled.run = nil
        } else if let aside = progress.withLock({ $0.aside }) {
          context.outputs.discard(aside)
        }
        guard isKept, settled.error == nil else { return report(.settled(settled)) }
        // Off the committer's queue: others wait for it to start.
        queue.async { [self, settled] in
          context.outputs.saveRunCache(stage, entry, context)
          report(.settled(settled))
        }
      })
    report(.finished(result))
  }
}
