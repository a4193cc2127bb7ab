// The hashes of a large file that goes up in parts: of the whole and of each part, from one and the same reading.
import CairnCore
import CairnStore
import CairnSystem
import Dispatch
import Synchronization

/// One thread hashes the whole, another the parts: together they would take longer than the sending. Both see the same
/// bytes, so that parts which the server holds against theirs are those of the whole.
struct S3UploadHashes: Sendable {
  struct Part: Sendable {
    var md5: [UInt8]
    /// In hexadecimal, where it was wanted.
    var sha256: String?
  }

  let whole: Digests
  let parts: [Part]

  /// - Parameter partSize: whole MiB.
  /// - Throws: `io` where the file cannot be read, or has another size.
  init(_ path: String, _ size: UInt64, partSize: UInt64, whole: DigestKinds, parts: DigestKinds) throws(Diagnostic) {
    let all = Mutex(ContentHasher(whole))
    let each = Mutex(PartHasher(kinds: parts, size: partSize))
    let count = try FilePieces.read(path) { pieces in
      DispatchQueue.concurrentPerform(iterations: 2) { number in
        if number == 0 {
          all.withLock { hasher in pieces.forEach { hasher.update($0) } }
        } else {
          each.withLock { hasher in pieces.forEach { hasher.update($0) } }
        }
      }
    }
    guard count == size else { throw Diagnostic(.io, "'\(path)' changed while it was read") }
    self.whole = all.withLock { $0.finish() }
    self.parts = each.withLock { $0.finish() }
  }

  private struct PartHasher {
    private let kinds: DigestKinds
    private let size: UInt64
    private var current: ContentHasher
    private var count: UInt64 = 0
    private var done: [Part] = []

    init(kinds: DigestKinds, size: UInt64) {
      self.kinds = kinds
      self.size = size
      current = ContentHasher(kinds)
    }

    mutating func update(_ piece: UnsafeRawBufferPointer) {
      current.update(piece)
      count += UInt64(piece.count)
      // Parts are whole pieces long.
      if count % size == 0 { next() }
    }

    private mutating func next() {
      let digests = current.finish()
      done.append(Part(md5: digests.md5?.bytes ?? [], sha256: digests.sha256?.hex))
      current = ContentHasher(kinds)
    }

    mutating func finish() -> [Part] {
      if count % size != 0 { next() }
      return done
    }
  }
}
