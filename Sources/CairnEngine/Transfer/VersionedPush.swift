// Files from the cache to a remote that keeps versions, each under its plain path, and what the lock or `.dvc` file of each
// output says then. Writes no file of the project.
import CairnCore
import CairnStore
import CairnSystem
import OrderedCollections

/// DVC deletes a file that has changed, then sends the new one: somebody who looks between the two, or after a failure,
/// finds none. Here the new version is laid over the old one, which the remote keeps; nothing is deleted but a file whose
/// path has become a folder, after all of that has arrived.
struct VersionedPush {
  private let storage: any VersionedStorage
  private let remote: String
  private let cache: DataCache
  private let jobs: Int
  private let progress: TransferProgress
  /// What outputs are to say, whatever became of the others.
  private(set) var news: [OutputNews] = []

  struct OutputNews {
    var output: VersionedOutput
    /// `nil` where nothing was learned of it.
    var locked: LockedFile?
  }

  init(_ storage: any VersionedStorage, remote: String, cache: DataCache, jobs: Int?, _ progress: TransferProgress) {
    self.storage = storage
    self.remote = remote
    self.cache = cache
    self.jobs = max(1, jobs ?? storage.jobs)
    self.progress = progress
  }

  /// What is known of a file before and after.
  private enum State: Sendable {
    /// It is not meant.
    case left
    /// The remote has the version that is written down.
    case named
    /// The newest version has these bytes, and nobody wrote it down.
    case found(FileVersion)
    case wanted
    /// Neither the remote nor the cache has it.
    case missing
    case sent(FileVersion)
    case failed(Diagnostic)

    var version: FileVersion? {
      switch self {
      case .found(let version), .sent(let version): version
      default: nil
      }
    }
  }

  /// - Throws: when it cannot be known what is there, or the remote keeps no versions; `news` has what is known.
  mutating func run(_ outputs: [VersionedOutput]) throws(Diagnostic) -> ObjectTransfer.Outcome {
    var outcome = ObjectTransfer.Outcome()
    var files: [VersionedFile] = []
    var ranges: [Range<Int>?] = []
    for output in outputs {
      guard let own = try output.files(cache) else {
        outcome.missing.append(output.hash)
        ranges.append(nil)
        continue
      }
      ranges.append(files.count..<files.count + own.count)
      files += own
    }
    var states = try look(at: files, of: outputs, ranges)
    let wanted = states.indices.filter { if case .wanted = states[$0] { true } else { false } }
    if let first = wanted.first {
      // Without versions, the bytes that lie there would be lost.
      if try storage.keepsVersions() == false {
        throw .noVersions(String(storage.name(of: files[first].key).dropFirst("s3://".count)), isSent: false)
      }
      var lack: Diagnostic?
      for (number, state) in zip(wanted, send(wanted.map { files[$0] })) {
        states[number] = state
        if case .failed(let error) = state, error.code == .noVersions { lack = lack ?? error }
      }
      learn(outputs, files, ranges, states)
      if let lack { throw lack }
      removeReplaced(outputs, ranges, states)
    } else {
      learn(outputs, files, ranges, states)
    }
    for (file, state) in zip(files, states) {
      switch state {
      case .sent: outcome.transferred += 1
      case .missing: outcome.missing.append(file.hash)
      case .failed(let error): outcome.failures.append(ObjectTransfer.Failure(hash: file.hash, error: error))
      default: break
      }
    }
    return outcome
  }

  // MARK: What is there

  /// Of folders with fewer files each is asked for by itself.
  private static let fewest = 16

  private func look(
    at files: [VersionedFile], of outputs: [VersionedOutput], _ ranges: [Range<Int>?]
  ) throws(Diagnostic) -> [State] {
    var lists: [Int: [RepoPath: FileVersions]] = [:]
    let large = ranges.indices.filter { number in
      ranges[number].map { files[$0].count { $0.isMeant } >= Self.fewest } ?? false
    }
    let listed = try Concurrently.each(large.count, threads: jobs) { [storage] number throws(Diagnostic) in
      try storage.versions(below: outputs[large[number]].path.text + "/")
    }
    var owners = Array(repeating: -1, count: files.count)
    for (number, list) in zip(large, listed) { lists[number] = list }
    for (number, range) in ranges.enumerated() { for file in range ?? 0..<0 { owners[file] = number } }
    let (known, owner) = (lists, owners)
    return try Concurrently.each(files.count, threads: jobs) { number throws(Diagnostic) in
      let file = files[number]
      if !file.isMeant { return .left }
      let versions = known[owner[number]].map { $0[RepoPath(unchecked: file.key)] ?? FileVersions() }
      if let named = file.named {
        let isThere: Bool
        if let versions { isThere = versions.all.contains(named.id) } else { isThere = try storage.has(named.id, of: file.key) }
        if isThere { return .named }
      }
      let latest: FileVersion?
      if let versions { latest = versions.latest } else { latest = try storage.latest(file.key) }
      // What an earlier push sent before it broke off, or somebody else.
      if let latest, file.hash.algorithm == .md5, latest.etag == file.hash.digest.hex, file.size ?? latest.size == latest.size {
        return .found(latest)
      }
      return try cache.store(for: file.hash).contains(file.hash) ? .wanted : .missing
    }
  }

  // MARK: Sending

  private func send(_ files: [VersionedFile]) -> [State] {
    progress.expect(files: files.count, bytes: files.reduce(0) { $0 + ($1.size ?? 0) })
    // Nothing is thrown here.
    return (try? Concurrently.each(files.count, threads: jobs) { [storage, cache, progress] number throws(Diagnostic) in
      defer { progress.finishedFile() }
      let file = files[number]
      do throws(Diagnostic) {
        let path = cache.store(for: file.hash).path(of: file.hash)
        return State.sent(
          try storage.uploadVersion(path, to: file.key, as: file.hash) { progress.add(bytes: $0) })
      } catch { return State.failed(error) }
    }) ?? []
  }

  /// A file that lies where a folder now is, as DVC leaves none: it gets a mark of deletion, and its versions stay.
  private func removeReplaced(_ outputs: [VersionedOutput], _ ranges: [Range<Int>?], _ states: [State]) {
    for (output, range) in zip(outputs, ranges) {
      guard output.hash.isDirectory, let range, !range.isEmpty else { continue }
      let own = states[range]
      guard own.contains(where: { if case .sent = $0 { true } else { false } }),
        own.allSatisfy({ if case .failed = $0 { false } else { true } })
      else { continue }
      // One that stays does no harm, and not everybody may delete.
      if (try? storage.latest(output.path.text)) ?? nil != nil { try? storage.remove([output.path.text]) }
    }
  }

  // MARK: What is written down

  private mutating func learn(
    _ outputs: [VersionedOutput], _ files: [VersionedFile], _ ranges: [Range<Int>?], _ states: [State]
  ) {
    for (output, range) in zip(outputs, ranges) {
      let locked = range.flatMap { range in
        output.hash.isDirectory
          ? folder(output, Array(files[range]), Array(states[range])) : file(output, states[range.lowerBound])
      }
      news.append(OutputNews(output: output, locked: locked))
    }
  }

  private func cloud(_ version: FileVersion) -> Value {
    .map([.string(remote): .map(["etag": .string(version.etag), "version_id": .string(version.id)])])
  }

  private func file(_ output: VersionedOutput, _ state: State) -> LockedFile? {
    guard let version = state.version else { return nil }
    var locked = output.locked
    for key in Self.versionKeys { locked.other.removeValue(forKey: key) }
    locked.size = version.size
    locked.other["cloud"] = cloud(version)
    return locked
  }

  /// File by file, once the remote has a version of one of them: those that did not go have none.
  private func folder(_ output: VersionedOutput, _ files: [VersionedFile], _ states: [State]) -> LockedFile? {
    guard states.contains(where: { $0.version != nil }) else { return nil }
    var locked = output.locked
    locked.other["files"] = .list(
      zip(files, states).map { file, state in
        let version = state.version
        if version == nil, let item = file.item { return .map(item) }
        var item: ValueMap = ["relpath": .string(file.inner ?? ""), "md5": .string(file.hash.digest.hex)]
        let stored = ((try? FileStat.of(cache.store(for: file.hash).path(of: file.hash))) ?? nil)?.size
        if let size = version?.size ?? file.size ?? stored {
          item["size"] = Int(exactly: size).map(Value.int) ?? .bigInt(String(size))
        }
        if let isExecutable = file.item?["isexec"], isExecutable.isTruthy { item["isexec"] = true }
        if let version { item["cloud"] = cloud(version) }
        return .map(item)
      })
    return locked
  }

  private static let versionKeys: [Value] = ["version_id", "etag", "checksum", "remote", "cloud"]
}
