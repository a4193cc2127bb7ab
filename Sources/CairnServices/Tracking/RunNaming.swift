// Which run of the tracking server a command may join: asked for on threads of its own, before the command starts. It
// waits for the answer a moment at most. Knows nothing of what has ended, nor of the outbox.
import CairnCore
import CairnEngine
import CairnFormats
import CairnSystem
import Dispatch
import Synchronization

final class RunNaming: Sendable {
  private let settings: TrackingSettings
  private let delivery: MLflowDelivery
  private let state = Mutex(State())
  /// One signal for each run that is to be asked for.
  private let asked = DispatchSemaphore(value: 0)

  private struct State {
    /// Runs that nobody has asked for yet, in the order in which they came.
    var queue: [Question] = []
    /// Commands that wait, by attempt.
    var waiting: [String: Waiting] = [:]
    var allowance = TrackingAllowance()
    /// Threads that ask, and those of them that have nothing to ask for.
    var askers = 0
    var idleAskers = 0
    /// Why the server is not asked any more.
    var silence: String?
    /// It has answered, at the monotonic moment.
    var answered: Nanoseconds?
    /// A command began without its run.
    var isSlow = false

    /// Other commands would wait as long, for nothing.
    mutating func giveUp() {
      silence = silence ?? "it takes longer than commands wait"
      isSlow = true
    }
  }

  private struct Question {
    var run: StartingRun
    var answer: @Sendable (RemoteRun) -> Void
  }

  private struct Waiting {
    /// A monotonic moment.
    var since: Nanoseconds
    /// No longer than this (nanoseconds).
    var most: Nanoseconds
    var ready: @Sendable (CommandEnvironment) -> Void
  }

  /// How long a command waits for a server that has not answered anything meanwhile (nanoseconds).
  private static let patience: Nanoseconds = 1_000_000_000
  /// Commands that start together do not wait for each other's answers.
  private static let mostAskers = 8

  init(_ settings: TrackingSettings, _ delivery: MLflowDelivery) {
    self.settings = settings
    self.delivery = delivery
  }

  /// Why the server is not asked any more.
  var silence: String? { state.withLock(\.silence) }
  /// A command began without its run.
  var isSlow: Bool { state.withLock(\.isSlow) }
  /// Commands wait for an answer that may still come.
  var isAwaited: Bool { state.withLock { !$0.waiting.isEmpty && $0.silence == nil } }

  func heard() { state.withLock { $0.answered = WallClock.monotonic() } }

  func silenced(_ words: String) { state.withLock { $0.silence = words } }

  /// The command has ended.
  func ended(_ attempt: String) { state.withLock { $0.allowance.ended(attempt, at: WallClock.monotonic()) } }

  // MARK: A command

  /// Asks for what takes long at the first time. May be called often.
  func prepare() {
    let isFirst = state.withLock { state in
      if state.askers > 0 { return false }
      state.askers = 1
      return true
    }
    guard isFirst else { return }
    let hasAsker = WorkerThreads.start { [self] in
      do throws(MLflowFailure) {
        _ = try delivery.experiment(settings.experiment)
        heard()
        for _ in 1..<max(1, state.withLock(\.queue.count)) { addAsker() }
      } catch {
        silenced(error.words)
      }
      while askNext() {}
    }
    if !hasAsker { silenced("the system gives no thread") }
  }

  /// After `prepare`.
  ///
  /// - Parameters:
  ///   - asks: called before anything else, where the server is asked.
  ///   - answer: called once where it is, also later than `ready`.
  ///   - ready: called once, with what the command's environment gets beside.
  func name(
    _ run: StartingRun, asks: () -> Void, answer: @escaping @Sendable (RemoteRun) -> Void,
    ready: @escaping @Sendable (CommandEnvironment) -> Void
  ) {
    let now = WallClock.monotonic()
    let most = state.withLock { state -> Nanoseconds? in
      guard state.silence == nil, settings.joins else { return nil }
      let most = state.allowance.left(at: now)
      if most <= 0 { state.giveUp() }
      return most <= 0 ? nil : most
    }
    guard let most else { return ready(environment(of: run, nil)) }
    asks()
    state.withLock { state in
      state.queue.append(Question(run: run, answer: answer))
      state.waiting[run.attempt] = Waiting(since: now, most: most, ready: ready)
    }
    addAsker()
    asked.signal()
    watch(run, for: min(most, Self.patience))
  }

  /// Gives up waiting where the server is silent, or too slow.
  ///
  /// - Parameter pause: before it is looked at (nanoseconds).
  private func watch(_ run: StartingRun, for pause: Nanoseconds) {
    DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(pause))) { [self] in
      let now = WallClock.monotonic()
      let (next, isLost) = state.withLock { state -> (Nanoseconds?, Bool) in
        guard let waiting = state.waiting[run.attempt] else { return (nil, false) }
        let left = waiting.since + waiting.most - now
        let isAlive = state.answered.map { $0 >= waiting.since } ?? false
        if left > 0, isAlive || now - waiting.since < Self.patience { return (min(left, Self.patience), false) }
        state.giveUp()
        return (nil, true)
      }
      if let next { watch(run, for: next) }
      if isLost { release(run, nil) }
    }
  }

  private func release(_ run: StartingRun, _ known: (run: String, experiment: String)?) {
    let now = WallClock.monotonic()
    let waiting = state.withLock { state -> Waiting? in
      guard let waiting = state.waiting.removeValue(forKey: run.attempt) else { return nil }
      state.allowance.began(run.attempt, at: now, waited: now - waiting.since)
      return waiting
    }
    waiting?.ready(environment(of: run, known))
  }

  /// What makes the client's `start_run()` find the run that is there; where there is none, what makes a new one known as
  /// this command's.
  ///
  /// - Source: MLflow's client: `MLFLOW_RUN_ID` is resumed, the pairs of `MLFLOW_RUN_CONTEXT` become tags of new runs.
  private func environment(
    of run: StartingRun, _ known: (run: String, experiment: String)?
  ) -> CommandEnvironment {
    var variables: CommandEnvironment = []
    if Environment.value("MLFLOW_TRACKING_URI") != settings.address {
      variables.append(("MLFLOW_TRACKING_URI", settings.address))
    }
    var tags: ValueMap = ["cairn.stage": .string(run.draft.stage.address), "cairn.invocation": .string(run.draft.invocation)]
    if let known {
      variables.append(("MLFLOW_RUN_ID", known.run))
      variables.append(("MLFLOW_EXPERIMENT_ID", known.experiment))
      tags["mlflow.parentRunId"] = .string(known.run)
    } else {
      variables.append(("MLFLOW_EXPERIMENT_NAME", settings.experiment))
      tags["cairn.joins"] = .string(run.attempt)
    }
    variables.append(("MLFLOW_RUN_CONTEXT", JSONWriter.text(.map(tags))))
    return variables
  }

  // MARK: Threads

  /// Only of a server that has answered: of one that is away, one thread learns it.
  private func addAsker() {
    let isMissing = state.withLock { state in
      guard state.answered != nil, state.queue.count > state.idleAskers, state.askers < Self.mostAskers else { return false }
      state.askers += 1
      return true
    }
    // Without another thread the ones that are there ask.
    if isMissing, !WorkerThreads.start({ [self] in while askNext() {} }) { state.withLock { $0.askers -= 1 } }
  }

  /// Asks for the run of the next command that waits.
  private func askNext() -> Bool {
    state.withLock { $0.idleAskers += 1 }
    asked.wait()
    let (question, isSilent) = state.withLock { state in
      state.idleAskers -= 1
      return (state.queue.isEmpty ? nil : state.queue.removeFirst(), state.silence != nil)
    }
    guard let question else { return true }
    let run = question.run
    guard !isSilent else {
      question.answer(.unknown)
      release(run, nil)
      return true
    }
    do throws(MLflowFailure) {
      let known = try delivery.start(run)
      heard()
      question.answer(.known(known.run))
      release(run, (known.run, known.experiment))
      // The command does not wait for its place in the tree.
      if known.isOrphan { try? delivery.place(known.run, below: run) }
    } catch {
      silenced(error.words)
      question.answer(.unknown)
      release(run, nil)
    }
    return true
  }
}
