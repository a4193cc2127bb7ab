// Where a project's files are read from: the disk, or a commit. Knows nothing of what is in them.
package import CairnCore
package import CairnSystem

/// What loading a pipeline and reading parameters and metrics needs of a tree of files.
package protocol ProjectFiles: Sendable {
  /// The whole file; MUST be `nil` when nothing is there.
  func read(_ path: RepoPath) throws(Diagnostic) -> [UInt8]?
  /// The names in a folder; MUST be `nil` when it is not there.
  func list(_ folder: RepoPath) throws(Diagnostic) -> [DirectoryEntry]?
  /// Follows links.
  func isDirectory(_ path: RepoPath) -> Bool
  func exists(_ path: RepoPath) -> Bool
  /// The same of what lies beside the project: of a commit's files, in the commit where it has such a place.
  func read(outside path: OutsidePath) throws(Diagnostic) -> [UInt8]?
  func isDirectory(outside path: OutsidePath) -> Bool
}

package struct DiskFiles: ProjectFiles {
  private let paths: PathResolver

  package init(root: String) { paths = PathResolver(root: root, workTree: nil) }

  package func read(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? { try Files.read(plain: paths.absolute(path)) }
  package func list(_ folder: RepoPath) throws(Diagnostic) -> [DirectoryEntry]? {
    try Files.list(paths.absolute(folder))
  }
  package func isDirectory(_ path: RepoPath) -> Bool { Files.isDirectory(paths.absolute(path)) }
  package func exists(_ path: RepoPath) -> Bool { Files.exists(paths.absolute(path)) }
  package func read(outside path: OutsidePath) throws(Diagnostic) -> [UInt8]? {
    try Files.read(plain: path.absolute)
  }
  package func isDirectory(outside path: OutsidePath) -> Bool { Files.isDirectory(path.absolute) }
}

/// The files of one commit, without a checkout: as a checkout would give them, links followed inside the commit.
package final class CommitFiles: ProjectFiles {
  package let tree: CommitTree
  /// The project inside the work tree.
  private let project: RepoPath
  /// Of each folder of the project, its entries.
  private let folders: [RepoPath: [DirectoryEntry]]

  /// `nil` when the commit does not have the project's folder.
  ///
  /// - Parameter prefix: the project inside the work tree, ending in `/`, or empty.
  package convenience init?(_ commit: String, _ git: GitRepository, prefix: String) throws(Diagnostic) {
    guard let tree = try CommitTree(commit, git) else { return nil }
    self.init(tree, prefix: prefix)
  }

  package init?(_ tree: CommitTree, prefix: String) {
    project = RepoPath(unchecked: prefix.isEmpty ? "" : String(prefix.dropLast()))
    guard project.isRoot || tree.listing.folders.contains(project) else { return nil }
    var folders: [RepoPath: [DirectoryEntry]] = [.root: []]
    for path in tree.listing.files(below: project) {
      let file = RepoPath(unchecked: String(decoding: path.text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
      let kind: FileStat.Kind =
        switch tree.listing[path]?.kind {
        case .submodule: .directory
        case .link: .symlink
        default: .file
        }
      Self.add(DirectoryEntry(name: file.name, kind: kind), to: file.parent, &folders)
    }
    self.tree = tree
    self.folders = folders
  }

  private static func add(
    _ entry: DirectoryEntry, to folder: RepoPath, _ folders: inout [RepoPath: [DirectoryEntry]]
  ) {
    if folders[folder] == nil {
      folders[folder] = []
      add(DirectoryEntry(name: folder.name, kind: .directory), to: folder.parent, &folders)
    }
    folders[folder]?.append(entry)
  }

  private func inside(_ path: RepoPath) -> RepoPath { project.appending(path.text) }

  package func read(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? { try tree.read(inside(path)) }

  package func list(_ folder: RepoPath) throws(Diagnostic) -> [DirectoryEntry]? {
    if let entries = folders[folder] { return entries }
    // Behind a link.
    guard case .folder(let target) = tree.target(of: inside(folder)), target != inside(folder) else { return nil }
    return target.isInside(project) ? folders[RepoPath(unchecked: target.relative(to: project))] : nil
  }

  package func isDirectory(_ path: RepoPath) -> Bool {
    if folders[path] != nil { return true }
    if case .folder = tree.target(of: inside(path)) { return true }
    return false
  }

  package func exists(_ path: RepoPath) -> Bool {
    switch tree.target(of: inside(path)) {
    case .file, .folder, .submodule: true
    case .missing, .outside, .circle: false
    }
  }

  package func read(outside path: OutsidePath) throws(Diagnostic) -> [UInt8]? {
    guard let beside = tree.path(ofAbsolute: path.absolute) else { return try Files.read(plain: path.absolute) }
    return try tree.read(beside)
  }

  package func isDirectory(outside path: OutsidePath) -> Bool {
    guard let beside = tree.path(ofAbsolute: path.absolute) else { return Files.isDirectory(path.absolute) }
    if case .folder = tree.target(of: beside) { return true }
    return false
  }
}
