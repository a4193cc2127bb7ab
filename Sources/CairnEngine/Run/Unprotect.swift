// Makes outputs that share their bytes with the cache into files of their own, so that a command may write them.
import CairnCore
import CairnStore
import CairnSystem

enum Unprotect {
  /// A link to an object, or an object's other name, becomes a plain writable copy; other files become writable.
  static func path(_ path: String) throws(Diagnostic) {
    guard let stat = try FileStat.of(path, followLinks: false) else { return }
    switch stat.kind {
    case .directory:
      for entry in try Files.list(path) ?? [] { try self.path(path + "/" + entry.name) }
    case .symlink: try replace(path, mode: 0o644)
    case .file where stat.links > 1: try replace(path, mode: stat.mode | 0o200)
    case .file where stat.mode & 0o200 == 0: try Files.chmod(path, stat.mode | 0o200)
    default: break
    }
  }
}

extension Unprotect {
  private static func replace(_ path: String, mode: UInt32) throws(Diagnostic) {
    let temporary = AtomicFile.temporaryName(beside: path)
    try FileTree.copy(path, to: temporary)
    try Files.chmod(temporary, mode)
    try Files.rename(temporary, to: path)
  }
}

enum TextFile {
  /// DVC's test of a metrics file, by its first block.
  static func isText(_ path: String) throws(Diagnostic) -> Bool {
    guard let bytes = try Files.read(path) else { return true }
    return bytes.prefix(512).withUnsafeBytes { ContentHasher.isText($0) }
  }
}
