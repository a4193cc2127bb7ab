// What `stat` says of a file: cheap evidence that its content is still the one that was hashed.

/// Nanoseconds since 1970.
package typealias Nanoseconds = Int64

package struct FileFingerprint: Hashable, Sendable {
  package var size: UInt64
  /// As `stat` gave it *before* the file was read: a change during the read makes the fingerprint old, never wrong.
  package var modified: Nanoseconds
  package var inode: UInt64
  package var device: UInt64

  package init(size: UInt64, modified: Nanoseconds, inode: UInt64, device: UInt64) {
    self.size = size
    self.modified = modified
    self.inode = inode
    self.device = device
  }
}
