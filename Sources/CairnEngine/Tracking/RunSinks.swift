// Who is told of what was recorded, beside the store: a tracking server, and a collector of lineage events. Knows neither.
package import CairnCore
import CairnFormats
package import CairnLineage
import CairnStore
package import CairnSystem

package struct RunSinks: Sendable {
  package let tracking: TrackingOutbox?
  package let events: LineageEvents?

  package init(tracking: TrackingOutbox?, events: LineageEvents?) {
    self.tracking = tracking
    self.events = events
  }

  /// For what a process that died has left; `nil` where nobody is told of anything.
  package init?(_ settings: Settings, _ repository: Repository, _ git: GitRepository?, _ store: RecordStore) {
    tracking = TrackingOutbox(settings, repository, store)
    events = LineageEvents(settings, repository, git, store)
    if tracking == nil, events == nil { return nil }
  }

  /// A record that is in the store now. Never fails: what cannot be put into an outbox is not sent, and nothing else.
  func add(record bytes: [UInt8]) {
    guard let record = try? RecordJSON.decode(bytes) else { return }
    let digest = ContentHasher.sha256(of: bytes)
    tracking?.add(record, digest)
    events?.recorded(record, RunID(digest))
  }

  /// All that was left by processes that died is added.
  func recovered() { events?.recovered() }

  func add(invocation record: InvocationRecord, _ document: Digest32) {
    tracking?.add(invocation: record, document)
    events?.ended(record)
  }
}

extension LineageEvents {
  /// Without a sender: what it puts into the queue waits there.
  convenience init?(_ settings: Settings, _ repository: Repository, _ git: GitRepository?, _ store: RecordStore) {
    guard let collector = OpenLineageSettings(settings), let connector = EventConnectors.current,
      let address = try? connector.address(collector), let project = try? ExportProject(repository, settings, git)
    else { return nil }
    self.init(EventQueue(beside: store), OpenLineage(project), destination: address)
  }
}

/// What reaches collectors: the layers that know networks give it once, at the start of a process.
package protocol EventConnector: Sendable {
  /// Where events go, with the path of the endpoint.
  ///
  /// - Throws: for what is no address.
  func address(_ settings: OpenLineageSettings) throws(Diagnostic) -> String
  func sender(_ settings: OpenLineageSettings, _ queue: EventQueue) throws(Diagnostic) -> any EventSender
}
