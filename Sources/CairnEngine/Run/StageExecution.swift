// One stage from "its producers have ended" to a result: observe, judge, restore or run, prove, keep, commit.
import CairnCore
import CairnLineage
import CairnStore
import CairnSystem
import Dispatch
import Synchronization

/// Each step takes what the one before made. `proceed` runs on a worker; while a command runs no thread is held.
final class StageExecution: Sendable {
  enum Step: Sendable {
    /// Another process holds a path; try again later.
    case blocked(PathLocks.Blocker)
    /// The command has ended after so many seconds: its slot is free.
    case commandEnded(Double)
    /// The result is known; consumers may start. It is told once it is durable.
    case finished(StageResult)
    /// The result is durable, or the failure is final.
    case settled(Outcome)
  }

  let context: RunContext
  let id: StageID
  let stage: Stage
  let position: Int
  let isForced: Bool
  /// Where a command's end is worked on: whoever watches children must not wait for that.
  let queue: DispatchQueue
  /// Asked before anything is done that others can see: false when the slot is still to come, and `proceed` with it.
  let isAdmitted: @Sendable () -> Bool
  /// Called when the journal is about to have the end: gives the place where a serial run would be then.
  let willEnd: @Sendable () -> Int
  let report: @Sendable (Step) -> Void
  let progress = Mutex(Progress())

  struct Progress {
    /// What was found out ahead of the slot that it waits for.
    var prepared: Prepared?
    var attempt = 1
    var previousAttempt: RunID?
    var job: (any RunningJob)?
    /// The attempt whose command has ended: it may end before its start has returned.
    var endedAttempt = 0
    var claim: PathLocks.Claim?
    /// GPUs and exclusive names; held until the last command has ended.
    var lease: HostLeases.Lease?
    /// What became of the outputs that stood there before; `nil` until they were touched.
    var aside: OutputKeeper.Aside?
    /// The last signal that told it to stop.
    var stopSignal: Int32?
    var isAnnounced = false
    var editedInputs: Set<String> = []
  }

  init(
    context: RunContext, id: StageID, position: Int, isForced: Bool, queue: DispatchQueue,
    isAdmitted: @escaping @Sendable () -> Bool, willEnd: @escaping @Sendable () -> Int,
    report: @escaping @Sendable (Step) -> Void
  ) {
    self.context = context
    self.id = id
    stage = context.pipeline[id]
    self.position = position
    self.isForced = isForced
    self.queue = queue
    self.isAdmitted = isAdmitted
    self.willEnd = willEnd
    self.report = report
  }

  // MARK: Observe and judge

  /// From the beginning; or, where it was prepared ahead, from there.
  func proceed() {
    let prepared = progress.withLock { progress in
      defer { progress.prepared = nil }
      return progress.prepared
    }
    guard let prepared else { return begin() }
    do throws(Diagnostic) {
      // What other commands did meanwhile without declaring it would else be taken for an edit during this one.
      guard isStill(prepared.judged.snapshot) else { return begin() }
      try start(prepared.judged, prepared.cached)
    } catch {
      fail(error, run: nil, seconds: 0)
    }
  }

  private func begin() {
    do throws(Diagnostic) {
      let announce = progress.withLock { progress in
        defer { progress.isAnnounced = true }
        return !progress.isAnnounced
      }
      if announce { context.emit(.considered(id, isFrozen: stage.isFrozen && !stage.isImport)) }
      var judged = judge()
      if let unknown = judged.staleness.unknown, !judged.staleness.isStale || !context.request.dry {
        // A forced stage may start without its inputs: they are asked for when it has ended.
        guard isForced, !stage.commands.isEmpty, unknown.code != .notInThisVersion else { throw unknown }
      }
      guard try mustRun(&judged) else { return finishFresh() }
      if hasCommand, !context.request.dry { context.executor.prepare() }
      if try pullsMissing(judged) { return }
      if context.request.dry, hasCommand { return try announceOnly(judged) }
      let cached = context.pull == nil && hasCommand ? try lookUp(judged) : nil
      progress.withLock { $0.prepared = Prepared(judged: judged, cached: cached) }
      guard isAdmitted() else { return }
      progress.withLock { $0.prepared = nil }
      try start(judged, cached)
    } catch {
      fail(error, run: nil, seconds: 0)
    }
  }

  private var hasCommand: Bool { !stage.commands.isEmpty && !stage.isFrozen }

  private func lookUp(_ judged: Judged) throws(Diagnostic) -> LockEntry? {
    isForced ? nil : try context.outputs.restorable(id, judged, context)
  }

  /// With a slot: from here on others can see what is done.
  private func start(_ judged: Judged, _ cached: LockEntry?) throws(Diagnostic) {
    var (judged, cached) = (judged, cached)
    guard hasCommand else { return try verify(judged) }
    guard try acquirePaths() else { return }
    // Whoever held them may have brought this stage up to date.
    try context.book.refresh()
    let isNews = context.book.generation != judged.generation
    if isNews {
      judged = judge()
      guard try mustRun(&judged) else {
        releasePaths()
        return finishFresh()
      }
    }
    if !isForced, let pull = context.pull { try pullInputs(of: &judged, pull) }
    if isNews || context.pull != nil { cached = try lookUp(judged) }
    if cached == nil, let blocker = try enterHost() {
      releasePaths()
      return report(.blocked(blocker))
    }
    if let confirm = context.request.confirm {
      guard confirm("Going to reproduce stage: '\(context.name(stage))'. Are you sure you want to continue?") else {
        throw Diagnostic(.aborted, "reproduction aborted by the user")
      }
    }
    try execute(judged, cached)
  }

  /// What is known of a stage that only lacks a slot.
  struct Prepared {
    var judged: Judged
    /// What the run-cache has for it.
    var cached: LockEntry?
  }

  /// `--pull`: where data is merely missing, the remote may have it. True when the stage is done by that.
  func pullsMissing(_ judged: Judged) throws(Diagnostic) -> Bool {
    guard let pull = context.pull, !isForced, !isStaleBeyondMissing(judged) else { return false }
    context.emit(.pulling(id))
    guard try pull.pull(stage.outputs, of: stage, judged.lock, warn: { context.emit(.warning(id, $0)) }) else {
      context.emit(.pullFailed(id))
      return false
    }
    context.emit(.pulled(id))
    report(.finished(.fresh))
    report(.settled(Outcome(result: .fresh)))
    return true
  }

  /// Inputs that are not there, and are outputs of something: the remote may have those too.
  func pullInputs(of judged: inout Judged, _ pull: StagePull) throws(Diagnostic) {
    var hasPulled = false
    for (dependency, content) in zip(stage.dependencies, judged.snapshot.dependencies) where content.isMissing {
      guard let path = dependency.location.local,
        let maker = context.pipeline.stages.first(where: { stage in
          stage.outputs.contains { $0.location.local.map(path.isInside) ?? false }
        })
      else { throw Diagnostic.notPulled(dependency.declared) }
      let lock = maker.kind == .tracked ? maker.trackedLock : context.book.entry(of: maker.address)
      let wanted = maker.outputs.filter { $0.location.local.map(path.isInside) ?? false }
      guard try pull.pull(wanted, of: maker, lock, warn: { context.emit(.warning(id, $0)) }) else {
        throw Diagnostic.checkoutFailed(wanted.map { context.shown($0.location, declared: $0.declared) })
      }
      hasPulled = true
    }
    for (set, reading) in zip(stage.parameters, judged.snapshot.parameters) {
      if case .missingFile = reading { throw Diagnostic.notPulled(set.declared) }
    }
    if hasPulled { judged = judge() }
  }

  func finishFresh() {
    let owed = context.committer.unfinished.owed
    if !owed.isEmpty {
      do throws(Diagnostic) {
        try context.outputs.ignore(
          stage.outputs.compactMap(\.location.local).filter { owed.contains($0) }, position: position)
      } catch { return fail(error, run: nil, seconds: 0) }
    }
    context.emit(.fresh(id))
    report(.finished(.fresh))
    report(.settled(Outcome(result: .fresh)))
  }

  /// DVC asks the run-cache about such a stage, and so hashes its inputs, before it runs.
  private var isLookedUp: Bool {
    !isForced && !stage.isAlwaysChanged && !stage.isCallback && !stage.outputs.isEmpty
      && !(stage.dependencies.isEmpty && stage.parameters.isEmpty)
  }

  /// A dry run tells what would happen and changes nothing.
  func announceOnly(_ judged: Judged) throws(Diagnostic) {
    // What the run-cache is asked about must be hashed; DVC meets a missing input there, also when it runs nothing.
    if isLookedUp { try checkInputsExist(judged.snapshot) }
    // DVC tells of both: that the outputs are there already, and the command all the same.
    if !isForced, try context.outputs.restorable(id, judged, context) != nil {
      context.emit(.restoring(id))
    }
    context.emit(.started(id, reasons: reasons(judged), attempt: 1))
    for line in stage.lines { context.emit(.command(id, line: line)) }
    report(.finished(.ran))
    report(.settled(Outcome(result: .ran)))
  }

  // MARK: Paths

  func acquirePaths() throws(Diagnostic) -> Bool {
    let claim = PathLocks.Claim(
      reads: stage.dependencies.filter { $0.source == nil && !$0.isDataset }.map { context.absolute($0.location) }
        + stage.parameters.map { context.absolute($0.location) },
      writes: stage.outputs.map { context.absolute($0.location) })
    if let blocker = try context.pathLocks.acquire(claim) {
      if ProcessIdentity.isAncestor(Int32(truncatingIfNeeded: blocker.pid)) {
        throw Diagnostic.heldByCaller(blocker)
      }
      report(.blocked(blocker))
      return false
    }
    progress.withLock { $0.claim = claim }
    return true
  }

  func releasePaths() {
    let claim = progress.withLock { progress in
      defer { progress.claim = nil }
      return progress.claim
    }
    if let claim { context.pathLocks.release(claim) }
  }

  // MARK: The host

  /// Takes devices, exclusive names and memory for the command, or says who has them.
  func enterHost() throws(Diagnostic) -> PathLocks.Blocker? {
    if let blocker = context.enterMemory(id, stage) { return blocker }
    do throws(Diagnostic) {
      switch try context.leases.acquire(stage.settings) {
      case .granted(let lease):
        progress.withLock { $0.lease = lease }
        return nil
      case .blocked(let blocker):
        context.leaveMemory(id)
        return blocker
      }
    } catch {
      context.leaveMemory(id)
      throw error
    }
  }

  func leaveHost() {
    progress.withLock { $0.lease = nil }
    context.leaveMemory(id)
  }

  // MARK: Data and frozen stages

  /// A stage without a command, or a frozen one: its outputs are looked at and recorded as they are.
  func verify(_ judged: Judged) throws(Diagnostic) {
    if stage.isImport, !stage.isFrozen { return try importAgain(judged) }
    if context.request.dry {
      report(.finished(.ran))
      return report(.settled(Outcome(result: .ran)))
    }
    context.emit(.verifying(id))
    let missing = stage.outputs.filter { !Files.exists(context.absolute($0.location)) }
    guard missing.isEmpty else {
      throw Diagnostic.missingData(missing.map { context.shown($0.location, declared: $0.declared) })
    }
    if stage.kind == .tracked {
      try record(judged)
      report(.finished(.ran))
      return report(.settled(Outcome(result: .ran)))
    }
    try stage.refuseWithoutCommand()
    try checkInputsExist(judged.snapshot)
    let kept = try context.outputs.collect(
      stage, lock: judged.lock, commits: context.request.commits, position: position, context)
    let entry = makeEntry(judged.snapshot, kept)
    let isKept = context.outputs.prepareRunCache(stage, entry, context)
    commit(entry, record: [], run: nil, result: .ran, seconds: 0, isKept: isKept)
  }

  // MARK: Restore or run

  func execute(_ judged: Judged, _ cached: LockEntry?) throws(Diagnostic) {
    context.provenance.source.begins(stage)
    let aside = try context.outputs.clear(stage, context)
    progress.withLock { $0.aside = aside }
    // Under `--force` the command may start without its inputs: they are asked for when it has ended.
    if !isForced { try checkInputsExist(judged.snapshot) }
    if let cached {
      context.emit(.restoring(id))
      do throws(Diagnostic) {
        try context.outputs.restore(stage, from: cached, context)
        return try finishRestored(judged)
      } catch where error.code == .corruptObject || error.code == .checkoutFailed {
        context.emit(.warning(id, error.fullMessage))
      }
      if let blocker = try enterHost() {
        releasePaths()
        return report(.blocked(blocker))
      }
    }
    run(judged)
  }

  /// DVC's words for an input that is not there when the command is about to start, or has ended: Python's own where a
  /// file was to be hashed for the run-cache.
  func checkInputsExist(_ snapshot: StageSnapshot, hasRun: Bool = false) throws(Diagnostic) {
    var isLookedUp = isLookedUp && !stage.isFrozen && !hasRun
    for (dependency, content) in zip(stage.dependencies, snapshot.dependencies) {
      switch content {
      case .missing:
        if isLookedUp {
          throw Diagnostic.notFound(context.absolute(dependency.location), at: dependency.mark)
        }
        throw Diagnostic.missingDependency(
          context.shown(dependency.location, declared: dependency.declared),
          isDeadLink: Files.isDeadLink(context.absolute(dependency.location)), at: dependency.mark)
      // Nor does a dry run, which runs nothing that would want it.
      case .dataset where context.request.dry: return
      case .unknown(let diagnostic), .dataset(.unlocked(let diagnostic)): throw diagnostic
      // The run-cache knows no datasets: DVC asks it for nothing, and hashes nothing for it, from here on.
      case .dataset(.locked): isLookedUp = false
      default: break
      }
    }
    for (set, reading) in zip(stage.parameters, snapshot.parameters) {
      let shown = context.shown(set.location, declared: set.declared)
      switch reading {
      case .missingFile:
        if isLookedUp, !set.keys.isEmpty { throw Diagnostic.missingParameters(set.keys, in: shown, at: set.mark) }
        // A whole file is not asked for its keys.
        if isLookedUp, context.request.dry { continue }
        throw Diagnostic.missingDependency(shown, at: set.mark)
      case .failed(let diagnostic): throw diagnostic
      case .values(let values):
        let missing = set.keys.filter { values[$0] == nil }
        guard let first = missing.first else { continue }
        throw Diagnostic.missingParameters(missing, in: shown, at: set.keyMarks[first] ?? set.mark)
      }
    }
  }

  func finishRestored(_ judged: Judged) throws(Diagnostic) {
    let kept = try context.outputs.collect(
      stage, lock: judged.lock, commits: context.request.commits, position: position, context)
    let entry = makeEntry(judged.snapshot, kept)
    let now = WallClock.now()
    var draft = context.provenance.draft(
      stage: stage, context: context, snapshot: judged.snapshot, reasons: reasons(judged), attempt: 1,
      previous: nil, started: now)
    draft.restoredFrom = context.provenance.source(ofEntry: entry, stage: stage)
    draft.execution.finished = now
    draft.result = .restored
    context.provenance.describe(outputs: kept, of: stage, in: &draft, context)
    let isKept = context.outputs.prepareRunCache(stage, entry, context)
    let bytes = context.provenance.encode(draft)
    commit(
      entry, record: bytes, run: context.provenance.identify(bytes), result: .restored, seconds: 0,
      isKept: isKept, restoredFrom: draft.restoredFrom, draft: draft)
  }

  func run(_ judged: Judged) {
    let (attempt, previous) = progress.withLock { ($0.attempt, $0.previousAttempt) }
    if progress.withLock({ $0.stopSignal != nil }) { return fail(.notStarted, run: previous, seconds: 0) }
    let started = WallClock.now()
    let reasons = reasons(judged)
    var draft = context.provenance.draft(
      stage: stage, context: context, snapshot: judged.snapshot, reasons: reasons, attempt: attempt,
      previous: previous, started: started)
    let devices = progress.withLock { $0.lease?.devices ?? [] }
    context.provenance.describe(devices: devices, of: stage, in: &draft)
    draft.result = .lost
    let name = AttemptName.uuid(invocation: context.invocation, address: stage.address.text(), attempt: attempt)
    do throws(Diagnostic) {
      try context.committer.started(
        JournalEntry.Started(attempt: name, stage: stage.address, lostRecord: context.provenance.encode(draft)))
    } catch {
      return fail(error, run: nil, seconds: 0)
    }
    FaultPoint.reach(.startJournalled)
    context.emit(.started(id, reasons: reasons, attempt: attempt))
    if !devices.isEmpty { context.emit(.assigned(id, devices: devices)) }
    var job = Job(
      stage: stage.address, lines: stage.lines, workingDirectory: context.absolute(stage.wdir),
      environment: context.provenance.environment(for: stage, attempt: name, devices: devices, context: context),
      output: context.terminal, timeout: stage.settings.timeoutSeconds, grace: context.request.grace)
    job.run = StartingRun(attempt: name, draft: draft, outputs: stage.outputs.map(\.location.recordPath))
    let log = LogBuffer(limit: context.request.logLimit)
    let events = Events(execution: self, log: log) { [self, draft] observation in
      // At once, for the next command waits for it. After a failure nothing may start, or another try needs the slot.
      if observation.isSuccess {
        leaveHost()
        report(.commandEnded(Double(observation.finished - observation.started) / 1e9))
      }
      ChildWatch.shared.follow(on: queue) { [self] in
        FaultPoint.reach(.commandEnded)
        ended(observation, judged: judged, draft: draft, log: log, attemptName: name)
      }
    }
    // Before the start: its end may come first, and ends this too.
    context.inputWatch.begin(id) { [weak self] in self?.look(judged.snapshot, attempt: attempt) }
    let running = context.executor.start(job, events: events)
    let stopSignal = progress.withLock { progress in
      if progress.endedAttempt != attempt { progress.job = running }
      return progress.stopSignal
    }
    // It came before there was a job to pass it to.
    if let stopSignal { running.signal(stopSignal) }
  }

  private struct Events: JobEvents {
    let execution: StageExecution
    let log: LogBuffer
    let end: @Sendable (Observation) -> Void
    func began(line: String) { execution.context.emit(.command(execution.id, line: line)) }
    func wrote(_ stream: OutputStream, _ bytes: [UInt8]) {
      log.append(bytes)
      execution.context.emit(.output(execution.id, stream, bytes))
    }
    func finished(_ observation: Observation) { end(observation) }
  }

  /// Signals the command; one that has not started yet will not.
  func abort(_ signal: Int32) {
    let job = progress.withLock { progress in
      progress.stopSignal = signal
      return progress.job
    }
    job?.signal(signal)
  }

  // MARK: While the command runs

  /// Tells at once of inputs that were edited.
  private func look(_ snapshot: StageSnapshot, attempt: Int) {
    let isRunning = progress.withLock { $0.job != nil && $0.endedAttempt != attempt && $0.attempt == attempt }
    guard isRunning else { return }
    let changes = (try? InputProof.check(stage, snapshot, context).changes) ?? []
    let news = progress.withLock { progress in
      // Ended meanwhile: what it made of its inputs afterwards is not watched.
      progress.job == nil ? [] : changes.filter { progress.editedInputs.insert($0.path).inserted }
    }
    for change in news { context.emit(.inputEdited(id, path: change.path)) }
  }
}

extension Diagnostic {
  /// A signal came before the command was started.
  fileprivate static let notStarted = Diagnostic(.aborted, "stopped before it began")

  /// Waiting would never end: the holder waits for us.
  fileprivate static func heldByCaller(_ blocker: PathLocks.Blocker) -> Diagnostic {
    Diagnostic(
      .lock,
      "'\(blocker.path)' is held by the stage that this command runs in (process \(blocker.pid): \(blocker.command))")
  }
}
