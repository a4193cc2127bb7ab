// Puts what was recorded into the outbox, where a tracking server is set. Knows records; knows no server.
import CairnCore
package import CairnLineage
import CairnSystem

package struct TrackingOutbox: Sendable {
  package let outbox: Outbox
  private let place: String
  private let experiment: String
  /// `nil` where nobody is told: of a process that died.
  private let tracker: (any RunTracker)?

  package init(_ outbox: Outbox, _ settings: TrackingSettings, tracker: (any RunTracker)? = nil) {
    self.outbox = outbox
    place = settings.place
    experiment = settings.experiment
    self.tracker = tracker
  }

  /// For what a process that died has left; `nil` where nothing is tracked.
  package init?(_ settings: Settings, _ repository: Repository, _ store: RecordStore) {
    guard let tracking = TrackingSettings(settings, repository) else { return nil }
    self.init(Outbox(beside: store), tracking)
  }

  /// A record that is in the store now. Never fails: what cannot be put there is not sent, and nothing else.
  func add(_ record: RunRecord, _ document: Digest32) {
    var entry = Outbox.Entry(
      .run, document: document, invocation: record.invocation,
      attempt: AttemptName.uuid(
        invocation: record.invocation, address: record.stage.address, attempt: record.execution.attempt),
      moment: record.execution.started, destination: place, experiment: experiment)
    write(&entry)
    // The answer may have come while it was being written.
    if entry.maker != nil, tracker?.remoteRun(of: entry.attempt ?? "") != .pending { write(&entry) }
    tracker?.added(entry)
  }

  func add(invocation record: InvocationRecord, _ document: Digest32) {
    let entry = Outbox.Entry(
      .invocation, document: document, invocation: record.invocation, moment: record.finished, destination: place,
      experiment: experiment)
    try? outbox.put(entry)
    tracker?.added(entry)
  }

  private func write(_ entry: inout Outbox.Entry) {
    entry.maker = nil
    switch tracker?.remoteRun(of: entry.attempt ?? "") ?? .unknown {
    case .known(let run): entry.remoteRun = run
    case .pending: entry.maker = .this
    case .unknown: break
    }
    try? outbox.put(entry)
  }
}
