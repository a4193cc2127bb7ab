// What the next command does with the journal of a process that died: nothing that ended well is lost or run again.
package import CairnCore
package import CairnLineage
import CairnFormats
package import CairnSystem

package enum JournalReplay {
  /// True when a journal lies there whose owner is gone.
  package static func isNeeded(journalFolder: String) -> Bool {
    guard let paths = try? Journal.paths(in: journalFolder), !paths.isEmpty else { return false }
    return paths.contains { !OpenFileLock.isLocked($0) }
  }

  /// Writes dead journals out: records, locks, `.gitignore`, and a record `lost` for each start without an end.
  ///
  /// The caller holds the write lock. Journals whose owners live are left alone.
  /// - Returns: the addresses of executions that were lost.
  @discardableResult
  package static func run(
    root: String, git: GitRepository?, journalFolder: String, records: RecordStore
  ) throws(Diagnostic) -> [StageAddress] {
    var lost: [StageAddress] = []
    for path in try Journal.paths(in: journalFolder) {
      guard let claim = try OpenFileLock.tryLock(path, .exclusive) else { continue }
      defer { withExtendedLifetime(claim) {} }
      var started: [String: JournalEntry.Started] = [:]
      var order: [String] = []
      var ends: [JournalEntry.Ended] = []
      for entry in try Journal.read(path) {
        switch entry {
        case .started(let start):
          started[start.attempt] = start
          order.append(start.attempt)
        case .ended(let end):
          started[end.attempt] = nil
          ends.append(end)
        case .closed(let attempt): started[attempt] = nil
        }
      }
      for end in ends where !end.record.isEmpty { _ = try records.put(document: end.record) }
      for attempt in order {
        guard let start = started[attempt] else { continue }
        if !start.lostRecord.isEmpty { _ = try records.put(document: start.lostRecord) }
        lost.append(start.stage)
      }
      for (lockPath, lock) in try LockBook.replay(ends, root: root) {
        try AtomicFile.writeKeepingMode(LockYAML.encode(lock), to: root + "/" + lockPath.text, sync: true)
      }
      if let git {
        let ignores = IgnoreBook(root: root, git: git)
        for end in ends { try ignores.add(end.ignored, position: end.position) }
        try ignores.write()
      }
      try records.sync()
      _ = try Files.remove(path)
    }
    return lost
  }
}
