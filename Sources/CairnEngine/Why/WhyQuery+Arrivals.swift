// What made a dependency another one in runs that have been, for a stage that has not run since.
import CairnCore
import CairnLineage

extension WhyQuery {
  struct Arrivals {
    /// With the stages that they are of.
    var roots: [(Explanation.StageReason, StageID)] = []
    /// Of the first.
    var way: [StageID] = []
    var hasMore = false
  }

  /// A dependency that a stage made another one: what its runs since then began with, but for what is told of it now.
  /// Nothing where that is not known, or is of the kind that was so once and cannot be looked at now.
  func arrivals(_ found: Explanation.StageReason, _ state: State) -> Arrivals {
    var arrivals = Arrivals()
    guard found.reason.kind == .dependencyChanged, let producer = found.subject.producer,
      let run = found.subject.isAsLocked ? producer.run : runOfWhole(found.subject, producer.stage), let before = state.parts[producer.stage], [.fresh, .stale].contains(before.verdict),
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

  /// The run that left the folder in which the dependency lies, as far as the lock says.
  private func runOfWhole(_ subject: Explanation.Subject, _ producer: StageID) -> RunID? {
    let stage = workspace.project.pipeline[producer]
    guard let location = subject.location, let entry = workspace.lockEntry(of: stage),
      let output = stage.outputs.first(where: { $0.location != location && location.isInside($0.location) }),
      let hash = entry.out(output.declared)?.hashText
    else { return nil }
    return workspace.producer(of: output.location.recordPath, md5: hash, maker: stage)
  }

  /// What can be shown of it: its file or value still stands where it stood.
  private func arrival(
    _ reason: Reason, of id: StageID, _ snapshot: StageSnapshot?
  ) -> Explanation.StageReason? {
    let stage = workspace.project.pipeline[id]
    var subject = Explanation.Subject()
    switch reason.kind {
    case .dependencyChanged, .dependencyAdded:
      guard let path = reason.path,
        let index = stage.dependencies.firstIndex(where: { $0.location.isRecorded(as: path) }),
        case .content(let hash, _)? = reason.now, let content = snapshot?.dependencies[index],
        content.hash?.text == hash
      else { return nil }
      subject.location = stage.dependencies[index].location
      subject.content = content
      if case .content(let was, _)? = reason.was, let now = content.hash {
        subject.lockedHash = ContentHash(was, algorithm: now.algorithm)
      }
    case .parameterChanged, .parameterAdded:
      guard let path = reason.path, let key = reason.key else { return nil }
      let file = workspace.repository.paths.location(ofRecorded: path)
      subject.location = file
      subject.value = ValuePlace(file, key: key)
    case .commandChanged:
      subject.isUnclear = true
    case .environmentChanged, .alwaysChanged, .forced: break
    default: return nil
    }
    return Explanation.StageReason(reason: reason, cause: nil, subject: subject)
  }
}
