// What a look at many paths found, for whoever wants to judge by that very look.
package import CairnCore

/// Regular files by their names in the state index: relative to the project's folder, or absolute outside of it.
package struct SeenFiles: Sendable {
  package struct File: Sendable {
    var fingerprint: FileFingerprint
    var mode: UInt32

    package init(fingerprint: FileFingerprint, mode: UInt32) {
      self.fingerprint = fingerprint
      self.mode = mode
    }
  }

  private let files: [RepoPath: File]
  /// When the look began.
  let taken: Nanoseconds

  package init(_ files: [RepoPath: File], taken: Nanoseconds) {
    self.files = files
    self.taken = taken
  }

  /// True for what was a regular file.
  package func holds(_ path: RepoPath) -> Bool { files[path] != nil }

  subscript(name: String) -> File? { files[RepoPath(unchecked: name)] }

  /// True for an object that stood at `path` as the cache protects it; else it is not known.
  package func isProtected(_ path: String, root: String) -> Bool {
    self[Self.name(of: path, root: root)].map { $0.mode & 0o7777 == LocalObjectStore.protectedMode } ?? false
  }

  /// What lies in `root` is named from there, other paths by themselves.
  package static func name(of path: String, root: String) -> String {
    let isInside = path.utf8.starts(with: root.utf8) && path.utf8.dropFirst(root.utf8.count).first == UInt8(ascii: "/")
    return isInside ? String(decoding: path.utf8.dropFirst(root.utf8.count + 1), as: UTF8.self) : path
  }
}
