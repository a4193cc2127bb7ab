// Brings one entry of the outbox to MLflow: finds or makes its run, fills it, and ends it. Each step may be repeated.
// Knows the mapping and the server; knows nothing of when it is done.
import CairnCore
import CairnEngine
import CairnLineage
import CairnSystem
import Synchronization

/// Safe to use from several threads.
final class MLflowDelivery: Sendable {
  enum Outcome: Sendable {
    /// It is there, whole.
    case arrived
    /// It is not, and another try may go better.
    case waits(String)
    /// A model whose data is not on the remote: so many objects.
    case waitsForPush(Int)
  }

  private let project: TrackedProject
  let client: MLflowClient
  private let known = Mutex(Known())
  /// Held while an experiment or the run of an invocation is looked for and made: two threads would each make one.
  private let making = Mutex(0)

  private struct Known {
    var experiments: [String: String] = [:]
    /// By invocation.
    var parents: [String: String] = [:]
    var said: [String] = []
  }

  init(_ project: TrackedProject, _ client: MLflowClient) {
    self.project = project
    self.client = client
  }

  /// What deserves to be said of what was sent; asked once.
  func takeNotes() -> [String] {
    known.withLock { known in
      defer { known.said = [] }
      return known.said
    }
  }

  private func say(_ words: String) {
    known.withLock { if $0.said.count < 100, !$0.said.contains(words) { $0.said.append(words) } }
  }

  func deliver(_ entry: Outbox.Entry) throws(MLflowFailure) -> Outcome {
    switch entry.kind {
    case .open: try close(entry)
    case .run: try run(entry)
    case .invocation: try invocation(entry)
    case .model: try ModelRegistration(project, client, experiment(entry.experiment)).register(entry, say)
    }
  }

  // MARK: Experiments and runs

  /// The experiment's id, which is made where it is missing.
  func experiment(_ name: String) throws(MLflowFailure) -> String {
    if let id = known.withLock({ $0.experiments[name] }) { return id }
    return try onlyOne { () throws(MLflowFailure) in
      if let id = known.withLock({ $0.experiments[name] }) { return id }
      let id = try MLflowRuns(client).experiment(MLflowText.cut(name, to: 500))
      known.withLock { $0.experiments[name] = id }
      return id
    }
  }

  private func onlyOne<T>(_ body: () throws(MLflowFailure) -> T) throws(MLflowFailure) -> T {
    let result: Result<T, MLflowFailure> = making.withLock { _ in
      do throws(MLflowFailure) { return .success(try body()) } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// The run of the invocation, above those of its executions.
  ///
  /// - Parameter isNew: of this process, which has not asked for it yet: no other can have made it.
  func parent(
    of invocation: String, experiment name: String, source: RunRecord.Source?, actor: RunRecord.Actor?, isNew: Bool = false
  ) throws(MLflowFailure) -> String {
    if let id = known.withLock({ $0.parents[invocation] }) { return id }
    let experiment = try experiment(name)
    return try onlyOne { () throws(MLflowFailure) in
      if let id = known.withLock({ $0.parents[invocation] }) { return id }
      let attempt = AttemptName.uuid(invocation: invocation)
      var tags = [
        MLflowRun.Pair(key: "cairn.attempt", value: attempt), MLflowRun.Pair(key: "cairn.invocation", value: invocation),
        MLflowRun.Pair(key: "mlflow.source.name", value: "cairn repro"), MLflowRun.Pair(key: "mlflow.source.type", value: "JOB"),
      ]
      if let source { tags += MLflowRun.sourceTags(source) }
      if let actor, let name = MLflowRun.name(of: actor, project.settings.user) {
        tags.append(MLflowRun.Pair(key: "mlflow.user", value: name))
      }
      let started = Identifier.moment(ofULID: invocation) ?? WallClock.now()
      let id = try MLflowRuns(client).make(
        attempt, in: experiment, name: "repro", started: started, tags: tags, isNew: isNew)
      known.withLock { $0.parents[invocation] = id }
      return id
    }
  }

  /// The run of an execution that is about to start.
  ///
  /// - Returns: with whether it is still without a parent: making one would let the command wait longer.
  func start(_ run: StartingRun) throws(MLflowFailure) -> (run: String, experiment: String, isOrphan: Bool) {
    let parent = known.withLock { $0.parents[run.draft.invocation] }
    let experiment = try experiment(project.settings.experiment)
    let id = try make(run.draft, run.attempt, in: experiment, below: parent, isNew: true)
    return (id, experiment, parent == nil)
  }

  func place(_ id: String, below run: StartingRun) throws(MLflowFailure) {
    let parent = try parent(
      of: run.draft.invocation, experiment: project.settings.experiment, source: run.draft.source, actor: run.draft.actor,
      isNew: true)
    try MLflowRuns(client).tag(id, [MLflowRun.Pair(key: "mlflow.parentRunId", value: parent)])
  }

  private func make(
    _ record: RunRecord, _ attempt: String, in experiment: String, below parent: String?, isNew: Bool
  ) throws(MLflowFailure) -> String {
    var tags = MLflowRun.firstTags(of: record, attempt: attempt, user: project.settings.user)
    if let parent { tags.append(MLflowRun.Pair(key: "mlflow.parentRunId", value: parent)) }
    return try MLflowRuns(client).make(
      attempt, in: experiment, name: record.stage.address, started: record.execution.started, tags: tags, isNew: isNew)
  }

  // MARK: Entries

  private func record(_ entry: Outbox.Entry) throws(MLflowFailure) -> (RunRecord, bytes: [UInt8])? {
    guard let digest = entry.document else { return nil }
    do throws(Diagnostic) {
      guard let bytes = try project.records.document(digest), let record = try project.records.record(RunID(digest)) else {
        // Erased, or taken away with the store: there is nothing to be told any more.
        say("the record \(digest.hex.prefix(12)) is gone: it is not sent")
        return nil
      }
      return (record, bytes)
    } catch {
      throw MLflowFailure(.server, words: error.fullMessage)
    }
  }

  private func run(_ entry: Outbox.Entry) throws(MLflowFailure) -> Outcome {
    // Whoever asked for the run's name is about to write it down.
    if entry.remoteRun == nil, let maker = entry.maker, maker != .this, maker.liveness() != .dead {
      return .waits("process \(maker.pid) on \(maker.host) is at it")
    }
    guard let (record, bytes) = try record(entry), let digest = entry.document else { return .arrived }
    let parent = try parent(
      of: entry.invocation, experiment: entry.experiment, source: record.source, actor: record.actor)
    let runs = MLflowRuns(client)
    if record.result == .restored {
      let source = record.restoredFrom.map(\.hex) ?? "unknown"
      try runs.tag(parent, [MLflowRun.Pair(key: MLflowText.key("cairn.restored." + record.stage.address), value: source)])
      try link(record, to: parent, runs)
      return .arrived
    }
    if record.result == .accepted {
      guard let accepted = record.accepts else { return .arrived }
      for id in try runs.find("cairn.run", accepted.hex, in: experiment(entry.experiment)) {
        try runs.tag(id, [MLflowRun.Pair(key: "cairn.accepted", value: digest.hex)])
      }
      return .arrived
    }
    let attempt = entry.attempt ?? ""
    let id: String
    if let known = entry.remoteRun { id = known } else {
      id = try make(record, attempt, in: experiment(entry.experiment), below: parent, isNew: false)
    }
    guard let state = try runs.state(id) else {
      say("the run of \(record.stage.address) (\(digest.hex.prefix(12))) was deleted on the server: it is not sent again")
      return .arrived
    }
    let content = MLflowRun(record, run: RunID(digest), attempt: attempt, project)
    let refused = try runs.fill(id, content, moment: record.execution.finished ?? record.execution.started)
    for words in refused { say("\(record.stage.address): the server does not take \(words)") }
    for note in content.notes { say("\(record.stage.address): \(note)") }
    try artifacts(of: record, bytes, below: state.artifactRoot)
    try adopt(attempt, id, experiment: entry.experiment, runs)
    // Whoever made the run may have died before it had its place.
    // Nor is what the command called by our names what we saw.
    var last = content.firstTags + content.lastTags + [MLflowRun.Pair(key: "mlflow.parentRunId", value: parent)]
    if !refused.isEmpty {
      last.append(.init(key: "cairn.refused", value: MLflowText.cut(refused.joined(separator: "\n"), to: MLflowText.tagLimit)))
    }
    try runs.tag(id, last)
    // Last of all, and always: the command may have ended or renamed it.
    try runs.end(id, MLflowRun.status(record.result), at: record.execution.finished, name: record.stage.address)
    if record.result == .lost { try runs.end(parent, "KILLED", at: WallClock.now(), name: nil) }
    if record.result == .succeeded, project.settings.registers { addModels(of: record, entry) }
    return .arrived
  }

  /// Runs that the command made for itself, since it was not told of its own in time.
  private func adopt(
    _ attempt: String, _ id: String, experiment: String, _ runs: MLflowRuns
  ) throws(MLflowFailure) {
    for child in try runs.find("cairn.joins", attempt, in: self.experiment(experiment), withoutParent: true) where child != id {
      try runs.tag(child, [MLflowRun.Pair(key: "mlflow.parentRunId", value: id)])
    }
  }

  private func artifacts(of record: RunRecord, _ bytes: [UInt8], below root: String) throws(MLflowFailure) {
    do throws(MLflowFailure) {
      try client.putArtifact("cairn/record.json", below: root, .bytes(bytes))
      if project.settings.sendsLogs, let log = record.log, let text = (try? project.records.object(log.sha256)) ?? nil {
        try client.putArtifact("cairn/log.txt", below: root, .bytes(text))
      }
      if project.settings.sendsOutputs { try outputs(of: record, below: root) }
    } catch where error.kind == .refused || error.kind == .tooLarge {
      say("\(record.stage.address): an artifact is not there: \(error.words)")
    }
  }

  private func outputs(of record: RunRecord, below root: String) throws(MLflowFailure) {
    for output in record.outputs {
      guard let hash = output.md5.flatMap({ ContentHash($0) }) else { continue }
      var files = [(path: output.path, hash: hash)]
      if hash.isDirectory {
        let manifest = (try? project.cache.store(for: hash).manifest(hash)) ?? nil
        files = (manifest?.entries ?? []).map { (output.path + "/" + $0.path, ContentHash(hash.algorithm, $0.md5)) }
      }
      for file in files {
        let path = project.cache.store(for: file.hash).path(of: file.hash)
        guard let stat = (try? FileStat.of(path)) ?? nil else {
          say("'\(file.path)' is not in the cache, and not sent")
          continue
        }
        try client.putArtifact(file.path, below: root, .file(path: path, offset: 0, count: stat.size))
      }
    }
  }

  private func addModels(of record: RunRecord, _ entry: Outbox.Entry) {
    for output in record.outputs {
      guard let name = project.models[output.path] else { continue }
      var model = Outbox.Entry(
        .model, document: entry.document, invocation: entry.invocation, attempt: entry.attempt, moment: entry.moment,
        destination: entry.destination, experiment: entry.experiment)
      model.path = output.path
      model.name = name
      try? project.outbox.put(model)
    }
  }

  /// A restored model's version, where its record has one.
  private func link(_ record: RunRecord, to parent: String, _ runs: MLflowRuns) throws(MLflowFailure) {
    guard project.settings.registers, let source = record.restoredFrom else { return }
    for output in record.outputs {
      guard let name = project.models[output.path] else { continue }
      let registry = MLflowRegistry(client)
      guard let version = try registry.versions(of: ModelRegistration.modelName(name), run: source.hex, path: output.path).first
      else { continue }
      try runs.tag(parent, [MLflowRun.Pair(key: MLflowText.key("cairn.model." + name), value: version)])
    }
  }

  private func invocation(_ entry: Outbox.Entry) throws(MLflowFailure) -> Outcome {
    let record: InvocationRecord?
    do throws(Diagnostic) { record = try entry.document.flatMap { digest throws(Diagnostic) in try project.records.invocation(digest) } } catch {
      throw MLflowFailure(.server, words: error.fullMessage)
    }
    guard let record else { return .arrived }
    var source: RunRecord.Source?
    if let commit = record.commit { source = RunRecord.Source(commit: commit, dirty: nil) }
    let id = try parent(of: entry.invocation, experiment: entry.experiment, source: source, actor: record.actor)
    let runs = MLflowRuns(client)
    try runs.tag(id, [MLflowRun.Pair(key: "cairn.record", value: entry.document?.hex ?? "")])
    try runs.end(id, record.exit == 0 ? "FINISHED" : "FAILED", at: record.finished, name: "repro")
    return .arrived
  }

  /// An invocation that nobody ended: its process is gone.
  private func close(_ entry: Outbox.Entry) throws(MLflowFailure) -> Outcome {
    if let maker = entry.maker, maker.liveness() != .dead { return .waits("it runs, as process \(maker.pid) on \(maker.host)") }
    let attempt = AttemptName.uuid(invocation: entry.invocation)
    let runs = MLflowRuns(client)
    for id in try runs.find("cairn.attempt", attempt, in: experiment(entry.experiment)) {
      if try runs.state(id)?.status == "RUNNING" { try runs.end(id, "KILLED", at: WallClock.now(), name: "repro") }
    }
    return .arrived
  }
}
