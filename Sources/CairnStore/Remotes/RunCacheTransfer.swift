// DVC's run-cache to a remote and back: all of its entries, as DVC sends them. Knows nothing of what they say.
package import CairnCore
import CairnSystem

package struct RunCacheTransfer: Sendable {
  private let cache: DataCache

  package init(_ cache: DataCache) { self.cache = cache }

  /// - Returns: how many entries were sent.
  package func push(to remote: RemoteObjects) throws(Diagnostic) -> Int {
    var keys: [String] = []
    let runs = cache.folder + "/runs"
    for group in try Files.list(runs) ?? [] {
      for key in try Files.list(runs + "/" + group.name) ?? [] {
        for entry in try Files.list(runs + "/" + group.name + "/" + key.name) ?? []
        where entry.kind == .file && !AtomicFile.isTemporaryName(entry.name) {
          keys.append("runs/" + group.name + "/" + key.name + "/" + entry.name)
        }
      }
    }
    let all = keys
    _ = try Concurrently.each(all.count, threads: remote.jobs) { number throws(Diagnostic) in
      try remote.storage.upload(cache.folder + "/" + all[number], to: all[number], as: nil) { _ in }
    }
    return all.count
  }

  /// - Returns: how many entries came.
  package func fetch(from remote: RemoteObjects) throws(Diagnostic) -> Int {
    var keys: [String] = []
    try remote.storage.list("runs/") { (files) throws(Diagnostic) in
      keys += files.map(\.key).filter(Self.isEntry)
      return true
    }
    let all = keys
    _ = try Concurrently.each(all.count, threads: remote.jobs) { number throws(Diagnostic) in
      let target = cache.folder + "/" + all[number]
      let slash = target.utf8.lastIndex(of: UInt8(ascii: "/")) ?? target.startIndex
      try cache.legacy.makeFolders(String(target[..<slash]))
      let temporary = AtomicFile.temporaryName(in: cache.folder)
      guard try remote.storage.download(all[number], to: temporary, [], { _ in }) != nil else { return }
      try Files.chmod(temporary, cache.legacy.fileMode)
      try Files.rename(temporary, to: target)
    }
    return all.count
  }

  /// `runs/ab/KEY/VALUE`: whatever else lies there, names that lead elsewhere among it, stays there.
  private static func isEntry(_ key: String) -> Bool {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.dropFirst().allSatisfy { part in
        !part.isEmpty && part != "." && part != ".." && !AtomicFile.isTemporaryName(String(part))
      }
  }
}
