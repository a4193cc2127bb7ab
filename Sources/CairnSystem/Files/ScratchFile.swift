// A file without a name, for bytes that are wanted again but need not stay in memory. Knows nothing of what they are.
import CSystem
import Glibc
import Synchronization

/// Goes with whoever holds it, also when the process is killed. Safe to use from any thread.
package final class ScratchFile: Sendable {
  private let descriptor: Int32
  private let size = Mutex(0)

  /// In the folder for temporary files; `nil` where none can be made.
  package init?() {
    let folder = Environment.value("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    let path = AtomicFile.temporaryName(in: folder)
    descriptor = path.asSystemPath { cairn_open($0, O_RDWR | O_CREAT | O_EXCL, 0o600) }
    if descriptor < 0 { return nil }
    _ = path.asSystemPath { unlink($0) }
  }

  deinit { close(descriptor) }

  /// Where the bytes are from now on; `nil` when they could not be written: a full disk.
  package func append(_ bytes: [UInt8]) -> Int? {
    size.withLock { size in
      guard lseek(descriptor, off_t(size), SEEK_SET) >= 0, cairn_write_all(descriptor, bytes, bytes.count) >= 0 else {
        return nil
      }
      defer { size += bytes.count }
      return size
    }
  }

  /// What was appended at `offset`; `nil` when it cannot be read.
  package func read(at offset: Int, count: Int) -> [UInt8]? {
    var failed = false
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(descriptor, buffer.baseAddress! + filled, count - filled, off_t(offset + filled))
        if got > 0 { filled += got } else if got == 0 || errno != EINTR { break }
      }
      failed = filled < count
    }
    return failed ? nil : bytes
  }
}
