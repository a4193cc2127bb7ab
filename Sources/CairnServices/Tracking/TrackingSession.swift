// The tracking of one `repro`: sends what has ended, on threads of its own. No stage waits for that, or fails by it.
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
  private let naming: RunNaming
  private let state = Mutex(State())
  /// Something may be sent.
  private let posted = DispatchSemaphore(value: 0)

  private struct State {
    /// Something is told of this invocation.
    var hasBegun = false
    var runs: [String: RemoteRun] = [:]
    /// Entries whose run is still to be named.
    var unnamed: [String: Outbox.Entry] = [:]
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
  }

  init(_ project: TrackedProject, _ client: MLflowClient) {
    self.project = project
    delivery = MLflowDelivery(project, client)
    naming = RunNaming(project.settings, delivery)
  }

  // MARK: Before a command

  func prepare() { naming.prepare() }

  func starting(_ run: StartingRun, ready: @escaping @Sendable (CommandEnvironment) -> Void) {
    prepare()
    let isFirst = state.withLock { state in
      defer { state.hasBegun = true }
      return !state.hasBegun
    }
    if isFirst { begin(run.draft.invocation) }
    naming.name(
      run, asks: { state.withLock { $0.runs[run.attempt] = .pending } }, answer: { [self] in settle(run, $0) }, ready: ready)
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
    if let attempt = entry.attempt { naming.ended(attempt) }
    let isUnnamed = state.withLock { state -> Bool in
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
    while naming.isAwaited, WallClock.monotonic() - began < TrackingAllowance.moment { Pause.seconds(0.002) }
  }

  /// The end of the whole comes last.
  private static func isEarlier(_ a: Outbox.Entry, _ b: Outbox.Entry) -> Bool {
    (a.kind == .invocation ? 1 : 0, a.moment) < (b.kind == .invocation ? 1 : 0, b.moment)
  }

  private func send(_ entry: Outbox.Entry) {
    let isDown = state.withLock { $0.failures >= 3 }
    if isDown { return keep(entry, naming.silence ?? "the server does not answer") }
    // Another process that sends has this one's entries, too: what arrived is not there any more.
    guard project.outbox.current(entry) != nil else { return }
    do throws(MLflowFailure) {
      switch try delivery.deliver(entry) {
      case .arrived:
        try? project.outbox.remove(entry)
        naming.heard()
        state.withLock { state in
          state.sent += 1
          state.failures = 0
        }
      case .waits(let words): keep(entry, words)
      case .waitsForPush: state.withLock { $0.waitingForPush += 1 }
      }
    } catch {
      if error.kind != .server { naming.silenced(error.words) }
      state.withLock { $0.failures += error.kind == .unauthorized ? 3 : 1 }
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
      if naming.isSlow {
        summary.notes.append("the server was slow: what commands logged there lies in runs of their own, below their stages'")
      }
      if unsent > 0 {
        summary.notes.append(state.waiting.values.first ?? naming.silence ?? "the server is slow")
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
