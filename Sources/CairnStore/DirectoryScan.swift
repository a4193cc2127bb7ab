// Lists the files below a folder as DVC sees them: links to files count as files, links to folders are passed over,
// ignored names are left out. Knows nothing of contents.
package import CairnCore
import CairnSystem
import Glibc

/// Says what DVC is told to overlook (`.dvcignore`, and `.dvc`, `.git`, `.hg` by themselves).
package protocol PathFilter: Sendable {
  /// `path` is relative to the project's root. Asked top down: below an ignored folder nothing is asked.
  func isIgnored(_ path: RepoPath, isDirectory: Bool) -> Bool
}

/// Overlooks only what DVC overlooks without being told.
package struct DefaultPathFilter: PathFilter {
  package init() {}

  package func isIgnored(_ path: RepoPath, isDirectory: Bool) -> Bool {
    let name = path.name
    return name == ".git" || isDirectory && (name == ".dvc" || name == ".hg")
  }
}

/// A file as `stat` saw it.
struct FoundFile: Sendable {
  /// Relative to the folder that was scanned; empty when a single file was looked at.
  var path: String
  /// Of the file itself, links followed.
  var fingerprint: FileFingerprint
  var mode: UInt32
  var links: Int
  /// The name itself is a symbolic link.
  var isLink: Bool

  var isExecutable: Bool { mode & 0o111 != 0 }
}

struct DirectoryScan {
  /// Ordered by the bytes of their paths.
  private(set) var files: [FoundFile] = []
  /// Below the one that was scanned, links to folders among them; only of `Pass.all`.
  private(set) var folders: [String] = []
  /// Links that lead nowhere; only of `Pass.all`.
  private(set) var deadLinks: [String] = []
  private let pass: Pass

  /// What is no error.
  enum Pass {
    case nothing
    /// A link that leads nowhere: as if it were not there.
    case deadLinks
    /// Such a link, and a `.dvcignore` inside of the folder; with a note of folders and such links.
    case all
  }

  /// - Parameters:
  ///   - folder: where it lies on the disk.
  ///   - base: its path in the project; `nil` outside, where no filter applies.
  init(_ folder: String, base: RepoPath?, filter: any PathFilter, pass: Pass = .nothing) throws(Diagnostic) {
    self.pass = pass
    try visit(folder, relative: "", base: base, filter: filter)
    files.sort { $0.path.precedesInBytes($1.path) }
  }

  private mutating func visit(
    _ folder: String, relative: String, base: RepoPath?, filter: any PathFilter
  ) throws(Diagnostic) {
    let descriptor = RawFile.open(folder, O_RDONLY | O_DIRECTORY)
    guard descriptor >= 0 else { throw .system(-descriptor, "list the folder", folder) }
    guard let stream = fdopendir(descriptor) else {
      let code = errno
      close(descriptor)
      throw .system(code, "list the folder", folder)
    }
    var folders: [(name: String, base: RepoPath?)] = []
    do {
      // Closed before the folders below are visited: a deep tree needs no descriptor for each level.
      defer { closedir(stream) }
      while true {
        errno = 0
        guard let entry = readdir(stream) else {
          if errno != 0 { throw .system(errno, "list the folder", folder) }
          break
        }
        guard let name = Self.name(entry) else { continue }
        let inner = base.map { $0.appending(name) }
        var found = Glibc.stat()
        guard RawFile.withPath(name, { fstatat(descriptor, $0, &found, AT_SYMLINK_NOFOLLOW) }) == 0 else {
          // Gone since it was listed: as if it had not been.
          if errno == ENOENT { continue }
          throw .system(errno, "look at it", folder + "/" + name)
        }
        let isLink = found.isSymbolicLink
        if isLink, RawFile.withPath(name, { fstatat(descriptor, $0, &found, 0) }) != 0 {
          if let inner, filter.isIgnored(inner, isDirectory: false) { continue }
          if pass != .nothing, errno == ENOENT {
            if pass == .all { deadLinks.append(relative.isEmpty ? name : relative + "/" + name) }
            continue
          }
          throw .system(errno, "follow the link", folder + "/" + name)
        }
        if let inner, filter.isIgnored(inner, isDirectory: found.isDirectory) { continue }
        if found.isDirectory {
          if pass == .all { self.folders.append(relative.isEmpty ? name : relative + "/" + name) }
          if !isLink { folders.append((name, inner)) }
          continue
        }
        guard found.isFile else { throw .notAFile(folder + "/" + name) }
        if name == ".dvcignore", pass != .all { throw .ignoreFileInside(folder) }
        files.append(
          FoundFile(
            path: relative.isEmpty ? name : relative + "/" + name, fingerprint: found.fingerprint,
            mode: found.permissions, links: Int(found.st_nlink), isLink: isLink))
      }
    }
    for (name, inner) in folders {
      try visit(
        folder + "/" + name, relative: relative.isEmpty ? name : relative + "/" + name, base: inner, filter: filter)
    }
  }

  /// `nil` for `.` and `..`.
  private static func name(_ entry: UnsafeMutablePointer<dirent>) -> String? {
    withUnsafePointer(to: &entry.pointee.d_name) { tuple in
      tuple.withMemoryRebound(to: UInt8.self, capacity: 256) { start in
        let count = strlen(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self))
        if start[0] == 0x2E, count == 1 || (count == 2 && start[1] == 0x2E) { return nil }
        return FileName.escape(UnsafeBufferPointer(start: start, count: count))
      }
    }
  }
}

extension Diagnostic.Code {
  package static let notAFile = Diagnostic.Code("not-a-file")
  package static let ignoreFileInside = Diagnostic.Code("dvcignore-inside-data")
}

extension Diagnostic {
  static func notAFile(_ path: String) -> Diagnostic {
    Diagnostic(.notAFile, "'\(path)' is not a file or directory")
      .hinting("a pipe, socket or device cannot be data: name it in .dvcignore, or move it away")
  }

  fileprivate static func ignoreFileInside(_ folder: String) -> Diagnostic {
    var error = Diagnostic(.ignoreFileInside, ".dvcignore file should not be in collected dir path: '\(folder)'")
    // DVC lets this one through to the end where it turns its own errors into 1.
    error.exitCode = 255
    return error
  }
}
