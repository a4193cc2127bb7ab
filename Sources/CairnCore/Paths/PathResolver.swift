// What a declared path means: inside the project, elsewhere on this machine, or on another. Works on text alone.

package struct PathResolver: Sendable {
  /// The project's absolute path, normalised.
  package let root: String

  package init(root: String) { self.root = root }

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
    case .external(let outside): return location(ofAbsolute: Self.normalized(outside + "/" + path))
    case .url(let url): return .url(url + "/" + path)
    }
  }

  /// `path` must be absolute and normalised.
  package func location(ofAbsolute path: String) -> Location {
    if path.hasSameBytes(as: root) { return .local(.root) }
    let prefix = root == "/" ? "/" : root + "/"
    if path.utf8.starts(with: prefix.utf8) {
      return .local(RepoPath(unchecked: String(path.utf8.dropFirst(prefix.utf8.count)) ?? ""))
    }
    return .external(path)
  }

  package func absolute(_ path: RepoPath) -> String {
    path.isRoot ? root : (root == "/" ? "/" : root + "/") + path.text
  }

  package func absolute(_ location: Location) -> String? {
    switch location {
    case .local(let path): absolute(path)
    case .external(let path): path
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
