// An opened project: its stages, and what looks at its disk. Made once for each command that asks about stages.
package import CairnCore
package import CairnLineage
package import CairnStore
package import CairnSystem

/// Values only; opening writes nothing.
package struct Workspace: Sendable {
  package let repository: Repository
  /// The folder where names in messages start: the working directory, or the root when that is outside.
  package let folder: RepoPath
  package let settings: Settings
  package let loader: PipelineLoader
  package let project: LoadedProject
  /// `nil` without git, or with `core.no_scm`.
  package let git: GitRepository?
  package let tracked: TrackedFiles?
  package let index: StateIndex
  package let cache: DataCache
  package let snapshotter: Snapshotter
  package let observer: Observer
  package let book: LockBook
  package let records: RecordStore
  package let producers: ProducerIndex

  package var journalFolder: String { CairnFolder.journals(of: repository) }

  /// Loads the project as it stands; files that cannot be understood are in `project.failures`.
  ///
  /// - Parameters:
  ///   - mendsCache: whether an altered object of the cache that is met is removed, as DVC's commands do.
  ///   - asksGit: what git tracks will be asked for: git is started while the pipeline is read.
  package static func open(
    _ repository: Repository, _ settings: Settings, mendsCache: Bool = true, asksGit: Bool = false
  ) throws(Diagnostic) -> Workspace {
    let git = settings.hasNoSCM ? nil : try GitRepository.find(from: repository.root)
    let tracked = git.map { TrackedFiles($0, root: repository.root) }
    if asksGit { tracked?.prefetch() }
    let folder = repository.workingFolder ?? .root
    let loader = PipelineLoader(repository, settings)
    let project = loader.loadKeepingFailures()
    let index = StateIndex(
      path: repository.stateIndexFile, isNetworkFileSystem: Machine.isNetworkFileSystem(repository.root))
    let snapshotter = Snapshotter(root: repository.root, index: index, filter: loader.ignore)
    let cache = DataCache(
      folder: settings.cacheFolder, linkTypes: settings.linkKinds.compactMap { LinkType(rawValue: $0.rawValue) },
      isShared: settings.isCacheShared, mends: mendsCache)
    let parameters = ParameterReader(root: repository.root, folder: folder)
    let book = LockBook(
      root: repository.root, journalFolder: CairnFolder.journals(of: repository), locks: project.locks,
      files: project.pipeline.files.map(\.path))
    try book.refresh()
    let history = try History(repository, git: git, cacheFolder: settings.cacheFolder)
    history.producers.refresh(with: history.store)
    return Workspace(
      repository: repository, folder: folder, settings: settings, loader: loader, project: project, git: git,
      tracked: tracked, index: index, cache: cache, snapshotter: snapshotter,
      observer: Observer(
        snapshotter: snapshotter, cache: cache, filter: loader.ignore, remotes: RemoteFolders(settings),
        datasets: Datasets(project), parameters: { parameters.read($0) }),
      book: book, records: history.store, producers: history.producers)
  }

  /// A path of a record or a reason, as seen from the working directory.
  package func shown(_ path: String) -> String { project.shown(path) }

  /// The run of `maker` that left these bytes at this path, by its lock entry; where that is of other bytes, the newest
  /// that made them.
  package func producer(of path: String, md5: String, maker: Stage) -> RunID? {
    producers.producer(of: path, md5: md5) { lockEntry(of: maker).map { WorkKey(maker, $0) } }
  }

  /// The lock entry of a stage, journals included; of a `.dvc` file, what it says itself.
  package func lockEntry(of stage: Stage) -> LockEntry? {
    stage.kind == .tracked ? stage.trackedLock : book.entry(of: stage.address)
  }
}
