// Explains a pipeline: judges its stages, and follows every reason to the file or edit that it began with.
package import CairnCore
import CairnLineage
import CairnStore
import CairnSystem

package struct WhyQuery: Sendable {
  let workspace: Workspace
  private let graph: StageGraph
  private let environment: KeyedEnvironment
  private let makers: [Location: StageID]
  /// By address.
  let ids: [String: StageID]
  private let commands: CommandChanges
  let past: PastRuns

  /// Throws the pipeline's own fault where it has one.
  package init(_ workspace: Workspace, _ commands: CommandChanges, _ past: PastRuns) throws(Diagnostic) {
    self.workspace = workspace
    self.past = past
    self.commands = commands
    graph = try workspace.project.graph()
    environment = KeyedEnvironment(
      cairnFolder: workspace.repository.cairnFolder, makesKey: false, producers: workspace.producers,
      records: workspace.records)
    var makers: [Location: StageID] = [:]
    let pipeline = workspace.project.pipeline
    for id in pipeline.ids { for output in pipeline[id].outputs { makers[output.location] = id } }
    self.makers = makers
    ids = Dictionary(pipeline.ids.map { (pipeline[$0].address.text(), $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// - Parameter wanted: the stages asked for; `nil` for all: then data that some stage explains is left out.
  package func explain(_ wanted: [StageID]?) -> Explanation {
    let order = wanted.map(ancestry) ?? graph.wholeOrder
    let judge = StageJudge(workspace)
    let judgements = judge.judge(order)
    judge.keepHashes()
    var state = State()
    for judgement in judgements {
      state.snapshots[judgement.id] = judgement.snapshot
      add(judgement, to: &state)
    }
    return finish(state, order: order, wanted: wanted)
  }

  private func ancestry(of wanted: [StageID]) -> [StageID] {
    var order: [StageID] = []
    var seen: Set<StageID> = []
    for target in wanted { for id in graph.ancestry(of: target) where seen.insert(id).inserted { order.append(id) } }
    return order
  }

  /// What the walk has found so far.
  struct State {
    var parts: [StageID: Explanation.StagePart] = [:]
    var snapshots: [StageID: StageSnapshot] = [:]
    var causes = NumberedCauses<CauseKey>()
  }

  /// What makes two reasons one cause.
  enum CauseKey: Hashable {
    /// Stages that ran at different times may have seen different things before.
    case file(Location, ReasonKind, was: Reason.Evidence?)
    case parameter(Location, String?, ReasonKind, was: Reason.Evidence?)
    case variable(String, was: Reason.Evidence?)
    case own(StageID, ReasonKind, String?)
  }

  private func add(_ judgement: StageJudgement, to state: inout State) {
    let id = judgement.id
    let stage = workspace.project.pipeline[id]
    let staleness = judgement.staleness
    var part = Explanation.StagePart(id: id, verdict: .fresh, would: .skip)
    part.notes = staleness.notes
    remember(stage, judgement, in: &part)
    countUnchanged(stage, judgement, &part)
    defer { state.parts[id] = part }

    let subjects = ReasonSubjects(
      stage: stage, judgement: judgement, run: part.lastRun, pipeline: workspace.project.pipeline,
      producer: { self.producer(of: $0, $1, for: id) }, isAsLocked: { self.isAsLocked($0, $1, by: $2) })
    if stage.isFrozen {
      part.verdict = .frozen
      part.reasons = staleness.reasons.map { subjects.stageReason($0) }
      part.lacks = part.reasons.first { $0.reason.kind == .outputMissing && !$0.reason.isOfCache }
      return
    }
    var causes = CausesOfStage()
    for reason in staleness.reasons {
      var found = subjects.stageReason(reason)
      // A dependency that is newly declared is a reason of its own, whatever becomes of it.
      if reason.kind != .dependencyAdded, let producer = found.subject.producer?.stage,
        let before = stale(producer, state)
      {
        // What is there now will be made anew before this stage is looked at again.
        found.cause = before.causes.first
        part.via = part.via ?? producer
        causes.inherit(before.causes)
        // Nor has this stage seen yet what that one has made since.
        let roots = arrivals(found, state).roots
        causes.inherit(roots.map { state.causes.number(of: $0.0, key(of: $0.0, $0.1), of: $0.1) })
      } else {
        addOwn(&found, stage, &part, &causes, &state)
      }
      part.reasons.append(found)
    }
    let isBehind = addUpstream(&part, &causes, state)
    for cause in causes.inherited { state.causes[cause].may.append(id) }
    settle(&part, causes, state)
    // The chain leads to the first cause: a cause of its own has no stage between.
    if causes.isCertain { part.via = nil }
    if part.reasons.isEmpty {
      // As long as one before it cannot be told, nor can this be: that one may make its inputs anew.
      part.unknown = staleness.unknown ?? graph.activeProducers(of: id).compactMap { state.parts[$0]?.unknown }.first
      if part.unknown != nil {
        part.verdict = .unknown
        part.would = staleness.unknown == nil ? .depends : .run
      }
      return
    }
    part.verdict = .stale
    // What comes before it may come from the cache, and so may it then.
    part.would = causes.isCertain && !isBehind ? .run : .depends
    // It fails before anything is looked for.
    if causes.isCertain, !isBehind, part.lacks == nil { lookForResult(stage, judgement, &part) }
  }

  /// What records know of the stage.
  private func remember(_ stage: Stage, _ judgement: StageJudgement, in part: inout Explanation.StagePart) {
    let address = stage.address.text()
    part.history = workspace.producers.history(of: address)
    let left = judgement.lock.flatMap { workspace.producers.newest(thatLeft: WorkKey(stage, $0), of: address) }
    part.leftBy = left?.run
    part.didOtherWorkSince = left?.didOtherWorkSince ?? false
    part.lastRun = left.map { source(of: $0.run) }
    // A fresh stage whose lock entry no record explains was brought there by something else, after all that we know.
    let isUnexplained = !judgement.staleness.isStale && judgement.lock != nil && left == nil
    if !isUnexplained {
      part.lastRun = part.lastRun ?? part.history?.lastRun
      if let last = part.history, [.failed, .aborted, .lost, .inputChanged].contains(last.lastResult) {
        part.notes.append(StageNote(.lastAttemptFailed))
      }
    }
    if let lock = judgement.lock, stage.settings.isKeyedByEnvironment {
      let recorded = environment.recorded(of: stage, lock: lock) ?? [:]
      part.unknownVariables = judgement.snapshot.environment.keys.filter { recorded[$0] == nil }
    }
  }

  /// Its own causes in the order of its reasons, and those of what comes before it.
  private struct CausesOfStage {
    private(set) var own: [Int] = []
    private(set) var inherited: [Int] = []
    /// Stale in itself, whatever becomes of what comes before it.
    var isCertain = false

    mutating func add(_ cause: Int) { own.append(cause) }
    mutating func inherit(_ causes: [Int]) { inherited += causes }
  }

  /// A stage of the pipeline that is known to be stale.
  private func stale(_ id: StageID, _ state: State) -> Explanation.StagePart? {
    guard let part = state.parts[id], part.verdict == .stale, workspace.project.pipeline[id].kind == .pipeline else {
      return nil
    }
    return part
  }

  /// A reason that holds whatever becomes of what comes before the stage.
  private func addOwn(
    _ found: inout Explanation.StageReason, _ stage: Stage, _ part: inout Explanation.StagePart,
    _ causes: inout CausesOfStage, _ state: inout State
  ) {
    causes.isCertain = true
    if [.dependencyMissing, .parameterMissing].contains(found.reason.kind) { part.lacks = part.lacks ?? found }
    let arrived = arrivals(found, state)
    if causes.own.isEmpty { part.way = arrived.way }
    part.hasMoreCauses = part.hasMoreCauses || arrived.hasMore
    let roots =
      arrived.roots.isEmpty
      ? roots(of: &found, stage, run: part.leftBy == nil ? nil : part.lastRun).map { ($0, part.id) } : arrived.roots
    for (root, owner) in roots {
      let cause = state.causes.number(of: root, key(of: root, owner), of: owner)
      found.cause = found.cause ?? cause
      causes.add(cause)
      if state.causes[cause].must.last != part.id { state.causes[cause].must.append(part.id) }
    }
  }

  /// The stale stages right before it; whether there are any.
  private func addUpstream(
    _ part: inout Explanation.StagePart, _ causes: inout CausesOfStage, _ state: State
  ) -> Bool {
    var isBehind = false
    for producer in graph.activeProducers(of: part.id) {
      guard let before = stale(producer, state) else { continue }
      isBehind = true
      var subject = Explanation.Subject()
      subject.producer = (producer, before.lastRun)
      part.reasons.append(
        Explanation.StageReason(
          reason: Reason(.upstreamStale, stage: workspace.project.pipeline[producer].address),
          cause: before.causes.first, subject: subject))
      part.via = part.via ?? producer
      causes.inherit(before.causes)
    }
    return isBehind
  }

  /// Each cause once, its own first. What a stage before it saw change from something else is still the same edit.
  private func settle(_ part: inout Explanation.StagePart, _ causes: CausesOfStage, _ state: State) {
    var edits: [CauseKey: Int] = [:]
    var seen: Set<Int> = []
    let all = (causes.own + causes.inherited).filter { seen.insert($0).inserted }.filter { cause in
      let edit = edit(state.causes[cause])
      if edits[edit] == nil { edits[edit] = cause }
      return edits[edit] == cause
    }
    for index in part.reasons.indices {
      part.reasons[index].cause = part.reasons[index].cause.flatMap { edits[edit(state.causes[$0])] }
    }
    let limit = Explanation.causeLimit(workspace.project.pipeline.stages.count)
    part.causes = Array(all.prefix(max(causes.own.count, limit)))
    let inherited = part.reasons.compactMap(\.subject.producer?.stage).compactMap { state.parts[$0] }
    part.hasMoreCauses = part.hasMoreCauses || all.count > part.causes.count || inherited.contains { $0.hasMoreCauses }
  }

  /// The run that did the work which `run` took from the cache; itself where it did its own.
  private func source(of run: RunID) -> RunID {
    guard let record = (try? workspace.records.record(run)) ?? nil, record.result == .restored else { return run }
    return record.restoredFrom ?? run
  }

  /// What a reason of the stage's own began with: itself, but for a command the values that made it another one.
  private func roots(
    of found: inout Explanation.StageReason, _ stage: Stage, run: RunID?
  ) -> [Explanation.StageReason] {
    switch commands.change(found.reason, of: stage.address.text(), since: run) {
    case nil: break
    case .edited: found.subject.value = stage.commandMark.flatMap(commands.values.place)
    case .unclear: found.subject.isUnclear = true
    case .values(let changed):
      return changed.map { value in
        var subject = Explanation.Subject()
        subject.location = value.place.file
        subject.value = value.place
        subject.run = run
        return Explanation.StageReason(reason: value.reason, cause: nil, subject: subject)
      }
    }
    return [found]
  }

  /// The stage that makes a dependency (whole, a part of it, or something in it), and the run that made it so.
  private func producer(
    of location: Location, _ content: Content, for id: StageID
  ) -> (stage: StageID, run: RunID?)? {
    var found = makers[location]
    if found == nil, let path = location.local {
      found = graph.producers(of: id).first { producer in
        workspace.project.pipeline[producer].outputs.contains { $0.location.local.map(path.overlaps) ?? false }
      }
    }
    guard let found else { return nil }
    let stage = workspace.project.pipeline[found]
    let run = content.hash.flatMap { workspace.producer(of: location.recordPath, md5: $0.text, maker: stage) }
    return (found, run)
  }

  /// Of a part of an output nothing is said.
  private func isAsLocked(_ location: Location, _ content: Content, by producer: StageID) -> Bool {
    let stage = workspace.project.pipeline[producer]
    guard let output = stage.outputs.first(where: { $0.location == location }), let hash = content.hash else { return false }
    return workspace.lockEntry(of: stage)?.out(output.declared)?.contentHash == hash
  }

  private func lookForResult(_ stage: Stage, _ judgement: StageJudgement, _ part: inout Explanation.StagePart) {
    let restorable = RestorableOutputs(cache: workspace.cache, environment: environment)
    guard
      let entry = (try? restorable.entry(
        for: stage, lock: judgement.lock, snapshot: judgement.snapshot, staleness: judgement.staleness,
        usesRunCache: true, warn: { _ in })) ?? nil
    else { return }
    part.would = .restore
    let work = WorkKey(stage, entry)
    part.restoredFrom =
      workspace.producers.run(behind: work, of: stage.address.text()) ?? workspace.producers.runs(thatDid: work).first
  }

  private func countUnchanged(_ stage: Stage, _ judgement: StageJudgement, _ part: inout Explanation.StagePart) {
    guard judgement.lock != nil else { return }
    let staleness = judgement.staleness
    part.unchangedDependencies = stage.dependencies.count - staleness.dependencies.count
    var parameters = 0
    for (index, reading) in judgement.snapshot.parameters.enumerated() {
      let all = stage.parameters[index].keys.isEmpty ? reading.values.count : stage.parameters[index].keys.count
      switch staleness.parameters.first(where: { $0.index == index })?.status {
      case nil: parameters += all
      case .file: break
      case .keys(let changed): parameters += max(0, all - changed.count)
      }
    }
    part.unchangedParameters = parameters
    part.isCommandUnchanged = !staleness.commandChanged && !stage.commands.isEmpty
  }

  private func key(of found: Explanation.StageReason, _ owner: StageID) -> CauseKey {
    let reason = found.reason
    if reason.kind == .environmentChanged { return .variable(reason.key ?? "", was: reason.was) }
    if !reason.kind.isOfStage, let location = found.subject.location {
      return found.subject.value == nil
        ? .file(location, reason.kind, was: reason.was) : .parameter(location, reason.key, reason.kind, was: reason.was)
    }
    return .own(owner, reason.kind, reason.path)
  }

  /// The same for all that saw something else before.
  private func edit(_ cause: Explanation.Cause) -> CauseKey {
    var found = Explanation.StageReason(reason: cause.reason, cause: nil, subject: cause.subject)
    found.reason.was = nil
    return key(of: found, cause.stage ?? StageID(0))
  }

  private func finish(_ state: State, order: [StageID], wanted: [StageID]?) -> Explanation {
    let pipeline = workspace.project.pipeline
    var chosen: [StageID]
    if let wanted {
      let names = Set(wanted)
      chosen = order.filter(names.contains)
    } else {
      // Data is no stage to a reader: it is listed where no stage tells of it.
      let told = Set(state.causes.all.filter { cause in cause.must.contains { pipeline[$0].kind == .pipeline } }
        .compactMap(\.subject.location))
      chosen = order.filter { id in
        guard pipeline[id].kind == .tracked else { return true }
        guard let part = state.parts[id], part.verdict == .stale || part.verdict == .unknown else { return false }
        return !pipeline[id].outputs.allSatisfy { told.contains($0.location) }
      }
    }
    return Explanation(
      stages: chosen.compactMap { state.parts[$0] }, all: state.parts, causes: state.causes.all,
      estimate: estimate(state.parts.values.map { $0 })
    ).numbered()
  }

  private func estimate(_ parts: [Explanation.StagePart]) -> (seconds: Double, samples: Int)? {
    var seconds = 0.0
    var samples: Int?
    for part in parts where part.verdict == .stale && part.would != .restore && part.lacks == nil {
      guard let history = part.history, let median = history.seconds else { continue }
      seconds += median
      samples = min(samples ?? history.samples, history.samples)
    }
    return samples.map { (seconds, $0) }
  }
}
