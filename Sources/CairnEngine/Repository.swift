// A project on the disk: where it begins and which folders belong to it. Holds paths; opens nothing else.
package import CairnCore
internal import CairnSystem

/// The places of one DVC project, as seen from the working directory. All paths are absolute.
package struct Repository: Sendable {
  /// The folder that holds `.dvc`.
  package let root: String
  /// Where the process stands.
  package let workingDirectory: String

  package init(root: String, workingDirectory: String) {
    self.root = root
    self.workingDirectory = workingDirectory
  }

  package var dvcFolder: String { Self.join(root, ".dvc") }
  package var temporaryFolder: String { Self.join(root, ".dvc/tmp") }
  package var cairnFolder: String { Self.join(root, ".cairn") }

  /// The working directory inside the project; `nil` when it lies outside.
  package var workingFolder: RepoPath? { repoPath(of: workingDirectory) }

  /// The path from the working directory to the root: `.`, `..`, `../..`.
  package var relativeFromWorkingDirectory: String { Self.relative(root, to: workingDirectory) }

  /// Where a path of the project lies on the disk.
  package func absolute(_ path: RepoPath) -> String { path.isRoot ? root : Self.join(root, path.text) }

  package var paths: PathResolver { PathResolver(ofProject: root) }

  /// The path of the project for an absolute one, `nil` outside of it.
  package func repoPath(of absolute: String) -> RepoPath? {
    let path = Self.normalized(absolute)
    if path.hasSameBytes(as: root) { return .root }
    let prefix = root == "/" ? "/" : root + "/"
    guard path.utf8.starts(with: prefix.utf8) else { return nil }
    return RepoPath(unchecked: String(decoding: path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
  }

  /// The project that `folder` (absolute; default: the working directory) belongs to.
  ///
  /// - Throws: DVC's words, exit code 253, when there is none up to the mount point.
  package static func findRoot(from folder: String? = nil) throws(Diagnostic) -> Repository {
    let start: String
    if let folder { start = normalized(folder) } else { start = try Files.currentDirectory() }
    var candidate = start
    while true {
      if Files.isDirectory(join(candidate, ".dvc")) { return Repository(root: candidate, workingDirectory: start) }
      if try isMountPoint(candidate) { throw .notARepository(upTo: candidate) }
      candidate = parent(candidate)
    }
  }
}

extension Repository {
  package static func currentDirectory() throws(Diagnostic) -> String { try Files.currentDirectory() }
}

extension PathResolver {
  /// With the git work tree around the project, whatever the settings say of git: what a place is called does not hang
  /// on them.
  package init(ofProject root: String) { self.init(root: root, workTree: PipelineLoader.gitRoot(around: root)) }
}

// MARK: - Text of absolute paths

extension Repository {
  package static func join(_ folder: String, _ name: String) -> String {
    folder.utf8.last == UInt8(ascii: "/") ? folder + name : folder + "/" + name
  }

  package static func parent(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// An absolute path without `.`, `..` and doubled slashes, by its text alone.
  package static func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  /// `path` as it is read by somebody who stands in `folder` (both absolute).
  package static func relative(_ path: String, to folder: String) -> String {
    RepoPath(unchecked: String(normalized(path).dropFirst()))
      .relative(to: RepoPath(unchecked: String(normalized(folder).dropFirst())))
  }

  private static func isMountPoint(_ path: String) throws(Diagnostic) -> Bool {
    if path == "/" { return true }
    guard let here = try FileStat.of(path), let above = try FileStat.of(parent(path)) else { return false }
    return here.device != above.device || here.inode == above.inode
  }
}

extension Diagnostic.Code {
  package static let notARepository = Diagnostic.Code("not-a-repository")
}

extension Diagnostic {
  fileprivate static func notARepository(upTo mount: String) -> Diagnostic {
    var diagnostic = Diagnostic(
      .notARepository, "you are not inside of a DVC repository (checked up to mount point '\(mount)')")
    diagnostic.exitCode = 253
    return diagnostic
  }
}
