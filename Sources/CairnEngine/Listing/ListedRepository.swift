// A repository as whoever uses its data sees it: its files, and over them what its projects track, there or not.
// Knows nothing of how it is shown.
import CairnCore
import CairnSystem

/// What is at a path of a repository.
package struct ListedEntry: Sendable {
  package var isDirectory: Bool
  package var isExecutable = false
  /// DVC tracks it, or what it lies in.
  package var isOutput = false
  /// `nil` where nothing is known of it.
  package var size: UInt64?
  package var md5: String?
}

/// One look at a repository, for one thread.
package final class ListedRepository {
  /// What absolute paths are meant from; of a commit, the top.
  let root: String
  /// Where relative paths begin.
  let folder: RepoPath
  private let files: any ListedFiles
  private let open: (RepoPath) throws(Diagnostic) -> ListedProject
  private var projects: [RepoPath: ListedProject] = [:]

  /// - Parameter open: makes the project in a folder of the repository; at its top there need be none.
  init(
    _ files: any ListedFiles, root: String = "/", folder: RepoPath,
    open: @escaping (RepoPath) throws(Diagnostic) -> ListedProject
  ) {
    self.files = files
    self.root = root
    self.folder = folder
    self.open = open
  }

  /// - Throws: DVC's words when there is nothing, or a list that is lost hides it.
  func entry(at path: RepoPath, named text: String) throws(Diagnostic) -> ListedEntry {
    let project = try project(around: path)
    var data = try project.node(at: path)
    let found = try files.file(at: path)
    var file = found
    if let found, project.isIgnored(path, isDirectory: found.kind == .folder) { file = nil }
    if found == nil, data == nil { throw files.missing(path) }
    if file == nil, data != nil {
      // Where a file stands in place of a folder above it, the data is not there.
      var above = path
      while !above.isRoot {
        above = above.parent
        if let file = try files.file(at: above) {
          if file.kind != .folder { data = nil }
        } else if files.missing(above).isUnexpected {
          throw files.missing(above)
        }
      }
    }
    guard file != nil || data != nil else {
      throw Diagnostic(.noFile, "[Errno 2] No such file or directory: '\(text)'")
    }
    return project.merged(path, file, data)
  }

  /// What a folder holds, in the order of names; `nil` when it is not there.
  ///
  /// - Parameter dataOnly: without what DVC does not track.
  func entries(in path: RepoPath, dataOnly: Bool) throws(Diagnostic) -> [(name: String, entry: ListedEntry)]? {
    let project = try project(around: path)
    let data = try project.node(at: path)
    var file: ListedFile?
    var names: [String: ListedFile] = [:]
    if !dataOnly, let found = try files.file(at: path) {
      file = found
      for (name, inner) in try files.list(path) {
        if !project.isIgnored(path.appending(name), isDirectory: inner.kind == .folder) { names[name] = inner }
      }
    }
    if file == nil, data == nil { return nil }
    // Named by nothing, as DVC has it.
    if dataOnly, let data, !data.isDirectory { return [("", project.merged(path, nil, data))] }
    var nodes: [String: DataTree.Node] = [:]
    if let data, file.map({ ($0.kind == .folder) == data.isDirectory }) ?? true {
      for node in try project.children(of: data) { nodes[node.path.name] = node }
    } else if let data {
      // It is looked into all the same.
      _ = try project.children(of: data)
    }
    return Set(names.keys).union(nodes.keys).sorted { $0.precedesInBytes($1) }.map { name in
      (name, project.merged(path.appending(name), names[name], nodes[name]))
    }
  }

  /// The innermost project that a path lies in, else that of the top.
  private func project(around path: RepoPath) throws(Diagnostic) -> ListedProject {
    var place = path
    while !place.isRoot {
      if let known = projects[place] { return known }
      if try files.file(at: place.appending(".dvc"))?.kind == .folder { break }
      place = place.parent
    }
    if let known = projects[place] { return known }
    let project = try open(place)
    projects[place] = project
    return project
  }
}

/// A project inside of a repository: what it tracks, and what it does not see.
struct ListedProject {
  /// Where it lies in the repository.
  let place: RepoPath
  let ignore: IgnoreTree
  let tree: DataTree
  let outputs: Set<RepoPath>

  init(_ place: RepoPath, _ loader: PipelineLoader, _ storage: DataStorage) throws(Diagnostic) {
    self.place = place
    ignore = loader.ignore
    let found = try loader.load().dataOutputs()
    tree = try storage.tree(of: found)
    outputs = Set(found.map(\.path))
  }

  private func inner(_ path: RepoPath) -> RepoPath {
    place.isRoot ? path : RepoPath(unchecked: String(path.text.dropFirst(place.text.count + 1)))
  }

  func node(at path: RepoPath) throws(Diagnostic) -> DataTree.Node? {
    do throws(Diagnostic) {
      let node = try tree.node(at: inner(path))
      return path == place && tree.isEmpty ? nil : node
    } catch {
      throw Self.unexpected(error)
    }
  }

  func children(of node: DataTree.Node) throws(Diagnostic) -> [DataTree.Node] {
    if case .known(let nodes) = try tree.children(of: node) { return nodes }
    throw Self.unexpected(tree.fault(of: node))
  }

  private static func unexpected(_ error: Diagnostic) -> Diagnostic {
    var error = error
    error.isUnexpected = error.code == .noFolderList
    return error
  }

  func isIgnored(_ path: RepoPath, isDirectory: Bool) -> Bool {
    ignore.isIgnored(inner(path), isDirectory: isDirectory)
  }

  /// What is there counts before what should be.
  func merged(_ path: RepoPath, _ file: ListedFile?, _ node: DataTree.Node?) -> ListedEntry {
    var entry = ListedEntry(
      isDirectory: file.map { $0.kind == .folder } ?? node?.isDirectory ?? false)
    if let file {
      entry.size = file.size
      entry.isExecutable = file.isExecutable
    } else {
      // Of what was never made nothing is recorded.
      let isRecorded = node?.entry.map { $0.hash != nil || $0.isDirectory || $0.isAtOrigin } ?? false
      entry.size = node?.entry?.size ?? (isRecorded ? nil : 0)
    }
    if let node {
      entry.isOutput = isInOutput(inner(path))
      if case .content(let hash)? = node.entry?.hash { entry.md5 = hash.text }
    }
    return entry
  }

  private func isInOutput(_ path: RepoPath) -> Bool {
    var path = path
    while !path.isRoot {
      if outputs.contains(path) { return true }
      path = path.parent
    }
    return false
  }
}
