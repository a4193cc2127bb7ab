// Brings missing data of a stage from the remote (`repro --pull`). Knows what an output's hash is; knows nothing of
// when a stage runs.
import CairnCore
package import CairnStore
import CairnSystem

package struct StagePull: Sendable {
  /// `nil` when no remote is configured.
  private let remote: LocalRemote?
  private let cache: DataCache
  private let snapshotter: Snapshotter
  /// Told of what neither the cache nor the remote has.
  private let warn: @Sendable (String) -> Void

  package init(
    remote: LocalRemote?, cache: DataCache, snapshotter: Snapshotter, warn: @escaping @Sendable (String) -> Void
  ) {
    self.remote = remote
    self.cache = cache
    self.snapshotter = snapshotter
    self.warn = warn
  }

  /// True when everything that the entry records of the stage's outputs is then in the workspace.
  ///
  /// - Throws: DVC's words when a file would be lost for it.
  func pull(_ stage: Stage, _ lock: LockEntry?) throws(Diagnostic) -> Bool {
    let checkout = Checkout(cache: cache, snapshotter: snapshotter)
    var plans: [CheckoutPlan] = []
    try fetch(stage.outputs.filter(\.isCached).compactMap { lock?.out($0.declared)?.contentHash })
    for output in stage.outputs where output.isCached {
      guard let path = output.location.local else { continue }
      let locked = lock?.out(output.declared)
      plans.append(
        try checkout.plan(
          CheckoutTarget(
            path: path, hash: locked?.contentHash, isExecutable: locked?.isExecutable ?? false, size: locked?.size,
            part: nil)))
    }
    let lost = plans.flatMap(\.unsaved)
    if !lost.isEmpty { throw .unsavedFiles(lost) }
    var isWhole = true
    for plan in plans where plan.target.hash == nil {
      warn("No file hash info found for '\(snapshotter.absolute(plan.path))'. It won't be created.")
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

  /// Brings objects into the cache where the remote has them.
  func fetch(_ hashes: [ContentHash]) throws(Diagnostic) {
    guard let remote else { return }
    if !hashes.isEmpty { try cache.current.makeFolders(cache.current.folder) }
    var missing: [ContentHash] = []
    for hash in hashes { missing += try remote.fetch(hash, into: cache) }
    guard !missing.isEmpty else { return }
    let names = missing.map { "\($0.algorithm == .md5 ? "md5" : "md5-dos2unix"): \($0.text)" }
    warn(
      "Some of the cache files do not exist neither locally nor on remote. Missing cache files:\n"
        + names.joined(separator: "\n"))
  }
}

extension Reproduction {
  /// The default remote, where `--pull` asks for one; the run-cache's entries come from it at once.
  func preparePull(_ emit: (RunEvent) -> Void) throws(Diagnostic) -> LocalRemote? {
    let settings = workspace.settings
    guard let name = settings.defaultRemote, settings.remote(name)?["url"] != nil else {
      guard request.usesRunCache else { return nil }
      let error = Diagnostic.noRemote(settings, workspace.repository, command: "fetch --run-cache")
      emit(.warning(nil, "Failed to pull run cache: \(error.message)"))
      return nil
    }
    let remote = try LocalRemote.named(name, in: settings, workspace.repository, command: "pull")
    if request.usesRunCache { try remote.fetchRunCache(into: workspace.cache) }
    return remote
  }
}
