// What git's index holds of the project and beside it. Asked once for each command, beside other work where it is
// known to be wanted.
package import CairnCore
package import CairnSystem

package final class TrackedFiles: Sendable {
  package let git: GitRepository
  package let paths: PathResolver
  private let names: Prefetch<Names>

  /// From the top of the work tree.
  private struct Names {
    var files: Set<RepoPath> = []
    var folders: Set<RepoPath> = []
  }

  /// - Parameter root: the project's folder, absolute.
  package init(_ git: GitRepository, root: String) {
    self.git = git
    paths = PathResolver(root: root, workTree: git.workTree)
    names = Prefetch { Self.read(git) }
  }

  /// Begins to ask; whoever wants the answer before it is there waits for it.
  package func prefetch() { names.begin() }

  /// In git's index: the file, or anything in the folder. False where git cannot say.
  package func contains(_ location: Location) -> Bool {
    guard let path = paths.pathInWorkTree(location).map({ RepoPath(unchecked: $0) }) else { return false }
    let names = names.value
    return names.files.contains(path) || names.folders.contains(path)
  }

  private static func read(_ git: GitRepository) -> Names {
    var names = Names()
    for name in (try? git.trackedFiles()) ?? [] {
      let file = RepoPath(unchecked: name)
      names.files.insert(file)
      var folder = file.parent
      while !folder.isRoot, names.folders.insert(folder).inserted { folder = folder.parent }
    }
    return names
  }
}
