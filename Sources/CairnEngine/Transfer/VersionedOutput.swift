// An output whose files lie on a remote under their plain paths, each in its versions: which files these are, and which
// version of each is written down. Asks no remote.
import CairnCore
import CairnFormats
import CairnStore
import CairnSystem

struct VersionedOutput: Sendable {
  var stage: Stage
  /// Among the stage's outputs.
  var index: Int
  var path: RepoPath
  /// What the lock or `.dvc` file says of it.
  var locked: LockedFile
  var hash: ContentHash
  /// Of a folder only this is meant.
  var part: String?
}

/// A version of a file as a `.dvc` file or lock names it.
struct NamedVersion: Hashable, Sendable {
  /// `nil` in files of hands other than DVC's.
  var etag: String?
  var id: String

  /// What an output, or an item of `files:`, says under `cloud` or by itself.
  init?(_ said: ValueMap) {
    let known = said["cloud"]?.map?.elements.first?.value.map ?? said
    guard let id = known["version_id"]?.string, !id.isEmpty else { return nil }
    self.id = id
    etag = known["etag"]?.string
  }
}

/// One file of such an output.
struct VersionedFile: Sendable {
  /// From the project's root: its key on the remote.
  var key: String
  /// Inside the output's folder; `nil` where the output is the file.
  var inner: String?
  var hash: ContentHash
  var size: UInt64?
  var named: NamedVersion?
  /// Its item of `files:`.
  var item: ValueMap?
  /// Whether it is in the part that is meant.
  var isMeant: Bool
}

extension VersionedOutput {
  /// Its files; `nil` for a folder of which nobody here knows what is in it.
  func files(_ cache: DataCache) throws(Diagnostic) -> [VersionedFile]? {
    guard hash.isDirectory else {
      return [
        VersionedFile(
          key: path.text, inner: nil, hash: hash, size: locked.size, named: NamedVersion(locked.other), item: nil,
          isMeant: part == nil)
      ]
    }
    guard let manifest = try manifest(cache) else { return nil }
    var items: [RepoPath: ValueMap] = [:]
    for item in locked.other["files"]?.list ?? [] {
      if let path = item["relpath"]?.string { items[RepoPath(unchecked: path)] = item.map }
    }
    let part = part.map { RepoPath(unchecked: $0) }
    return manifest.entries.map { entry in
      var item = items[RepoPath(unchecked: entry.path)]
      if item?["md5"]?.string != entry.md5.hex { item = nil }
      return VersionedFile(
        key: path.text + "/" + entry.path, inner: entry.path, hash: ContentHash(hash.algorithm, entry.md5),
        size: item?["size"]?.int.flatMap { UInt64(exactly: $0) } ?? entry.size, named: item.flatMap(NamedVersion.init),
        item: item, isMeant: part.map { RepoPath(unchecked: entry.path).isInside($0) } ?? true)
    }
  }

  /// What the folder lists: as written down file by file, else as the cache has it.
  func manifest(_ cache: DataCache) throws(Diagnostic) -> DirectoryManifest? {
    if let listed = locked.listedManifest { return listed }
    return try cache.store(for: hash).manifest(hash)
  }
}

extension DataCache {
  /// Keeps a folder's list that is written down file by file, as DVC does when it brings such a folder; whoever makes the
  /// folder in the workspace looks for it there.
  func keepList(of locked: LockedFile) throws(Diagnostic) {
    guard let hash = locked.contentHash, hash.isDirectory, let manifest = locked.listedManifest else { return }
    let store = store(for: hash)
    guard try !store.contains(hash) else { return }
    let bytes = ManifestJSON.encode(manifest)
    guard ContentHasher.md5(of: bytes) == hash.digest else { return }
    try store.write(bytes, as: hash)
  }
}
