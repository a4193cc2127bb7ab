// What `stat` says of one path. Knows nothing of the file's content.
import CSystem
package import CairnCore
import Glibc

package struct FileStat: Hashable, Sendable {
  package enum Kind: UInt8, Hashable, Sendable { case file, directory, symlink, other }

  package var kind: Kind
  package var size: UInt64
  package var modified: Nanoseconds
  /// The inode's change time: moves with every write, chmod, link and rename, and nobody can set it back.
  package var changed: Nanoseconds
  package var inode: UInt64
  package var device: UInt64
  /// Permission bits (0o7777) only.
  package var mode: UInt32
  package var links: UInt64
  package var owner: UInt32

  package var fingerprint: FileFingerprint {
    FileFingerprint(size: size, modified: modified, inode: inode, device: device, changed: links == 1 ? changed : nil)
  }

  /// Any of the three execute bits.
  package var isExecutable: Bool { mode & 0o111 != 0 }
  package var isFile: Bool { kind == .file }
  package var isDirectory: Bool { kind == .directory }

  /// `nil` when nothing is there: the path, or a folder on the way, is missing or is no folder, or a followed link
  /// dangles. Throws for everything else.
  package static func of(_ path: String, followLinks: Bool = true) throws(Diagnostic) -> FileStat? {
    var raw = cairn_file_stat()
    let result = path.asSystemPath { cairn_stat($0, followLinks ? 1 : 0, &raw) }
    if result == 0 { return FileStat(raw) }
    if result == -ENOENT || result == -ENOTDIR { return nil }
    throw Diagnostic.system(-result, "look at it", path)
  }

  package static func of(descriptor: Int32, path: String) throws(Diagnostic) -> FileStat {
    var raw = cairn_file_stat()
    let result = cairn_fstat(descriptor, &raw)
    if result < 0 { throw Diagnostic.system(-result, "look at it", path) }
    return FileStat(raw)
  }

  init(_ raw: cairn_file_stat) {
    kind = Kind(rawValue: UInt8(raw.kind)) ?? .other
    size = raw.size
    modified = raw.modified_ns
    changed = raw.changed_ns
    inode = raw.inode
    device = raw.device
    mode = raw.mode
    links = raw.links
    owner = raw.uid
  }
}
