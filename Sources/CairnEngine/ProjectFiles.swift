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
}

package struct DiskFiles: ProjectFiles {
  private let paths: PathResolver

  package init(root: String) { paths = PathResolver(root: root, workTree: nil) }

  package func read(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? { try Files.read(paths.absolute(path)) }
  package func list(_ folder: RepoPath) throws(Diagnostic) -> [DirectoryEntry]? {
    try Files.list(paths.absolute(folder))
  }
  package func isDirectory(_ path: RepoPath) -> Bool { Files.isDirectory(paths.absolute(path)) }
  package func exists(_ path: RepoPath) -> Bool { Files.exists(paths.absolute(path)) }
}

/// The files of one commit, without a checkout. Its tree is asked for once, files when they are read.
package final class CommitFiles: ProjectFiles {
  private let objects: GitObjects
  /// Of each file, the name of its blob.
  private let blobs: [RepoPath: String]
  private let folders: [RepoPath: [DirectoryEntry]]

  /// `nil` when the commit does not have the project's folder.
  ///
  /// - Parameter prefix: the project inside the work tree, ending in `/`, or empty.
  package init?(_ commit: String, _ git: GitRepository, prefix: String) throws(Diagnostic) {
    let path = prefix.isEmpty ? "" : String(prefix.dropLast())
    guard let tree = try git.tree(commit, path: path), prefix.isEmpty || !tree.isEmpty else { return nil }
    var blobs: [RepoPath: String] = [:]
    var folders: [RepoPath: [DirectoryEntry]] = [.root: []]
    for entry in tree where entry.path.utf8.starts(with: prefix.utf8) {
      let file = RepoPath(unchecked: String(decoding: entry.path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
      let kind: FileStat.Kind = entry.mode == "160000" ? .directory : .file
      if kind == .file { blobs[file] = entry.object }
      Self.add(DirectoryEntry(name: file.name, kind: kind), to: file.parent, &folders)
    }
    objects = GitObjects(git)
    self.blobs = blobs
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

  package func read(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? {
    guard let blob = blobs[path] else { return nil }
    return try objects.object(blob)
  }

  package func list(_ folder: RepoPath) throws(Diagnostic) -> [DirectoryEntry]? { folders[folder] }
  package func isDirectory(_ path: RepoPath) -> Bool { folders[path] != nil }
  package func exists(_ path: RepoPath) -> Bool { blobs[path] != nil || folders[path] != nil }
}
