// The few things that all executions of one run share. A handful of values, each a small thing of its own.
package import CairnCore
package import CairnLineage
package import CairnStore

package struct RunContext: Sendable {
  /// The project's folder, absolute.
  package var root: String
  package var request: ReproRequest
  package var pipeline: Pipeline
  /// Of each stage, those whose outputs it reads, frozen ones cut off.
  package var producers: @Sendable (StageID) -> [StageID]
  package var observer: Observer
  package var outputs: OutputKeeper
  package var runCache: RunCache
  /// `--pull`.
  package var pull: StagePull?
  package var book: LockBook
  package var committer: Committer
  package var pathLocks: PathLocks
  package var provenance: Provenance
  /// What stages do to one another; `nil` with one job, where the order alone decides.
  package var beside: StagesBeside?
  package var records: RecordStore
  package var leases: HostLeases
  /// Says whether a stage's recorded peak still fits into memory, and holds it; `nil` with one job.
  package var memory: MemoryGate?
  package var inputWatch = InputWatch()
  package var executor: any StageExecutor
  package var terminal: Job.OutputMode
  /// A ULID.
  package var invocation: String
  /// The folder where the user stands, relative to the root: names in messages start there.
  package var folder: RepoPath
  package var emit: @Sendable (RunEvent) -> Void

  func enterMemory(_ id: StageID, _ stage: Stage) -> PathLocks.Blocker? {
    guard let memory, !memory.enter(id, stage) else { return nil }
    return PathLocks.Blocker(path: "memory", pid: 0, command: "")
  }

  func leaveMemory(_ id: StageID) { memory?.leave(id) }

  package func name(_ stage: Stage) -> String { stage.address.text(from: folder) }

  /// A path as DVC shows it to somebody who stands in `folder`.
  package func shown(_ location: Location, declared: String) -> String {
    switch location {
    case .local(let path): path.relative(to: folder)
    case .external(let path): declared.hasPrefix("/") ? declared : path
    case .url(let url): url
    }
  }

  package func absolute(_ location: Location) -> String {
    switch location {
    case .local(let path): path.isRoot ? root : root + "/" + path.text
    case .external(let path): path
    case .url(let url): observer.remotes.path(of: url) ?? url
    }
  }
}
