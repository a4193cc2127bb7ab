// OpenLineage's events of the executions of one process, put into the queue in the order in which a reader must hear of
// them. Knows the events and their order; knows no server.
package import CairnCore
package import CairnLineage
package import CairnSystem
import OrderedCollections
import Synchronization

/// What takes events from the queue to their collector. Implementations never block, and never fail.
package protocol EventSender: Sendable {
  /// The collector's address.
  var address: String { get }
  /// Something is in the queue.
  func added()
  /// Sends what is left, as long as the collector takes it. Blocks: for the main thread only.
  ///
  /// - Parameter progress: called now and then with how many are left.
  func finish(_ progress: (Int) -> Void) -> TrackingSummary
}

package final class LineageEvents: Sendable {
  private let queue: EventQueue
  private let format: OpenLineage
  private let destination: String
  /// `nil` where nobody sends: of a process that died.
  private let sender: (any EventSender)?
  private let state = Mutex(State())

  private struct State {
    /// Told to have begun, here or by a process that died.
    var invocations: [String: EventQueue.Told] = [:]
    /// Of these a process died: their ends are to be told.
    var lost: OrderedDictionary<String, (moment: Nanoseconds, cairn: String)> = [:]
    /// Attempts that have begun and of which no end is known, with what they make.
    var open: [String: [String]] = [:]
    /// Runs that read what one of these makes: in truth it has ended, and its record is on the way.
    var held: [Held] = []
  }

  private struct Held {
    var attempt: String
    var outputs: [String]
    /// Attempts whose end must be told first.
    var makers: Set<String>
    var events: [Event]
  }

  private typealias Event = (value: Value, words: String)

  /// - Parameter destination: the collector's address.
  package init(_ queue: EventQueue, _ format: OpenLineage, destination: String, sender: (any EventSender)? = nil) {
    self.queue = queue
    self.format = format
    self.destination = destination
    self.sender = sender
  }

  // MARK: What happens

  /// A command is about to start.
  package func started(_ run: StartingRun) {
    let inputs = run.draft.inputs.map(\.path)
    state.withLock { state in
      begin(run.draft, &state)
      func isRead(_ made: [String]) -> Bool { made.contains { path in inputs.contains { Self.touches(path, $0) } } }
      let makers = Set(state.open.filter { isRead($0.value) }.keys)
        .union(state.held.filter { isRead($0.outputs) }.map(\.attempt))
      state.open[run.attempt] = run.outputs
      queue.note(run.draft.invocation, ["start": .string(run.attempt), "outputs": .list(run.outputs.map { .string($0) })])
      let event = (format.start(run.draft, declared: run.outputs), "START of " + run.draft.stage.address)
      if makers.isEmpty { return put([event]) }
      state.held.append(Held(attempt: run.attempt, outputs: run.outputs, makers: makers, events: [event]))
    }
    sender?.added()
  }

  /// A record is in the store.
  package func recorded(_ record: RunRecord, _ run: RunID) {
    guard let type = OpenLineage.end(of: record.result), record.reconstructed == nil else { return }
    let attempt = AttemptName.uuid(
      invocation: record.invocation, address: record.stage.address, attempt: record.execution.attempt)
    state.withLock { state in
      var declared = state.open.removeValue(forKey: attempt)
      var events: [Event] = []
      if declared == nil {
        // Of a process that died, which may have told of it.
        begin(record, &state)
        let told = state.invocations[record.invocation]
        if record.result == .lost {
          state.lost[record.invocation] = (record.execution.finished ?? record.execution.started, record.execution.cairn)
        }
        if told?.ends.contains(attempt) == true { return }
        declared = told?.starts[attempt]
        if declared == nil { events.append((format.start(record, declared: []), "START of " + record.stage.address)) }
      }
      queue.note(record.invocation, ["end": .string(attempt)])
      if let end = format.end(record, run: run, declared: declared ?? []) {
        events.append((end, type.rawValue + " of " + record.stage.address))
      }
      if let place = state.held.firstIndex(where: { $0.attempt == attempt }) {
        state.held[place].events += events
      } else {
        put(events)
        release(attempt, &state)
      }
    }
    sender?.added()
  }

  package func ended(_ record: InvocationRecord) {
    state.withLock { state in
      letGo(&state)
      guard state.invocations.removeValue(forKey: record.invocation) != nil else { return }
      put([(
        format.end(record, cairn: CairnVersion.current),
        OpenLineage.end(ofExit: record.exit).rawValue + " of repro")])
      queue.forget(record.invocation)
    }
    sender?.added()
  }

  /// All that processes that died have left is recorded: their invocations have ended, too.
  package func recovered() {
    state.withLock { state in
      for (invocation, end) in state.lost {
        put([(format.abort(invocation: invocation, at: end.moment, cairn: end.cairn), "ABORT of repro")])
        state.invocations[invocation] = nil
        queue.forget(invocation)
      }
      state.lost = [:]
    }
    sender?.added()
  }

  // MARK: Order

  private func begin(_ record: RunRecord, _ state: inout State) {
    guard state.invocations[record.invocation] == nil else { return }
    let told = queue.told(record.invocation)
    state.invocations[record.invocation] = told
    if told.hasBegun { return }
    queue.note(record.invocation, ["begin": .bool(true)])
    put([(
      format.start(invocation: record.invocation, at: record.execution.started, cairn: record.execution.cairn),
      "START of repro")])
  }

  /// The end of `attempt` is told: so is now what waited for it, and for nothing else.
  private func release(_ attempt: String, _ state: inout State) {
    var ended = [attempt]
    while let attempt = ended.popLast() {
      for place in state.held.indices.reversed() where state.held[place].makers.remove(attempt) != nil {
        guard state.held[place].makers.isEmpty else { continue }
        let held = state.held.remove(at: place)
        put(held.events)
        if state.open[held.attempt] == nil { ended.append(held.attempt) }
      }
    }
  }

  /// No end will come that anything could wait for.
  private func letGo(_ state: inout State) {
    for held in state.held { put(held.events) }
    state.held = []
  }

  private func put(_ events: [Event]) {
    // What cannot be written is not sent, and nothing else.
    for event in events { try? queue.put(event.value, event.words, to: destination) }
  }

  /// One is the other, or lies in it.
  private static func touches(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    let (short, long) = a.count <= b.count ? (a, b) : (b, a)
    return long.starts(with: short) && (long.count == short.count || long[short.count] == UInt8(ascii: "/"))
  }
}

extension ExportProject {
  /// As git and the settings have it.
  package init(_ repository: Repository, _ settings: Settings, _ git: GitRepository?) throws(Diagnostic) {
    var name = try git?.remoteURL()
    if name == nil { name = try git?.rootCommit() }
    self.init(
      repository: name, root: git?.workTree ?? repository.root,
      folder: git.map { Repository.relative(repository.root, to: $0.workTree) } ?? "",
      remote: settings.defaultRemote.flatMap { settings.remote($0)?["url"]?.string })
  }
}
