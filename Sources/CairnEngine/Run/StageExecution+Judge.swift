// What a stage looks like now, and whether it must run for that.
import CairnCore

extension StageExecution {
  /// What was seen, and what follows from it.
  struct Judged {
    /// Of the lock book, before anything was looked at.
    var generation: UInt64
    var lock: LockEntry?
    var snapshot: StageSnapshot
    var staleness: Staleness
  }

  func judge() -> Judged {
    let generation = context.book.generation
    let lock = stage.kind == .tracked ? stage.trackedLock : context.book.entry(of: stage.address)
    let isRecorded = !context.request.dry && !stage.commands.isEmpty
    // What cannot be written now is told at the end.
    try? context.committer.writeIgnores(inside: stage.dependencies.lazy.compactMap(\.location.local))
    var snapshot = context.observer.inputs(of: stage, lock: lock, sha256: isRecorded)
    snapshot.environment = context.provenance.keyedEnvironment(of: stage)
    var staleness = judge(lock, snapshot)
    if !staleness.isStale || context.request.allowsMissing || context.request.pulls {
      // Whoever only asks what force would run is told without the cache; to look there protects or removes objects.
      let asksCache = !(isForced && context.request.dry)
      context.observer.addOutputs(to: &snapshot, of: stage, lock: lock, asksCache: asksCache)
      staleness = judge(lock, snapshot)
    }
    return Judged(generation: generation, lock: lock, snapshot: snapshot, staleness: staleness)
  }

  func judge(_ lock: LockEntry?, _ snapshot: StageSnapshot) -> Staleness {
    Staleness.judge(
      stage, lock: lock, now: snapshot,
      hasRunBefore: lock == nil && context.provenance.producers.hasSucceeded(stage.address.text()),
      recordedEnvironment: lock.flatMap { context.provenance.recordedEnvironment(of: stage, lock: $0) },
      strict: context.request.isStrict)
  }

  /// As records and events show them.
  func reasons(_ judged: Judged) -> [Reason] { judged.staleness.reasons.map(stage.placed) }

  /// DVC's `changed`, with `--force` and `--allow-missing`.
  func mustRun(_ judged: inout Judged) throws(Diagnostic) -> Bool {
    if isForced {
      judged.staleness.reasons.append(Reason(.forced))
      return true
    }
    if !judged.staleness.isStale, context.request.runsFresh {
      judged.staleness.reasons.append(Reason(.forced))
      return true
    }
    guard judged.staleness.isStale else { return false }
    return !context.request.allowsMissing || isStaleBeyondMissing(judged)
  }

  func isStaleBeyondMissing(_ judged: Judged) -> Bool {
    judged.staleness.isStaleBeyondMissing(stage) { dependency in
      isProducedDifferently(dependency, than: judged.lock?.dep(dependency.declared)?.hashText)
    }
  }

  /// A producer's lock has another hash for this missing dependency than this stage's.
  func isProducedDifferently(_ dependency: Dependency, than locked: String?) -> Bool {
    for producer in context.producers(id) {
      let other = context.pipeline[producer]
      let entry = other.kind == .tracked ? other.trackedLock : context.book.entry(of: other.address)
      for output in other.outputs where output.location == dependency.location {
        if entry?.out(output.declared)?.hashText != locked { return true }
      }
    }
    return false
  }

  /// The inputs are there, and as they were.
  func isStill(_ snapshot: StageSnapshot) -> Bool {
    zip(stage.dependencies, snapshot.dependencies).allSatisfy { dependency, content in
      !content.isMissing && context.observer.isUnchanged(content, at: dependency.location)
    }
      && zip(stage.parameters, snapshot.parameters).allSatisfy { set, reading in
        guard case .values(let was) = reading, case .values(let now) = context.observer.parameters(set) else {
          return false
        }
        return was.count == now.count && was.allSatisfy { now[$0.key]?.isStill($0.value) ?? false }
      }
  }
}
