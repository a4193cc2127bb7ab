// What transfers that broke off, or were killed, left of objects beside the cache's: large ones go on where they stopped,
// the rest goes. Knows nothing of where bytes come from.
import CairnCore
import CairnSystem
import Synchronization

package enum PartialObjects {
  /// Less is not worth a request for the rest of it (bytes).
  package static let least: UInt64 = 1 << 20

  /// What was found in folders that were looked through, by its place: it is looked for once in a process.
  private static let known = Mutex([String: [Digest16: String]]())

  /// A name in `folder` that nothing else uses; whoever finds the file knows whose bytes they are.
  static func name(of hash: ContentHash, in folder: String) -> String {
    let name = AtomicFile.temporaryName(in: folder)
    return name.dropLast(suffix.count) + "-" + hash.digest.hex + suffix
  }

  private static let suffix = ".tmp"

  /// Whether a file of this name may be gone on with: it lies where `name(of:in:)` puts it.
  package static func isName(_ path: String) -> Bool { digest(of: path) != nil }

  private static func digest(of name: String) -> Digest16? {
    guard name.hasSuffix(suffix), let hyphen = name.lastIndex(of: "-") else { return nil }
    return Digest16(hex: String(name[name.index(after: hyphen)...].dropLast(suffix.count)))
  }

  /// Gives `path` what is there of the object in one of the folders.
  ///
  /// - Returns: whether there was something.
  static func take(_ hash: ContentHash, in folders: [String], as path: String) -> Bool {
    for folder in folders {
      look(through: folder)
      guard let left = known.withLock({ $0[folder]?.removeValue(forKey: hash.digest) }) else { continue }
      // Another process may have been quicker.
      if (try? Files.rename(left, to: path)) != nil { return true }
    }
    return false
  }

  private static func look(through folder: String) {
    if known.withLock({ $0[folder] != nil }) { return }
    var found: [Digest16: String] = [:]
    for path in AtomicFile.leftByTheDead(in: folder) {
      let size = ((try? FileStat.of(path, followLinks: false)) ?? nil)?.size ?? 0
      if size >= least, let digest = digest(of: path), found[digest] == nil, !isWhole(digest, folder) {
        found[digest] = path
      } else {
        _ = try? Files.remove(path)
      }
    }
    known.withLock { if $0[folder] == nil { $0[folder] = found } }
  }

  /// Somebody else has brought it since.
  private static func isWhole(_ digest: Digest16, _ folder: String) -> Bool {
    let (head, rest) = (digest.hex.prefix(2), digest.hex.dropFirst(2))
    return Files.exists("\(folder)/\(rest)") || Files.exists("\(folder)/\(head)/\(rest)")
  }
}
