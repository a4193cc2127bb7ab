// What `stat` says of a file: cheap evidence that its content is still the one that was hashed.

/// Nanoseconds since 1970.
package typealias Nanoseconds = Int64

package struct FileFingerprint: Hashable, Sendable {
  package var size: UInt64
  /// As `stat` gave it *before* the file was read: a change during the read makes the fingerprint old, never wrong.
  package var modified: Nanoseconds
  package var inode: UInt64
  package var device: UInt64
  /// When the inode changed, which nobody can set back: a write that gave the file its old time is known by it. Not
  /// part of what the file is (a chmod moves it, too), and of a file with several names not told: each new name of it,
  /// in whatever work tree, moves it.
  package var changed: Nanoseconds?

  package init(size: UInt64, modified: Nanoseconds, inode: UInt64, device: UInt64, changed: Nanoseconds? = nil) {
    self.size = size
    self.modified = modified
    self.inode = inode
    self.device = device
    self.changed = changed
  }

  package static func == (a: FileFingerprint, b: FileFingerprint) -> Bool {
    a.size == b.size && a.modified == b.modified && a.inode == b.inode && a.device == b.device
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(size)
    hasher.combine(modified)
    hasher.combine(inode)
    hasher.combine(device)
  }
}
