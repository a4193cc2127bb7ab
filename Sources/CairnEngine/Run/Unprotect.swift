// Makes outputs that share their bytes with the cache into files of their own, so that a command may write them.
import CairnCore
import CairnStore
import CairnSystem

enum Unprotect {
  /// A file at `path`, or each in the folder there, gets bytes of its own where it is a link to an object or an
  /// object's other name, and `mode` in any case: an executable one is so no longer, as with DVC.
  static func path(_ path: String, mode: UInt32) throws(Diagnostic) {
    if Files.isDirectory(path) {
      for entry in try Files.list(path) ?? [] { try self.path(path + "/" + entry.name, mode: mode) }
    } else {
      _ = try file(path, mode: mode)
    }
  }

  /// True when a link has become a file.
  static func file(_ path: String, mode: UInt32) throws(Diagnostic) -> Bool {
    guard let found = try FileStat.of(path, followLinks: false) else { return false }
    let isLink = found.kind == .symlink || found.links > 1
    if isLink { try FileLink.copyAtomically(from: path, to: path) }
    if isLink || found.mode != mode { try Files.chmod(path, mode) }
    return isLink
  }
}

enum TextFile {
  /// DVC's test of a metrics file, by its first block.
  static func isText(_ path: String) throws(Diagnostic) -> Bool {
    guard let bytes = try Files.read(path) else { return true }
    return bytes.prefix(512).withUnsafeBytes { ContentHasher.isText($0) }
  }
}
