// Runs a plan: asks the schedule what may start, starts it, and takes results in until nothing is left.
package import CairnCore
import CairnStore
import CairnSystem
import Dispatch
import Glibc
import Synchronization

/// One guarded state; nothing is called while it is held. Observing, hashing and storing go to a concurrent queue,
/// commands hold no thread at all.
package final class Runner: Sendable {
  private let context: RunContext
  private let order: [StageID]
  private let positions: [StageID: Int]
  private let state: Mutex<State>
  private let work = DispatchQueue(label: "cairn.work", attributes: .concurrent)
  private let done = DispatchSemaphore(value: 0)

  private struct State {
    var schedule: Schedule
    var executions: [StageID: StageExecution] = [:]
    var outcomes: [StageID: Outcome] = [:]
    var forced: Set<StageID>
    /// Of each stage, those that read its outputs; empty unless `--force-downstream` asks.
    var consumers: [StageID: [StageID]] = [:]
    var skipped: [StageID] = []
    var skippedBecause: [StageID: [StageID]] = [:]
    /// Results told to the schedule whose durability is still to be told.
    var unsettled = 0
    /// How often a stage was sent back because another process holds what it needs.
    var refusals: [StageID: Int] = [:]
    var held: [String: Int] = [:]
    /// The last command to end was short: what is prepared now is begun soon.
    var isBrisk = false
    /// Where a serial run would be: the first of the order that has not ended; and what has ended behind it.
    var place = 0
    var endedBehind: Set<Int> = []
    var isDone = false
    var signal: Int32?
    var interrupts = 0
  }

  package init(
    _ context: RunContext, order: [StageID], cutProducers: (StageID) -> [StageID], pool: ResourcePool,
    seconds: (StageID) -> Double?
  ) {
    self.context = context
    self.order = order
    positions = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
    let request = context.request
    var consumers: [StageID: [StageID]] = [:]
    if request.forceDownstream {
      for id in order { for producer in context.producers(id) { consumers[producer, default: []].append(id) } }
    }
    // Asked only where stages run side by side, and the first failure ends the run.
    let doubtful =
      request.jobs > 1 && request.policy == .stop ? ForeseenFailures.all(context, order: order) : []
    state = Mutex(
      State(
        schedule: Schedule(
          order: order, producers: request.singleItem ? { _ in [] } : context.producers, cutProducers: cutProducers,
          stageCount: context.pipeline.stages.count, slots: request.jobs, policy: request.policy,
          settings: { context.pipeline[$0].settings }, pool: pool, seconds: seconds,
          isDoubtful: doubtful.contains),
        forced: request.force ? Set(order) : [], consumers: consumers))
  }

  /// Blocks the calling thread, which must be no Dispatch worker, until all is done and durable.
  ///
  /// - Parameter settled: is told when no stage can have another result, before the locks are written.
  package func run(settled: (RunSummary) -> Void = { _ in }) -> RunSummary {
    pump()
    done.wait()
    let (begun, outcomes) = state.withLock { state in
      var summary = RunSummary()
      summary.notStarted = state.schedule.notStarted
      summary.skipped = state.skipped
      summary.signal = state.signal
      return (summary, state.outcomes)
    }
    var summary = begun
    summary.outcomes = inOrder(outcomes)
    settled(summary)
    let changes = context.beside.map { [context] beside in Prefetch { beside.changes(context) } }
    changes?.begin()
    let failed = outcomes.filter { $0.value.error != nil }
    // Whoever ends DVC by any other signal than Ctrl-C's leaves the lines that it has written.
    let isEnded = [SIGTERM, SIGHUP].contains(summary.signal) && failed.allSatisfy { $0.value.error?.code == .aborted }
    let hasFailed = !failed.isEmpty && !isEnded
    // Where a failure stops nothing, a serial run goes past it.
    let stopping = failed.filter { context.request.policy == .stop || $0.value.error?.code == .aborted }
    let place = (summary.notStarted + stopping.keys).compactMap { positions[$0] }.min() ?? order.count
    let pipeline = context.pipeline
    let passed = order.prefix(place).lazy.flatMap { pipeline[$0].outputs.compactMap(\.location.local) }
    // What stays in that file of a process that is gone counts for nobody.
    try? context.pathLocks.settle()
    do throws(Diagnostic) {
      try context.committer.finish(
        takesBackIgnores: hasFailed && context.request.policy != .ignore, place: place, passed: passed
      ) { pid in
        context.emit(.warning(nil, "waiting for the repository's lock\(pid.map { ", held by process \($0)" } ?? "")"))
      }
    } catch {
      summary.error = error
    }
    summary.changedFiles = context.committer.changedFiles
    summary.undeclaredChanges = changes?.value ?? []
    return summary
  }

  private func inOrder(_ outcomes: [StageID: Outcome]) -> [(stage: StageID, outcome: Outcome)] {
    order.compactMap { id in outcomes[id].map { (id, $0) } }
  }

  /// Commands that last longer gain nothing when the next one is prepared while they run.
  private static let briskness = 0.05

  /// Starts everything that may start, and prepares what comes next.
  private func pump() {
    let (ready, ahead, isDone, isSettling, held) = state.withLock {
      state -> ([StageExecution], [StageExecution], Bool, Bool, [String: Int]?) in
      var ready: [StageExecution] = []
      var ahead: [StageExecution] = []
      while let id = state.schedule.next() { ready.append(execution(of: id, &state)) }
      if state.isBrisk, context.request.mayPrepare {
        while let id = state.schedule.nextAhead() { ahead.append(execution(of: id, &state)) }
      }
      let isSettling = state.schedule.isDone && state.unsettled > 0
      let isDone = state.schedule.isDone && state.unsettled == 0 && !state.isDone
      if isDone { state.isDone = true }
      let held = state.schedule.held
      defer { state.held = held }
      return (ready, ahead, isDone, isSettling, held == state.held ? nil : held)
    }
    if isSettling { context.committer.hurry() }
    if let held { context.emit(.held(held)) }
    // Where a command has just ended, the next one starts on the thread that saw it, which saves waking another.
    // What is to be prepared follows on it too.
    let joined = ready.isEmpty ? 0 : 1
    for execution in ready.dropLast() + ahead.dropFirst(joined) { work.async { execution.proceed() } }
    if let last = ready.last { ChildWatch.shared.follow(on: work) { last.proceed() } }
    for execution in ahead.prefix(joined) { ChildWatch.shared.follow(on: work) { execution.proceed() } }
    if isDone { done.signal() }
  }

  private func execution(of id: StageID, _ state: inout State) -> StageExecution {
    if let known = state.executions[id] { return known }
    let execution = StageExecution(
      context: context, id: id, position: positions[id] ?? 0, isForced: state.forced.contains(id), queue: work,
      isAdmitted: { [self] in isAdmitted(id) }, willEnd: { [self] in willEnd(id) },
      report: { [self] step in take(step, of: id) })
    state.executions[id] = execution
    return execution
  }

  private func willEnd(_ id: StageID) -> Int { state.withLock { pass([id], &$0) } }

  /// Where a serial run would be once these have ended.
  @discardableResult
  private func pass(_ stages: [StageID], _ state: inout State) -> Int {
    for id in stages { if let position = positions[id], position >= state.place { state.endedBehind.insert(position) } }
    while state.endedBehind.remove(state.place) != nil { state.place += 1 }
    return state.place
  }

  /// Whether a stage that is ready to be executed has a slot. Where it has none, the run may have ended meanwhile.
  private func isAdmitted(_ id: StageID) -> Bool {
    let isAdmitted = state.withLock { $0.schedule.prepared(id) }
    if !isAdmitted { pump() }
    return isAdmitted
  }

  private func take(_ step: StageExecution.Step, of id: StageID) {
    switch step {
    case .blocked(let blocker):
      let refusals = state.withLock { state in
        state.schedule.postpone(id)
        state.refusals[id, default: 0] += 1
        return state.refusals[id] ?? 1
      }
      // 50 ms, doubled up to half a second: the sixth refusal comes after more than a second.
      if refusals == 6 {
        context.emit(.waiting(id, path: blocker.path, pid: blocker.pid, command: blocker.command))
      }
      work.asyncAfter(deadline: .now() + .milliseconds(min(500, 50 << min(refusals - 1, 4)))) { [self] in
        state.withLock { $0.schedule.resume(id) }
        pump()
      }
    case .commandEnded(let seconds):
      state.withLock { state in
        state.isBrisk = seconds < Self.briskness
        state.schedule.commandEnded(id)
      }
    case .finished(let result):
      context.emit(.ended(id, result))
      state.withLock { state in
        state.unsettled += 1
        let skipped = state.schedule.finished(id, result)
        if result != .failed || context.request.policy != .stop { pass([id] + skipped, &state) }
        state.skipped += skipped
        if !skipped.isEmpty { state.skippedBecause[id] = skipped }
        if context.request.forceDownstream, result == .ran || result == .restored || state.forced.contains(id) {
          state.forced.formUnion(state.consumers[id] ?? [])
        }
      }
      if result == .failed, context.request.failFast, context.request.policy == .stop {
        // What Ctrl-C stopped already is let end.
        let isStopped = state.withLock { state in
          state.schedule.stop()
          return state.signal != nil
        }
        if !isStopped { stopRunning(SIGTERM) }
      }
      // A failure is settled at once: it is told before anything else starts.
      if result == .failed { return }
    case .settled(let outcome):
      if !(outcome.result == .fresh) { context.emit(.finished(id, outcome)) }
      state.withLock { state in
        state.unsettled -= 1
        state.outcomes[id] = outcome
        state.executions[id] = nil
        // The schedule took it for good: what cannot be stored ends the run.
        if outcome.error != nil, context.request.policy == .stop, state.schedule.state(of: id) != .finished(.failed) {
          state.schedule.stop()
        }
      }
      let skipped = state.withLock { $0.skippedBecause.removeValue(forKey: id) ?? [] }
      if !skipped.isEmpty { context.emit(.skipped(skipped, because: id)) }
    }
    pump()
  }

  // MARK: Stopping

  /// What a signal to Cairn means: nothing new starts; the first SIGINT is passed on, a second one becomes SIGTERM,
  /// and whatever does not end within the grace is killed.
  package func interrupt(_ signal: Int32) {
    let number: Int32 = state.withLock { state in
      state.schedule.stop()
      state.interrupts += 1
      state.signal = state.signal ?? signal
      return signal == SIGINT && state.interrupts == 1 ? SIGINT : SIGTERM
    }
    stopRunning(number)
    pump()
  }

  private func stopRunning(_ signal: Int32) {
    let running = state.withLock { Array($0.executions.values) }
    for execution in running { execution.abort(signal) }
    guard signal != SIGINT else { return }
    work.asyncAfter(deadline: .now() + context.request.grace) { [self] in
      let left = state.withLock { Array($0.executions.values) }
      for execution in left { execution.abort(SIGKILL) }
    }
  }
}
