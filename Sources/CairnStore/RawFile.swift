// Descriptors and paths at the price of the bare system call: for loops over tens of thousands of small files.
// Knows nothing of caches or hashes.
import CairnCore
import CairnSystem
import Glibc
import Synchronization

/// A buffer that one worker fills again and again.
struct ReadBuffer: ~Copyable {
  /// DVC reads in pieces of this size, and MD5 with line ends unified depends on where pieces begin.
  static let pieceSize = 1 << 20

  let bytes: UnsafeMutableRawBufferPointer

  /// A stage asks for several, one after the other, most of them for a file that fills a page. As many are kept as
  /// small machines have workers.
  private static let spare = Mutex(Spare())

  private static let mostSpare = 4

  /// Guard for `@unchecked`: a buffer in here is in nobody's hands.
  private struct Spare: @unchecked Sendable { var buffers: [UnsafeMutableRawBufferPointer] = [] }

  init() {
    bytes =
      Self.spare.withLock { $0.buffers.popLast() } ?? .allocate(byteCount: Self.pieceSize, alignment: 64)
  }

  deinit {
    let isKept = Self.spare.withLock { [bytes] spare in
      if spare.buffers.count >= Self.mostSpare { return false }
      spare.buffers.append(bytes)
      return true
    }
    if !isKept { bytes.deallocate() }
  }

  /// Reads until the buffer is full or the file ends; the number of bytes, or a negative errno.
  ///
  /// - Parameter size: what `stat` said of the file. Who has as many bytes need not ask whether it has ended: were it
  ///   longer by now, its fingerprint would not be the one that it is remembered by.
  func fill(from descriptor: Int32, expecting size: UInt64? = nil) -> Int {
    Self.fill(bytes, from: descriptor, expecting: size)
  }

  static func fill(
    _ bytes: UnsafeMutableRawBufferPointer, from descriptor: Int32, expecting size: UInt64? = nil
  ) -> Int {
    var count = 0
    while count < bytes.count, let base = bytes.baseAddress {
      let got = Glibc.read(descriptor, base + count, bytes.count - count)
      if got == 0 { break }
      if got < 0 {
        if errno == EINTR { continue }
        return -Int(errno)
      }
      count += got
      if let size, size > 0, UInt64(count) == size { break }
    }
    return count
  }

  func prefix(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[..<count]) }
}

enum RawFile {
  /// Calls `body` with the bytes that `path` stands for, NUL-terminated.
  @inline(__always)
  static func withPath<Result>(_ path: String, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    if !FileName.needsEscape(path) { return path.withCString(body) }
    return (FileName.bytes(path) + [0]).withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { chars in
        guard let start = chars.baseAddress else { return "".withCString(body) }
        return body(start)
      }
    }
  }

  /// A descriptor, or a negative errno.
  static func open(_ path: String, _ flags: Int32, _ mode: mode_t = 0) -> Int32 {
    withPath(path) { name in
      while true {
        let descriptor = Glibc.open(name, flags | O_CLOEXEC, mode)
        if descriptor >= 0 { return descriptor }
        if errno != EINTR { return -errno }
      }
    }
  }

  /// 0, or a negative errno.
  static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    var rest = bytes
    while let base = rest.baseAddress, rest.count > 0 {
      let count = Glibc.write(descriptor, base, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        return -errno
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return 0
  }

  static func stat(_ path: String, followLinks: Bool) -> Result<Glibc.stat, Errno> {
    var result = Glibc.stat()
    let code = withPath(path) {
      fstatat(AT_FDCWD, $0, &result, followLinks ? 0 : AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno
    }
    return code == 0 ? .success(result) : .failure(Errno(code: code))
  }

  static func unlink(_ path: String) -> Int32 { withPath(path) { Glibc.unlink($0) == 0 ? 0 : -errno } }

  static func rename(_ path: String, to target: String) -> Int32 {
    withPath(path) { from in withPath(target) { to in Glibc.rename(from, to) == 0 ? 0 : -errno } }
  }

  static func chmod(_ path: String, _ mode: UInt32) -> Int32 {
    withPath(path) { Glibc.chmod($0, mode) == 0 ? 0 : -errno }
  }

  static func link(_ path: String, to target: String) -> Int32 {
    withPath(path) { from in
      withPath(target) { to in linkat(AT_FDCWD, from, AT_FDCWD, to, Int32(AT_SYMLINK_FOLLOW)) == 0 ? 0 : -errno }
    }
  }

  static func symlink(_ destination: String, at path: String) -> Int32 {
    withPath(destination) { from in withPath(path) { to in Glibc.symlink(from, to) == 0 ? 0 : -errno } }
  }

  /// FICLONE: makes `to` share the blocks of `from`.
  static func clone(_ from: Int32, to: Int32) -> Bool { ioctl(to, 0x4004_9409, from) == 0 }

  /// The process's file mode mask, read without changing it even for a moment.
  static let umask: UInt32 = {
    if let bytes = try? Files.read("/proc/self/status") {
      for line in bytes.split(separator: 0x0A) where line.starts(with: "Umask:".utf8) {
        let digits = line.dropFirst(6).filter { (0x30...0x37).contains($0) }
        return digits.reduce(0) { $0 << 3 | UInt32($1 - 0x30) }
      }
    }
    let mask = Glibc.umask(0o022)
    _ = Glibc.umask(mask)
    return UInt32(mask)
  }()

  /// A name that nobody else picks, for a file that is renamed once it is whole.
  static func temporaryName() -> String { "." + AtomicFile.uniqueWord() + ".tmp" }
}

struct Errno: Error { let code: Int32 }

extension Glibc.stat {
  var isFile: Bool { st_mode & S_IFMT == S_IFREG }
  var isDirectory: Bool { st_mode & S_IFMT == S_IFDIR }
  var isSymbolicLink: Bool { st_mode & S_IFMT == S_IFLNK }
  var permissions: UInt32 { st_mode & 0o7777 }
  var isExecutable: Bool { st_mode & 0o111 != 0 }

  var fingerprint: FileFingerprint {
    FileFingerprint(
      size: UInt64(st_size), modified: Int64(st_mtim.tv_sec) * 1_000_000_000 + Int64(st_mtim.tv_nsec),
      inode: UInt64(st_ino), device: UInt64(st_dev),
      changed: st_nlink == 1 ? Int64(st_ctim.tv_sec) * 1_000_000_000 + Int64(st_ctim.tv_nsec) : nil)
  }
}
