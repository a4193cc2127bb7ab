// The few things that all executions of one run share. A handful of values, each a small thing of its own.
package import CairnCore
package import CairnLineage
package import CairnStore

/// A reference, since each step of each stage hands it on.
package final class RunContext: Sendable {
  /// The project's folder, absolute.
  package let root: String
  package let request: ReproRequest
  package let pipeline: Pipeline
  /// Of each stage, those whose outputs it reads, frozen ones cut off.
  package let producers: @Sendable (StageID) -> [StageID]
  package let observer: Observer
  package let outputs: OutputKeeper
  package let runCache: RunCache
  /// `--pull`.
  package let pull: StagePull?
  package let book: LockBook
  package let committer: Committer
  package let pathLocks: PathLocks
  package let provenance: Provenance
  /// What stages do to one another; `nil` with one job, where the order alone decides.
  package let beside: StagesBeside?
  package let records: RecordStore
  package let leases: HostLeases
  /// Says whether a stage's recorded peak still fits into memory, and holds it; `nil` with one job.
  package let memory: MemoryGate?
  package let inputWatch = InputWatch()
  package let executor: any StageExecutor
  package let terminal: Job.OutputMode
  /// A ULID.
  package let invocation: String
  /// The folder where the user stands, relative to the root: names in messages start there.
  package let folder: RepoPath
  package let emit: @Sendable (RunEvent) -> Void

  package init(
    root: String, request: ReproRequest, pipeline: Pipeline, producers: @escaping @Sendable (StageID) -> [StageID],
    observer: Observer, outputs: OutputKeeper, runCache: RunCache, pull: StagePull?, book: LockBook,
    committer: Committer, pathLocks: PathLocks, provenance: Provenance, beside: StagesBeside?, records: RecordStore,
    leases: HostLeases, memory: MemoryGate?, executor: any StageExecutor, terminal: Job.OutputMode,
    invocation: String, folder: RepoPath, emit: @escaping @Sendable (RunEvent) -> Void
  ) {
    self.root = root
    self.request = request
    self.pipeline = pipeline
    self.producers = producers
    self.observer = observer
    self.outputs = outputs
    self.runCache = runCache
    self.pull = pull
    self.book = book
    self.committer = committer
    self.pathLocks = pathLocks
    self.provenance = provenance
    self.beside = beside
    self.records = records
    self.leases = leases
    self.memory = memory
    self.executor = executor
    self.terminal = terminal
    self.invocation = invocation
    self.folder = folder
    self.emit = emit
  }

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
    case .external(let path): declared.hasPrefix("/") ? declared : path.absolute
    case .url(let url): url
    }
  }

  package func absolute(_ location: Location) -> String {
    switch location {
    case .local(let path): path.isRoot ? root : root + "/" + path.text
    case .external(let path): path.absolute
    case .url(let url): observer.remotes.path(of: url) ?? url
    }
  }
}
