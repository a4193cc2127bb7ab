// `track sync`: everything of the outbox to its servers, by one process at a time. Knows no terminal.
package import CairnCore
package import CairnEngine
package import CairnLineage
import CairnSystem
import Synchronization

/// What makes trackers of the runs of this process, and reaches MLflow.
package struct TrackingServices: TrackerConnector {
  private let transport: any HTTPTransport

  package init(_ transport: any HTTPTransport = CurlTransport()) { self.transport = transport }

  package func tracker(_ project: TrackedProject) throws(Diagnostic) -> any RunTracker {
    let server = try MLflowServer(project.settings.address, transport: transport)
    // A command may wait for the first answer: a server that is slow is asked later.
    let client = MLflowClient(server, transport: transport, connectTimeout: 3, stallTimeout: 10, attempts: 2)
    return TrackingSession(project, client)
  }

  package func reader(_ project: TrackedProject) throws(Diagnostic) -> any TrackingReader {
    MLflowReader(project, MLflowClient(try MLflowServer(project.settings.address, transport: transport), transport: transport, attempts: 3))
  }

  /// Sends what is left, oldest first.
  ///
  /// - Parameters:
  ///   - address: the server in place of those that the entries name.
  ///   - progress: called with the number of entries that are done, and of all.
  /// - Throws: where the outbox cannot be read.
  package func sync(
    _ project: TrackedProject, to address: String? = nil, _ progress: (Int, Int) -> Void = { _, _ in }
  ) throws(Diagnostic) -> TrackingReport {
    var report = TrackingReport()
    var lock: (invocation: String, held: OpenFileLock?)?
    var waiting = try project.outbox.entries()[...]
    var seen: Set<Outbox.Entry.Key> = []
    var count = waiting.count
    var deliveries: [String: MLflowDelivery] = [:]
    var silent: [String: String] = [:]
    var failures: [String: Int] = [:]
    while true {
      if waiting.isEmpty {
        // What the runs before have added: models.
        waiting = try project.outbox.entries().filter { $0.kind == .model && !seen.contains($0.key) }[...]
        count += waiting.count
      }
      guard let entry = waiting.popFirst() else { break }
      progress(seen.count, count)
      seen.insert(entry.key)
      let place = address.map(TrackingSettings.withoutUser) ?? entry.destination
      if let words = silent[place] {
        report.add(entry, .failed(words))
        continue
      }
      let delivery: MLflowDelivery
      do throws(Diagnostic) {
        if let known = deliveries[place] { delivery = known } else {
          // The settings may hold a user for this very server.
          let full = address ?? (project.settings.place == place ? project.settings.address : place)
          delivery = MLflowDelivery(project, MLflowClient(try MLflowServer(full, transport: transport), transport: transport))
          deliveries[place] = delivery
        }
      } catch {
        silent[place] = error.fullMessage
        report.add(entry, .failed(error.fullMessage))
        continue
      }
      if lock?.invocation != entry.invocation { lock = (entry.invocation, try self.lock(entry.invocation, of: project.outbox)) }
      guard lock?.held != nil else {
        report.add(entry, .failed("another process is sending it, or the run goes on"))
        continue
      }
      guard var current = project.outbox.current(entry) else { continue }
      if address != nil { current.remoteRun = nil }
      do throws(MLflowFailure) {
        switch try delivery.deliver(current) {
        case .arrived:
          project.outbox.removeQuietly(entry)
          report.add(entry, .sent)
          failures[place] = 0
        case .waits(let words): report.add(entry, .failed(words))
        case .waitsForPush(let objects): report.add(entry, .waitsForPush(objects))
        }
      } catch {
        report.add(entry, .failed(error.words))
        if current.failure != error.words {
          current.failure = error.words
          try? project.outbox.put(current)
        }
        failures[place, default: 0] += 1
        if error.kind == .unreachable || error.kind == .unauthorized || failures[place, default: 0] >= 3 {
          silent[place] = error.words
        }
      }
    }
    withExtendedLifetime(lock) {}
    for delivery in deliveries.values { report.notes += delivery.takeNotes() }
    return report
  }

  /// Waits a moment for whoever has it.
  private func lock(_ invocation: String, of outbox: Outbox) throws(Diagnostic) -> OpenFileLock? {
    for number in 0..<50 {
      if let lock = try outbox.lock(invocation) { return lock }
      if number < 49 { Pause.seconds(0.1) }
    }
    return nil
  }
}

extension Outbox {
  /// What cannot be taken away is sent again, which does nothing.
  fileprivate func removeQuietly(_ entry: Entry) { try? remove(entry) }
}

extension TrackedProject {
  /// How many objects that a model stands on are not on the remote yet.
  ///
  /// - Throws: where that cannot be known.
  package func missing(of entry: Outbox.Entry) throws(Diagnostic) -> Int {
    guard let digest = entry.document, let path = entry.path, let record = try records.record(RunID(digest)) else { return 0 }
    return try ModelRegistration.missing(of: RunID(digest), record, path, self).count
  }

  /// Sends to the remote what the models that wait for it stand on.
  ///
  /// - Returns: how many objects went, and in words what did not.
  /// - Throws: where the outbox cannot be read, or a remote does not answer.
  package func pushDataOfModels() throws(Diagnostic) -> (sent: Int, faults: [String]) {
    var objects: [(hash: ContentHash, path: String)] = []
    for entry in try outbox.entries() where entry.kind == .model {
      guard let digest = entry.document, let path = entry.path, let record = try records.record(RunID(digest)) else { continue }
      objects += try ModelRegistration.objects(of: RunID(digest), record, path, self)
    }
    return objects.isEmpty ? (0, []) : try self.objects.send(objects)
  }
}

/// What became of each entry.
package struct TrackingReport: Sendable {
  package enum State: Sendable, Hashable {
    case sent
    case failed(String)
    case waitsForPush(Int)
  }

  package private(set) var entries: [(entry: Outbox.Entry, state: State)] = []
  package fileprivate(set) var notes: [String] = []
  package init() {}

  mutating func add(_ entry: Outbox.Entry, _ state: State) { entries.append((entry, state)) }

  package var sent: Int { entries.count { $0.state == .sent } }
  package var left: Int { entries.count - sent }
}
