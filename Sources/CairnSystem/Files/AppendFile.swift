// A file that only grows, for journals. Knows nothing of its entries.
import CSystem
package import CairnCore
import Glibc

/// Each `append` is one write at the file's end: entries of two processes never mix. Safe to use from any thread.
package final class AppendFile: Sendable {
  package let path: String
  private let descriptor: Int32

  /// Opens or makes the file.
  package init(_ path: String, mode: UInt32 = 0o666) throws(Diagnostic) {
    let opened = path.asSystemPath { cairn_open($0, O_WRONLY | O_CREAT | O_APPEND, mode) }
    if opened < 0 { throw Diagnostic.system(-opened, "open it", path) }
    self.path = path
    descriptor = opened
  }

  deinit { close(descriptor) }

  /// Adds the bytes. On a full disk a part of them may have been added before the error: readers must know a torn
  /// entry by itself.
  package func append(_ bytes: [UInt8]) throws(Diagnostic) {
    let result = cairn_write_all(descriptor, bytes, bytes.count)
    if result < 0 { throw Diagnostic.system(-result, "write it", path) }
  }

  /// Waits until all that was appended is on the disk.
  package func sync() throws(Diagnostic) {
    let result = restarting(fdatasync(descriptor))
    if result < 0 { throw Diagnostic.system(-result, "sync it", path) }
  }

  package func size() throws(Diagnostic) -> UInt64 { try FileStat.of(descriptor: descriptor, path: path).size }

  package func truncate(to size: UInt64) throws(Diagnostic) {
    let result = restarting(ftruncate(descriptor, Int(size)))
    if result < 0 { throw Diagnostic.system(-result, "shorten it", path) }
  }

  /// True while the path still names the file that is open here: nobody has renamed or removed it.
  package func isInPlace() -> Bool {
    guard let here = try? FileStat.of(descriptor: descriptor, path: path),
      let there = (try? FileStat.of(path)) ?? nil
    else { return false }
    return here.inode == there.inode && here.device == there.device
  }
}
