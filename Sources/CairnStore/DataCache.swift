// DVC's cache as one thing: the layouts of DVC 3 and DVC 2 side by side, and how its files reach the workspace.
package import CairnCore

package struct DataCache: Sendable {
  /// `cache.dir`, absolute: `.dvc/cache` unless configured.
  package let folder: String
  /// `cache.type`: the first that works is taken.
  package let linkTypes: [LinkType]
  package let current: LocalObjectStore
  package let legacy: LocalObjectStore

  /// With `mends` off nothing in the cache is ever touched by looking.
  package init(
    folder: String, linkTypes: [LinkType] = LinkType.defaults, isShared: Bool = false, mends: Bool = true
  ) {
    self.folder = folder
    self.linkTypes = linkTypes
    current = LocalObjectStore(folder: folder + "/files/md5", algorithm: .md5, isShared: isShared, mends: mends)
    legacy = LocalObjectStore(folder: folder, algorithm: .md5Dos2unix, isShared: isShared, mends: mends)
  }

  /// Whether what is broken is removed when it is met, of the run-cache's entries too.
  package var mends: Bool { current.mends }

  /// The store whose layout this hash belongs to.
  package func store(_ algorithm: ContentHash.Algorithm) -> LocalObjectStore {
    algorithm == .md5 ? current : legacy
  }

  package func store(for hash: ContentHash) -> LocalObjectStore { store(hash.algorithm) }

  /// The same cache with other link types (the run-cache copies what git tracks).
  package func linking(by types: [LinkType]) -> DataCache {
    DataCache(folder: folder, linkTypes: types, isShared: current.isShared, mends: mends)
  }

  /// True when the object is there and whole, and for a directory all that it lists: DVC's "in cache".
  package func contains(_ hash: ContentHash) throws(Diagnostic) -> Bool {
    let store = store(for: hash)
    guard hash.isDirectory else { return try store.contains(hash) }
    guard let manifest = try? store.manifest(hash) else { return false }
    return try missing(of: manifest, hash.algorithm).isEmpty
  }

  /// Positions in the manifest of the files that the cache lacks.
  package func missing(
    of manifest: DirectoryManifest, _ algorithm: ContentHash.Algorithm
  ) throws(Diagnostic) -> [Int] {
    let store = store(algorithm)
    let present = try Parallel.map(manifest.entries.count) { number throws(Diagnostic) in
      try store.contains(ContentHash(algorithm, manifest.entries[number].md5))
    }
    return present.indices.filter { !present[$0] }
  }
}
