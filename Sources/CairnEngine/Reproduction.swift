// One `cairn repro` from an opened workspace to a summary: replay, plan, run, and the record of the invocation.
package import CairnCore
import CairnLineage
import CairnStore
import CairnSystem
import Dispatch

package struct Reproduction: Sendable {
  package let workspace: Workspace
  package let request: ReproRequest
  package let order: [StageID]
  package let invocation = Identifier.ulid()
  private let graph: StageGraph?
  /// What a tracking server is told of, and who tells it; `nil` where nothing is tracked.
  package let tracked: TrackedProject?
  package let tracker: (any RunTracker)?
  /// Why nothing is tracked though a server is named.
  package private(set) var trackingFault: Diagnostic?
  /// OpenLineage's events of what runs, and who sends them; `nil` where no collector is named.
  private var lineage: LineageEvents?
  package private(set) var lineageSender: (any EventSender)?
  /// Why none are sent though a collector is named.
  package private(set) var lineageFault: Diagnostic?

  /// Resolves the targets and orders the stages. Throws DVC's words for targets that name nothing, and for a
  /// pipeline that is not valid; nothing has been written then.
  package init(_ workspace: Workspace, _ request: ReproRequest) throws(Diagnostic) {
    self.workspace = workspace
    self.request = request
    var tracked: TrackedProject?
    var tracker: (any RunTracker)?
    if !request.dry, let settings = TrackingSettings(workspace.settings, workspace.repository) {
      let project = TrackedProject(workspace, settings)
      do throws(Diagnostic) {
        tracker = try TrackerConnectors.current?.tracker(project)
        tracked = project
      } catch { trackingFault = error }
    }
    self.tracked = tracked
    self.tracker = tracker
    if !request.dry, let settings = OpenLineageSettings(workspace.settings), let connector = EventConnectors.current {
      do throws(Diagnostic) {
        let queue = EventQueue(beside: workspace.records)
        let sender = try connector.sender(settings, queue)
        let project = try ExportProject(workspace.repository, workspace.settings, workspace.git)
        lineage = LineageEvents(queue, OpenLineage(project), destination: sender.address, sender: sender)
        lineageSender = sender
      } catch { lineageFault = error }
    }
    let project = workspace.project
    var targets: [StageID] = []
    if !request.allPipelines {
      let resolution = TargetResolution(project, loader: workspace.loader)
      targets = try resolution.stages(
        request.targets.isEmpty ? ["dvc.yaml"] : request.targets, recursive: request.recursive, glob: request.glob)
    }
    if request.singleItem, !request.allPipelines, !request.pipeline {
      graph = nil
      order = targets
    } else {
      let graph = try project.graph()
      self.graph = graph
      if request.allPipelines || targets.isEmpty {
        order = graph.reproduction(of: [], pipeline: request.pipeline, downstream: false)
      } else {
        order = graph.reproduction(of: targets, pipeline: request.pipeline, downstream: request.downstream)
      }
    }
  }

  /// Of those wanted, the stages that must end before `id`.
  package func producers(of id: StageID) -> [StageID] { graph?.activeProducers(of: id) ?? [] }

  /// Runs the plan. Blocks the calling thread until everything is durable.
  ///
  /// - Parameters:
  ///   - terminal: how commands get their output.
  ///   - emit: called on any thread, one call at a time for each stage.
  ///   - handle: is given the way to stop the run, for signals.
  package func run(
    terminal: Job.OutputMode, emit: @escaping @Sendable (RunEvent) -> Void,
    handle: (@escaping @Sendable (Int32) -> Void) -> Void
  ) throws(Diagnostic) -> RunSummary {
    let started = WallClock.now()
    let root = workspace.repository.root
    if !request.dry {
      try CairnFolder.prepare(workspace.repository)
    }
    let pipeline = workspace.project.pipeline
    let ignores = workspace.git.map { git in IgnoreBook(root: root, git: git) }
    let found = request.dry ? UnfinishedRun() : UnfinishedRun.load(workspace.repository)
    let unfinished = found.ordered(by: order.lazy.map { pipeline[$0] })
    workspace.book.goOn(with: unfinished)
    ignores?.goOn(with: unfinished)
    let outputs = OutputKeeper(
      cache: workspace.cache, snapshotter: workspace.snapshotter, ignores: ignores,
      cairnFolder: workspace.repository.cairnFolder)
    let sinks = RunSinks(
      tracking: tracked.map { TrackingOutbox($0.outbox, $0.settings, tracker: tracker) }, events: lineage)
    let committer = Committer(
      workspace.repository, book: workspace.book, ignores: ignores, records: workspace.records,
      journalFolder: workspace.journalFolder, unfinished: unfinished, sinks: sinks)
    let beside = RunsBeside(workspace.repository) { [committer] in committer.journalPath }
    ignores?.goBeside { beside.additions() }
    let source = SourceState(
      workspace.tracked, snapshotter: workspace.snapshotter, records: workspace.records, outputs: outputsInLocks())
    let graph = graph
    // Where this run goes on with another, its own order is that of both.
    if let serial = unfinished.isEmpty ? graph?.order : order {
      workspace.book.useSerialOrder { serial.map { pipeline[$0].address } }
      ignores?.useSerialOrder { serial.flatMap { pipeline[$0].outputs.compactMap(\.location.local) } }
    }
    let executor: any StageExecutor =
      tracker == nil && lineage == nil
      ? LocalExecutor() : TrackedExecutor(inner: LocalExecutor(), tracker: tracker, lineage: lineage)
    let pull: StagePull? =
      request.pulls
      ? StagePull(
        from: try preparePull(emit), cache: workspace.cache, snapshotter: workspace.snapshotter) : nil
    let context = RunContext(
      root: root, request: request, pipeline: pipeline,
      producers: { graph?.activeProducers(of: $0) ?? [] }, observer: workspace.observer, outputs: outputs,
      runCache: RunCache(cache: workspace.cache), pull: pull, book: workspace.book, committer: committer,
      pathLocks: PathLocks(
        temporaryFolder: workspace.repository.temporaryFolder,
        command: (["cairn"] + request.arguments).joined(separator: " ")),
      provenance: Provenance(
        invocation: invocation, records: workspace.records, producers: workspace.producers, source: source,
        pipeline: pipeline, cairnFolder: workspace.repository.cairnFolder),
      beside: request.jobs > 1 ? StagesBeside() : nil,
      records: workspace.records,
      leases: HostLeases(devices: devices(), command: (["cairn"] + request.arguments).joined(separator: " ")),
      memory: request.jobs == 1 ? nil : MemoryGate { workspace.producers.history(of: $0.address.text())?.peakMemory },
      executor: executor, terminal: terminal, invocation: invocation,
      folder: workspace.folder, emit: emit)
    let pool = try capacities()
    let freshness = FreshnessWatch(workspace, request, order)
    freshness?.lookBefore()
    let runner = Runner(
      context, order: order, cutProducers: { graph?.cutProducers(of: $0) ?? [] }, pool: pool,
      seconds: { workspace.producers.history(of: pipeline[$0].address.text())?.seconds })
    handle { runner.interrupt($0) }
    var summary = runner.run { freshness?.prepare($0) }
    // The locks are written: from here on what stands there grows old.
    let ended = WallClock.monotonic()
    if !request.dry {
      // What the stages did is told whatever becomes of this.
      do throws(Diagnostic) {
        try writeInvocation(summary, started: started, source: source, sinks)
        try recordLinks(summary)
      } catch { summary.afterwards = error }
    }
    freshness?.remember(summary, ended: ended)
    // A dry run does not make the folder: it would lie there without what hides it from git.
    if !request.dry || CairnFolder.isPrepared(workspace.repository) { workspace.index.flush() }
    return summary
  }

  private func outputsInLocks() -> SourceState.Outputs {
    let workspace = workspace
    var makers: [Location: (id: StageID, declared: String)] = [:]
    for id in workspace.project.pipeline.ids {
      for output in workspace.project.pipeline[id].outputs {
        makers[output.location] = (id, output.declared)
      }
    }
    return SourceState.Outputs(places: Set(makers.keys)) { [makers] place in
      guard let maker = makers[place] else { return nil }
      return workspace.lockEntry(of: workspace.project.pipeline[maker.id])?.out(maker.declared)?.contentHash
    }
  }

  /// What this run made goes with its stage when another commit is checked out.
  private func recordLinks(_ summary: RunSummary) throws(Diagnostic) {
    var links: [(path: RepoPath, hash: ContentHash)] = []
    var own: Set<RepoPath> = []
    for (id, outcome) in summary.outcomes where outcome.result == .ran || outcome.result == .restored {
      let stage = workspace.project.pipeline[id]
      // What was made and not committed has nothing to do with the cache.
      if outcome.result == .ran, !request.commits {
        own.formUnion(stage.outputs.compactMap(\.location.local))
        continue
      }
      guard let locked = workspace.lockEntry(of: stage)?.outs else { continue }
      // Beside an entry of the run-cache lie copies of what the stage keeps out of the cache, too.
      let hasCopies =
        outcome.result == .restored || OutputKeeper.keepsRuns(of: stage, commits: request.commits)
      for output in stage.outputs where output.isCached || hasCopies {
        guard let path = output.location.local,
          let hash = locked.first(where: { $0.path.hasSameBytes(as: output.declared) })?.contentHash
        else { continue }
        links.append((path, hash))
      }
    }
    let book = LinkBook(workspace)
    try book.forget(own)
    try book.record(links)
  }

  /// Finishes what a process that died left in its journal. The caller holds the project's lock.
  package func recover() throws(Diagnostic) {
    let hasReplayed = try JournalReplay.runIfNeeded(
      workspace.repository, git: workspace.git, cache: workspace.cache, records: workspace.records,
      producers: workspace.producers,
      sinks: RunSinks(workspace.settings, workspace.repository, workspace.git, workspace.records))
    // What came from there is no longer somebody's who runs beside this process.
    if hasReplayed { try workspace.book.startAgain() }
    try workspace.book.refresh()
  }

  /// What the machine has and the settings say; a stage that asks for more than there is can never run.
  private func capacities() throws(Diagnostic) -> ResourcePool {
    let names = Set(order.flatMap { workspace.project.pipeline[$0].settings.resources.keys })
    var capacity: [String: Double] = [:]
    if names.contains("gpu") { capacity["gpu"] = Double(devices().count) }
    if names.contains("mem_gb") { capacity["mem_gb"] = Double(Machine.memoryTotal()) / 1e9 }
    for name in names where name != "gpu" {
      if let number = workspace.settings.cairn("resources", name)?.number { capacity[name] = number }
    }
    let pool = ResourcePool(capacity: capacity)
    for id in order {
      let stage = workspace.project.pipeline[id]
      if let excess = pool.impossible(stage.settings) {
        throw Diagnostic(
          .resources,
          "stage '\(stage.address.text(from: workspace.folder))' wants \(excess.wanted.shortText) of '\(excess.name)', "
            + "and there is \(excess.capacity.shortText)", at: stage.mark,
          hint: "`cairn config cairn.resources.\(excess.name) N` sets what there is")
      }
    }
    return pool
  }

  /// The GPUs that stages may get: the visible ones, as many as the settings say; where none can be seen and the caller
  /// did not limit us, the settings are believed.
  private func devices() -> [String] {
    let visible = GraphicsProcessors.visible()
    guard let limit = workspace.settings.cairn("resources", "gpu")?.int, limit >= 0 else { return visible }
    if limit > visible.count, Environment.value("CUDA_VISIBLE_DEVICES") == nil { return (0..<limit).map(String.init) }
    return Array(visible.prefix(limit))
  }

  private func writeInvocation(
    _ summary: RunSummary, started: Nanoseconds, source: SourceState, _ sinks: RunSinks
  ) throws(Diagnostic) {
    let pipeline = workspace.project.pipeline
    let hasNews = summary.outcomes.contains { $0.outcome.result != .fresh && $0.outcome.run != nil }
    guard hasNews else { return }
    var considered = summary.outcomes.map { id, outcome in
      let state: InvocationRecord.Considered.State =
        switch outcome.result {
        case .ran: outcome.isUnchanged ? .unchanged : .ran
        case .restored: .restored
        case .fresh: .fresh
        case .failed: .failed
        case .skipped: .skipped
        }
      let stage = pipeline[id]
      var run = outcome.run
      if outcome.result == .fresh, let lock = workspace.lockEntry(of: stage) {
        run = workspace.producers.run(behind: WorkKey(stage, lock), of: stage.address.text())
      }
      return InvocationRecord.Considered(stage: stage.address.text(), state: state, run: run)
    }
    considered += (summary.skipped + summary.notStarted).map {
      .init(stage: pipeline[$0].address.text(), state: .skipped, run: nil)
    }
    let record = InvocationRecord(
      invocation: invocation, actor: .init(name: Machine.userName(), host: Machine.hostName()), started: started,
      finished: WallClock.now(), arguments: request.arguments, commit: source.source().commit, stages: considered,
      store: try workspace.records.identifier(), previous: workspace.records.heads(),
      exit: summary.failures.isEmpty && summary.undeclaredChanges.isEmpty && summary.error == nil ? 0 : 255)
    let document = try workspace.records.write(record)
    workspace.producers.note(document: document)
    sinks.add(invocation: record, document)
  }
}

extension Double {
  /// `2` for 2.0, `0.5` for 0.5.
  fileprivate var shortText: String { self == rounded() ? String(Int(self)) : String(self) }
}

extension Diagnostic.Code {
  package static let resources = Diagnostic.Code("resources")
}
