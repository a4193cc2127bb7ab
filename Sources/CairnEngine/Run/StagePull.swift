// Brings missing data of a stage from the remote (`repro --pull`). Knows what an output's hash is; knows nothing of
// when a stage runs.
import CairnCore
package import CairnStore
import CairnSystem
import OrderedCollections

package struct StagePull: Sendable {
  /// Where missing data comes from.
  package enum Source: Sendable {
    /// No remote is configured.
    case none
    case objects(RemoteObjects)
    /// Of each output the version that is written down.
    case versions(any VersionedStorage)
  }

  private let source: Source
  private let cache: DataCache
  private let snapshotter: Snapshotter

  /// `nil` where there is none that holds objects.
  private var remote: RemoteObjects? { if case .objects(let remote) = source { remote } else { nil } }

  package init(from source: Source, cache: DataCache, snapshotter: Snapshotter) {
    self.source = source
    self.cache = cache
    self.snapshotter = snapshotter
  }

  /// True when everything that the entry records of these outputs of `stage` is then in the workspace. What was
  /// imported from a repository of this machine comes from there.
  ///
  /// - Parameter warn: told of what neither the cache nor the remote has.
  /// - Throws: DVC's words when a file would be lost for it.
  func pull(
    _ outputs: [Output], of stage: Stage, _ lock: LockEntry?, warn: (String) -> Void
  ) throws(Diagnostic) -> Bool {
    let checkout = Checkout(cache: cache, snapshotter: snapshotter)
    var plans: [CheckoutPlan] = []
    let cached = outputs.filter(\.isCached)
    let hashes = cached.compactMap { lock?.out($0.declared)?.contentHash }
    if let imported = ImportedRepository(of: stage) {
      try prepareCache()
      for hash in hashes { try imported.fetch(hash, into: cache) }
    } else if case .versions(let storage) = source {
      try fetch(cached, of: stage, lock, storage, warn)
    } else {
      try fetch(hashes, warn)
    }
    for output in cached {
      guard let path = output.location.local else { continue }
      let locked = lock?.out(output.declared)
      plans.append(
        try checkout.plan(
          CheckoutTarget(
            path: path, hash: locked?.contentHash, isExecutable: locked?.isExecutable ?? false, size: locked?.size,
            part: nil)))
    }
    var lost: [String] = []
    for plan in plans { lost += plan.isImpossible ? try checkout.unsaved(at: plan) : plan.unsaved }
    if !lost.isEmpty { throw .unsavedFiles(lost) }
    var isWhole = true
    for plan in plans where plan.target.hash == nil {
      let path = snapshotter.absolute(plan.path)
      warn("No file hash info found for '\(path)'. It won't be created.")
      try Files.makeDirectories(Repository.parent(path))
      isWhole = false
    }
    for plan in plans {
      if plan.change != nil || plan.isImpossible {
        if try !checkout.apply(plan) { isWhole = false }
      }
    }
    // Then DVC checks out once more, and what is right but in no cache would have to go for that.
    for plan in plans where isWhole {
      let path = snapshotter.absolute(plan.path)
      if let hash = plan.target.hash, try !cache.contains(hash), Files.exists(path) { throw .confirmRemove(path) }
    }
    return isWhole
  }

  /// Brings what may stand for a run into the cache, where the remote has it.
  ///
  /// As DVC asks: for the list of each folder first, and for nothing more where one cannot be had.
  ///
  /// - Parameter name: how a message calls an output.
  func fetch(_ outs: [LockedFile], name: (LockedFile) -> String, warn: (String) -> Void) throws(Diagnostic) {
    guard let remote else { return }
    try prepareCache()
    var names: [ContentHash: String] = [:]
    for out in outs {
      guard let hash = out.contentHash else { continue }
      names[hash] = names[hash] ?? name(out)
      guard hash.isDirectory else { continue }
      guard try remote.bringObject(hash, into: cache) else {
        return warn(MissingObjects.words(["name: None, " + MissingObjects.text(hash)]))
      }
      for entry in try cache.store(for: hash).manifest(hash)?.entries ?? [] {
        let part = ContentHash(hash.algorithm, entry.md5)
        names[part] = names[part] ?? name(out) + "/" + entry.path
      }
    }
    let missing = try fetch(outs.compactMap(\.contentHash), from: remote)
    if !missing.isEmpty {
      warn(MissingObjects.words(missing.map { "name: \(names[$0] ?? "None"), " + MissingObjects.text($0) }))
    }
  }

  private func fetch(
    _ outputs: [Output], of stage: Stage, _ lock: LockEntry?, _ storage: any VersionedStorage, _ warn: (String) -> Void
  ) throws(Diagnostic) {
    let versioned = outputs.enumerated().compactMap { index, output -> VersionedOutput? in
      guard let path = output.location.local, let locked = lock?.out(output.declared), let hash = locked.contentHash else {
        return nil
      }
      return VersionedOutput(stage: stage, index: index, path: path, locked: locked, hash: hash, part: nil)
    }
    if versioned.isEmpty { return }
    try prepareCache()
    let outcome = try VersionedFetch(storage, cache: cache).run(versioned)
    if !outcome.missing.isEmpty { warn(MissingObjects.words(outcome.missing.map(MissingObjects.text))) }
    for failure in outcome.failures {
      warn("failed to transfer '\(failure.hash.text)': \(failure.error?.fullMessage ?? "")")
    }
    if !outcome.failures.isEmpty { throw .downloadFailed(outcome.failures.count) }
  }

  private func fetch(_ hashes: [ContentHash], _ warn: (String) -> Void) throws(Diagnostic) {
    guard let remote else { return }
    if !hashes.isEmpty { try prepareCache() }
    var missing = OrderedSet<ContentHash>()
    var broken = OrderedSet<ContentHash>()
    for hash in hashes {
      let wasHere = try cache.store(for: hash).contains(hash)
      let absent = try remote.bring(hash, into: cache)
      // Whoever pushes a folder sends its list last: a remote that has the list promises the files.
      if !absent.isEmpty, hash.isDirectory, try remote.holds(hash) {
        for part in absent where !broken.contains(part) {
          warn("failed to transfer '\(part.text)': the remote lists it in a folder and has no such file")
        }
        broken.formUnion(absent)
        if !wasHere {
          broken.append(hash)
          _ = try Files.remove(cache.store(for: hash).path(of: hash))
        }
      } else {
        missing.formUnion(absent)
      }
    }
    missing.subtract(broken)
    if !missing.isEmpty { warn(MissingObjects.words(missing.map(MissingObjects.text))) }
    if !broken.isEmpty { throw .downloadFailed(broken.count) }
  }

  private func prepareCache() throws(Diagnostic) { try cache.current.makeFolders(cache.current.folder) }

  /// What neither has, each once.
  private func fetch(_ hashes: [ContentHash], from remote: RemoteObjects) throws(Diagnostic) -> [ContentHash] {
    var missing = OrderedSet<ContentHash>()
    for hash in hashes { missing.formUnion(try remote.bring(hash, into: cache)) }
    return Array(missing)
  }
}

extension Reproduction {
  /// The default remote, where `--pull` asks for one; the run-cache's entries come from it at once.
  func preparePull(_ emit: (RunEvent) -> Void) throws(Diagnostic) -> StagePull.Source {
    let settings = workspace.settings
    guard let name = settings.defaultRemote, settings.remote(name)?["url"] != nil else {
      guard request.usesRunCache else { return .none }
      let error = Diagnostic.noRemote(settings, root: workspace.repository.root, command: "fetch --run-cache")
      emit(.warning(nil, "Failed to pull run cache: \(error.message)"))
      return .none
    }
    let remotes = OpenRemotes(settings, workspace.repository)
    if let storage = try remotes.versioned(name, command: "pull") {
      if request.usesRunCache {
        emit(
          .warning(
            nil,
            "Failed to pull run cache: config file error: 'fetch --run-cache' is unsupported for cloud versioned remotes"))
      }
      return .versions(storage)
    }
    let remote = RemoteObjects(try remotes.storage(name, command: "pull"))
    if request.usesRunCache { _ = try RunCacheTransfer(workspace.cache).fetch(from: remote) }
    return .objects(remote)
  }
}
