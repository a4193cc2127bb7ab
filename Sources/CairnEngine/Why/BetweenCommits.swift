// Explains why the results of one commit are other ones than those of an earlier: holds the lock entries of each stage
// against one another, and follows what differs to the edit that it began with. Asks git's object store alone.
package import CairnCore

/// What was found between two commits.
package struct BetweenExplanation: Sendable {
  /// In the terms of `why`, of the stages of the later commit: stale is what differs.
  package var explanation: Explanation
  /// Stages of the earlier commit that the later one does not have.
  package var gone: [StageAddress] = []
  /// Of stages that differ: which of their results are other ones, and which are the same.
  package var results: [StageID: (changed: [String], same: [String])] = [:]

  package var isDifferent: Bool { explanation.count(.stale) > 0 || !gone.isEmpty }

  package var withoutSame: BetweenExplanation {
    var answer = self
    answer.explanation.stages.removeAll { $0.verdict == .fresh || $0.verdict == .frozen }
    return answer
  }
}

package struct BetweenCommits: Sendable {
  package let from: CommittedProject
  package let to: CommittedProject
  package let values: CommittedValues
  /// Those of the earlier commit.
  let formerValues: CommittedValues
  package let pairs: StagePairs
  private let graph: StageGraph
  private let makers: [Location: StageID]
  private let renames: RenamedFiles
  private let paths: PathResolver
  private let following: LockFollowing
  /// What the lock of the later commit, or a `.dvc` file, has of each stage.
  private let entries: [StageID: PlacedEntry]

  /// - Throws: the fault of the later commit's pipeline, where it has one.
  package init(from: CommittedProject, to: CommittedProject) throws(Diagnostic) {
    self.from = from
    self.to = to
    do throws(Diagnostic) {
      graph = try to.project.graph()
    } catch {
      throw error.found(in: to)
    }
    values = CommittedValues(to)
    formerValues = CommittedValues(from)
    pairs = StagePairs(from: from.project, to: to.project)
    let paths = PathResolver(root: to.repository.root, workTree: to.git.workTree)
    self.paths = paths
    renames = RenamedFiles(to.git, from: from.revision, to: to.revision, paths)
    var makers: [Location: StageID] = [:]
    let pipeline = to.project.pipeline
    for id in pipeline.ids { for output in pipeline[id].outputs { makers[output.location] = id } }
    self.makers = makers
    var entries: [StageID: PlacedEntry] = [:]
    for id in pipeline.ids {
      guard let lock = StagePairs.lock(of: pipeline[id], to.project) else { continue }
      entries[id] = PlacedEntry(lock, of: pipeline[id], paths: paths)
    }
    self.entries = entries
    following = LockFollowing(to, graph, entries)
  }

  // MARK: The walk

  /// One stage of the later commit, as far as it is explained.
  struct Found {
    var part: Explanation.StagePart
    var comparison: LockComparison?
    /// What its entry in the later commit has.
    var now: PlacedEntry?
    /// It does something, and is no mere data.
    var isStage: Bool
    /// Causes of its own come first in `part.causes`.
    var own: [Int] = []
  }

  struct State {
    var found: [StageID: Found] = [:]
    var causes = NumberedCauses<CauseKey>()
  }

  /// What makes two reasons one cause: what is about a file or a value is one for all stages that saw it change so.
  struct CauseKey: Hashable {
    var stage: StageID?
    var reason: Reason
  }

  /// All stages, but for data that some stage explains.
  package func explain() -> BetweenExplanation { explain(nil, gone: nil) }

  /// - Parameter targets: as users name stages of the later commit, or such of the earlier as it does not have.
  /// - Throws: what is amiss with a target that neither commit has.
  package func explain(_ targets: [String]) throws(Diagnostic) -> BetweenExplanation {
    let after = TargetResolution(to.project, loader: to.loader)
    let before = TargetResolution(from.project, loader: from.loader)
    var wanted: [StageID] = []
    var gone: [StageID] = []
    var seen: Set<StageID> = []
    for target in targets {
      do throws(Diagnostic) {
        wanted += try after.selections(target).map(\.stage).filter { seen.insert($0).inserted }
      } catch {
        guard let found = try? before.selections(target), !found.isEmpty else { throw error }
        let former = Set(found.map(\.stage))
        gone += pairs.gone.filter { former.contains($0) && !gone.contains($0) }
        // Under another name it is still there.
        wanted += pairs.renamed.filter { former.contains($0.value) }.map(\.key).filter { seen.insert($0).inserted }
      }
    }
    return explain(wanted, gone: gone)
  }

  private func explain(_ wanted: [StageID]?, gone: [StageID]?) -> BetweenExplanation {
    var state = State()
    for id in graph.wholeOrder { state.found[id] = look(at: id, &state) }
    return finish(state, wanted, gone: gone)
  }

  private func look(at id: StageID, _ state: inout State) -> Found {
    let stage = to.project.pipeline[id]
    var found = Found(
      part: Explanation.StagePart(id: id, verdict: .fresh, would: .skip), isStage: !stage.isPlainFile)
    found.now = entries[id]
    found.part.notes = to.project.lockEntry(of: stage).map { following.notes(of: id, $0) } ?? []
    switch pairs.match(id) {
    case .new:
      var root = Explanation.StageReason(reason: Reason(.neverRun), subject: Explanation.Subject())
      root.subject.declaration = Declaration(of: stage, nil, nil, in: values)
      addOwn([root], id, &found, &state)
      found.part.verdict = .stale
      found.part.would = .run
    case .former(let former):
      if former.address != stage.address { found.part.renamedFrom = former.address }
      guard let now = found.now, let was = former.lock else {
        found.part.verdict = .unknown
        found.part.would = .run
        found.part.unknown = former.fault.map { .unreadable(former.address, at: from, $0) }
          ?? .withoutEntry(stage.address, found.now == nil ? former.lock == nil ? nil : to : from)
        return found
      }
      let placed = PlacedEntry(was, of: former.stage ?? stage, paths: paths)
      let comparison = LockComparison(stage.address, was: placed, now: now) { sameInGit($0) }
      found.comparison = comparison
      add(comparison, was: placed, former, stage, &found, &state)
    }
    return found
  }

  // MARK: Reasons

  private func add(
    _ comparison: LockComparison, was: PlacedEntry, _ former: StagePairs.Former, _ stage: Stage, _ found: inout Found,
    _ state: inout State
  ) {
    let id = found.part.id
    found.part.unchangedDependencies = comparison.unchangedDependencies
    found.part.unchangedParameters = comparison.unchangedParameters
    found.part.isCommandUnchanged = comparison.isCommandUnchanged
    guard let now = found.now else { return }
    let subjects = BetweenSubjects(
      stage: stage, was: was, now: now, renames: renames, values: values, paths: paths,
      producer: { self.producer(of: $0, for: id) })
    var inherited: [Int] = []
    for var reason in subjects.reasons(comparison.reasons) {
      if let producer = reason.subject.producer?.stage, let before = state.found[producer],
        follows(reason, from: before)
      {
        reason.cause = before.part.causes.first
        inherited += before.part.causes
        found.part.hasMoreCauses = found.part.hasMoreCauses || before.part.hasMoreCauses
        found.part.via = found.part.via ?? producer
        found.part.reasons.append(reason)
        let isTold = found.part.reasons.contains {
          $0.reason.kind == .upstreamStale && $0.subject.producer?.stage == producer
        }
        if isTold { continue }
        var subject = Explanation.Subject()
        subject.producer = (producer, nil)
        found.part.reasons.append(
          Explanation.StageReason(
            reason: Reason(.upstreamStale, stage: to.project.pipeline[producer].address), cause: reason.cause,
            subject: subject))
      } else {
        addOwn(roots(of: &reason, former, was, stage, now), for: reason, id, &found, &state)
      }
    }
    // With other inputs other results are no wonder; else they are what there is to tell.
    for reason in subjects.reasons(comparison.outputs) {
      if !found.part.reasons.isEmpty {
        var reason = reason
        reason.cause = found.own.first ?? inherited.first
        found.part.reasons.append(reason)
      } else {
        addOwn([reason], id, &found, &state)
      }
    }
    settle(&found, inherited, comparison, stage, &state)
  }

  /// A reason of the stage's own, with the causes that are behind it: itself, or the values that made it so.
  private func addOwn(
    _ roots: [Explanation.StageReason], for reason: Explanation.StageReason? = nil, _ id: StageID, _ found: inout Found,
    _ state: inout State
  ) {
    guard var shown = reason ?? roots.first else { return }
    for root in roots {
      let key = CauseKey(stage: root.reason.kind.isOfStage ? id : nil, reason: root.reason)
      let cause = state.causes.number(of: root, key, of: id)
      shown.cause = shown.cause ?? cause
      if !found.own.contains(cause) { found.own.append(cause) }
      if state.causes[cause].must.last != id { state.causes[cause].must.append(id) }
    }
    found.part.reasons.append(shown)
    found.part.causes = found.own
  }

  private func settle(
    _ found: inout Found, _ inherited: [Int], _ comparison: LockComparison, _ stage: Stage, _ state: inout State
  ) {
    let id = found.part.id
    var seen = Set(found.own)
    let others = inherited.filter { seen.insert($0).inserted }
    let limit = Explanation.causeLimit(to.project.pipeline.stages.count)
    let kept = others.prefix(max(0, limit - found.own.count))
    found.part.hasMoreCauses = found.part.hasMoreCauses || kept.count < others.count
    found.part.causes = found.own + kept
    for cause in kept { state.causes[cause].may.append(id) }
    if !found.own.isEmpty { found.part.via = nil }
    if found.part.reasons.isEmpty {
      if let path = comparison.incomparable.first {
        found.part.verdict = .unknown
        found.part.would = .run
        found.part.unknown = .incomparable(path)
      } else if stage.isFrozen {
        found.part.verdict = .frozen
      }
      return
    }
    found.part.verdict = .stale
    found.part.would = found.own.isEmpty ? .depends : .run
  }

  /// What a stage saw change is what the stage before it made anew.
  private func follows(_ reason: Explanation.StageReason, from before: Found) -> Bool {
    guard before.isStage, before.part.verdict == .stale, let location = reason.subject.location else { return false }
    // Newly declared, and no longer declared, is a reason of its own; but not that it has another name.
    guard reason.reason.kind == .dependencyChanged || reason.subject.former != nil else { return false }
    guard let comparison = before.comparison else { return true }
    let isMadeAnew = comparison.outputs.contains { output in
      output.path.map { location.overlaps(paths.location(ofRecorded: $0)) } ?? false
    }
    // Which of its versions the stage ran with, the two locks must agree on.
    guard isMadeAnew, let made = before.now?.out(location), case .content(let text, _)? = reason.reason.now else {
      return isMadeAnew
    }
    return made.locked.hashText?.hasSameBytes(as: text) ?? false
  }

  private func roots(
    of found: inout Explanation.StageReason, _ former: StagePairs.Former, _ was: PlacedEntry, _ stage: Stage,
    _ now: PlacedEntry
  ) -> [Explanation.StageReason] {
    guard found.reason.kind == .commandChanged else { return [found] }
    let command = CommandBetween(
      former: former.stage, was: was.command, stage: stage, now: now.command, formerValues: formerValues,
      values: values)
    func roots(_ changed: [CommandChange.Through]) -> [Explanation.StageReason] {
      changed.map { value in
        var subject = Explanation.Subject()
        subject.location = value.place.file
        subject.value = value.place
        return Explanation.StageReason(reason: value.reason, cause: nil, subject: subject)
      }
    }
    switch command.change {
    case .edited:
      found.subject.value = stage.commandMark.flatMap(values.place)
      return [found] + roots(command.valuesBesideEdit)
    case .unclear:
      found.subject.isUnclear = true
      return [found]
    case .values(let changed): return roots(changed)
    }
  }

  /// The stage that makes a dependency: whole, a part of it, or something in it.
  private func producer(of location: Location, for id: StageID) -> StageID? {
    if let maker = makers[location] { return maker }
    guard let path = location.local else { return nil }
    return graph.producers(of: id).first { producer in
      to.project.pipeline[producer].outputs.contains { $0.location.local.map(path.overlaps) ?? false }
    }
  }

  /// Whether git has the same blob at a place in both commits; `nil` where it has none.
  private func sameInGit(_ location: Location) -> Bool? {
    guard let path = paths.pathInWorkTree(location).map({ RepoPath(unchecked: $0) }),
      let was = from.tree.listing[path], let now = to.tree.listing[path]
    else { return nil }
    return was.object == now.object ? true : nil
  }

  // MARK: The answer

  private func finish(_ state: State, _ wanted: [StageID]?, gone: [StageID]?) -> BetweenExplanation {
    let pipeline = to.project.pipeline
    let told = Set(
      state.causes.all.filter { cause in cause.must.contains { state.found[$0]?.isStage ?? false } }
        .flatMap { [$0.subject.location, $0.subject.former] }.compactMap { $0 })
    var chosen = graph.wholeOrder
    if let wanted {
      let names = Set(wanted)
      chosen = chosen.filter(names.contains)
    } else {
      // Data is no stage to a reader: it is listed where no stage tells of it.
      chosen = chosen.filter { id in
        guard let found = state.found[id], !found.isStage else { return true }
        guard found.part.verdict == .stale || found.part.verdict == .unknown else { return false }
        return !pipeline[id].outputs.allSatisfy { output in told.contains { $0.isInside(output.location) } }
      }
    }
    let parts = state.found.mapValues(\.part)
    let explanation = Explanation(
      stages: chosen.compactMap { parts[$0] }, all: parts, causes: state.causes.all, estimate: nil
    ).numbered()
    var answer = BetweenExplanation(explanation: explanation)
    for id in chosen {
      guard let comparison = state.found[id]?.comparison, parts[id]?.verdict == .stale else { continue }
      answer.results[id] = (comparison.outputs.compactMap(\.path), comparison.unchangedOutputs)
    }
    let left = gone ?? pairs.gone.filter { id in
      let stage = from.project.pipeline[id]
      return !stage.isPlainFile || !stage.outputs.allSatisfy { told.contains($0.location) }
    }
    answer.gone = left.map { from.project.pipeline[$0].address }
    return answer
  }
}

extension Diagnostic.Code {
  /// A stage of a commit has no entry in that commit's lock.
  static let withoutEntry = Diagnostic.Code("without-entry")
}

extension Diagnostic {
  /// - Parameter commit: `nil`: neither has one.
  fileprivate static func withoutEntry(_ address: StageAddress, _ commit: CommittedProject?) -> Diagnostic {
    let lock = address.name == nil ? address.file : PipelineLoader.lockPath(of: address.file)
    let what = address.name == nil ? "hash" : "entry for it"
    let place = commit.map { "at \($0.shortName)" } ?? "at either commit"
    return Diagnostic(.withoutEntry, "\(lock) has no \(what) \(place)")
  }

  /// With the notes and places that it has.
  fileprivate func found(in commit: CommittedProject) -> Diagnostic {
    var error = self
    error.message = "cannot explain \(commit.shortName): \(message)"
    error.hasErrorPrefix = true
    // As of the earlier commit: it cannot be told.
    error.exitCode = 2
    return error
  }

  fileprivate static func unreadable(
    _ address: StageAddress, at commit: CommittedProject, _ fault: Diagnostic
  ) -> Diagnostic {
    Diagnostic(fault.code, "\(address.file) cannot be understood at \(commit.shortName)").because(of: fault)
  }

  fileprivate static func incomparable(_ path: String) -> Diagnostic {
    Diagnostic(.withoutEntry, "the hashes of '\(path)' do not compare: one is missing, or they are of two kinds")
  }
}
