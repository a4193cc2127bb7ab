// Looks at stages as they stand and judges each against its lock: what `status` and `why` answer from.
package import CairnCore
import CairnSystem
import Dispatch
import Synchronization

/// One stage, what was seen of it, and what follows.
package struct StageJudgement: Sendable {
  package let id: StageID
  package let lock: LockEntry?
  package let snapshot: StageSnapshot
  package let staleness: Staleness
}

package struct StageJudge: Sendable {
  private let workspace: Workspace
  private let environment: KeyedEnvironment
  private let isStrict: Bool

  package init(_ workspace: Workspace) {
    self.workspace = workspace
    environment = KeyedEnvironment(
      cairnFolder: workspace.repository.cairnFolder, makesKey: false, producers: workspace.producers,
      records: workspace.records)
    isStrict = workspace.settings.cairn("strict")?.bool ?? false
  }

  /// Of inputs and outputs both, whatever differs.
  package func judge(_ id: StageID) -> StageJudgement {
    let stage = workspace.project.pipeline[id]
    let lock = workspace.lockEntry(of: stage)
    let observer = workspace.observer
    var snapshot = observer.inputs(of: stage, lock: lock, sha256: false)
    snapshot.environment = environment.values(of: stage)
    observer.addOutputs(to: &snapshot, of: stage, lock: lock)
    let hasRunBefore = lock == nil && workspace.producers.hasSucceeded(stage.address.text())
    let staleness = Staleness.judge(
      stage, lock: lock, now: snapshot, hasRunBefore: hasRunBefore,
      recordedEnvironment: lock.flatMap { environment.recorded(of: stage, lock: $0) }, strict: isStrict)
    return StageJudgement(id: id, lock: lock, snapshot: snapshot, staleness: staleness)
  }

  /// Each in its place; many are looked at side by side.
  package func judge(_ ids: [StageID]) -> [StageJudgement] {
    if ids.count < 16 { return ids.map(judge) }
    let chunk = max(1, min(64, ids.count / (4 * Machine.processorCount())))
    let chunks = (ids.count + chunk - 1) / chunk
    let results = Mutex<[Int: [StageJudgement]]>([:])
    DispatchQueue.concurrentPerform(iterations: chunks) { number in
      let start = number * chunk
      let judged = ids[start..<min(start + chunk, ids.count)].map(judge)
      results.withLock { $0[number] = judged }
    }
    return results.withLock { results in (0..<chunks).flatMap { results[$0] ?? [] } }
  }

  /// Keeps the hashes that were taken for the next question, where the project already has a place for them.
  package func keepHashes() {
    if CairnFolder.isPrepared(workspace.repository) { workspace.index.flush() }
  }
}
