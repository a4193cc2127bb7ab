// Makes one file appear at a second place: by reflink, hard link, symbolic link or copy. Knows nothing of caches.
import CSystem
package import CairnCore
import Glibc

package enum FileLink {
  package enum Kind: String, CaseIterable, Hashable, Sendable { case reflink, hardlink, symlink, copy }

  /// Makes `target`, whose folder exists and which does not exist itself; false when this kind is not supported
  /// between these two places, with nothing left behind.
  ///
  /// As DVC does it: a hard link to a link goes to what that leads to, and of an empty file a new empty file is made
  /// (all empty files are one object, and file systems limit the links to it); a symbolic link gets `source` as it is
  /// written, so callers give an absolute path; a reflink or copy has the bytes alone: permissions are those of a new
  /// file.
  package static func make(_ kind: Kind, from source: String, to target: String) throws(Diagnostic) -> Bool {
    switch kind {
    case .reflink: try reflink(source, target)
    case .hardlink: try hardlink(source, target)
    case .symlink: try symlink(source, target)
    case .copy: try copy(source, target)
    }
  }

  /// The kinds of link, the copy left out, that can be made from files of one folder in another. Found by trying, with
  /// nothing left behind; none where that cannot be tried.
  package static func works(from folder: String, to other: String) -> [Kind] {
    let source = AtomicFile.temporaryName(in: folder)
    guard (try? Files.write([0x0A], to: source)) != nil else { return [] }
    defer { _ = try? Files.remove(source) }
    return [.reflink, .hardlink, .symlink].filter { (kind: Kind) in
      let target = AtomicFile.temporaryName(in: other)
      defer { _ = try? Files.remove(target) }
      return (try? make(kind, from: source, to: target)) ?? false
    }
  }

  /// Copies into a temporary name beside `target` (or in `folder`, of the same file system) and renames that onto it,
  /// so that no half copy is ever seen.
  /// `mode` is exact where it is given.
  package static func copyAtomically(
    from source: String, to target: String, mode: UInt32? = nil, sync: Bool = false, by folder: String? = nil
  ) throws(Diagnostic) {
    let temporary = folder.map(AtomicFile.temporaryName(in:)) ?? AtomicFile.temporaryName(beside: target)
    let result = transfer(source, temporary) { from, to in
      var result = cairn_clone(from, to)
      if result < 0 { result = cairn_copy(from, to) }
      if result >= 0, let mode { result = restarting(fchmod(to, mode)) }
      if result >= 0, sync { result = restarting(fdatasync(to)) }
      return result
    }
    if result < 0 { throw Diagnostic.system(-result, "copy it", source, target) }
    let renamed = temporary.asSystemPath { from in target.asSystemPath { to in restarting(rename(from, to)) } }
    if renamed < 0 {
      _ = temporary.asSystemPath { unlink($0) }
      throw Diagnostic.system(-renamed, "copy it", source, target)
    }
  }

  private static func reflink(_ source: String, _ target: String) throws(Diagnostic) -> Bool {
    let result = transfer(source, target) { cairn_clone($0, $1) }
    return try settle(result, "share the blocks", source, target)
  }

  private static func copy(_ source: String, _ target: String) throws(Diagnostic) -> Bool {
    let result = transfer(source, target) { cairn_copy($0, $1) }
    if result < 0 { throw Diagnostic.system(-result, "copy it", source, target) }
    return true
  }

  private static func hardlink(_ source: String, _ target: String) throws(Diagnostic) -> Bool {
    if let stat = try FileStat.of(source), stat.isFile, stat.size == 0 {
      try Files.write([], to: target)
      return true
    }
    let result = source.asSystemPath { from in
      target.asSystemPath { to in restarting(linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW)) }
    }
    return try settle(result, "make a hard link", source, target)
  }

  private static func symlink(_ source: String, _ target: String) throws(Diagnostic) -> Bool {
    let result = source.asSystemPath { from in target.asSystemPath { to in restarting(Glibc.symlink(from, to)) } }
    return try settle(result, "make a symbolic link", source, target)
  }

  /// Opens both, runs `body`, and removes the target again when that failed.
  private static func transfer(_ source: String, _ target: String, _ body: (Int32, Int32) -> Int32) -> Int32 {
    let from = source.asSystemPath { cairn_open($0, O_RDONLY, 0) }
    if from < 0 { return from }
    defer { close(from) }
    let to = target.asSystemPath { cairn_open($0, O_WRONLY | O_CREAT | O_EXCL, 0o666) }
    if to < 0 { return to }
    var result = body(from, to)
    if close(to) < 0, result >= 0, errno != EINTR { result = -errno }
    if result < 0 { _ = target.asSystemPath { unlink($0) } }
    return result
  }

  private static func settle(
    _ result: Int32, _ operation: String, _ source: String, _ target: String
  ) throws(Diagnostic) -> Bool {
    switch -result {
    case let code where code <= 0: return true
    // What file systems answer that cannot do it, or not between these two: the next kind may work.
    case EXDEV, EOPNOTSUPP, ENOTTY, ENOSYS, EINVAL, EPERM, EMLINK, ETXTBSY: return false
    case let code: throw Diagnostic.system(code, operation, source, target)
    }
  }
}
