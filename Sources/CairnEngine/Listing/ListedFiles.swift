// The files of a repository for a listing: those on the disk, or those of a commit. Knows nothing of DVC.
import CairnCore
import CairnSystem

/// What there is at a path.
struct ListedFile: Sendable {
  enum Kind: Sendable { case folder, file, other }

  var kind: Kind
  /// As DVC tells it: of a folder on the disk what `stat` says, of one in a commit that of git's own object.
  var size: UInt64
  var isExecutable = false
}

/// A tree of files, with paths from its top.
protocol ListedFiles: Sendable {
  /// Follows links. `nil` when nothing is there.
  func file(at path: RepoPath) throws(Diagnostic) -> ListedFile?
  /// The names in a folder, links as such; MUST be empty when it is none.
  func list(_ folder: RepoPath) throws(Diagnostic) -> [(name: String, file: ListedFile)]
  /// What is said of a path that is not there.
  func missing(_ path: RepoPath) -> Diagnostic
}

struct ListedDisk: ListedFiles {
  /// Absolute.
  let root: String

  func file(at path: RepoPath) throws(Diagnostic) -> ListedFile? {
    try FileStat.of(absolute(path)).map { stat in
      ListedFile(kind: Self.kind(stat.kind), size: stat.size, isExecutable: stat.isFile && stat.isExecutable)
    }
  }

  func list(_ folder: RepoPath) throws(Diagnostic) -> [(name: String, file: ListedFile)] {
    var found: [(name: String, file: ListedFile)] = []
    let place = absolute(folder)
    guard Files.isDirectory(place) else { return [] }
    // Cairn's own folder is as little of what somebody wants to use as DVC's is.
    for entry in try Files.list(place) ?? [] where entry.name != ".cairn" || entry.kind != .directory {
      let path = Repository.join(place, entry.name)
      guard let stat = try FileStat.of(path, followLinks: false) else { continue }
      var file = ListedFile(
        kind: Self.kind(stat.kind), size: stat.size, isExecutable: stat.isFile && stat.isExecutable)
      // A link has the size of what it leads to, and is no folder.
      if stat.kind == .symlink { file.size = ((try? FileStat.of(path)) ?? nil)?.size ?? 0 }
      found.append((entry.name, file))
    }
    return found
  }

  func missing(_ path: RepoPath) -> Diagnostic {
    let isBelowFile = !path.isRoot && Files.exists(absolute(path.parent)) && !Files.isDirectory(absolute(path.parent))
    if isBelowFile { return .unexpected(.noFile, "[Errno 20] Not a directory: '\(absolute(path))'") }
    return Diagnostic(.noFile, "[Errno 2] No such file or directory: '\(absolute(path))'")
  }

  private func absolute(_ path: RepoPath) -> String { path.isRoot ? root : Repository.join(root, path.text) }

  private static func kind(_ kind: FileStat.Kind) -> ListedFile.Kind {
    switch kind {
    case .directory: .folder
    case .file: .file
    case .symlink, .other: .other
    }
  }
}

struct ListedCommit: ListedFiles {
  private var folders: [RepoPath: [String: ListedFile]] = [.root: [:]]
  private var sizes: [RepoPath: UInt64] = [:]

  init(_ tree: [GitTreeEntry]) {
    for entry in tree {
      let path = RepoPath(unchecked: entry.path)
      folders[path.parent, default: [:]][path.name] = ListedFile(
        kind: .file, size: entry.size ?? 0, isExecutable: entry.mode == "100755")
    }
    for path in Array(folders.keys) {
      var folder = path
      while !folder.isRoot {
        let parent = folder.parent
        let isKnown = folders[parent]?[folder.name] != nil
        folders[parent, default: [:]][folder.name] = ListedFile(kind: .folder, size: 0)
        if isKnown { break }
        folder = parent
      }
    }
    // Git's object of a folder: for each name a mode, a blank, the name, a NUL, and the hash as bytes.
    let hashLength = UInt64((tree.first?.object.utf8.count ?? 40) / 2)
    for (folder, files) in folders {
      sizes[folder] = files.reduce(0) { size, item in
        size + (item.value.kind == .folder ? 5 : 6) + 2 + UInt64(FileName.bytes(item.key).count) + hashLength
      }
    }
  }

  func file(at path: RepoPath) -> ListedFile? {
    if let size = sizes[path] { return ListedFile(kind: .folder, size: size) }
    return folders[path.parent]?[path.name]
  }

  func list(_ folder: RepoPath) -> [(name: String, file: ListedFile)] {
    (folders[folder] ?? [:]).map { name, file in (name, sizes[folder.appending(name)].map { folder in
      ListedFile(kind: .folder, size: folder)
    } ?? file) }
  }

  func missing(_ path: RepoPath) -> Diagnostic {
    let parts = path.components.map { PythonText.repr(.string(String($0))) }
    let key = parts.joined(separator: ", ") + (parts.count == 1 ? "," : "")
    return Diagnostic(.noFile, "[Errno 2] No such file or directory: '/\(path.text)'")
      .because(of: Diagnostic(.noFile, "(\(key))"))
  }
}
