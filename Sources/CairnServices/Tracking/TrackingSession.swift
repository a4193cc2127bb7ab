// The tracking of one `repro`: asks the server for the run that a command may join, and sends what has ended, on threads
// of its own. A stage waits for it a moment at most, and fails for it never.
import CairnCore
import CairnEngine
import CairnFormats
import CairnLineage
import CairnSystem
import Dispatch
import Synchronization

final class TrackingSession: RunTracker {
  private let project: TrackedProject
  private let delivery: MLflowDelivery
  private let state = Mutex(State())
  /// One signal for each run that is to be asked for.
  private let asked = DispatchSemaphore(value: 0)
  /// Something may be sent.
  private let posted = DispatchSemaphore(value: 0)

  private struct State {
    /// The thread that asks is there.
    var isPrepared = false
    /// Something is told of this invocation.
    var hasBegun = false
    /// Commands that wait, in the order in which they came.
    var queue: [StartingRun] = []
    var ready: [String: Waiting] = [:]
    var allowance = TrackingAllowance()
    /// Threads that ask, and those of them that have nothing to ask for.
    var askers = 0
    var idleAskers = 0
    var runs: [String: RemoteRun] = [:]
    /// Entries whose run is still to be named.
    var unnamed: [String: Outbox.Entry] = [:]
    /// Why the server is not asked any more in this run.
    var silence: String?
    /// It has answered, at the monotonic moment.
    var answered: Nanoseconds?
    var invocation: String?
    /// Nobody else sends what is this run's, as long as it is held.
    var lock: OpenFileLock?
    /// Entries of this run that are not sent yet.
    var open: Set<Outbox.Entry> = []
    var sent = 0
    var waiting: [Outbox.Entry: String] = [:]
    var waitingForPush = 0
    /// Threads that send.
    var busy = 0
    var failures = 0
    /// A command began without its run.
    var isSlow = false

    /// Other commands would wait as long, for nothing.
    mutating func giveUp() {
      silence = silence ?? "it takes longer than commands wait"
      isSlow = true
    }
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

  init(_ project: TrackedProject, _ client: MLflowClient) {
    self.project = project
    delivery = MLflowDelivery(project, client)
  }

  // MARK: Before a command

  func prepare() {
    let isFirst = state.withLock { state in
      defer { state.isPrepared = true }
      if !state.isPrepared { state.askers += 1 }
      return !state.isPrepared
    }
    guard isFirst else { return }
    let hasAsker = WorkerThreads.start { [self] in
      do throws(MLflowFailure) {
        _ = try delivery.experiment(project.settings.experiment)
        let waiting = state.withLock { state in
          state.answered = WallClock.monotonic()
          return state.queue.count
        }
        for _ in 1..<max(1, waiting) { addAsker() }
      } catch {
        state.withLock { $0.silence = error.words }
      }
      while askNext() {}
    }
    if !hasAsker { state.withLock { $0.silence = "the system gives no thread" } }
  }

  func starting(_ run: StartingRun, ready: @escaping @Sendable (CommandEnvironment) -> Void) {
    let now = WallClock.monotonic()
    let (most, isFirst) = state.withLock { state -> (Nanoseconds?, Bool) in
      let isFirst = !state.hasBegun
      state.hasBegun = true
      guard state.silence == nil, project.settings.joins else { return (nil, isFirst) }
      let most = state.allowance.left(at: now)
      guard most > 0 else {
        state.giveUp()
        return (nil, isFirst)
      }
      state.queue.append(run)
      state.ready[run.attempt] = Waiting(since: now, most: most, ready: ready)
      state.runs[run.attempt] = .pending
      return (most, isFirst)
    }
    prepare()
    if isFirst { begin(run.draft.invocation) }
    guard let most else { return ready(environment(of: run, nil)) }
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
        guard let waiting = state.ready[run.attempt] else { return (nil, false) }
        let left = waiting.since + waiting.most - now
        if left > 0, let answered = state.answered, answered >= waiting.since { return (min(left, Self.patience), false) }
        if left > 0, now - waiting.since < Self.patience { return (min(left, Self.patience), false) }
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
      guard let waiting = state.ready.removeValue(forKey: run.attempt) else { return nil }
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
    if Environment.value("MLFLOW_TRACKING_URI") != project.settings.address {
      variables.append(("MLFLOW_TRACKING_URI", project.settings.address))
    }
    var tags: ValueMap = ["cairn.stage": .string(run.draft.stage.address), "cairn.invocation": .string(run.draft.invocation)]
    if let known {
      variables.append(("MLFLOW_RUN_ID", known.run))
      variables.append(("MLFLOW_EXPERIMENT_ID", known.experiment))
      tags["mlflow.parentRunId"] = .string(known.run)
    } else {
      variables.append(("MLFLOW_EXPERIMENT_NAME", project.settings.experiment))
      tags["cairn.joins"] = .string(run.attempt)
    }
    variables.append(("MLFLOW_RUN_CONTEXT", JSONWriter.text(.map(tags))))
    return variables
  }

  // MARK: Threads

  private func begin(_ invocation: String) {
    let lock = (try? project.outbox.lock(invocation)) ?? nil
    state.withLock { state in
      state.invocation = invocation
      state.lock = lock
      // Another process is at work under the same lock: what ends here is sent later.
      if lock == nil { state.failures = 3 }
    }
    var entry = Outbox.Entry(
      .open, document: nil, invocation: invocation, moment: WallClock.now(), destination: project.settings.place,
      experiment: project.settings.experiment)
    entry.maker = .this
    try? project.outbox.put(entry)
    for _ in 0..<Self.senders where !WorkerThreads.start({ [self] in sendAll() }) { break }
  }

  private static let senders = 3

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
    state.withLock { $0.idleAskers -= 1 }
    guard let run = state.withLock({ $0.queue.isEmpty ? nil : $0.queue.removeFirst() }) else { return true }
    let isSilent = state.withLock { $0.silence != nil }
    guard !isSilent else {
      settle(run, .unknown)
      release(run, nil)
      return true
    }
    do throws(MLflowFailure) {
      let known = try delivery.start(run)
      state.withLock { $0.answered = WallClock.monotonic() }
      settle(run, .known(known.run))
      release(run, (known.run, known.experiment))
      // The command does not wait for its place in the tree.
      if known.isOrphan { try? delivery.place(known.run, below: run) }
    } catch {
      state.withLock { $0.silence = error.words }
      settle(run, .unknown)
      release(run, nil)
    }
    return true
  }

  /// Writes the server's name to where the entry waits for it.
  private func settle(_ run: StartingRun, _ remote: RemoteRun) {
    let entry = state.withLock { state in
      state.runs[run.attempt] = remote
      return state.unnamed.removeValue(forKey: run.attempt)
    }
    guard var entry else { return }
    entry.maker = nil
    if case .known(let id) = remote { entry.remoteRun = id }
    try? project.outbox.put(entry)
    post(entry)
  }

  func remoteRun(of attempt: String) -> RemoteRun { state.withLock { $0.runs[attempt] ?? .unknown } }

  func added(_ entry: Outbox.Entry) {
    let now = WallClock.monotonic()
    let isUnnamed = state.withLock { state -> Bool in
      if let attempt = entry.attempt { state.allowance.ended(attempt, at: now) }
      if entry.invocation == state.invocation || state.invocation == nil { state.invocation = entry.invocation }
      guard entry.maker != nil, state.runs[entry.attempt ?? ""] == .pending else { return false }
      state.unnamed[entry.attempt ?? ""] = entry
      return true
    }
    if !isUnnamed { post(entry) }
  }

  private func post(_ entry: Outbox.Entry) {
    var current = entry
    current.maker = nil
    if case .known(let id)? = entry.attempt.map(remoteRun) { current.remoteRun = id }
    let posted = current
    let isFirst = state.withLock { state -> Bool in
      state.open.insert(posted)
      defer { state.hasBegun = true }
      return !state.hasBegun
    }
    // Nothing ran: something was restored.
    if isFirst { begin(entry.invocation) }
    self.posted.signal()
  }

  // MARK: Sending

  private func sendAll() {
    while true {
      posted.wait()
      letCommandsPass()
      guard let entry = state.withLock({ state -> Outbox.Entry? in
        guard let next = state.open.min(by: Self.isEarlier) else { return nil }
        state.open.remove(next)
        state.busy += 1
        return next
      }) else { continue }
      send(entry)
      state.withLock { $0.busy -= 1 }
    }
  }

  /// What is to be sent has time; a command that waits for the same server has none.
  private func letCommandsPass() {
    let began = WallClock.monotonic()
    while state.withLock({ !$0.ready.isEmpty && $0.silence == nil }),
      WallClock.monotonic() - began < TrackingAllowance.moment
    {
      Pause.seconds(0.002)
    }
  }

  /// The end of the whole comes last.
  private static func isEarlier(_ a: Outbox.Entry, _ b: Outbox.Entry) -> Bool {
    (a.kind == .invocation ? 1 : 0, a.moment) < (b.kind == .invocation ? 1 : 0, b.moment)
  }

  private func send(_ entry: Outbox.Entry) {
    let isDown = state.withLock { $0.failures >= 3 }
    if isDown { return keep(entry, state.withLock { $0.silence } ?? "the server does not answer") }
    // Another process that sends has this one's entries, too: what arrived is not there any more.
    guard project.outbox.current(entry) != nil else { return }
    do throws(MLflowFailure) {
      switch try delivery.deliver(entry) {
      case .arrived:
        try? project.outbox.remove(entry)
        state.withLock { state in
          state.sent += 1
          state.failures = 0
          state.answered = WallClock.monotonic()
        }
      case .waits(let words): keep(entry, words)
      case .waitsForPush: state.withLock { $0.waitingForPush += 1 }
      }
    } catch {
      state.withLock { state in
        state.failures += error.kind == .unauthorized ? 3 : 1
        if error.kind != .server { state.silence = error.words }
      }
      keep(entry, error.words)
    }
  }

  private func keep(_ entry: Outbox.Entry, _ words: String) {
    if var current = project.outbox.current(entry), current.failure != words {
      current.failure = words
      try? project.outbox.put(current)
    }
    state.withLock { $0.waiting[entry] = words }
  }

  // MARK: The end

  /// Without anything that arrives, no longer than this (nanoseconds).
  private static let stall: Nanoseconds = 8_000_000_000

  func finish(_ progress: (Int) -> Void) -> TrackingSummary {
    let began = WallClock.monotonic()
    let longest = Nanoseconds(min(project.settings.waitSeconds, 86_400) * 1e9)
    var summary = TrackingSummary()
    guard state.withLock({ $0.hasBegun }) else { return summary }
    var last = (sent: -1, at: began)
    while true {
      let (left, sent) = state.withLock { ($0.open.count + $0.busy + $0.unnamed.count, $0.sent) }
      if left == 0 { break }
      let now = WallClock.monotonic()
      if sent != last.sent { last = (sent, now) }
      if now - began > longest || now - last.at > Self.stall { break }
      progress(left)
      Pause.seconds(0.02)
    }
    if let invocation = state.withLock({ $0.invocation }) {
      // What begins is ended by its record; where there is none, by whoever finds this.
      let hasEnd = ((try? project.outbox.entries()) ?? []).contains { $0.invocation == invocation && $0.kind == .invocation }
      let isSent = state.withLock { $0.sent > 0 }
      if hasEnd || isSent {
        try? project.outbox.remove(
          Outbox.Entry(.open, document: nil, invocation: invocation, moment: 0, destination: "", experiment: ""))
      }
    }
    models(&summary)
    state.withLock { state in
      summary.sent += state.sent
      let unsent = state.open.count + state.busy + state.unnamed.count + state.waiting.count
      summary.left += unsent
      if state.isSlow {
        summary.notes.append("the server was slow: what commands logged there lies in runs of their own, below their stages'")
      }
      if unsent > 0 {
        summary.notes.append(state.waiting.values.first ?? state.silence ?? "the server is slow")
      }
    }
    summary.notes += delivery.takeNotes()
    return summary
  }

  /// Those of this run.
  private func models(_ summary: inout TrackingSummary) {
    guard project.settings.registers, state.withLock({ $0.failures < 3 }) else { return }
    let invocation = state.withLock { $0.invocation }
    for entry in (try? project.outbox.entries()) ?? [] where entry.kind == .model && entry.invocation == invocation {
      do throws(MLflowFailure) {
        switch try delivery.deliver(entry) {
        case .arrived:
          try? project.outbox.remove(entry)
          summary.sent += 1
        case .waits(let words):
          keep(entry, words)
        case .waitsForPush(let objects):
          summary.left += 1
          summary.waitingForPush += objects
        }
      } catch {
        keep(entry, error.words)
      }
    }
  }
}
