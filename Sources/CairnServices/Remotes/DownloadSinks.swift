// Where a body goes that comes piece by piece and may break off: into memory, or into a file, or nowhere, hashed on the
// way.
import CairnCore
import CairnStore
import CairnSystem
import Glibc

protocol ResumableSink: HTTPSink {
  /// Bytes that are here.
  var received: UInt64 { get }
  /// All that there are, as the answer says.
  var expected: UInt64? { get }
  /// What names these very bytes, for a request for the rest of them.
  var version: String? { get }
  /// The bytes are of an earlier try, and nothing names them: their hash will tell.
  var isUnnamed: Bool { get }
  /// What our own side could not do.
  var failure: Diagnostic? { get }
  /// What came is forgotten.
  func restart()
}

/// What answers say of a body that is got in one or several pieces.
struct BodyProgress {
  var received: UInt64 = 0
  var expected: UInt64?
  var version: String?

  /// Whether the answer goes on where the bytes that are here end; one that begins anew needs an empty sink.
  mutating func begin(_ status: Int, _ headers: HTTPHeaders, restart: () -> Void) -> Bool {
    let length = headers["Content-Length"].flatMap { UInt64($0) }
    let mark = headers["ETag"].flatMap { $0.hasPrefix("W/") ? nil : $0 }
    if status == 206 {
      // "bytes 5-9/10".
      let range = headers["Content-Range"].map { $0.split { " -/".contains($0) }.map(String.init) } ?? []
      guard range.count == 4, UInt64(range[1]) == received else { return false }
      expected = UInt64(range[3]) ?? expected
      version = version ?? mark
      return true
    }
    if received > 0 { restart() }
    received = 0
    expected = length
    // A weak mark names no bytes.
    version = mark
    return true
  }
}

final class MemorySink: ResumableSink {
  let isUnnamed = false
  private(set) var bytes: [UInt8] = []
  private(set) var failure: Diagnostic?
  private var progress = BodyProgress()
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  var received: UInt64 { progress.received }
  var expected: UInt64? { progress.expected }
  var version: String? { progress.version }

  func restart() {
    bytes = []
    progress = BodyProgress()
  }

  func begin(_ status: Int, _ headers: HTTPHeaders) -> Bool { progress.begin(status, headers) { bytes = [] } }

  func receive(_ piece: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count + piece.count <= limit else {
      failure = Diagnostic(.tooLarge, "it has more than \(limit) bytes")
      return false
    }
    bytes.append(contentsOf: piece)
    progress.received += UInt64(piece.count)
    return true
  }
}

final class FileSink: ResumableSink {
  private(set) var failure: Diagnostic?
  private var progress = BodyProgress()
  private var hasher: ContentHasher
  /// -1 where nothing is kept, or any more.
  private var descriptor: Int32 = -1
  /// Not yet hashed and written: DVC 2's hash wants pieces of 1 MiB.
  private var pending: [UInt8] = []
  private(set) var isUnnamed = false
  /// `nil`: the bytes are hashed alone.
  private let path: String?
  private let kinds: DigestKinds
  private let report: ByteReport

  private static let pieceSize = 1 << 20

  /// - Parameter path: where nothing is, or the first bytes of the object; `nil`: nothing is kept.
  /// - Throws: when the file cannot be made.
  init(_ path: String?, _ kinds: DigestKinds, _ report: @escaping ByteReport) throws(Diagnostic) {
    self.path = path
    self.kinds = kinds
    self.report = report
    hasher = ContentHasher(kinds)
    guard let path else { return }
    descriptor = path.asSystemPath { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o444) }
    if descriptor >= 0 { return }
    guard errno == EEXIST, PartialObjects.isName(path) else { throw .system(errno, "create it", path) }
    try takeOver(path)
  }

  /// Whole pieces of what is there.
  private func takeOver(_ path: String) throws(Diagnostic) {
    // Nobody may write it, as it was made.
    try Files.chmod(path, 0o644)
    descriptor = path.asSystemPath { open($0, O_RDWR | O_CLOEXEC | O_NOFOLLOW) }
    if descriptor < 0 { throw .system(errno, "open it", path) }
    _ = fchmod(descriptor, 0o444)
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 64)
    defer { piece.deallocate() }
    var count: UInt64 = 0
    while pread(descriptor, piece.baseAddress, piece.count, off_t(count)) == piece.count {
      hasher.update(UnsafeRawBufferPointer(piece))
      count += UInt64(piece.count)
    }
    progress.received = count
    isUnnamed = count > 0
    report(Int(count))
    if ftruncate(descriptor, off_t(count)) != 0 || lseek(descriptor, off_t(count), SEEK_SET) < 0 { fail(errno, "read it") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  var received: UInt64 { progress.received }
  var expected: UInt64? { progress.expected }
  var version: String? { progress.version }

  func restart() {
    if progress.received > 0 { empty() }
    progress = BodyProgress()
  }

  private func empty() {
    isUnnamed = false
    if progress.received > 0 { report(-Int(progress.received)) }
    hasher = ContentHasher(kinds)
    pending.removeAll(keepingCapacity: true)
    if path != nil, ftruncate(descriptor, 0) != 0 || lseek(descriptor, 0, SEEK_SET) != 0 { fail(errno, "empty it") }
  }

  private func fail(_ code: Int32, _ what: String) { failure = failure ?? .system(code, what, path ?? "") }

  func begin(_ status: Int, _ headers: HTTPHeaders) -> Bool {
    guard progress.begin(status, headers, restart: empty) else { return false }
    pending.reserveCapacity(Int(min(progress.expected ?? 0, UInt64(Self.pieceSize))))
    return failure == nil
  }

  func receive(_ piece: UnsafeRawBufferPointer) -> Bool {
    progress.received += UInt64(piece.count)
    report(piece.count)
    var rest = piece[...]
    while !rest.isEmpty {
      let some = rest.prefix(Self.pieceSize - pending.count)
      pending.append(contentsOf: some)
      rest = rest.dropFirst(some.count)
      if pending.count == Self.pieceSize, !drain() { return false }
    }
    return true
  }

  private func drain() -> Bool {
    let code = pending.withUnsafeBytes { bytes -> Int32 in
      hasher.update(bytes)
      if path == nil { return 0 }
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        if count < 0 { return errno }
        rest = rest.dropFirst(count)
      }
      return 0
    }
    pending.removeAll(keepingCapacity: true)
    if code != 0 { fail(code, "write it") }
    return code == 0
  }

  /// - Throws: when not all of it could be written.
  func finish() throws(Diagnostic) -> Digests {
    if !pending.isEmpty { _ = drain() }
    let code = descriptor < 0 || close(descriptor) == 0 ? 0 : errno
    descriptor = -1
    // NFS and quotas tell of a full disk only here.
    if code != 0 { fail(code, "write it") }
    if let failure { throw failure }
    return hasher.finish()
  }

  /// - Parameter keepsPart: what has come of a large object, for another try.
  func giveUp(keepsPart: Bool = false) {
    if keepsPart, !pending.isEmpty { _ = drain() }
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
    if keepsPart, failure == nil, progress.received >= PartialObjects.least, let path, PartialObjects.isName(path) { return }
    if let path { _ = try? Files.remove(path) }
  }
}
