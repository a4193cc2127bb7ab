// What git's index holds of the project. Asked once for each command, beside other work where it is known to be wanted.
package import CairnCore
package import CairnSystem

package final class TrackedFiles: Sendable {
  package let git: GitRepository
  /// The project's folder relative to git's work tree, with a slash behind; empty when they are the same.
  private let prefix: String
  private let names: Prefetch<Names>

  private struct Names {
    var files: Set<RepoPath> = []
    var folders: Set<RepoPath> = []
  }

  /// - Parameter root: the project's folder, absolute.
  package init(_ git: GitRepository, root: String) {
    self.git = git
    let prefix = root.hasPrefix(git.workTree + "/") ? String(root.dropFirst(git.workTree.count + 1)) + "/" : ""
    self.prefix = prefix
    names = Prefetch { Self.read(git, below: prefix) }
  }

  /// Begins to ask; whoever wants the answer before it is there waits for it.
  package func prefetch() { names.begin() }

  /// In git's index: the file, or anything in the folder. False where git cannot say.
  package func contains(_ path: RepoPath) -> Bool {
    let names = names.value
    return names.files.contains(path) || names.folders.contains(path)
  }

  /// A path of git's as one of the project's; `nil` outside of it.
  package func projectPath(_ path: String) -> RepoPath? { Self.projectPath(path, below: prefix) }

  private static func projectPath(_ path: String, below prefix: String) -> RepoPath? {
    path.hasPrefix(prefix) ? RepoPath(String(path.dropFirst(prefix.utf8.count))) : nil
  }

  private static func read(_ git: GitRepository, below prefix: String) -> Names {
    var names = Names()
    for name in (try? git.trackedFiles()) ?? [] {
      guard let file = projectPath(name, below: prefix) else { continue }
      names.files.insert(file)
      var folder = file.parent
      while !folder.isRoot, names.folders.insert(folder).inserted { folder = folder.parent }
    }
    return names
  }
}
