// Explains a pipeline: judges its stages, and follows every reason to the file or edit that it began with.
package import CairnCore
import CairnLineage
import CairnStore
import CairnSystem

package struct WhyQuery: Sendable {
  private let workspace: Workspace
  private let graph: StageGraph
  private let environment: KeyedEnvironment
  private let makers: [Location: StageID]
  private let ids: [String: StageID]
  private let commands: CommandChanges
  private let past: PastRuns

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
  private struct State {
    var parts: [StageID: Explanation.StagePart] = [:]
    var snapshots: [StageID: StageSnapshot] = [:]
    var causes: [Explanation.Cause] = []
    var places: [CauseKey: Int] = [:]

    mutating func cause(_ key: CauseKey, _ make: () -> Explanation.Cause) -> Int {
      if let index = places[key] { return index }
      places[key] = causes.count
      causes.append(make())
      return causes.count - 1
    }
  }

  /// What makes two reasons one cause.
  private enum CauseKey: Hashable {
    /// Stages that ran at different times may have seen different things before.
    case file(Location, ReasonKind, was: Reason.Evidence?)
    case parameter(Location, String?, ReasonKind, was: Reason.Evidence?)
    case variable(String, was: Reason.Evidence?)
    case own(StageID, ReasonKind, String?)
  }

  private func add(_ judgement: StageJudgement, to state: inout State) {
    let id = judgement.id
    let stage = workspace.project.pipeline[id]
    let address = stage.address.text()
    let staleness = judgement.staleness
    var part = Explanation.StagePart(id: id, verdict: .fresh, would: .skip)
    part.notes = staleness.notes
    part.history = workspace.producers.history(of: address)
    let left = judgement.lock.flatMap { workspace.producers.newest(thatLeft: WorkKey(stage, $0), of: address) }
    part.leftBy = left?.run
    part.didOtherWorkSince = left?.didOtherWorkSince ?? false
    part.lastRun = left.map { source(of: $0.run) }
    // A fresh stage whose lock entry no record explains was brought there by something else, after all that we know.
    let isUnexplained = !staleness.isStale && judgement.lock != nil && left == nil
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
    countUnchanged(stage, judgement, &part)
    defer { state.parts[id] = part }

    let subjects = Subjects(
      stage: stage, judgement: judgement, run: part.lastRun, pipeline: workspace.project.pipeline,
      producer: { self.producer(of: $0, $1, for: id) }, isAsLocked: { self.isAsLocked($0, $1, by: $2) })
    if stage.isFrozen {
      part.verdict = .frozen
      part.reasons = staleness.reasons.map { subjects.stageReason($0) }
      part.lacks = part.reasons.first { $0.reason.kind == .outputMissing && !$0.reason.isOfCache }
      return
    }
    var isCertain = false
    // Its own causes in the order of its reasons, then those of what comes before it.
    var causes: [Int] = []
    var own = 0
    for reason in staleness.reasons {
      var found = subjects.stageReason(reason)
      // A dependency that is newly declared is a reason of its own, whatever becomes of it.
      if reason.kind != .dependencyAdded, let producer = found.subject.producer?.stage,
        let before = state.parts[producer], before.verdict == .stale,
        workspace.project.pipeline[producer].kind == .pipeline
      {
        // What is there now will be made anew before this stage is looked at again.
        found.cause = before.causes.first
        part.via = part.via ?? producer
        causes += before.causes
        for cause in before.causes { state.causes[cause].may.append(id) }
        // Nor has this stage seen yet what that one has made since.
        for (root, owner) in arrivals(found, state).roots {
          let cause = state.cause(key(of: root, isOwn: root.reason.kind.isOfStage, owner)) {
            Explanation.Cause(reason: root.reason, subject: root.subject, stage: root.reason.kind.isOfStage ? owner : nil)
          }
          causes.append(cause)
          state.causes[cause].may.append(id)
        }
      } else {
        isCertain = true
        if [.dependencyMissing, .parameterMissing].contains(reason.kind) { part.lacks = part.lacks ?? found }
        let arrived = arrivals(found, state)
        if own == 0 { part.way = arrived.way }
        part.hasMoreCauses = part.hasMoreCauses || arrived.hasMore
        let roots =
          arrived.roots.isEmpty
          ? roots(of: &found, stage, run: part.leftBy == nil ? nil : part.lastRun).map { ($0, id) } : arrived.roots
        for (root, owner) in roots {
          let isOwn = root.reason.kind.isOfStage
          let cause = state.cause(key(of: root, isOwn: isOwn, owner)) {
            Explanation.Cause(reason: root.reason, subject: root.subject, stage: isOwn ? owner : nil)
          }
          found.cause = found.cause ?? cause
          causes.insert(cause, at: own)
          own += 1
          if state.causes[cause].must.last != id { state.causes[cause].must.append(id) }
        }
      }
      part.reasons.append(found)
    }
    var isBehind = false
    for producer in graph.activeProducers(of: id) {
      guard let before = state.parts[producer], before.verdict == .stale,
        workspace.project.pipeline[producer].kind == .pipeline
      else { continue }
      isBehind = true
      var subject = Explanation.Subject()
      subject.producer = (producer, before.lastRun)
      part.reasons.append(
        Explanation.StageReason(
          reason: Reason(.upstreamStale, stage: workspace.project.pipeline[producer].address),
          cause: before.causes.first, subject: subject))
      part.via = part.via ?? producer
      causes += before.causes
      for cause in before.causes { state.causes[cause].may.append(id) }
    }
    // What a stage before it saw change from something else is still the same edit.
    var edits: [CauseKey: Int] = [:]
    var seen: Set<Int> = []
    let all = causes.filter { seen.insert($0).inserted }.filter { cause in
      let edit = edit(state.causes[cause])
      if edits[edit] == nil { edits[edit] = cause }
      return edits[edit] == cause
    }
    for index in part.reasons.indices {
      part.reasons[index].cause = part.reasons[index].cause.flatMap { edits[edit(state.causes[$0])] }
    }
    part.causes = Array(all.prefix(max(own, Explanation.causeLimit(workspace.project.pipeline.stages.count))))
    let inherited = part.reasons.compactMap(\.subject.producer?.stage).compactMap { state.parts[$0] }
    part.hasMoreCauses = part.hasMoreCauses || all.count > part.causes.count || inherited.contains { $0.hasMoreCauses }
    // The chain leads to the first cause: a cause of its own has no stage between.
    if isCertain { part.via = nil }
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
    part.would = isCertain && !isBehind ? .run : .depends
    // It fails before anything is looked for.
    if isCertain, !isBehind, part.lacks == nil { lookForResult(stage, judgement, &part) }
  }

  private struct Arrivals {
    /// With the stages that they are of.
    var roots: [(Explanation.StageReason, StageID)] = []
    /// Of the first.
    var way: [StageID] = []
    var hasMore = false
  }

  /// A dependency that a stage made another one: what its runs since then began with, but for what is told of it now.
  /// Nothing where that is not known, or is of the kind that was so once and cannot be looked at now.
  private func arrivals(_ found: Explanation.StageReason, _ state: State) -> Arrivals {
    var arrivals = Arrivals()
    guard found.reason.kind == .dependencyChanged, found.subject.isAsLocked, let producer = found.subject.producer,
      let run = producer.run, let before = state.parts[producer.stage], [.fresh, .stale].contains(before.verdict),
      workspace.project.pipeline[producer.stage].kind == .pipeline,
      let (causes, hasMore) = past.causes.of(found.reason, madeBy: run)
    else { return arrivals }
    let told = before.causes.map { state.causes[$0].reason }
    for cause in causes {
      let reason = cause.reason
      if told.contains(where: { $0.kind == reason.kind && $0.path == reason.path && $0.key == reason.key }) { continue }
      let way = cause.through.compactMap { ids[$0] }
      guard let owner = ids[cause.stage], way.count == cause.through.count,
        let root = arrival(cause.reason, of: owner, state.snapshots[owner])
      else { return Arrivals() }
      if arrivals.roots.isEmpty { arrivals.way = way }
      arrivals.roots.append((root, owner))
    }
    arrivals.hasMore = hasMore
    return arrivals
  }

  /// What can be shown of it: its file or value still stands where it stood.
  private func arrival(
    _ reason: Reason, of id: StageID, _ snapshot: StageSnapshot?
  ) -> Explanation.StageReason? {
    let stage = workspace.project.pipeline[id]
    var subject = Explanation.Subject()
    switch reason.kind {
    case .dependencyChanged, .dependencyAdded:
      guard let index = stage.dependencies.firstIndex(where: { $0.location.recordPath == reason.path }),
        case .content(let hash, _)? = reason.now, let content = snapshot?.dependencies[index], content.hash?.text == hash
      else { return nil }
      subject.location = stage.dependencies[index].location
      subject.content = content
      if case .content(let was, _)? = reason.was, let now = content.hash {
        subject.lockedHash = ContentHash(was, algorithm: now.algorithm)
      }
    case .parameterChanged, .parameterAdded:
      guard let path = reason.path, let key = reason.key, let file = RepoPath(path) else { return nil }
      subject.location = .local(file)
      subject.value = ValuePlace(.local(file), key: key)
    case .commandChanged:
      subject.isUnclear = true
    case .environmentChanged, .alwaysChanged, .forced: break
    default: return nil
    }
    return Explanation.StageReason(reason: reason, cause: nil, subject: subject)
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

  private func key(of found: Explanation.StageReason, isOwn: Bool, _ id: StageID) -> CauseKey {
    let reason = found.reason
    if reason.kind == .environmentChanged { return .variable(reason.key ?? "", was: reason.was) }
    if !isOwn, let location = found.subject.location {
      return found.subject.value == nil
        ? .file(location, reason.kind, was: reason.was) : .parameter(location, reason.key, reason.kind, was: reason.was)
    }
    return .own(id, reason.kind, reason.path)
  }

  private func edit(_ cause: Explanation.Cause) -> CauseKey {
    var found = Explanation.StageReason(reason: cause.reason, cause: nil, subject: cause.subject)
    found.reason.was = nil
    return key(of: found, isOwn: cause.stage != nil, cause.stage ?? StageID(0))
  }

  private func finish(_ state: State, order: [StageID], wanted: [StageID]?) -> Explanation {
    let pipeline = workspace.project.pipeline
    var chosen: [StageID]
    if let wanted {
      let names = Set(wanted)
      chosen = order.filter(names.contains)
    } else {
      // Data is no stage to a reader: it is listed where no stage tells of it.
      let told = Set(state.causes.filter { cause in cause.must.contains { pipeline[$0].kind == .pipeline } }
        .compactMap(\.subject.location))
      chosen = order.filter { id in
        guard pipeline[id].kind == .tracked else { return true }
        guard let part = state.parts[id], part.verdict == .stale || part.verdict == .unknown else { return false }
        return !pipeline[id].outputs.allSatisfy { told.contains($0.location) }
      }
    }
    var parts = chosen.compactMap { state.parts[$0] }
    // Only what explains the stages asked for, numbered in their order.
    var numbers: [Int: Int] = [:]
    var causes: [Explanation.Cause] = []
    for part in parts {
      for cause in part.causes where numbers[cause] == nil {
        numbers[cause] = causes.count
        var kept = state.causes[cause]
        let must = Set(kept.must)
        var seen: Set<StageID> = []
        kept.may = kept.may.filter { !must.contains($0) && seen.insert($0).inserted }
        causes.append(kept)
      }
    }
    func renumber(_ part: inout Explanation.StagePart) {
      part.causes = part.causes.compactMap { numbers[$0] }
      for index in part.reasons.indices { part.reasons[index].cause = part.reasons[index].cause.flatMap { numbers[$0] } }
    }
    let all = state.parts.mapValues { part in
      var part = part
      renumber(&part)
      return part
    }
    for index in parts.indices { renumber(&parts[index]) }
    return Explanation(stages: parts, all: all, causes: causes, estimate: estimate(all.values.map { $0 }))
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

/// Finds what a reason of one stage is about.
private struct Subjects {
  let stage: Stage
  let judgement: StageJudgement
  let run: RunID?
  let pipeline: Pipeline
  let producer: (Location, Content) -> (stage: StageID, run: RunID?)?
  let isAsLocked: (Location, Content, StageID) -> Bool

  func stageReason(_ reason: Reason) -> Explanation.StageReason {
    var reason = reason
    var subject = Explanation.Subject()
    subject.run = run
    switch reason.kind {
    case .dependencyChanged, .dependencyMissing, .dependencyAdded:
      if let index = stage.dependencies.firstIndex(where: { $0.declared.hasSameBytes(as: reason.path ?? "") }) {
        let dependency = stage.dependencies[index]
        let content = judgement.snapshot.dependencies[index]
        subject.location = dependency.location
        subject.lockedHash = judgement.lock?.dep(dependency.declared)?.contentHash
        subject.content = content
        subject.producer = producer(dependency.location, content)
        subject.isAsLocked = subject.producer.map { isAsLocked(dependency.location, content, $0.stage) } ?? false
      }
    case .parameterChanged, .parameterAdded, .parameterMissing:
      if let set = stage.parameters.first(where: { $0.declared.hasSameBytes(as: reason.path ?? "") }) {
        subject.value = reason.key.map { ValuePlace(set.location, key: $0) } ?? ValuePlace(set.location, steps: [])
        subject.location = set.location
        subject.producer = producer(set.location, .missing)
      }
    case .outputChanged, .outputMissing, .outputAdded:
      if let index = stage.outputs.firstIndex(where: { $0.declared.hasSameBytes(as: reason.path ?? "") }) {
        let output = stage.outputs[index]
        subject.location = output.location
        subject.lockedHash = judgement.lock?.out(output.declared)?.contentHash
        subject.content = judgement.snapshot.outputs?[index].content
      }
    default: break
    }
    if let location = subject.location { reason.path = location.recordPath }
    return Explanation.StageReason(reason: reason, cause: nil, subject: subject)
  }
}
