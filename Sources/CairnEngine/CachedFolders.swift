// What folders hold, by the manifests that the cache has. Changes nothing there.
package import CairnCore
import CairnStore

package struct CachedFolders: Sendable {
  private let cache: DataCache

  package init(_ settings: Settings) {
    cache = DataCache(folder: settings.cacheFolder, isShared: settings.isCacheShared, mends: false)
  }

  /// - Parameter md5: `….dir`, as a lock has it.
  package func manifest(_ md5: String) -> DirectoryManifest? {
    guard let hash = ContentHash(md5), hash.isDirectory else { return nil }
    return (try? cache.store(for: hash).manifest(hash)) ?? nil
  }
}
