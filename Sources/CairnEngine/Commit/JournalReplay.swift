// What the next command does with the journal of a process that died: nothing that ended well is lost or run again.
package import CairnCore
package import CairnLineage
import CairnFormats
package import CairnStore
package import CairnSystem

package enum JournalReplay {
  /// True when a journal lies there whose owner is gone.
  package static func isNeeded(journalFolder: String) -> Bool {
    guard let paths = try? Journal.paths(in: journalFolder), !paths.isEmpty else { return false }
    return paths.contains { !OpenFileLock.isLocked($0) }
  }

  /// `run`, where there is something to do: true then. Nobody to be told is looked for before that.
  @discardableResult
  package static func runIfNeeded(
    _ repository: Repository, git: GitRepository?, cache: DataCache, records: RecordStore, producers: ProducerIndex,
    sinks: @autoclosure () -> RunSinks?
  ) throws(Diagnostic) -> Bool {
    guard isNeeded(journalFolder: CairnFolder.journals(of: repository)) else { return false }
    _ = try run(repository, git: git, cache: cache, records: records, sinks: sinks())
    // What was lost is part of the history that the next question is asked of.
    try producers.catchUp(with: records)
    return true
  }

  /// Writes dead journals out: records, locks, `.gitignore`, the run-cache, and a record `lost` for each start without an
  /// end, whose commands are ended where they still run.
  ///
  /// The caller holds the write lock. Journals whose owners live are left alone.
  /// - Returns: the addresses of executions that were lost.
  @discardableResult
  package static func run(
    _ repository: Repository, git: GitRepository?, cache: DataCache, records: RecordStore, sinks: RunSinks? = nil
  ) throws(Diagnostic) -> [StageAddress] {
    let root = repository.root
    var lost: [StageAddress] = []
    var unfinished = UnfinishedRun.load(repository)
    for path in try Journal.paths(in: CairnFolder.journals(of: repository)) {
      guard Files.exists(path), let claim = try OpenFileLock.tryLock(path, .exclusive) else { continue }
      defer { withExtendedLifetime(claim) {} }
      let content = JournalContent(try Journal.read(path))
      for start in content.open where start.process.map({ $0.liveness() == .dead }) ?? false {
        // It would write into what the next try of this stage makes.
        if start.process?.host == Machine.hostName() {
          LeftProcesses.end(withEnvironment: CairnFolder.claimsVariable(start.attempt, in: repository.cairnFolder))
        }
      }
      for end in content.ends where !end.record.isEmpty {
        _ = try records.put(document: end.record)
        sinks?.add(record: end.record)
      }
      for start in content.open {
        if !start.lostRecord.isEmpty {
          _ = try records.put(document: start.lostRecord)
          sinks?.add(record: start.lostRecord)
        }
        _ = try? Files.remove(CairnFolder.claims(start.attempt, in: repository.cairnFolder))
        lost.append(start.stage)
      }
      unfinished.merge(content.continued)
      let locks = try LockBook.replay(content.ends, onto: &unfinished, root: root)
      for (lockPath, lock) in locks {
        try AtomicFile.writeKeepingMode(LockYAML.encode(lock), to: root + "/" + lockPath.text, sync: true)
      }
      if let git { try replayIgnores(content.ends, onto: &unfinished, root: root, git: git) }
      unfinished.settle(before: content.ends.map(\.place).max() ?? 0)
      let runCache = RunCache(cache: cache)
      for end in content.ends where end.isKept {
        // The run is recorded; the next one merely cannot be restored.
        if let entry = (try? LockBook.entry(of: end)) ?? nil { try? runCache.save(entry) }
      }
      try records.sync()
      let folders = (content.ends.map(\.stage) + content.open.map(\.stage)).map(\.file.parent)
      removeTemporaryFiles(
        in: Set(folders + [RepoPath(unchecked: ".cairn")]), of: content.processes, root: root)
      // The places of what it had added go on living there, or nowhere.
      unfinished.save(repository)
      FaultPoint.reach(.replayWritten)
      _ = try Files.remove(path)
      FaultPoint.reach(.replayed)
    }
    sinks?.recovered()
    return lost
  }

  /// The lines that the dead process wrote, and those that it had not come to, in one order.
  private static func replayIgnores(
    _ ends: [JournalEntry.Ended], onto unfinished: inout UnfinishedRun, root: String, git: GitRepository
  ) throws(Diagnostic) {
    for end in ends { for output in end.ignored { unfinished.addLine(for: output, position: end.position) } }
    let ignores = IgnoreBook(root: root, git: git)
    ignores.goOn(with: unfinished)
    for end in ends { try ignores.add(end.ignored, position: end.position) }
    try ignores.write()
    for file in Set(ends.flatMap { $0.ignored.map { IgnoreBook.file(in: $0.parent) } }) {
      let text = try Files.read(root + "/" + file.text) ?? []
      let found = Set(GitIgnoreFile.taking(unfinished.names(in: file), from: text).found)
      unfinished.keep(in: file) { found.contains($0) }
    }
  }

  /// The file that was being written beside a lock, or in our own folder, when the process died.
  private static func removeTemporaryFiles(in folders: Set<RepoPath>, of dead: Set<Int32>, root: String) {
    for folder in folders {
      let folder = folder.isRoot ? root : root + "/" + folder.text
      for entry in ((try? Files.list(folder)) ?? nil) ?? [] where AtomicFile.isTemporaryName(entry.name) {
        let path = folder + "/" + entry.name
        // A young one may be somebody's who writes now, unless he is known to be dead.
        let isOrphan = AtomicFile.maker(ofTemporary: entry.name).map { dead.contains($0) || !mayLive($0, path) } ?? false
        guard isOrphan || isOld(path) else { continue }
        _ = try? Files.remove(path)
      }
    }
  }

  /// Of a network file system the process may be another host's.
  private static func mayLive(_ process: Int32, _ path: String) -> Bool {
    Machine.isNetworkFileSystem(path) || ProcessIdentity.exists(process)
  }

  private static func isOld(_ path: String) -> Bool {
    guard let stat = (try? FileStat.of(path)) ?? nil else { return false }
    return stat.modified < WallClock.now() - 1_000_000_000
  }
}

/// A journal, understood: what ended well, and what began and was not heard of again.
struct JournalContent {
  var ends: [JournalEntry.Ended] = []
  /// In the order in which they began.
  var open: [JournalEntry.Started] = []
  var continued = UnfinishedRun()
  /// Of this host, who wrote it.
  var processes: Set<Int32> = []

  init(_ entries: [JournalEntry]) {
    var started: [String: JournalEntry.Started] = [:]
    var order: [String] = []
    for entry in entries {
      switch entry {
      case .started(let start):
        started[start.attempt] = start
        order.append(start.attempt)
        if let process = start.process, process.host == Machine.hostName() { processes.insert(process.pid) }
      case .ended(let end):
        started[end.attempt] = nil
        ends.append(end)
      case .closed(let attempt): started[attempt] = nil
      case .continued(let unfinished): continued.merge(unfinished)
      }
    }
    open = order.compactMap { started.removeValue(forKey: $0) }
  }
}
