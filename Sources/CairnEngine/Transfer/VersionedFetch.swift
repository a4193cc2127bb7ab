// Files from a remote that keeps versions into the cache: the version that is written down of each, held against its
// hash. Knows nothing of the workspace.
import CairnCore
package import CairnStore
import CairnSystem
import OrderedCollections

package struct VersionedFetch: Sendable {
  private let storage: any VersionedStorage
  private let cache: DataCache
  private let jobs: Int
  private let progress: TransferProgress

  package init(
    _ storage: any VersionedStorage, cache: DataCache, jobs: Int? = nil, _ progress: TransferProgress = TransferProgress()
  ) {
    self.storage = storage
    self.cache = cache
    self.jobs = max(1, jobs ?? storage.jobs)
    self.progress = progress
  }

  /// Where the bytes of one hash may be had.
  private struct Source: Hashable, Sendable {
    var key: String
    var version: String?
    var size: UInt64?
  }

  private enum Answer: Sendable {
    case here, brought, missing
    case failed(Diagnostic)
  }

  /// Brings what the cache lacks, and the lists of folders. What the remote does not have is told, and no failure.
  func run(_ outputs: [VersionedOutput]) throws(Diagnostic) -> ObjectTransfer.Outcome {
    var outcome = ObjectTransfer.Outcome()
    var sources: OrderedDictionary<ContentHash, OrderedSet<Source>> = [:]
    var sizes: [ContentHash: UInt64] = [:]
    for output in outputs {
      guard let files = try output.files(cache) else {
        outcome.missing.append(output.hash)
        continue
      }
      for file in files where file.isMeant {
        sources[file.hash, default: []].append(Source(key: file.key, version: file.named?.id, size: file.size))
        sizes[file.hash] = file.size
      }
      try cache.keepList(of: output.locked)
    }
    let hashes = sources.keys.elements
    let isHere = try Parallel.map(hashes.count) { number throws(Diagnostic) in
      try cache.store(for: hashes[number]).contains(hashes[number])
    }
    let absent = zip(hashes, isHere).filter { !$1 }.map(\.0)
    progress.expect(files: absent.count, bytes: absent.reduce(0) { $0 + (sizes[$1] ?? 0) })
    let wanted = sources
    let answers = try Concurrently.each(absent.count, threads: jobs) { number throws(Diagnostic) in
      defer { progress.finishedFile() }
      return bring(absent[number], wanted[absent[number]] ?? [])
    }
    for (hash, answer) in zip(absent, answers) {
      switch answer {
      case .here: break
      // DVC counts each file that it brings bytes for.
      case .brought: outcome.transferred += Set(wanted[hash]?.map(\.key) ?? []).count
      case .missing: outcome.missing.append(hash)
      case .failed(let error): outcome.failures.append(.init(hash: hash, error: error))
      }
    }
    return outcome
  }

  /// From the first place that has it; a version that is named before whatever lies there now.
  private func bring(_ hash: ContentHash, _ sources: OrderedSet<Source>) -> Answer {
    do throws(Diagnostic) {
      if try cache.store(for: hash).contains(hash) { return .here }
      for source in sources {
        if let version = source.version, try take(hash, source.key, version) { return .brought }
      }
      for source in sources where source.version == nil {
        guard let latest = try storage.latest(source.key), Self.may(latest, be: hash, source.size),
          try take(hash, source.key, latest.id)
        else { continue }
        return .brought
      }
      return .missing
    } catch { return .failed(error) }
  }

  private func take(_ hash: ContentHash, _ key: String, _ version: String) throws(Diagnostic) -> Bool {
    try cache.take(hash, otherwise: .otherVersion(storage.name(of: key), version)) { (path, kinds) throws(Diagnostic) in
      try storage.download(key, version: version, to: path, kinds) { progress.add(bytes: $0) }
    }
  }

  /// Whether the newest version, which nobody wrote down, is worth bringing: one that says it is another is not.
  private static func may(_ latest: FileVersion, be hash: ContentHash, _ size: UInt64?) -> Bool {
    if hash.algorithm == .md5, Digest16(hex: latest.etag) != nil, latest.etag != hash.digest.hex { return false }
    return size.map { $0 == latest.size } ?? true
  }
}

extension Diagnostic {
  fileprivate static func otherVersion(_ name: String, _ version: String) -> Diagnostic {
    Diagnostic(.corruptOnRemote, "version '\(version)' of '\(name)' has other bytes than the hash beside it says")
      .hinting("it was not taken; take that version out of `cloud`, and a machine that has the data pushes it again")
  }
}
