// Whole trees: removed, copied, moved. Links are taken as links. Knows nothing of what the files mean.
package import CairnCore
import Glibc

package enum FileTree {
  /// Removes a file, a link, or a folder with all it holds; does nothing when nothing is there.
  package static func remove(_ path: String) throws(Diagnostic) {
    guard let stat = try FileStat.of(path, followLinks: false) else { return }
    guard stat.isDirectory else {
      _ = try Files.remove(path)
      return
    }
    for entry in try Files.list(path) ?? [] { try remove(path + "/" + entry.name) }
    _ = try Files.removeEmptyDirectory(path)
  }

  /// Copies a file or folder to where nothing is yet; file systems that can share blocks do.
  package static func copy(_ source: String, to target: String) throws(Diagnostic) {
    guard let stat = try FileStat.of(source, followLinks: false) else { return }
    if let slash = target.lastIndex(of: "/") { try Files.makeDirectories(String(target[..<slash])) }
    switch stat.kind {
    case .directory:
      try Files.makeDirectories(target)
      for entry in try Files.list(source) ?? [] {
        try copy(source + "/" + entry.name, to: target + "/" + entry.name)
      }
    case .symlink:
      // What it points at is the content; the link's target may be gone when the copy is wanted.
      guard let real = try Files.realPath(source) else { return }
      try copy(real, to: target)
    default:
      if try !FileLink.make(.reflink, from: source, to: target) {
        _ = try FileLink.make(.copy, from: source, to: target)
      }
    }
  }

  /// Renames, or copies and removes where the two are on different file systems.
  package static func move(_ source: String, to target: String) throws(Diagnostic) {
    if let slash = target.lastIndex(of: "/") { try Files.makeDirectories(String(target[..<slash])) }
    do throws(Diagnostic) {
      try Files.rename(source, to: target)
    } catch where error.isSystemError(EXDEV) {
      try copy(source, to: target)
      try remove(source)
    }
  }
}
