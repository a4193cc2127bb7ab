// How an object that comes from elsewhere gets into the cache: beside it first, then hashed, then in its place. Knows
// nothing of where it comes from.
package import CairnCore
import CairnSystem

extension DataCache {
  /// Takes one object in; nothing is asked of the cache before.
  ///
  /// - Parameters:
  ///   - otherBytes: what is thrown where the bytes are not those of the hash.
  ///   - bring: puts the bytes at a path and says what it hashed on the way; `nil` where there are none. The first of
  ///     them may be there, of an earlier try.
  /// - Returns: false where there are none.
  /// - Throws: also when the bytes are not those of the hash: they get into no cache.
  package func take(
    _ hash: ContentHash, otherwise otherBytes: Diagnostic, _ bring: (String, DigestKinds) throws(Diagnostic) -> Digests?
  ) throws(Diagnostic) -> Bool {
    let target = store(for: hash)
    let path = target.path(of: hash)
    // In the object's own folder, for file systems are slow where all files are made in one; but that folder is made only
    // for what is there.
    let isOwn = target.hasFolder(of: hash)
    if !isOwn { try target.makeFolders(target.folder) }
    let own = String(path[..<(path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex)])
    let temporary = PartialObjects.name(of: hash, in: isOwn ? own : target.folder)
    let goesOn = PartialObjects.take(hash, in: isOwn ? [own, target.folder] : [target.folder], as: temporary)
    let kinds = DigestKinds(hash.algorithm, sha256: false)
    guard var digests = try bring(temporary, kinds) else { return false }
    // What was left may have been damaged since.
    if goesOn, digests[hash.algorithm] != hash.digest {
      try Files.remove(temporary)
      guard let anew = try bring(temporary, kinds) else { return false }
      digests = anew
    }
    guard digests[hash.algorithm] == hash.digest else {
      try Files.remove(temporary)
      throw otherBytes
    }
    try target.prepareFolder(of: hash)
    let code = target.install(temporary, as: path, 0)
    if code < 0 { throw .system(-code, "store the object", path) }
    return true
  }
}
