// A remote that is a folder of this machine: objects and run-cache entries are copied from it, each hash checked.
// Knows nothing of settings and stages.
package import CairnCore
import CairnSystem
import Glibc

package struct LocalRemote: Sendable {
  /// Laid out as DVC lays out any remote: `files/md5` and, of DVC 2, the folder itself; `runs` beside them.
  package let folder: String

  package init(folder: String) { self.folder = folder }

  private func store(_ algorithm: ContentHash.Algorithm) -> LocalObjectStore {
    LocalObjectStore(
      folder: algorithm == .md5 ? folder + "/files/md5" : folder, algorithm: algorithm, isShared: false)
  }

  /// Brings the object into the cache, and all that a directory lists, where the cache lacks them.
  ///
  /// - Returns: what neither of them has. Bytes that are not those of the name count as not there.
  package func fetch(_ hash: ContentHash, into cache: DataCache) throws(Diagnostic) -> [ContentHash] {
    guard try fetchObject(hash, into: cache) else { return [hash] }
    guard hash.isDirectory, let manifest = try cache.store(for: hash).manifest(hash) else { return [] }
    let absent = try cache.missing(of: manifest, hash.algorithm)
    let fetched = try Parallel.map(absent.count) { number throws(Diagnostic) in
      try fetchObject(ContentHash(hash.algorithm, manifest.entries[absent[number]].md5), into: cache)
    }
    return zip(absent, fetched).filter { !$1 }.map { ContentHash(hash.algorithm, manifest.entries[$0.0].md5) }
  }

  /// Brings one object into the cache, of a directory its manifest only.
  ///
  /// - Returns: false when neither of them has it.
  package func fetchObject(_ hash: ContentHash, into cache: DataCache) throws(Diagnostic) -> Bool {
    let target = cache.store(for: hash)
    if try target.contains(hash) { return true }
    let source = store(hash.algorithm).path(of: hash)
    guard let stat = try FileStat.of(source), stat.isFile else { return false }
    try target.prepareFolder(of: hash)
    let path = target.path(of: hash)
    let temporary = target.temporaryPath(beside: path)
    try FileLink.copyAtomically(from: source, to: temporary, mode: LocalObjectStore.protectedMode)
    let digests = try ContentHasher.digests(ofFile: temporary, DigestKinds(hash.algorithm, sha256: false))
    guard digests?[hash.algorithm] == hash.digest else {
      try Files.remove(temporary)
      return false
    }
    let code = target.install(temporary, as: path, 0)
    if code < 0 { throw .system(-code, "store the object", path) }
    return true
  }

  /// The list of a folder, not fetched; `nil` when it is not there or not whole.
  package func manifest(_ hash: ContentHash) -> DirectoryManifest? {
    let store = LocalObjectStore(
      folder: store(hash.algorithm).folder, algorithm: hash.algorithm, isShared: false, mends: false)
    return (try? store.manifest(hash)) ?? nil
  }

  package func path(of hash: ContentHash) -> String { store(hash.algorithm).path(of: hash) }

  /// Whether an object of this name is there; its bytes are not looked at, and nothing is removed.
  package func holds(_ hash: ContentHash) -> Bool { Files.exists(path(of: hash)) }

  /// Those of the objects that the remote has; altered ones are removed, as DVC removes them.
  ///
  /// What a directory lists counts as there when its manifest is: whoever pushes sends that last.
  package func present(_ hashes: [ContentHash], manifests cache: DataCache) throws(Diagnostic) -> Set<ContentHash> {
    var present: Set<ContentHash> = []
    for hash in hashes where hash.isDirectory && holds(hash) {
      guard let manifest = (try? cache.store(for: hash).manifest(hash)) ?? nil else { continue }
      present.insert(hash)
      for entry in manifest.entries { present.insert(ContentHash(hash.algorithm, entry.md5)) }
    }
    for hash in hashes where !present.contains(hash) {
      if try store(hash.algorithm).contains(hash) { present.insert(hash) }
    }
    return present.intersection(hashes)
  }

  /// Copies every entry of the remote's run-cache over the cache's own, as DVC does.
  package func fetchRunCache(into cache: DataCache) throws(Diagnostic) {
    let runs = folder + "/runs"
    for group in try Files.list(runs) ?? [] {
      for key in try Files.list(runs + "/" + group.name) ?? [] {
        let inside = group.name + "/" + key.name
        for entry in try Files.list(runs + "/" + inside) ?? [] where entry.kind == .file {
          let target = cache.folder + "/runs/" + inside
          try cache.legacy.makeFolders(target)
          try FileLink.copyAtomically(
            from: runs + "/" + inside + "/" + entry.name, to: target + "/" + entry.name, mode: cache.legacy.fileMode,
            by: cache.folder)
        }
      }
    }
  }
}
