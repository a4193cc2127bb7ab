// What the cache lacks, brought from a remote whole: an object and all that it lists. Knows nothing of stages.
package import CairnCore
import CairnSystem

extension RemoteObjects {
  /// Brings the object into the cache, and all that a directory lists, where the cache lacks them.
  ///
  /// - Returns: what neither of them has. Bytes that are not those of the name count as not there.
  package func bring(_ hash: ContentHash, into cache: DataCache) throws(Diagnostic) -> [ContentHash] {
    guard try bringObject(hash, into: cache) else { return [hash] }
    guard hash.isDirectory, let manifest = try cache.store(for: hash).manifest(hash) else { return [] }
    let absent = try cache.missing(of: manifest, hash.algorithm).map { ContentHash(hash.algorithm, manifest.entries[$0].md5) }
    let fetched = try Concurrently.each(absent.count, threads: jobs) { number throws(Diagnostic) in
      try bringObject(absent[number], into: cache)
    }
    return zip(absent, fetched).filter { !$1 }.map(\.0)
  }

  /// Brings one object into the cache where that lacks it, of a directory its list only.
  ///
  /// - Returns: false when neither of them has it.
  package func bringObject(_ hash: ContentHash, into cache: DataCache) throws(Diagnostic) -> Bool {
    if try cache.store(for: hash).contains(hash) { return true }
    do throws(Diagnostic) {
      return try fetch(hash, into: cache)
    } catch where error.code == .corruptOnRemote {
      return false
    }
  }
}
