// What the locks say at this moment: the files, the journals of all processes, and what this run has added.
package import CairnCore
import CairnFormats
import CairnStore
import CairnSystem
import Synchronization

/// Answers "what does the lock say of this stage" and renders the bytes of each `dvc.lock`.
///
/// Nothing here writes. An entry that is there keeps its place; new ones follow in the serial order of the run,
/// whatever order they ended in. An entry is known here from `put` on, for the stages behind it; it is rendered only
/// after `settle`, so that no lock names what the journal does not hold yet.
package final class LockBook: Sendable {
  private let root: String
  private let journalFolder: String
  private let state: Mutex<State>

  private struct State: Sendable {
    var files: [RepoPath: FileState] = [:]
    /// Of each journal of another process: its size when it was last merged.
    var journals: [String: UInt64] = [:]
    /// The folder of journals as it was listed last, when, and what it held; `nil` until then.
    var listing: (stat: FileStat?, at: Nanoseconds, paths: [String])?
    var ownJournal: String?
    var dirty: Set<RepoPath> = []
    /// What earlier runs added before its turn.
    var unfinished = UnfinishedRun()
    /// Grows with everything that other processes added.
    var generation: UInt64 = 0
    /// The serial order of the whole pipeline, for what several processes add at once.
    var serialOrder: (@Sendable () -> [StageAddress])?
    /// By the lock's path in place of the pipeline file's.
    var ranks: [StageAddress: Int]?
  }

  private struct FileState: Sendable {
    /// As the file was read, journals merged in.
    var base: LockFile
    var stat: FileStat?
    var own: [String: Own] = [:]
    /// What `render` gave last.
    var rendered: LockFile?
    /// As it was found; and what others, running beside this process, have added to that.
    let found: LockFile
    var others: Set<String> = []
    /// It was told that this file is being made.
    var isAnnounced = false
    var hasEntries: Bool { !base.entries.isEmpty }

    init(_ base: LockFile) {
      self.base = base
      found = base
    }
  }

  private struct Own: Sendable {
    var entry: LockEntry
    /// As the journal has it, and as the lock will.
    var document: LockYAML.EntryDocument
    var position: Int
    /// The lock had no such entry when the run began.
    var isNew: Bool
    /// The journal holds it: it may be rendered.
    var isSettled = false
  }

  /// `locks` are those that the pipeline was loaded with; `files`: its `dvc.yaml` files, whose locks another process
  /// may make.
  package init(root: String, journalFolder: String, locks: [RepoPath: LockFile], files: [RepoPath] = []) {
    self.root = root
    self.journalFolder = journalFolder
    var state = State()
    for file in files { state.files[Self.lockPath(of: file)] = FileState(LockFile()) }
    for (path, lock) in locks { state.files[path] = FileState(lock) }
    self.state = Mutex(state)
  }

  /// Entries that several processes add at the same time come into this order, whoever writes them.
  package func useSerialOrder(_ order: @escaping @Sendable () -> [StageAddress]) {
    state.withLock { $0.serialOrder = order }
  }

  /// What earlier runs added comes into this order with what is added now.
  package func goOn(with unfinished: UnfinishedRun) { state.withLock { $0.unfinished = unfinished } }

  /// What `put` has added to locks so far, and the journal holds.
  package var additions: UnfinishedRun {
    state.withLock { state in
      var found = UnfinishedRun()
      for (path, file) in state.files {
        for (name, own) in file.own where own.isNew && own.isSettled {
          found.add(name, to: path, position: own.position)
        }
      }
      return found
    }
  }

  /// Forgets what was found, and takes the files as they are now. Call it before `put`, and `refresh` after it.
  package func startAgain() throws(Diagnostic) {
    let result: Result<Void, Diagnostic> = state.withLock { state in
      do throws(Diagnostic) {
        for path in state.files.keys.sorted() {
          // Before the reading: what is written meanwhile is seen by `refresh`.
          let stat = try FileStat.of(root + "/" + path.text)
          var file = FileState(try Self.read(path, root: root))
          file.stat = stat
          state.files[path] = file
        }
        state.journals = [:]
        state.listing = nil
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
  }

  package func useJournal(_ path: String) { state.withLock { $0.ownJournal = path } }

  /// Of a stage of a `dvc.yaml`; `nil` when there is none.
  package func entry(of address: StageAddress) -> LockEntry? {
    guard let name = address.name else { return nil }
    return state.withLock { state in
      guard let file = state.files[Self.lockPath(of: address.file)] else { return nil }
      return file.own[name]?.entry ?? file.base.entries[name]
    }
  }

  /// A number that another process's entries change: what was judged under another one must be judged again.
  package var generation: UInt64 { state.withLock { $0.generation } }

  /// Takes in what other processes have written since the last call; true when there was something.
  ///
  /// DVC writes a lock in place: without the write lock a half written one may be met, which is then left as it was
  /// known (`isWriter` false), and looked at again by the next call.
  @discardableResult
  package func refresh(isWriter: Bool = false) throws(Diagnostic) -> Bool {
    let result: Result<Bool, Diagnostic> = state.withLock { state in
      do throws(Diagnostic) {
        return .success(try refresh(&state, isWriter: isWriter))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  private func refresh(_ state: inout State, isWriter: Bool) throws(Diagnostic) -> Bool {
    // Journals before locks: what leaves a journal is in the lock already, so nothing falls between the two looks.
    var grown: [(path: String, size: UInt64)] = []
    var ends: [String: [JournalEntry.Ended]] = [:]
    func take(_ path: String) throws(Diagnostic) {
      ends[path] = try Journal.read(path).compactMap { if case .ended(let end) = $0 { end } else { nil } }
    }
    let journals = try journalPaths(&state).filter { $0 != state.ownJournal }
    for path in journals {
      let size = try FileStat.of(path)?.size ?? 0
      if size == 0 || state.journals[path] == size { continue }
      grown.append((path, size))
      try take(path)
    }
    var changed = false
    var reread = false
    for path in state.files.keys.sorted() {
      guard let file = state.files[path] else { continue }
      let stat = try FileStat.of(root + "/" + path.text)
      if stat == file.stat, file.stat != nil || (stat == nil && !file.hasEntries) { continue }
      do throws(Diagnostic) {
        let base = try Self.read(path, root: root)
        if base.entries.count != file.found.entries.count {
          let added = base.entries.keys.filter { file.found.entries[$0] == nil && file.own[$0] == nil }
          state.files[path]?.others.formUnion(added)
        }
        state.files[path]?.base = base
        state.files[path]?.stat = stat
        changed = true
        reread = true
      } catch {
        if isWriter || file.stat == nil && !file.hasEntries { throw error }
      }
    }
    // A lock that was read anew has none of the journals' entries.
    if reread { for path in journals where ends[path] == nil { try take(path) } }
    for path in journals {
      for end in ends[path] ?? [] { changed = Self.merge(end, into: &state.files) || changed }
    }
    for (path, size) in grown { state.journals[path] = size }
    if changed { state.generation += 1 }
    return changed
  }

  /// Lists the folder only where it may have changed: this is asked for each stage.
  private func journalPaths(_ state: inout State) throws(Diagnostic) -> [String] {
    let now = WallClock.now()
    let stat = try FileStat.of(journalFolder)
    if let listing = state.listing, listing.stat == stat {
      // Something may have come within the clock's granularity of the listing, and left the time as it was.
      let isCoarse = stat.map { $0.changed % 1_000_000_000 == 0 } ?? false
      let granularity = isCoarse ? StateIndex.coarseGranularity : StateIndex.localGranularity
      if stat.map({ $0.changed < listing.at - granularity }) ?? true { return listing.paths }
    }
    let paths = try Journal.paths(in: journalFolder)
    state.listing = (stat, now, paths)
    return paths
  }

  private static func read(_ path: RepoPath, root: String) throws(Diagnostic) -> LockFile {
    guard let bytes = try Files.read(plain: root + "/" + path.text) else { return LockFile() }
    return try LockYAML.read(SourceText(path: path.text, bytes: bytes)).withHashesOfFiles
  }

  /// Applies an entry of a journal, unless the lock has moved on from the state that it was made for.
  @discardableResult
  private static func merge(_ end: JournalEntry.Ended, into files: inout [RepoPath: FileState]) -> Bool {
    guard let name = end.stage.name, let entry = try? parse(end.entry, name: name) else { return false }
    let path = lockPath(of: end.stage.file)
    var file = files[path] ?? FileState(LockFile())
    let present = file.base.entries[name]
    if end.replaces == nil, file.own[name] == nil, file.others.insert(name).inserted { files[path] = file }
    guard digest(present, name: name) == end.replaces, present != entry else { return false }
    file.base.entries[name] = entry
    files[path] = file
    return true
  }

  /// Entries of one journal onto locks as they are on the disk: the result, by lock path, of those that changed.
  ///
  /// What the process, and the runs that it went on with, had added to the lock before it died, and what is added now
  /// come into the serial order; `unfinished` has all of it afterwards.
  package static func replay(
    _ ends: [JournalEntry.Ended], onto unfinished: inout UnfinishedRun, root: String
  ) throws(Diagnostic) -> [RepoPath: LockFile] {
    var files: [RepoPath: FileState] = [:]
    var changed: Set<RepoPath> = []
    for end in ends.sorted(by: { $0.position < $1.position }) {
      let path = lockPath(of: end.stage.file)
      if files[path] == nil { files[path] = FileState(try read(path, root: root)) }
      if merge(end, into: &files) { changed.insert(path) }
      if end.replaces == nil, let name = end.stage.name, let present = files[path]?.base.entries[name],
        encode(present, name: name) == end.entry
      {
        unfinished.add(name, to: path, position: end.position)
      }
    }
    for path in changed {
      for name in unfinished.names(in: path) {
        if let entry = files[path]?.base.entries.removeValue(forKey: name) { files[path]?.base.entries[name] = entry }
      }
    }
    return files.filter { changed.contains($0.key) }.mapValues(\.base)
  }

  /// What `put` changed.
  package struct Put: Sendable {
    /// The digest of the entry that was there; `nil` when there was none.
    package var replaces: Digest16?
    package var isChange: Bool
    /// The lock file itself is new.
    package var isFirst: Bool
    /// The entry as the journal carries it.
    package var encoded: [UInt8]
  }

  /// Records the end of a stage.
  package func put(_ address: StageAddress, position: Int, entry: LockEntry) -> Put {
    let document = LockYAML.document(of: address.name ?? "", entry)
    guard let name = address.name else {
      return Put(replaces: nil, isChange: false, isFirst: false, encoded: document.bytes)
    }
    let path = Self.lockPath(of: address.file)
    return state.withLock { state in
      var file = state.files.removeValue(forKey: path) ?? FileState(LockFile())
      let present = file.own[name]?.entry ?? file.base.entries[name]
      let isNew = file.own[name]?.isNew ?? (file.base.entries[name] == nil)
      if present != entry || isNew {
        file.own[name] = Own(entry: entry, document: document, position: position, isNew: isNew)
      }
      let isFirst = file.stat == nil && !file.isAnnounced
      file.isAnnounced = true
      state.files[path] = file
      return Put(
        replaces: Self.digest(present, name: name), isChange: present != entry, isFirst: isFirst,
        encoded: document.bytes)
    }
  }

  /// The journal holds these stages' entries: the next lock that is written has them.
  package func settle(_ addresses: some Sequence<StageAddress>) {
    state.withLock { state in
      for address in addresses {
        guard let name = address.name else { continue }
        let path = Self.lockPath(of: address.file)
        guard state.files[path]?.own[name]?.isSettled == false else { continue }
        state.files[path]?.own[name]?.isSettled = true
        state.dirty.insert(path)
      }
    }
  }

  /// Takes back what `put` added: the entry could not be made durable.
  package func retract(_ address: StageAddress) {
    guard let name = address.name else { return }
    state.withLock { $0.files[Self.lockPath(of: address.file)]?.own[name] = nil }
  }

  package var hasChanges: Bool { state.withLock { !$0.dirty.isEmpty } }

  /// The bytes of each lock that has something new. Call `refresh` under the write lock before, `wrote` after.
  package func render() -> [(path: RepoPath, bytes: [UInt8])] {
    state.withLock { state in
      state.dirty.sorted().compactMap { path in
        let merged = Self.merged(path, &state)
        state.files[path]?.rendered = merged
        let own = state.files[path]?.own ?? [:]
        return merged.map { lock in
          // What is not settled may be in the file as another process has it.
          (path, LockYAML.encode(lock) { name in own[name].flatMap { $0.isSettled ? $0.document : nil } })
        }
      }
    }
  }

  private static func merged(_ path: RepoPath, _ state: inout State) -> LockFile? {
    guard let file = state.files[path] else { return nil }
    var lock = file.base
    var new: [(name: String, entry: LockEntry, rank: Int)] = []
    for (name, own) in file.own where own.isSettled {
      if own.isNew { new.append((name, own.entry, own.position)) } else { lock.entries[name] = own.entry }
    }
    let unfinished = state.unfinished
    if !file.others.isEmpty || unfinished.isAdded(to: path), !new.isEmpty, let ranks = ranks(&state) {
      let rank = { (name: String) in ranks[StageAddress(file: path, name: name)] }
      new = new.map { ($0.name, $0.entry, rank($0.name) ?? $0.rank) }
      let names = Set(new.map(\.name))
      for (name, entry) in lock.entries where !names.contains(name) {
        if unfinished.position(of: name, in: path) != nil {
          new.append((name, entry, rank(name) ?? .max))
        } else if file.others.contains(name), let rank = rank(name) {
          new.append((name, entry, rank))
        }
      }
    }
    if !new.isEmpty, !lock.entries.isEmpty {
      let names = Set(new.map(\.name))
      lock.entries.removeAll { names.contains($0.key) }
    }
    for (name, entry, _) in new.sorted(by: { $0.rank < $1.rank }) { lock.entries[name] = entry }
    lock.isVersion1 = false
    return lock
  }

  private static func ranks(_ state: inout State) -> [StageAddress: Int]? {
    if state.ranks == nil, let order = state.serialOrder?() {
      state.ranks = Dictionary(
        order.enumerated().map { (StageAddress(file: lockPath(of: $1.file), name: $1.name), $0) },
        uniquingKeysWith: { first, _ in first })
    }
    return state.ranks
  }

  /// The file now holds what `render` gave.
  package func wrote(_ path: RepoPath) {
    let stat = (try? FileStat.of(root + "/" + path.text)) ?? nil
    state.withLock { state in
      guard var file = state.files[path], let rendered = file.rendered else { return }
      file.base = rendered
      file.rendered = nil
      file.stat = stat
      state.files[path] = file
      state.dirty.remove(path)
    }
  }

  package static func lockPath(of file: RepoPath) -> RepoPath { PipelineLoader.lockPath(of: file) }

  /// An entry as the journal carries it: a whole lock file that holds nothing else.
  package static func encode(_ entry: LockEntry, name: String) -> [UInt8] {
    LockYAML.document(of: name, entry).bytes
  }

  /// The entry that `end` carries, its lists in the lock's order.
  static func entry(of end: JournalEntry.Ended) throws(Diagnostic) -> LockEntry? {
    guard var entry = try parse(end.entry, name: end.stage.name ?? "") else { return nil }
    entry.deps.sort { $0.path.precedesInBytes($1.path) }
    entry.outs.sort { $0.path.precedesInBytes($1.path) }
    return entry
  }

  private static func digest(_ entry: LockEntry?, name: String) -> Digest16? {
    entry.map { ContentHasher.md5(of: encode($0, name: name)) }
  }

  private static func parse(_ bytes: [UInt8], name: String) throws(Diagnostic) -> LockEntry? {
    try LockYAML.read(SourceText(path: "journal", bytes: bytes)).withHashesOfFiles.entries[name]
  }
}
