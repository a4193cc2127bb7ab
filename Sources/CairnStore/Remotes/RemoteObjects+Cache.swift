// What the cache lacks, brought from a remote whole: an object and all that it lists. Knows nothing of stages.
package import CairnCore
import CairnSystem

extension RemoteObjects {
  /// An object that neither the cache nor the remote has as its name says.
  package struct Lack: Sendable {
    package var hash: ContentHash
    /// The remote has other bytes under its name.
    package var isAltered: Bool
  }

  /// Brings the object into the cache, and all that a directory lists, where the cache lacks them.
  ///
  /// - Returns: what neither of them has. Bytes that are not those of the name count as not there.
  package func bring(_ hash: ContentHash, into cache: DataCache) throws(Diagnostic) -> [ContentHash] {
    try lacking(afterBringing: hash, into: cache).map(\.hash)
  }

  /// The same, which tells what is altered from what is not there.
  package func lacking(afterBringing hash: ContentHash, into cache: DataCache) throws(Diagnostic) -> [Lack] {
    if let lack = try lack(afterBringing: hash, into: cache) { return [lack] }
    guard hash.isDirectory, let manifest = try cache.store(for: hash).manifest(hash) else { return [] }
    let absent = try cache.missing(of: manifest, hash.algorithm).map { ContentHash(hash.algorithm, manifest.entries[$0].md5) }
    return try Concurrently.each(absent.count, threads: jobs) { number throws(Diagnostic) in
      try lack(afterBringing: absent[number], into: cache)
    }.compactMap { $0 }
  }

  /// Brings one object into the cache where that lacks it, of a directory its list only.
  ///
  /// - Returns: false when neither of them has it.
  package func bringObject(_ hash: ContentHash, into cache: DataCache) throws(Diagnostic) -> Bool {
    try lack(afterBringing: hash, into: cache) == nil
  }

  private func lack(afterBringing hash: ContentHash, into cache: DataCache) throws(Diagnostic) -> Lack? {
    if try cache.store(for: hash).contains(hash) { return nil }
    do throws(Diagnostic) {
      return try fetch(hash, into: cache) ? nil : Lack(hash: hash, isAltered: false)
    } catch where error.code == .corruptOnRemote {
      return Lack(hash: hash, isAltered: true)
    }
  }
}
