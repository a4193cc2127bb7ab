// What a command must tell git: data that it is to ignore, files that it is to track. Taken back when the command fails.
package import CairnCore
internal import CairnSystem
internal import CairnStore

package struct GitTracking {
  private let git: GitRepository?
  private let project: OpenProject
  private var ignored: [String] = []
  /// Relative to the working directory, in the order in which they changed.
  package private(set) var changed: [String] = []

  package init(_ project: OpenProject) {
    self.project = project
    git = project.git
  }

  /// Adds the path (absolute) to the `.gitignore` beside it, unless git ignores it already.
  package mutating func ignore(_ path: String) throws(Diagnostic) {
    try ignore([path])
  }

  package mutating func ignore(_ paths: [String]) throws(Diagnostic) {
    guard let git else { return }
    let known = try git.ignoredOrCovered(paths, root: project.repository.root)
    for path in paths where !known.contains(path) {
      let folder = Repository.parent(path)
      try GitIgnoreFile.add(Self.name(path), in: folder)
      track(Repository.join(folder, ".gitignore"))
      ignored.append(path)
    }
  }

  /// Takes the path's line out of the `.gitignore` beside it.
  package mutating func unignore(_ path: String) throws(Diagnostic) {
    guard git != nil else { return }
    if let file = try GitIgnoreFile.remove(Self.name(path), in: Repository.parent(path)) { track(file) }
  }

  /// The file (absolute) has changed, and belongs into git.
  package mutating func track(_ path: String) {
    let shown = Repository.relative(path, to: project.repository.workingDirectory)
    if !changed.contains(where: { $0.hasSameBytes(as: shown) }) { changed.append(shown) }
  }

  /// Those of the paths (absolute) that git has in its index.
  package func tracked(_ paths: [String]) throws(Diagnostic) -> Set<String> {
    guard let git else { return [] }
    let relative = paths.map { Repository.relative($0, to: git.workTree) }
    let found = try git.trackedFiles(relative)
    guard !found.isEmpty else { return [] }
    return Set(
      zip(paths, relative).filter { pair in
        found.contains { $0.hasSameBytes(as: pair.1) || $0.utf8.starts(with: (pair.1 + "/").utf8) }
      }.map(\.0))
  }

  /// The command failed: its new lines leave the `.gitignore` files.
  package mutating func takeBack() {
    for path in ignored { _ = try? GitIgnoreFile.remove(Self.name(path), in: Repository.parent(path)) }
    ignored = []
  }

  /// The command has ended well: with `core.autostage` the files are added to git's index; otherwise the lines that
  /// tell the user to do so are returned.
  package mutating func finish() -> [String] {
    guard let git, !changed.isEmpty else { return [] }
    defer { changed = [] }
    // What is done stays done where git does not answer: the user is told what to add.
    if project.settings.stagesAutomatically,
      (try? git.add(changed.map { Repository.relative(project.absolute($0), to: git.workTree) })) != nil
    {
      return []
    }
    let names = changed.map(ShellQuoting.quote).joined(separator: " ")
    return [
      "\nTo track the changes with git, run:\n\n\tgit add \(names)",
      "\nTo enable auto staging, run:\n\n\tdvc config core.autostage true",
    ]
  }

  private static func name(_ path: String) -> String { String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]) }
}
