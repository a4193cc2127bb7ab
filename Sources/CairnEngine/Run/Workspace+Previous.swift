// Brings the outputs of a stage back as they were before its last try failed.
package import CairnCore
import CairnStore

extension Workspace {
  /// - Returns: the paths that were brought back; empty when all of it is there as it was, `nil` when nothing is kept:
  ///   the last try did not fail, or had nothing to take away.
  /// - Throws: when the stage runs just now, or something that a person made stands in the way; nothing is changed then.
  package func restorePrevious(_ id: StageID, arguments: [String]) throws(Diagnostic) -> [RepoPath]? {
    let stage = project.pipeline[id]
    let previous = PreviousOutputs(root: repository.root, folder: repository.cairnFolder + "/kept/previous")
    guard previous.exists(stage.address) else { return nil }
    defer { index.flush() }
    return try LockedOutputs(repository: repository, settings: settings, cache: cache, arguments: arguments)
      .write(stage.outputs.compactMap(\.location.local)) { () throws(Diagnostic) in
        let checkout = Checkout(cache: cache, snapshotter: snapshotter)
        return try previous.restore(
          stage.address, mark: { LeftoverMark.text(at: $0, snapshotter.observe($0), snapshotter) }
        ) {
          cached throws(Diagnostic) in
          _ = try checkout.materialise(
            CheckoutTarget(path: cached.path, hash: cached.hash, isExecutable: cached.isExecutable), force: true)
        }
      }
  }
}
