// What folders held that stages of one run read parts of.
import CairnCore
import Synchronization

/// Each folder's list is read once, however many stages read a part of it.
final class FolderManifests: Sendable {
  private let known = Mutex<[ContentHash: DirectoryManifest]>([:])

  func keep(_ hash: ContentHash, _ manifest: DirectoryManifest) { known.withLock { $0[hash] = manifest } }

  /// `read` is asked where the list is not known yet.
  func manifest(_ hash: ContentHash, read: () -> DirectoryManifest?) -> DirectoryManifest? {
    if let manifest = known.withLock({ $0[hash] }) { return manifest }
    let manifest = read()
    known.withLock { $0[hash] = manifest }
    return manifest
  }
}

extension DirectoryManifest {
  /// Whether `content` lay at `path` in this folder: the file, or all that the folder there has now.
  func holds(_ content: Content, at path: String) -> Bool {
    switch content {
    case .file(let file): return entry(at: path)?.md5 == file.hash.digest
    case .directory(let directory):
      let inside = entries(below: path)
      let now = directory.manifest.entries
      return inside.count == now.count
        && zip(inside, now).allSatisfy { $0.path.hasSameBytes(as: path + "/" + $1.path) && $0.md5 == $1.md5 }
    case .missing, .dataset, .unknown: return false
    }
  }
}
