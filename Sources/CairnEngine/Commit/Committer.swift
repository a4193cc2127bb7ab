// The one writer: journal, records, locks and `.gitignore`, in the order that a crash cannot turn into a lie.
package import CairnCore
package import CairnLineage
import CairnSystem
import Dispatch
import Synchronization

/// What an execution leaves: handed over once, when everything of it is known.
package struct Commitment: Sendable {
  package var ended: JournalEntry.Ended
  /// Called once on the committer's queue: durable, or why not.
  package var completion: @Sendable (Diagnostic?) -> Void

  package init(ended: JournalEntry.Ended, completion: @escaping @Sendable (Diagnostic?) -> Void) {
    self.ended = ended
    self.completion = completion
  }
}

/// Writes the journal (many stages share one sync), then the record files, then says so, then the locks.
///
/// Lines are added to the journal by whoever has one: a command that is about to start waits for its line, and must not
/// wait for a sync. All else happens on one serial queue. `dvc.lock` is rewritten while a long run goes on, no more
/// than once a second and while nobody else holds DVC's lock; `finish` writes what is left and removes the journal.
package final class Committer: @unchecked Sendable {
  // Guard: every stored `var` is touched on `queue` alone.
  private let queue = DispatchQueue(label: "cairn.committer")
  private let repository: Repository
  private var root: String { repository.root }
  private let book: LockBook
  /// `nil` without git.
  private let ignores: IgnoreBook?
  private let records: RecordStore
  /// `nil` where nobody is told.
  private let sinks: RunSinks?
  /// What this run goes on with.
  package let unfinished: UnfinishedRun
  private let writeLock: FileLock
  private let journalFolder: String
  private let journal = Mutex<Journal?>(nil)
  private let pending = Mutex(Pending())
  private var lastLockWrite = DispatchTime.now()
  private var lastLockCost: UInt64 = 0
  private var lockWriteIsDue = false
  private var isFinishing = false
  private let failure = Mutex<Diagnostic?>(nil)
  private var wroteLocks: [RepoPath] = []
  private var wroteFiles: [RepoPath] = []

  private struct Pending {
    /// In the journal, not synced yet.
    var commitments: [Commitment] = []
    var flushIsDue = false
  }

  /// How long stages are gathered before one sync makes them durable.
  private static let gathering = DispatchTimeInterval.milliseconds(25)

  package init(
    _ repository: Repository, book: LockBook, ignores: IgnoreBook?, records: RecordStore, journalFolder: String,
    unfinished: UnfinishedRun, sinks: RunSinks? = nil
  ) {
    self.repository = repository
    self.book = book
    self.ignores = ignores
    self.records = records
    self.sinks = sinks
    self.unfinished = unfinished
    writeLock = FileLock(repository.temporaryFolder + "/lock")
    self.journalFolder = journalFolder
  }

  /// Notes that a command is about to start. Written before this returns, not synced.
  package func started(_ entry: JournalEntry.Started) throws(Diagnostic) {
    try openJournal().append([.started(entry)])
  }

  /// Notes an end without a lock entry. `record` is written first; a crash between the two leaves the record true.
  package func closed(attempt: String, record: [UInt8]) throws(Diagnostic) {
    _ = try records.put(document: record)
    sinks?.add(record: record)
    try openJournal().append([.closed(attempt: attempt)])
  }

  /// Notes an end that belongs into a lock. Written before this returns: what starts afterwards stands behind it in the
  /// journal, so that no record names one that a crash has taken.
  package func commit(_ commitment: Commitment) {
    do throws(Diagnostic) {
      if let failure = failure.withLock({ $0 }) { throw failure }
      try openJournal().append([.ended(commitment.ended)])
    } catch {
      // At once, for nothing may follow it.
      failure.withLock { $0 = error }
      queue.async { [self] in fail([commitment], error) }
      return
    }
    FaultPoint.reach(.journalWritten)
    let isFirst = pending.withLock { pending in
      pending.commitments.append(commitment)
      defer { pending.flushIsDue = true }
      return !pending.flushIsDue
    }
    guard isFirst else { return }
    queue.asyncAfter(deadline: .now() + Self.gathering) { [self] in flush() }
  }

  /// Nothing more will come: what was gathered need not wait for company.
  package func hurry() {
    guard pending.withLock({ !$0.commitments.isEmpty }) else { return }
    queue.async { [self] in flush() }
  }

  /// Of this run, once something has begun.
  var journalPath: String? { journal.withLock { $0?.path } }

  private func openJournal() throws(Diagnostic) -> Journal {
    let result: Result<Journal, Diagnostic> = journal.withLock { journal in
      do throws(Diagnostic) {
        if let journal { return .success(journal) }
        let made = try Journal(in: journalFolder)
        book.useJournal(made.path)
        if !unfinished.isEmpty { try made.append([.continued(unfinished)]) }
        journal = made
        return .success(made)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func flush() {
    let batch = pending.withLock { pending in
      defer { pending = Pending() }
      return pending.commitments
    }
    guard !batch.isEmpty else { return }
    do throws(Diagnostic) {
      if let failure = failure.withLock({ $0 }) { throw failure }
      try journal.withLock { $0 }?.sync()
      FaultPoint.reach(.journalSynced)
      for commitment in batch where !commitment.ended.record.isEmpty {
        _ = try records.put(document: commitment.ended.record)
        sinks?.add(record: commitment.ended.record)
      }
      FaultPoint.reach(.recordsWritten)
      book.settle(batch.lazy.map(\.ended.stage))
      for commitment in batch { commitment.completion(nil) }
    } catch {
      fail(batch, error)
      return
    }
    writeLocksWhenDue()
  }

  /// Writes the locks, when the last time is long enough ago; else as soon as it is: the command that runs now may
  /// last for hours, and whoever looks meanwhile, or lets git add everything, shall find what has ended.
  private func writeLocksWhenDue() {
    let pause = max(1_000_000_000, 20 * lastLockCost)
    let sinceLast = DispatchTime.now().uptimeNanoseconds - lastLockWrite.uptimeNanoseconds
    guard sinceLast > pause else { return writeLocks(after: pause - sinceLast + 1) }
    do throws(Diagnostic) {
      guard try writeLock.tryLock() else { return writeLocks(after: pause) }
      defer { writeLock.release() }
      try writeLocks()
    } catch {
      // Said at the end: `finish` tries again, and the journal has everything.
    }
  }

  private func writeLocks(after nanoseconds: UInt64) {
    if lockWriteIsDue { return }
    lockWriteIsDue = true
    queue.asyncAfter(deadline: .now() + .nanoseconds(Int(nanoseconds))) { [weak self] in
      guard let self else { return }
      lockWriteIsDue = false
      if !isFinishing, failure.withLock({ $0 }) == nil, book.hasChanges { writeLocksWhenDue() }
    }
  }

  /// What could not be made durable is not in the locks either.
  private func fail(_ commitments: [Commitment], _ error: Diagnostic) {
    failure.withLock { $0 = error }
    for commitment in commitments {
      book.retract(commitment.ended.stage)
      commitment.completion(error)
    }
  }

  /// The caller holds the write lock.
  private func writeLocks() throws(Diagnostic) {
    let begin = DispatchTime.now()
    if book.hasChanges {
      try book.refresh(isWriter: true)
      for (path, bytes) in book.render() {
        try AtomicFile.writeKeepingMode(bytes, to: root + "/" + path.text, sync: true)
        FaultPoint.reach(.lockWritten)
        book.wrote(path)
        if !wroteLocks.contains(path) { wroteLocks.append(path) }
      }
    }
    try ignores?.write()
    lastLockWrite = .now()
    lastLockCost = lastLockWrite.uptimeNanoseconds - begin.uptimeNanoseconds
  }

  /// A file of the project's that somebody else wrote: a `.dvc` file whose data was recorded anew. No journal has it:
  /// its lines in `.gitignore` are written now where nobody holds DVC's lock, else by `finish`.
  package func wrote(_ file: RepoPath) throws(Diagnostic) {
    try onQueue { () throws(Diagnostic) in
      wroteFiles.append(file)
      guard let ignores, try writeLock.tryLock() else { return }
      defer { writeLock.release() }
      try ignores.write()
    }
  }

  /// Who reads one of these folders reads the `.gitignore` in it: the lines that stages before have added are written
  /// now, as DVC writes them right behind each stage. While somebody else holds DVC's lock for long, they are not.
  package func writeIgnores(inside folders: some Sequence<RepoPath>) throws(Diagnostic) {
    guard let ignores, ignores.hasNews(inside: folders) else { return }
    try onQueue { () throws(Diagnostic) in
      guard try writeLock.lock(within: .seconds(10), every: .milliseconds(5), waiting: { _ in }) else { return }
      defer { writeLock.release() }
      try ignores.write()
    }
  }

  private func onQueue(_ work: () throws(Diagnostic) -> Void) throws(Diagnostic) {
    let result: Result<Void, Diagnostic> = queue.sync { Result(catching: work) }
    try result.get()
  }

  /// Files that git should hear of, relative to the project.
  package var changedFiles: [RepoPath] {
    queue.sync { wroteFiles + wroteLocks + (ignores?.changed ?? []) }
  }

  /// Makes everything durable, writes the locks, and removes the journal. Blocks: for the main thread only.
  ///
  /// - Parameters:
  ///   - takesBackIgnores: the run failed: DVC's rule for `.gitignore`. What ended behind `place` gets its lines when
  ///     the run goes on.
  ///   - place: where a serial run would have ended.
  ///   - passed: the outputs that such a run would have come to.
  ///   - waiting: called when another process holds DVC's lock, with its pid.
  package func finish(
    takesBackIgnores: Bool, place: Int, passed: some Sequence<RepoPath>, waiting: (Int32?) -> Void
  ) throws(Diagnostic) {
    let nothingToDo = journal.withLock { $0 == nil } && !(ignores?.isTouched ?? false)
    let early: Diagnostic? = queue.sync {
      isFinishing = true
      flush()
      return failure.withLock { $0 }
    }
    if nothingToDo {
      if let early { throw early }
      var left = unfinished
      left.settle(before: place)
      left.settle(passed)
      if left != unfinished, let isLocked = try? writeLock.tryLock(), isLocked {
        defer { writeLock.release() }
        left.save(repository)
      }
      return
    }
    guard try writeLock.lock(within: .seconds(60), every: .milliseconds(10), waiting: waiting) else {
      throw Diagnostic(
        .lock, "cannot write dvc.lock: the repository is locked by process \(writeLock.holder() ?? 0)",
        hint: "what ran is kept: the next `cairn repro` writes it")
    }
    defer { writeLock.release() }
    try onQueue { () throws(Diagnostic) in
      try writeLocks()
      var left = unfinished
      // What a run beside this one owes.
      left.owe(UnfinishedRun.load(repository).owed)
      left.merge(book.additions)
      if let ignores, !takesBackIgnores { left.merge(ignores.additions) }
      // Who runs beside this one may not come to write what it has in its journal: its place is among all of these.
      let isAlone = (try? Journal.paths(in: journalFolder))?.count ?? 1 <= 1
      if isAlone { left.settle(before: place) }
      left.settle(passed)
      if takesBackIgnores {
        left.owe(ignores?.added(behind: place) ?? [])
        try ignores?.takeBack()
      }
      left.save(repository)
      try records.sync()
      // After a failure the journal may hold more than was told: the next command takes it from there.
      if let early { throw early }
      FaultPoint.reach(.beforeJournalRemoved)
      journal.withLock { journal in
        journal?.remove()
        journal = nil
      }
    }
  }
}
