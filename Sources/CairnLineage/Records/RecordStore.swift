// Keeps run records and what stands around them, each under the SHA-256 of its bytes.
// Knows where they lie and that nothing is ever rewritten; knows nothing of lineage or of what a record means.
package import CairnCore
import CairnFormats
import Synchronization

/// The store of records: `.cairn/runs`, and beside a shared cache `CACHE/cairn` too.
///
/// A *document* is canonical JSON (a record of a run, of an invocation, an environment, a directory's files, a
/// tombstone); an *object* is any bytes (a log, a patch, a long error text). Both lie under the SHA-256 of their
/// bytes: documents in `ab/cdef….json`, objects in `ab/cdef…`. Writing the same bytes again does nothing. What is
/// read is hashed: bytes that are not those of their name are reported, never used.
///
/// All functions may be called from any thread. Nothing is synced to the disk by itself: the journal of whoever
/// commits is what survives a power cut; `sync()` waits for everything.
package final class RecordStore: Sendable {
  /// `.cairn/runs`, absolute.
  package let folder: String
  /// `CACHE/cairn` where the cache lies outside the repository: written too, and read first where ours has nothing.
  package let sharedFolder: String?

  let isPrepared = Atomic(false)
  /// Whether a `source.repository` is this project's; `nil`: it cannot be known now. Asked only of records that lie in
  /// the shared store alone.
  let isOurs: @Sendable (String?) -> Bool?
  let own: WriteOnceFolder
  let shared: WriteOnceFolder?

  /// Touches nothing on the disk. The engine's `History` finds the folders.
  package convenience init(folder: String, sharedFolder: String?) {
    self.init(folder: folder, sharedFolder: sharedFolder) { _ in true }
  }

  /// - Parameter isOurs: tells records of this repository from those of others that share the cache.
  package init(folder: String, sharedFolder: String?, isOurs: @escaping @Sendable (String?) -> Bool?) {
    self.isOurs = isOurs
    self.folder = folder
    self.sharedFolder = sharedFolder
    own = WriteOnceFolder(folder)
    shared = sharedFolder.map { WriteOnceFolder($0) }
  }

  /// Written here or brought here: not only one of those that others put beside the shared cache.
  package func isOwn(_ run: RunID) -> Bool {
    sharedFolder == nil || own.contains(WriteOnceFolder.Name(run.digest, suffix: Self.documentSuffix))
  }

  // MARK: Writing

  /// Writes a record and gives its name.
  @discardableResult
  package func write(_ record: RunRecord) throws(Diagnostic) -> RunID {
    RunID(try put(document: RecordJSON.encode(record)))
  }

  /// Writes the record of an invocation, and makes it the head in place of those that it names as `previous`.
  @discardableResult
  package func write(_ invocation: InvocationRecord) throws(Diagnostic) -> Digest32 {
    let digest = try put(document: RecordJSON.encode(invocation))
    try Heads(in: folder).advance(to: digest, from: invocation.previous)
    if let sharedFolder { try Heads(in: sharedFolder).advance(to: digest, from: invocation.previous) }
    return digest
  }

  /// Writes a document whose canonical bytes are at hand.
  @discardableResult
  package func put(document bytes: [UInt8]) throws(Diagnostic) -> Digest32 {
    try put(bytes, suffix: Self.documentSuffix)
  }

  /// Writes an object.
  @discardableResult
  package func put(object bytes: [UInt8]) throws(Diagnostic) -> Digest32 {
    try put(bytes, suffix: "")
  }

  private func put(_ bytes: [UInt8], suffix: String) throws(Diagnostic) -> Digest32 {
    try prepareProjectFolder()
    let digest = Digest32.sha256(bytes)
    let name = WriteOnceFolder.Name(digest, suffix: suffix)
    let failure: Diagnostic? = bytes.withUnsafeBytes { buffer in
      do throws(Diagnostic) {
        try own.put(buffer, name: name)
        try shared?.put(buffer, name: name)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
    return digest
  }

  /// Waits until everything written so far is on the disk.
  package func sync() throws(Diagnostic) {
    try own.sync()
    try shared?.sync()
  }

  static let documentSuffix = ".json"
}
