// Run records from a remote: those of this repository that our own store lacks, each held against its name. Knows nothing
// of data.
import CairnCore
import CairnFormats
import CairnLineage
import CairnStore
import CairnSystem

struct RecordFetch {
  private let history: History
  private let remote: RemoteObjects
  private let owners: RecordOwners
  private let progress: TransferProgress
  /// What is wrong with single files, in words.
  private(set) var warnings: [String] = []
  /// Files that came.
  private(set) var count = 0

  private var store: RecordStore { history.store }
  private var notes: RemoteNotes
  /// What the remote has and we lack, with sizes.
  private var lacking: [StoredName: UInt64] = [:]
  private var erased: Set<Digest32> = []
  /// Documents that were read and are no runs: many are asked for again soon.
  private var held: [StoredName: [UInt8]] = [:]
  private var heldBytes = 0
  /// What was looked at and stays there.
  private var left: [StoredName: String?] = [:]
  private var undecided: Set<StoredName> = []
  private var invocations: [StoredName] = []
  private var taken: [StoredName] = []
  /// Hashes that records name which came just now.
  private var named: Set<Digest32> = []

  /// So many bytes of documents are kept for later.
  private static let holdLimit = 32 << 20
  /// Larger files are read one at a time.
  private static let smallLimit = 4 << 20
  private static let batch = 256

  init(_ project: OpenProject, _ history: History, from remote: RemoteObjects, _ progress: TransferProgress) {
    self.history = history
    self.remote = remote
    self.progress = progress
    owners = RecordOwners(project, history)
    notes = RemoteNotes(of: remote.storage.place, in: history.remoteNotes)
  }

  /// - Throws: when the remote does not answer; what came is here.
  mutating func run() throws(Diagnostic) {
    let listing = try RecordListing(remote) { _ in true }
    let own = Set(try store.ownNames())
    let marks = try store.tombstoneMarks()
    if listing.files.isEmpty { return }
    notes.note(there: listing.files.keys.filter(own.contains).sorted())
    erased = Set(marks.map(\.hash))
    for (name, size) in listing.files where !own.contains(name) && !erased.contains(name.digest) {
      // A run whose commit came to this repository since is looked at again.
      if let commit = notes.left[name], !(commit.map(owners.hasCommit) ?? false) { continue }
      lacking[name] = size
    }
    try heed(listing.tombstones.subtracting(marks))
    try takeRuns()
    let fresh = try takeInvocations()
    try takeWhatIsMissed(own, listing)
    try takeTombstones(listing.tombstones.subtracting(marks), own)
    try joinHeads(listing, fresh)
    if !undecided.isEmpty, owners.isShallow {
      let (records, are) = undecided.count == 1 ? ("run record", "is") : ("run records", "are")
      warnings.append(
        "whose \(undecided.count) \(records) on '\(remote.storage.place)' \(are), this shallow clone cannot tell: "
          + "after `git fetch --unshallow`, `cairn fetch` brings what is of this repository")
    }
    notes.note(there: taken.sorted(), left: left)
  }

  // MARK: Reading

  private enum Answer: Sendable {
    case bytes([UInt8])
    case gone
    case wrong(String)
  }

  /// The bytes of files of the remote, each held against its name: small ones several at a time.
  private func read(_ names: [StoredName]) throws(Diagnostic) -> [Answer] {
    let (remote, sizes, progress) = (remote, lacking, progress)
    let read: @Sendable (StoredName) throws(Diagnostic) -> Answer = { name throws(Diagnostic) in
      let key = RecordListing.key(of: name)
      let shown = remote.storage.name(of: key)
      // What a listing says may be wrong: no more than that is taken.
      let limit = sizes[name] ?? UInt64(Files.plainLimit)
      guard limit <= Files.plainLimit else { return .wrong("'\(shown)' is too large for a record: it was not taken") }
      do throws(Diagnostic) {
        guard let bytes = try remote.storage.read(key, limit: Int(limit)) else { return .gone }
        progress.add(bytes: bytes.count)
        guard ContentHasher.sha256(of: bytes) == name.digest else {
          return .wrong("'\(shown)' has other bytes than its name says: it was not taken")
        }
        return .bytes(bytes)
      } catch where error.code == .tooLarge || error.code == .notPlain {
        return .wrong("'\(shown)' is not what the remote lists: it was not taken")
      }
    }
    let isSmall = names.map { sizes[$0].map { $0 <= Self.smallLimit } ?? false }
    var answers = try Concurrently.each(names.count, threads: remote.jobs) { number throws(Diagnostic) -> Answer? in
      isSmall[number] ? try read(names[number]) : nil
    }
    for number in names.indices where !isSmall[number] { answers[number] = try read(names[number]) }
    return answers.map { $0 ?? .gone }
  }

  /// Takes what is there of these, unless we have it.
  private mutating func take(_ names: [StoredName]) throws(Diagnostic) {
    let wanted = Set(names).filter { lacking[$0] != nil || notes.left[$0] != nil }.sorted()
    for start in stride(from: 0, to: wanted.count, by: Self.batch) {
      let some = wanted[start..<min(start + Self.batch, wanted.count)]
      var unread: [StoredName] = []
      for name in some {
        if let bytes = held.removeValue(forKey: name) {
          heldBytes -= bytes.count
          try take(bytes, as: name)
        } else {
          unread.append(name)
        }
      }
      progress.expect(files: unread.count, bytes: 0)
      for (name, answer) in zip(unread, try read(unread)) {
        progress.finishedFile()
        switch answer {
        case .bytes(let bytes): try take(bytes, as: name)
        case .gone: lacking[name] = nil
        case .wrong(let words): refuse(name, words)
        }
      }
    }
  }

  private mutating func take(_ bytes: [UInt8], as name: StoredName) throws(Diagnostic) {
    guard try store.take(bytes, as: name) else { return }
    lacking[name] = nil
    left[name] = nil
    taken.append(name)
    count += 1
  }

  /// It is neither taken nor noted: the next fetch looks whether it was mended.
  private mutating func refuse(_ name: StoredName, _ words: String) {
    lacking[name] = nil
    warnings.append(words)
  }

  /// It was looked at and stays where it is; a commit that is not here may come, and then it is looked at again.
  private mutating func leave(_ name: StoredName, commit: String? = nil) {
    left.updateValue(commit.flatMap { owners.hasCommit($0) ? nil : $0 }, forKey: name)
  }

  // MARK: What comes

  /// What a tombstone speaks of does not come; a mark without a tombstone behind it is none.
  private mutating func heed(_ marks: Set<TombstoneMark>) throws(Diagnostic) {
    let meant = marks.filter { mark in
      [true, false].contains { lacking[StoredName(mark.hash, isDocument: $0)] != nil }
    }.sorted()
    let documents = meant.map { StoredName($0.document, isDocument: true) }
    for (mark, answer) in zip(meant, try read(documents)) {
      guard case .bytes(let bytes) = answer, case .tombstone(let tombstone) = StoredDocument(bytes),
        tombstone.hash == mark.hash
      else { continue }
      erased.insert(mark.hash)
      for isDocument in [true, false] { lacking[StoredName(mark.hash, isDocument: isDocument)] = nil }
      // Where it is ours it is taken soon.
      let name = StoredName(mark.document, isDocument: true)
      if held[name] == nil { hold(bytes, as: name) }
    }
  }

  /// Of the documents those that are runs of ours, each after what it names.
  private mutating func takeRuns() throws(Diagnostic) {
    let documents = lacking.keys.filter(\.isDocument).sorted()
    for start in stride(from: 0, to: documents.count, by: Self.batch) {
      // Some may have come meanwhile, for one that names them.
      let some = documents[start..<min(start + Self.batch, documents.count)].filter { lacking[$0] != nil && held[$0] == nil }
      progress.expect(files: some.count, bytes: 0)
      var runs: [(name: StoredName, bytes: [UInt8], record: RunRecord)] = []
      for (name, answer) in zip(some, try read(Array(some))) {
        progress.finishedFile()
        switch answer {
        case .gone: lacking[name] = nil
        case .wrong(let words): refuse(name, words)
        case .bytes(let bytes):
          switch StoredDocument(bytes) {
          case .run(let record):
            switch owners.isOurs(record) {
            case true?: runs.append((name, bytes, record))
            case false?: leave(name, commit: record.source.commit)
            // It is looked at again the next time.
            case nil: undecided.insert(name)
            }
          case .invocation:
            invocations.append(name)
            hold(bytes, as: name)
          case .tombstone, .other: hold(bytes, as: name)
          case .unreadable: leave(name)
          }
        }
      }
      let parts = runs.flatMap { Self.parts(of: $0.record) }
      try take(parts.filter { !store.hasOwn($0) && !erased.contains($0.digest) })
      for run in runs {
        named.formUnion(run.record.named.map(\.hash))
        try take(run.bytes, as: run.name)
      }
    }
  }

  private mutating func hold(_ bytes: [UInt8], as name: StoredName) {
    guard heldBytes + bytes.count <= Self.holdLimit else { return }
    heldBytes += bytes.count
    held[name] = bytes
  }

  /// Under both names that each could have.
  private static func parts(of record: RunRecord) -> [StoredName] {
    record.named.filter { !$0.isRecord }.flatMap { part in
      [true, false].map { StoredName(part.hash, isDocument: $0) }
    }
  }

  /// An invocation names no repository: its runs do.
  ///
  /// - Returns: those that came, with what each names as `previous`.
  private mutating func takeInvocations() throws(Diagnostic) -> [Digest32: [Digest32]] {
    var fresh: [Digest32: [Digest32]] = [:]
    for name in invocations {
      var bytes = held[name]
      if bytes == nil, case .bytes(let again) = try read([name])[0] { bytes = again }
      guard let bytes, case .invocation(let invocation) = StoredDocument(bytes) else { continue }
      let runs = invocation.stages.compactMap(\.run)
      let isOurs =
        runs.isEmpty
        ? invocation.commit.map(owners.hasCommit) ?? false
        : runs.contains { store.hasOwn(StoredName($0.digest, isDocument: true)) }
      if isOurs {
        try take(bytes, as: name)
        fresh[name.digest] = invocation.previous
      } else if !runs.contains(where: { undecided.contains(StoredName($0.digest, isDocument: true)) }) {
        leave(name, commit: invocation.commit)
      }
    }
    return fresh
  }

  /// What nobody of those that came names may belong to one that came before: the records that we had are asked, once for
  /// each such file.
  private mutating func takeWhatIsMissed(_ own: Set<StoredName>, _ listing: RecordListing) throws(Diagnostic) {
    let rest = Set(lacking.keys).subtracting(left.keys).subtracting(invocations).subtracting(undecided)
    if rest.isEmpty { return }
    let digests = Set(rest.map(\.digest))
    var wanted: Set<Digest32> = []
    for name in own where name.isDocument {
      guard let bytes = try? store.ownBytes(name), case .run(let record) = StoredDocument(bytes) else { continue }
      for part in record.named {
        named.insert(part.hash)
        if !part.isRecord, digests.contains(part.hash) { wanted.insert(part.hash) }
      }
    }
    try take(rest.filter { wanted.contains($0.digest) })
    for name in rest where lacking[name] != nil && !wanted.contains(name.digest) { leave(name) }
  }

  private mutating func takeTombstones(_ marks: Set<TombstoneMark>, _ own: Set<StoredName>) throws(Diagnostic) {
    for mark in marks.sorted() {
      let name = StoredName(mark.document, isDocument: true)
      let isMeant =
        named.contains(mark.hash) || own.contains(StoredName(mark.hash, isDocument: false))
        || own.contains(StoredName(mark.hash, isDocument: true))
      guard isMeant else { continue }
      if !store.hasOwn(name) { try take([name]) }
      guard let bytes = try? store.ownBytes(name), case .tombstone(let tombstone) = StoredDocument(bytes),
        tombstone.hash == mark.hash
      else { continue }
      try store.add(mark)
    }
  }

  private mutating func joinHeads(_ listing: RecordListing, _ fresh: [Digest32: [Digest32]]) throws(Diagnostic) {
    var newest: [Digest32] = []
    for head in listing.heads.sorted() {
      let name = StoredName(head, isDocument: true)
      if store.hasOwn(name) {
        newest.append(head)
      } else if listing.files[name] == nil {
        warnings.append(
          "\(remote.storage.place) names \(head.hex) as a newest invocation and does not have it: "
            + "run records are missing there")
      }
    }
    try store.joinHeads(fresh, newest: newest)
  }
}
