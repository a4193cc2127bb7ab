// The locks of a command of ours that puts outputs into the workspace: the project's, and those of the paths.
import CairnCore
import CairnLineage
import CairnStore
import CairnSystem

/// What it takes to write outputs while other processes may be at work.
struct LockedOutputs {
  let repository: Repository
  let settings: Settings
  let cache: DataCache
  /// What was typed: told to whoever waits for a path.
  let arguments: [String]

  /// Runs `body` under DVC's lock, waiting for another holder at most a minute. What a process that died left is
  /// finished first: a command that outlived it would write over what `body` writes.
  ///
  /// - Parameter paths: what `body` writes.
  /// - Throws: when a stage that runs just now, of any process, reads or writes one of `paths`; nothing is changed then.
  func write<Result>(_ paths: [RepoPath], _ body: () throws(Diagnostic) -> Result) throws(Diagnostic) -> Result {
    try Files.makeDirectories(repository.temporaryFolder)
    let lock = FileLock(Repository.join(repository.temporaryFolder, "lock"))
    guard try lock.lock(within: .seconds(60)) else {
      throw Diagnostic(.locked, "the repository is locked by process \(lock.holder().map(String.init) ?? "unknown")")
    }
    defer { lock.release() }
    if JournalReplay.isNeeded(journalFolder: CairnFolder.journals(of: repository)) {
      let git = settings.hasNoSCM ? nil : try GitRepository.find(from: repository.root)
      let history = try History(repository, git: git, cacheFolder: settings.cacheFolder)
      try JournalReplay.runIfNeeded(
        repository, git: git, cache: cache, records: history.store, producers: history.producers,
        sinks: RunSinks(settings, repository, git, history.store))
    }
    let locks = PathLocks(
      temporaryFolder: repository.temporaryFolder, command: (["cairn"] + arguments).joined(separator: " "))
    let claim = PathLocks.Claim(reads: [], writes: paths.map { repository.absolute($0) })
    if let blocker = try locks.acquire(claim) { throw .inUse(blocker) }
    let result: Swift.Result<Result, Diagnostic>
    do throws(Diagnostic) { result = .success(try body()) } catch { result = .failure(error) }
    locks.release(claim)
    try locks.settle()
    return try result.get()
  }
}

extension Diagnostic {
  fileprivate static func inUse(_ blocker: PathLocks.Blocker) -> Diagnostic {
    Diagnostic(.lock, "'\(blocker.path)' is in use: process \(blocker.pid) (\(blocker.command)) holds it")
  }
}
