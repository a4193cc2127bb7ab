// One project opened for a command: its places, settings, git, cache, and how its files are observed.
package import CairnCore
internal import CairnLineage
package import CairnStore
package import CairnSystem

package struct OpenProject: Sendable {
  package let repository: Repository
  package let settings: Settings
  /// `nil` under `core.no_scm`.
  package let git: GitRepository?
  package let cache: DataCache
  package let snapshotter: Snapshotter
  package let loader: PipelineLoader

  /// Opens the project around the working directory.
  ///
  /// - Throws: DVC's words when there is none, when its settings are wrong, or when it is in no git repository and does
  ///   not say `core.no_scm`.
  package static func open() throws(Diagnostic) -> OpenProject {
    let repository = try Repository.findRoot()
    let settings = try Settings.load(repository)
    var git: GitRepository?
    if !settings.hasNoSCM {
      git = try GitRepository.find(from: repository.root)
      if git == nil { throw .notAGitRepository(repository.root) }
    }
    let loader = PipelineLoader(repository, settings)
    try CairnFolder.prepare(repository)
    let index = StateIndex(
      path: repository.stateIndexFile, isNetworkFileSystem: Machine.isNetworkFileSystem(repository.root))
    return OpenProject(
      repository: repository, settings: settings, git: git,
      cache: DataCache(folder: settings.cacheFolder, linkTypes: settings.linkTypes, isShared: settings.isCacheShared),
      snapshotter: Snapshotter(root: repository.root, index: index, filter: loader.ignore), loader: loader)
  }

  package var writer: CacheWriter { CacheWriter(cache: cache, snapshotter: snapshotter) }

  /// DVC's lock of the whole project, for a command that changes it; held until the value is released. What a process
  /// that died had left to write is written.
  ///
  /// - Parameter waiting: called once when somebody else has it.
  package func lock(waitsForEver: Bool, waiting: (Int32?) -> Void = { _ in }) throws(Diagnostic) -> FileLock {
    try Files.makeDirectories(repository.temporaryFolder)
    let lock = FileLock(Repository.join(repository.temporaryFolder, "lock"))
    guard try lock.lock(within: waitsForEver ? nil : .seconds(3), waiting: waiting) else { throw .lockIsTaken }
    // What a killed run had finished is in its journal: the locks are brought up to date before anybody reads them.
    let history = try History(repository, git: git, cacheFolder: settings.cacheFolder)
    try JournalReplay.runIfNeeded(
      repository, git: git, cache: cache, records: history.store, producers: history.producers,
      sinks: RunSinks(settings, repository, git, history.store))
    return lock
  }

  /// DVC's refusal of a stage file that git would not see.
  func refuseIgnored(stageFile file: RepoPath) throws(Diagnostic) {
    guard let git, try !git.ignoredOrCovered([repository.absolute(file)], root: repository.root).isEmpty else { return }
    throw Diagnostic(.stageFile, "bad DVC file name '\(shown(file))' is git-ignored.")
  }

  /// What `text`, typed by the user, means: read from the working directory.
  package func location(_ text: String) -> Location {
    repository.paths.location(ofAbsolute: Repository.normalized(absolute(text)))
  }

  package func absolute(_ text: String) -> String {
    text.hasPrefix("/") ? text : Repository.join(repository.workingDirectory, text)
  }

  /// As DVC shows a path: relative to the working directory where that lies inside the project, else to its root.
  package func shown(_ path: RepoPath) -> String { path.relative(to: repository.workingFolder ?? .root) }

  package func shown(_ location: Location) -> String {
    switch location {
    case .local(let path): shown(path)
    case .external(let path): path.absolute
    case .url(let url): url
    }
  }
}

extension Repository {
  package var stateIndexFile: String { Self.join(History.stateFolder(beside: cairnFolder), "state") }
}

extension Settings {
  /// `cache.type`, as the store names it.
  package var linkTypes: [LinkType] { linkKinds.compactMap { LinkType(rawValue: $0.rawValue) } }
}

extension Diagnostic {
  fileprivate static func notAGitRepository(_ root: String) -> Diagnostic {
    Diagnostic(Diagnostic.Code("not-a-git-repository"), "\(root) is not a git repository")
  }

  fileprivate static var lockIsTaken: Diagnostic {
    Diagnostic(
      .locked,
      "Unable to acquire lock. Most likely another DVC process is running or was terminated abruptly. Check the page "
        + "<https://dvc.org/doc/user-guide/troubleshooting#lock-issue> for other possible reasons and to learn how to "
        + "resolve this.")
  }
}
