// The journal of one process: what ended, before the lock says so. And the reading of all of them.
package import CairnCore
import CairnStore
import CairnSystem
import Synchronization

/// An append-only file of its own for each process, locked by its owner while it lives.
///
/// A crash leaves it behind with its lock free; whoever next holds the write lock replays it (`JournalReplay`). A line
/// that was torn by the crash has a wrong checksum and is not there.
package final class Journal: Sendable {
  package let path: String
  private let file: AppendFile
  private let lock: OpenFileLock
  /// Of what was written whole.
  private let size = Mutex<UInt64>(0)

  /// Makes a new journal in `folder`.
  package init(in folder: String) throws(Diagnostic) {
    try Files.makeDirectories(folder)
    while true {
      let path = folder + "/" + Identifier.ulid() + Self.suffix
      let file = try AppendFile(path)
      // Until it is locked it looks like one of a dead process: whoever replays those may have taken it away.
      guard let lock = try OpenFileLock.tryLock(path, .exclusive), file.isInPlace() else { continue }
      (self.path, self.file, self.lock) = (path, file, lock)
      return
    }
  }

  /// Written, not synced: the order is kept, a power cut may lose it.
  ///
  /// When it throws nothing of the entries stays: a torn line would spoil the one that follows it.
  package func append(_ entries: [JournalEntry]) throws(Diagnostic) {
    var bytes: [UInt8] = []
    for entry in entries { bytes += entry.encoded() }
    let result: Result<Void, Diagnostic> = size.withLock { size in
      do throws(Diagnostic) {
        try file.append(bytes)
        size += UInt64(bytes.count)
        return .success(())
      } catch {
        try? file.truncate(to: size)
        return .failure(error)
      }
    }
    try result.get()
  }

  package func sync() throws(Diagnostic) { try file.sync() }

  /// All of it is in the locks: removes the file.
  package func remove() { _ = try? Files.remove(path) }

  package static let suffix = ".journal"

  /// Journals in `folder`, oldest first.
  package static func paths(in folder: String) throws(Diagnostic) -> [String] {
    let files = (try Files.list(folder) ?? []).filter { $0.kind == .file }
    return files.map(\.name).filter { $0.hasSuffix(suffix) }.sorted().map { folder + "/" + $0 }
  }

  /// Whole lines only.
  package static func read(_ path: String) throws(Diagnostic) -> [JournalEntry] {
    guard let bytes = try Files.read(plain: path, limit: .max) else { return [] }
    return bytes.split(separator: 0x0A).compactMap { JournalEntry(line: $0) }
  }

  /// The records that journals in `folder` hold, of live processes too. A full disk leaves some in no other place.
  package static func records(in folder: String) throws(Diagnostic) -> Set<Digest32> {
    var found: Set<Digest32> = []
    for path in try paths(in: folder) {
      for case .ended(let end) in try read(path) where !end.record.isEmpty {
        found.insert(ContentHasher.sha256(of: end.record))
      }
    }
    return found
  }
}

extension Diagnostic.Code {
  package static let journal = Diagnostic.Code("journal")
}
