// What a directory holds, file by file. Its bytes are CairnFormats', its MD5 CairnStore's.

/// The files below a directory, empty folders left out, ordered by the bytes of their paths.
package struct DirectoryManifest: Hashable, Sendable {
  package struct Entry: Hashable, Sendable {
    /// Relative to the directory, `/`-separated (`FileName` says how odd bytes are held).
    package var path: String
    package var md5: Digest16
    /// `nil` where only a `.dir` object is known, which has no sizes.
    package var size: UInt64?
    package var sha256: Digest32?
    /// `nil` where unknown (read from a `.dir` object without it).
    package var isExecutable: Bool?

    package init(path: String, md5: Digest16, size: UInt64? = nil, sha256: Digest32? = nil, isExecutable: Bool? = nil) {
      self.path = path
      self.md5 = md5
      self.size = size
      self.sha256 = sha256
      self.isExecutable = isExecutable
    }
  }

  package private(set) var entries: [Entry]

  /// Sorts `entries` by the bytes of their paths.
  package init(_ entries: [Entry]) {
    self.entries = entries.sorted { $0.path.precedesInBytes($1.path) }
  }

  /// Whether a path, as somebody wrote it, is one of a file in the folder: no `..`, no way from the root, no empty name.
  package static func staysInside(_ path: String) -> Bool {
    var length = 0
    var dots = 0
    for byte in path.utf8 {
      if byte == UInt8(ascii: "/") {
        if length == 0 || dots == length && length < 3 { return false }
        (length, dots) = (0, 0)
      } else {
        if byte == 0 { return false }
        length += 1
        if byte == UInt8(ascii: ".") { dots += 1 }
      }
    }
    return length > 0 && !(dots == length && length < 3)
  }

  /// What lies at `path` in it.
  package func entry(at path: String) -> Entry? {
    let index = firstIndex { !$0.precedesInBytes(path) }
    return index < entries.count && entries[index].path.hasSameBytes(as: path) ? entries[index] : nil
  }

  /// What lies in the folder at `path` in it.
  package func entries(below path: String) -> ArraySlice<Entry> {
    let prefix = path + "/"
    let start = firstIndex { !$0.precedesInBytes(prefix) }
    let end = firstIndex { !$0.precedesInBytes(prefix) && !$0.utf8.starts(with: prefix.utf8) }
    return entries[start..<end]
  }

  /// The MD5 of each file, by its path in it.
  package var digests: [RepoPath: Digest16] {
    Dictionary(entries.map { (RepoPath(unchecked: $0.path), $0.md5) }, uniquingKeysWith: { $1 })
  }

  /// The first whose path `isBehind`, as are all after it.
  private func firstIndex(where isBehind: (String) -> Bool) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if isBehind(entries[middle].path) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
