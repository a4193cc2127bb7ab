// Run records to a remote: what our own store has and the remote lacks, what is named before who names it. Knows nothing
// of data.
import CairnCore
import CairnLineage
import CairnStore
import CairnSystem

struct RecordPush {
  private let store: RecordStore
  private let remote: RemoteObjects
  private let notesFolder: String
  private let progress: TransferProgress
  /// What did not go though the remote took the rest, in words.
  private(set) var warnings: [String] = []

  init(_ history: History, to remote: RemoteObjects, _ progress: TransferProgress) {
    store = history.store
    notesFolder = history.remoteNotes
    self.remote = remote
    self.progress = progress
  }

  /// Who comes later names only what came before.
  private struct Waves {
    var parts: [StoredName] = []
    var runs: [StoredName] = []
    var invocations: [StoredName] = []
  }

  /// - Throws: when the remote does not take them; what went is there.
  mutating func run() throws(Diagnostic) {
    let own = try store.ownNames()
    if own.isEmpty { return }
    let names = Set(own)
    let listing = try RecordListing(remote) { names.contains($0) }
    var notes = RemoteNotes(of: remote.storage.place, in: notesFolder)
    notes.note(there: listing.files.keys.sorted())
    let lacking = own.filter { listing.files[$0] == nil }
    let waves = try sorted(lacking)
    progress.expect(files: waves.parts.count + waves.runs.count + waves.invocations.count, bytes: 0)
    for wave in [waves.parts, waves.runs, waves.invocations] {
      let sent = try send(wave)
      notes.note(there: zip(wave, sent).lazy.filter(\.1).map(\.0))
    }
    try sendMarks(listing)
  }

  private mutating func sorted(_ lacking: [StoredName]) throws(Diagnostic) -> Waves {
    var waves = Waves()
    waves.parts = lacking.filter { !$0.isDocument }
    let documents = lacking.filter(\.isDocument)
    let store = store
    let kinds = try Parallel.map(documents.count) { number throws(Diagnostic) -> Result<Int, Diagnostic> in
      do throws(Diagnostic) {
        guard let bytes = try store.ownBytes(documents[number]) else { return .success(0) }
        return switch StoredDocument(bytes) {
        case .run: .success(1)
        case .invocation: .success(2)
        default: .success(0)
        }
      } catch { return .failure(error) }
    }
    for (name, kind) in zip(documents, kinds) {
      switch kind {
      case .success(0): waves.parts.append(name)
      case .success(1): waves.runs.append(name)
      case .success: waves.invocations.append(name)
      case .failure(let error):
        guard error.code == .recordAltered else { throw error }
        warnings.append(error.fullMessage + "; it was not sent")
      }
    }
    return waves
  }

  /// - Returns: which went; the others are altered, or were taken away meanwhile.
  private mutating func send(_ names: [StoredName]) throws(Diagnostic) -> [Bool] {
    let (store, remote, progress) = (store, remote, progress)
    let results = try Concurrently.each(names.count, threads: remote.jobs) { number throws(Diagnostic) -> String? in
      defer { progress.finishedFile() }
      let name = names[number]
      let path = store.path(of: name)
      // Documents were held against their names when they were sorted.
      if !name.isDocument {
        guard let digests = try ContentHasher.digests(ofFile: path, .sha256) else { return "" }
        if digests.sha256 != name.digest {
          return "'\(path)' was altered: its bytes are not those of its name; it was not sent"
        }
      }
      try remote.storage.upload(path, to: RecordListing.key(of: name), as: nil) { progress.add(bytes: $0) }
      return nil
    }
    warnings += results.compactMap { $0.flatMap { $0.isEmpty ? nil : $0 } }
    return results.map { $0 == nil }
  }

  /// Tombstones, then heads; then heads of the remote that ours follow are none any more.
  private func sendMarks(_ listing: RecordListing) throws(Diagnostic) {
    let heads = store.ownHeads().filter { store.hasOwn(StoredName($0, isDocument: true)) }
    let keys =
      try store.tombstoneMarks().subtracting(listing.tombstones).sorted().map(RecordListing.key(of:))
      + heads.filter { !listing.heads.contains($0) }.map(RecordListing.key(ofHead:))
    if !keys.isEmpty {
      let empty = AtomicFile.temporaryName(in: store.folder)
      defer { _ = try? Files.remove(empty) }
      try Files.write([], to: empty)
      let remote = remote
      _ = try Concurrently.each(keys.count, threads: remote.jobs) { number throws(Diagnostic) in
        try remote.storage.upload(empty, to: keys[number], as: nil) { _ in }
      }
    }
    let others = listing.heads.subtracting(heads).filter { store.hasOwn(StoredName($0, isDocument: true)) }
    let followed = try store.followed(among: others)
    // One that stays does no harm, and not everybody may remove files.
    if !followed.isEmpty { try? remote.storage.remove(followed.sorted().map(RecordListing.key(ofHead:))) }
  }
}
