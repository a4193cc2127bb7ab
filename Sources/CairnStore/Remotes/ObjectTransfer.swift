// Objects from the cache to a remote and back, several at once, in an order in which a directory's list never promises
// what is not there. Knows nothing of stages.
package import CairnCore
import CairnSystem
import OrderedCollections
import Synchronization

package struct ObjectTransfer: Sendable {
  package let remote: RemoteObjects
  package let cache: DataCache
  package let progress: TransferProgress

  package init(_ remote: RemoteObjects, cache: DataCache, progress: TransferProgress = TransferProgress()) {
    self.remote = remote
    self.cache = cache
    self.progress = progress
  }

  package struct Failure: Sendable {
    package var hash: ContentHash
    /// `nil` for a directory that stayed behind since a file of it did.
    package var error: Diagnostic?

    package init(hash: ContentHash, error: Diagnostic?) {
      self.hash = hash
      self.error = error
    }
  }

  package struct Outcome: Sendable {
    package var transferred = 0
    package var failures: [Failure] = []
    /// Neither side has them.
    package var missing: [ContentHash] = []
    /// Those that the remote had with other bytes; they were removed there, as DVC removes them.
    package var removed: [ContentHash] = []
    /// Lists of which only a part was meant, and how many of the files that they name the remote does not have: whoever
    /// sees a list takes all of it for there.
    package var keptBack: [(hash: ContentHash, files: Int)] = []
    package init() {}
  }

  /// Sends what the remote lacks; a directory's list after the last of its files, and not at all where one of them is
  /// missing or did not arrive.
  ///
  /// - Parameter lists: of the directories among them, as far as they are known.
  /// - Throws: when it cannot be known what is there.
  package func push(
    _ hashes: [ContentHash], _ lists: [ContentHash: DirectoryManifest]
  ) throws(Diagnostic) -> Outcome {
    let there = try remote.present(hashes, lists: lists)
    let absent = hashes.filter { !there.contains($0) }
    let isHere = try Parallel.map(absent.count) { number throws(Diagnostic) in
      try cache.store(for: absent[number]).contains(absent[number])
    }
    let others = try missingBeside(absent, hashes, lists)
    progress.expect(files: 0, bytes: sizes(of: zip(absent, isHere).lazy.filter(\.1).map(\.0)))
    return move(absent, isAtSource: isHere, lists, besides: others) { (hash) throws(Diagnostic) in
      let path = cache.store(for: hash).path(of: hash)
      try remote.storage.upload(path, to: RemoteObjects.key(of: hash), as: hash) { progress.add(bytes: $0) }
    }
  }

  /// Brings what the cache lacks, in the same order.
  ///
  /// - Parameters:
  ///   - lists: of the directories among them, as far as they are known.
  ///   - read: those whose bytes came from the remote already.
  /// - Throws: when it cannot be known what is there.
  package func fetch(
    _ hashes: [ContentHash], _ lists: [ContentHash: DirectoryManifest],
    read: [ContentHash: RemoteObjects.FolderList] = [:]
  ) throws(Diagnostic) -> Outcome {
    let isHere = try Parallel.map(hashes.count) { number throws(Diagnostic) in
      try cache.store(for: hashes[number]).contains(hashes[number])
    }
    let absent = OrderedSet(zip(hashes, isHere).lazy.filter { !$1 }.map(\.0))
    if absent.isEmpty { return Outcome() }
    // A list that both sides have speaks for files, too.
    let removed = Mutex<Set<ContentHash>>([])
    let there = try remote.present(
      absent.elements + hashes.filter { $0.isDirectory && !absent.contains($0) }, lists: lists
    ) { hash in removed.withLock { _ = $0.insert(hash) } }
    var outcome = move(absent.elements, isAtSource: absent.map(there.contains), lists) { (hash) throws(Diagnostic) in
      if let list = read[hash] { return try cache.store(for: hash).write(list.bytes, as: hash) }
      guard try remote.fetch(hash, into: cache, { progress.add(bytes: $0) }) else {
        throw Diagnostic(.io, "[Errno 2] No such file or directory: '\(remote.name(of: hash))'")
      }
    }
    outcome.removed = removed.withLock { removed in absent.filter(removed.contains) }
    return outcome
  }

  /// Of lists that would go, how many files they name that nobody asked for and the remote lacks.
  private func missingBeside(
    _ absent: [ContentHash], _ hashes: [ContentHash], _ lists: [ContentHash: DirectoryManifest]
  ) throws(Diagnostic) -> [ContentHash: Int] {
    let meant = Set(hashes)
    var beside: [ContentHash: [ContentHash]] = [:]
    for folder in absent where folder.isDirectory {
      let parts = Set(lists[folder]?.entries.map { ContentHash(folder.algorithm, $0.md5) } ?? []).subtracting(meant)
      if !parts.isEmpty { beside[folder] = Array(parts) }
    }
    if beside.isEmpty { return [:] }
    let there = try remote.present(Array(Set(beside.values.joined())), lists: [:])
    return beside.compactMapValues { parts in
      let count = parts.count { !there.contains($0) }
      return count > 0 ? count : nil
    }
  }

  private func sizes(of hashes: some Sequence<ContentHash>) -> UInt64 {
    hashes.reduce(0) { sum, hash in
      sum + (((try? FileStat.of(cache.store(for: hash).path(of: hash))) ?? nil)?.size ?? 0)
    }
  }

  private func move(
    _ absent: [ContentHash], isAtSource: [Bool], _ lists: [ContentHash: DirectoryManifest],
    besides others: [ContentHash: Int] = [:], _ send: @Sendable (ContentHash) throws(Diagnostic) -> Void
  ) -> Outcome {
    var outcome = Outcome()
    var moving: [ContentHash] = []
    for (hash, isThere) in zip(absent, isAtSource) {
      if isThere { moving.append(hash) } else { outcome.missing.append(hash) }
    }
    let missing = Set(outcome.missing)
    progress.expect(files: moving.count, bytes: 0)
    var failed: Set<ContentHash> = []
    func run(_ hashes: [ContentHash]) {
      let errors: [Diagnostic?] = each(hashes.count) { number in
        defer { progress.finishedFile() }
        do throws(Diagnostic) { try send(hashes[number]) } catch { return error }
        return nil
      }
      for (hash, error) in zip(hashes, errors) {
        guard let error else {
          outcome.transferred += 1
          continue
        }
        failed.insert(hash)
        outcome.failures.append(Failure(hash: hash, error: error))
      }
    }
    run(moving.filter { !$0.isDirectory })
    var whole: [ContentHash] = []
    for folder in moving where folder.isDirectory {
      let parts = lists[folder]?.entries.map { ContentHash(folder.algorithm, $0.md5) } ?? []
      if parts.contains(where: failed.contains) {
        outcome.failures.append(Failure(hash: folder, error: nil))
      } else if let files = others[folder] {
        outcome.keptBack.append((folder, files))
      } else if !parts.contains(where: missing.contains) {
        whole.append(folder)
      }
    }
    run(whole)
    return outcome
  }

  private func each<Value: Sendable>(_ count: Int, _ body: @Sendable (Int) -> Value) -> [Value] {
    // Nothing is thrown here.
    (try? Concurrently.each(count, threads: remote.jobs) { number throws(Diagnostic) in body(number) }) ?? []
  }
}
