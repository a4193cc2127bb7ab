// What a declared path means: inside the project, elsewhere on this machine, or on another; and what records and git
// call it. Works on text alone.

package struct PathResolver: Sendable {
  /// The project's absolute path, normalised.
  package let root: String
  /// The top of the git work tree around the project, likewise; `nil` without git.
  package let workTree: String?
  /// The project in the work tree: empty, or with a slash at its end.
  private let prefix: String

  package init(root: String, workTree: String?) {
    self.root = root
    self.workTree = workTree
    let inside = workTree.flatMap { Self.path(root, below: $0) } ?? ""
    prefix = inside.isEmpty ? "" : inside + "/"
  }

  /// Schemes that DVC reads from.
  private static let schemes: Set<String> = [
    "s3", "gs", "azure", "http", "https", "ssh", "hdfs", "webhdfs", "oss", "webdav", "webdavs", "gdrive", "remote", "ds",
  ]

  package static func isURL(_ path: String) -> Bool {
    guard let colon = path.utf8.firstIndex(of: UInt8(ascii: ":")),
      path.utf8[colon...].starts(with: "://".utf8)
    else { return false }
    return schemes.contains(path[..<colon].lowercased())
  }

  /// The scheme of a URL with a host that DVC does not read from; `nil` for what it reads from, and for file names, a
  /// colon in them or not.
  package static func unsupportedScheme(of path: String) -> String? {
    let bytes = path.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let first = bytes.first, isLetter(first) else { return nil }
    let rest = bytes[colon...]
    guard rest.starts(with: "://".utf8), let host = rest.dropFirst(3).first, !"/?#".utf8.contains(host),
      bytes[..<colon].allSatisfy({ isLetter($0) || (48...57).contains($0) || "+-.".utf8.contains($0) })
    else { return nil }
    let scheme = path[..<colon].lowercased()
    return schemes.contains(scheme) ? nil : scheme
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 32) }

  /// Where `path` lies that was written in the folder `folder`.
  package func location(of path: String, in folder: Location) -> Location {
    if Self.isURL(path) { return .url(path) }
    if path.utf8.first == UInt8(ascii: "/") { return location(ofAbsolute: Self.normalized(path)) }
    switch folder {
    case .local(let inside):
      if let resolved = inside.resolving(path) { return .local(resolved) }
      return location(ofAbsolute: Self.normalized(absolute(inside) + "/" + path))
    case .external(let outside): return location(ofAbsolute: Self.normalized(outside.absolute + "/" + path))
    case .url(let url): return .url(url + "/" + path)
    }
  }

  /// `path` must be absolute and normalised.
  package func location(ofAbsolute path: String) -> Location {
    if let inside = Self.path(path, below: root) { return .local(RepoPath(unchecked: inside)) }
    let isBeside = workTree.map { Self.path(path, below: $0) != nil } ?? false
    return .external(OutsidePath(path, recorded: isBeside ? relative(path, to: .root) : path))
  }

  /// Where a path of a record lies: one that is relative starts at the project's root.
  package func location(ofRecorded path: String) -> Location { location(of: path, in: .local(.root)) }

  /// As git names it; `nil` outside of the work tree.
  package func pathInWorkTree(_ location: Location) -> String? {
    switch location {
    case .local(let path): pathInWorkTree(path)
    case .external(let path): workTree.flatMap { Self.path(path.absolute, below: $0) }
    case .url: nil
    }
  }

  package func pathInWorkTree(_ path: RepoPath) -> String { prefix + path.text }

  /// Where a path of git's lies.
  package func location(inWorkTree path: String) -> Location {
    path.utf8.starts(with: prefix.utf8)
      ? .local(RepoPath(unchecked: String(decoding: path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)))
      : location(ofAbsolute: Self.normalized((workTree ?? root) + "/" + path))
  }

  /// The rest of `path` below `folder`, empty for the folder itself; `nil` outside of it.
  private static func path(_ path: String, below folder: String) -> String? {
    if path.hasSameBytes(as: folder) { return "" }
    let prefix = folder == "/" ? "/" : folder + "/"
    guard path.utf8.starts(with: prefix.utf8) else { return nil }
    return String(decoding: path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
  }

  package func absolute(_ path: RepoPath) -> String {
    path.isRoot ? root : (root == "/" ? "/" : root + "/") + path.text
  }

  package func absolute(_ location: Location) -> String? {
    switch location {
    case .local(let path): absolute(path)
    case .external(let path): path.absolute
    case .url: nil
    }
  }

  /// How an absolute path is reached from a folder of the project.
  package func relative(_ absolute: String, to folder: RepoPath) -> String {
    let from = RepoPath(unchecked: String(self.absolute(folder).drop { $0 == "/" }))
    return RepoPath(unchecked: String(absolute.drop { $0 == "/" })).relative(to: from)
  }

  /// Python's `normpath` of an absolute path.
  package static func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }
}
