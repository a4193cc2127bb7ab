// Takes OpenLineage events from the queue to their collector, one after the other, on a thread of its own. A stage waits
// for it never. Knows nothing of what an event says.
package import CairnCore
package import CairnEngine
package import CairnLineage
import CairnFormats
import CairnSystem
import Dispatch
import Synchronization

/// Makes senders for the layers below, once for a process.
package struct OpenLineageServices: EventConnector {
  private let transport: any HTTPTransport

  package init(_ transport: any HTTPTransport = CurlTransport()) { self.transport = transport }

  package func address(_ settings: OpenLineageSettings) throws(Diagnostic) -> String { try client(settings, .init()).address }

  package func sender(_ settings: OpenLineageSettings, _ queue: EventQueue) throws(Diagnostic) -> any EventSender {
    var policy = RetryPolicy()
    policy.attempts = 2
    policy.base = 0.2
    return OpenLineageSession(try client(settings, policy), queue)
  }

  /// Sends what is left, oldest first; stops where the collector does not take more.
  ///
  /// - Parameter progress: called with the number of events that are done, and of all.
  /// - Throws: for an address that is none, and where the queue cannot be read.
  package func sync(
    _ settings: OpenLineageSettings, _ queue: EventQueue, _ progress: (Int, Int) -> Void = { _, _ in }
  ) throws(Diagnostic) -> EventReport {
    try EventDelivery(client(settings, OpenLineageClient.standardPolicy), queue).send(retriesRefused: true, progress)
  }

  private func client(_ settings: OpenLineageSettings, _ policy: RetryPolicy) throws(Diagnostic) -> OpenLineageClient {
    try OpenLineageClient(
      url: settings.url, endpoint: settings.endpoint, key: Environment.value(OpenLineageClient.Variable.key),
      transport: transport, policy: policy)
  }
}

/// What became of the events of a queue.
package struct EventReport: Sendable {
  package var sent = 0
  /// Still there: their words, and why.
  package var left: [(words: String, why: String)] = []
  package init() {}
}

/// One pass over the queue.
struct EventDelivery: Sendable {
  private let client: OpenLineageClient
  private let queue: EventQueue

  init(_ client: OpenLineageClient, _ queue: EventQueue) {
    self.client = client
    self.queue = queue
  }

  /// - Parameter retriesRefused: what the collector once refused is tried again.
  func send(
    retriesRefused: Bool, isStopped: () -> Bool = { false }, _ progress: (Int, Int) -> Void = { _, _ in }
  ) throws(Diagnostic) -> EventReport {
    var report = EventReport()
    guard let lock = try queue.lock() else {
      for entry in try queue.entries() { report.left.append((entry.words, "another process is sending")) }
      return report
    }
    defer { withExtendedLifetime(lock) {} }
    var fault: Diagnostic?
    let names = try queue.names()
    for (number, name) in names.enumerated() {
      progress(number, names.count)
      guard var entry = queue.entry(name) else { continue }
      // Behind one that did not arrive nothing is sent: a reader would link the wrong runs.
      if let fault {
        report.left.append((entry.words, fault.fullMessage))
        continue
      }
      if entry.destination != client.address {
        report.left.append((entry.words, "it is for '\(entry.destination)'"))
        continue
      }
      if let failure = entry.failure, !retriesRefused {
        report.left.append((entry.words, failure))
        continue
      }
      if isStopped() {
        report.left.append((entry.words, "there was no time"))
        continue
      }
      do throws(Diagnostic) {
        try client.post(Array(ExportJSON.line(entry.event).utf8))
        try queue.remove(entry)
        report.sent += 1
      } catch {
        report.left.append((entry.words, error.fullMessage))
        // An event that the collector will never take keeps nobody else waiting.
        if error.code == .openLineageEvent {
          entry.failure = error.fullMessage
          try? queue.put(entry)
        } else {
          fault = error
        }
      }
    }
    return report
  }
}

final class OpenLineageSession: EventSender {
  let address: String
  private let delivery: EventDelivery
  private let queue: EventQueue
  private let state = Mutex(State())
  private let posted = DispatchSemaphore(value: 0)

  private struct State {
    var hasBegun = false
    /// Calls of `added` that the thread has not looked at.
    var news = 0
    var isBusy = false
    /// The collector does not answer: it is asked no more in this run.
    var silence: String?
    var sent = 0
    var left: [(words: String, why: String)] = []
    /// There is no more time.
    var isStopped = false
  }

  init(_ client: OpenLineageClient, _ queue: EventQueue) {
    address = client.address
    delivery = EventDelivery(client, queue)
    self.queue = queue
  }

  func added() {
    let isFirst = state.withLock { state in
      state.news += 1
      defer { state.hasBegun = true }
      return !state.hasBegun
    }
    if isFirst, !WorkerThreads.start({ [self] in sendAll() }) { state.withLock { $0.silence = "the system gives no thread" } }
    posted.signal()
  }

  private func sendAll() {
    while true {
      posted.wait()
      let goesOn = state.withLock { state in
        guard state.news > 0, state.silence == nil, !state.isStopped else { return false }
        state.news = 0
        state.isBusy = true
        return true
      }
      guard goesOn else { continue }
      send()
      state.withLock { $0.isBusy = false }
    }
  }

  private func send() {
    let result: Result<EventReport, Diagnostic>
    do throws(Diagnostic) {
      result = .success(try delivery.send(retriesRefused: false, isStopped: { state.withLock { $0.isStopped } }))
    } catch { result = .failure(error) }
    state.withLock { state in
      switch result {
      case .success(let report):
        state.sent += report.sent
        state.left = report.left
        // Nothing arrived of what is ours: the next one would wait as long, for nothing.
        if report.sent == 0, !report.left.isEmpty { state.silence = report.left[0].why }
      case .failure(let error): state.silence = error.fullMessage
      }
    }
  }

  /// As long as something arrives, but not for ever (nanoseconds).
  private static let longestFinish: Nanoseconds = 30_000_000_000
  private static let stall: Nanoseconds = 8_000_000_000

  func finish(_ progress: (Int) -> Void) -> TrackingSummary {
    var summary = TrackingSummary()
    guard state.withLock({ $0.hasBegun }) else { return summary }
    let began = WallClock.monotonic()
    var last = (left: Int.max, at: began)
    while state.withLock({ $0.silence == nil && ($0.news > 0 || $0.isBusy) }) {
      let now = WallClock.monotonic()
      let left = ((try? queue.names()) ?? []).count
      if left != last.left { last = (left, now) }
      if now - began > Self.longestFinish || now - last.at > Self.stall { break }
      progress(left)
      Pause.seconds(0.01)
    }
    state.withLock { state in
      state.isStopped = true
      summary.sent = state.sent
      let why = state.left.first?.why ?? state.silence ?? "the collector is slow"
      summary.left = ((try? queue.names()) ?? []).count
      if summary.left > 0 { summary.notes.append(why) }
    }
    return summary
  }
}
