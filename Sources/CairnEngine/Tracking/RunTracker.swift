// What a tracking server is told while stages run, and how commands learn of their runs there. Knows no server.
package import CairnCore
package import CairnLineage
import CairnSystem
import Synchronization

/// An execution whose command is about to start.
package struct StartingRun: Sendable {
  /// `AttemptName`.
  package var attempt: String
  /// As far as it is known.
  package var draft: RunRecord
  /// Paths that it is to make, as records have them.
  package var outputs: [String]

  package init(attempt: String, draft: RunRecord, outputs: [String]) {
    self.attempt = attempt
    self.draft = draft
    self.outputs = outputs
  }
}

package typealias CommandEnvironment = [(name: String, value: String)]

/// Implementations never block, and never fail: what does not reach the server stays in the outbox.
package protocol RunTracker: Sendable {
  /// A stage is about to run: what takes long at the first time is begun. May be called often.
  func prepare()
  /// - Parameter ready: called once, on any thread, soon: with what the command's environment gets beside.
  func starting(_ run: StartingRun, ready: @escaping @Sendable (CommandEnvironment) -> Void)
  /// What the server calls the attempt.
  func remoteRun(of attempt: String) -> RemoteRun
  /// Something is in the outbox. Where the server's name for the run is still to come, it is written there when it does.
  func added(_ entry: Outbox.Entry)
  /// Sends what is left, as long as the server takes it. Blocks: for the main thread only.
  ///
  /// - Parameter progress: called now and then with how many are left.
  func finish(_ progress: (Int) -> Void) -> TrackingSummary
}

package enum RemoteRun: Sendable, Hashable {
  case known(String)
  /// It was asked for, and no answer has come yet.
  case pending
  case unknown
}

package struct TrackingSummary: Sendable {
  package var sent = 0
  /// Entries that stay in the outbox.
  package var left = 0
  /// Of these, models whose data is not on the remote yet.
  package var waitingForPush = 0
  /// Why, and what else deserves to be said.
  package var notes: [String] = []
  package init() {}
}

/// What makes trackers and reaches servers: the layers that know networks give it once, at the start of a process.
package protocol TrackerConnector: Sendable {
  /// - Throws: for an address that is of no kind known here.
  func tracker(_ project: TrackedProject) throws(Diagnostic) -> any RunTracker
  /// - Throws: for an address that is of no kind known here.
  func reader(_ project: TrackedProject) throws(Diagnostic) -> any TrackingReader
}

package enum TrackerConnectors {
  private static let connector = Mutex<(any TrackerConnector)?>(nil)

  package static var current: (any TrackerConnector)? { connector.withLock { $0 } }

  package static func use(_ new: any TrackerConnector) { connector.withLock { $0 = new } }
}

package enum EventConnectors {
  private static let connector = Mutex<(any EventConnector)?>(nil)

  package static var current: (any EventConnector)? { connector.withLock { $0 } }

  package static func use(_ new: any EventConnector) { connector.withLock { $0 = new } }
}

/// Tells the collector of events and the tracker of each command, and starts it with what the tracker answers. Holds no
/// thread meanwhile.
struct TrackedExecutor: StageExecutor {
  let inner: any StageExecutor
  let tracker: (any RunTracker)?
  let lineage: LineageEvents?

  func prepare() { tracker?.prepare() }

  /// What helps a command that was told its run and could not live with that.
  static func hint(_ lastLines: [String]) -> String? {
    let isOtherExperiment = lastLines.contains { $0.contains("active experiment ID does not match environment run ID") }
    return isOtherExperiment
      ? "it chose another experiment than its run's: `cairn config cairn.tracking.join false`, and it logs into runs of its own"
      : nil
  }

  func start(_ job: Job, events: any JobEvents) -> any RunningJob {
    guard let run = job.run else { return inner.start(job, events: events) }
    guard let tracker else {
      lineage?.started(run)
      return inner.start(job, events: events)
    }
    let waiting = WaitingJob(job, events, inner) { [lineage] in
      var run = run
      run.draft.execution.started = WallClock.now()
      lineage?.started(run)
    }
    tracker.starting(run) { waiting.begin(with: $0) }
    return waiting
  }
}

/// A job between the question to the tracker and its answer.
private final class WaitingJob: RunningJob {
  private let job: Job
  private let events: any JobEvents
  private let inner: any StageExecutor
  private let willStart: @Sendable () -> Void
  private let state = Mutex(State())

  private struct State {
    var running: (any RunningJob)?
    /// Signals that came before there was a command to take them.
    var signals: [Int32] = []
    var hasBegun = false
  }

  init(_ job: Job, _ events: any JobEvents, _ inner: any StageExecutor, willStart: @escaping @Sendable () -> Void) {
    self.willStart = willStart
    self.job = job
    self.events = events
    self.inner = inner
  }

  func begin(with environment: CommandEnvironment) {
    let isStopped: Bool? = state.withLock { state in
      if state.hasBegun { return nil }
      state.hasBegun = true
      return !state.signals.isEmpty
    }
    guard let isStopped else { return }
    if isStopped {
      let now = WallClock.now()
      return events.finished(
        Observation(
          end: .notStarted("the run was stopped"), failedLine: nil, started: now, finished: now, cpuSeconds: 0, peakMemory: nil))
    }
    var job = job
    job.environment = environment.filter { pair in !job.environment.contains { $0.name == pair.name } } + job.environment
    willStart()
    let running = inner.start(job, events: events)
    let signals = state.withLock { state in
      state.running = running
      defer { state.signals = [] }
      return state.signals
    }
    for signal in signals { running.signal(signal) }
  }

  func signal(_ number: Int32) {
    let running = state.withLock { state in
      if state.running == nil { state.signals.append(number) }
      return state.running
    }
    running?.signal(number)
  }
}
