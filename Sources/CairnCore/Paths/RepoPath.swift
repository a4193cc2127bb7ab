// Paths inside a project. Knows the text of a path; knows nothing of what is on the disk.

/// A normalised path relative to the project's root: `/`-separated, no `.` or `..`, never leaving the root;
/// the root itself is the empty text.
///
/// The text holds a file name's bytes exactly: names that are not UTF-8 are written with `FileName.escape`.
/// Two paths are equal when their bytes are (Swift's own text equality would join NFC and NFD names,
/// which are two files on Linux); they are ordered by their bytes.
package struct RepoPath: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let text: String

  package static let root = RepoPath(unchecked: "")

  /// `text` must be normalised already.
  package init(unchecked text: String) { self.text = text }

  /// Normalises `text` (relative to the root); `nil` when it leaves the root or is absolute.
  package init?(_ text: String) {
    guard let path = RepoPath.root.resolving(text) else { return nil }
    self = path
  }

  package static func == (a: RepoPath, b: RepoPath) -> Bool { a.text.hasSameBytes(as: b.text) }

  package func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }

  package static func < (a: RepoPath, b: RepoPath) -> Bool { a.text.precedesInBytes(b.text) }

  package var description: String { text.isEmpty ? "." : text }
  package var isRoot: Bool { text.isEmpty }

  package var components: [Substring] { text.isEmpty ? [] : text.split(separator: "/") }

  /// The last component; empty for the root.
  package var name: String {
    guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return text }
    return String(text[text.utf8.index(after: slash)...])
  }

  /// The folder that holds it; the root for a top-level name and for the root itself.
  package var parent: RepoPath {
    guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return .root }
    return RepoPath(unchecked: String(text[..<slash]))
  }

  /// Appends a normalised relative path (or a single name).
  package func appending(_ name: String) -> RepoPath {
    name.isEmpty ? self : RepoPath(unchecked: text.isEmpty ? name : text + "/" + name)
  }

  /// What `relative` means when read in this folder: `.`, `..` and doubled slashes resolved by their text alone.
  /// `nil` when it is absolute or leaves the root.
  package func resolving(_ relative: String) -> RepoPath? {
    if relative.utf8.first == UInt8(ascii: "/") { return nil }
    if Self.isNormal(relative) { return RepoPath(unchecked: isRoot ? relative : text + "/" + relative) }
    var parts = components
    for part in relative.split(separator: "/", omittingEmptySubsequences: true) where part != "." {
      if part == ".." {
        if parts.isEmpty { return nil }
        parts.removeLast()
      } else {
        parts.append(part)
      }
    }
    return RepoPath(unchecked: parts.joined(separator: "/"))
  }

  /// No component is empty, `.` or `..`: the common case, which needs no splitting.
  private static func isNormal(_ text: String) -> Bool {
    var (length, dots) = (0, 0)
    for byte in text.utf8 {
      if byte == UInt8(ascii: "/") {
        if length == dots, dots < 3 { return false }
        (length, dots) = (0, 0)
      } else {
        length += 1
        if byte == UInt8(ascii: ".") { dots += 1 }
      }
    }
    return length != dots || dots > 2
  }

  /// True for the folder itself and all below it.
  package func isInside(_ folder: RepoPath) -> Bool {
    if folder.isRoot { return true }
    let mine = text.utf8
    let theirs = folder.text.utf8
    if mine.count == theirs.count { return self == folder }
    return mine.count > theirs.count && mine.starts(with: theirs)
      && mine[mine.index(mine.startIndex, offsetBy: theirs.count)] == UInt8(ascii: "/")
  }

  /// One lies inside the other, or they are the same.
  package func overlaps(_ other: RepoPath) -> Bool { isInside(other) || other.isInside(self) }

  /// The text by which this path is reached from `folder`, with `..` where needed; `.` for the folder itself.
  package func relative(to folder: RepoPath) -> String {
    if folder.isRoot { return description }
    let mine = components
    let theirs = folder.components
    var shared = 0
    while shared < mine.count, shared < theirs.count, String(mine[shared]).hasSameBytes(as: String(theirs[shared])) {
      shared += 1
    }
    let steps = Array(repeating: "..", count: theirs.count - shared) + mine[shared...].map(String.init)
    return steps.isEmpty ? "." : steps.joined(separator: "/")
  }
}

extension String {
  /// Equal as bytes, not as Unicode compares.
  package func hasSameBytes(as other: String) -> Bool {
    // Over plain buffers, as below.
    let same = utf8.withContiguousStorageIfAvailable { mine in
      other.utf8.withContiguousStorageIfAvailable { mine.count == $0.count && mine.elementsEqual($0) }
    }
    return (same ?? nil) ?? utf8.elementsEqual(other.utf8)
  }

  /// Ordered as bytes.
  package func precedesInBytes(_ other: String) -> Bool {
    // Over plain buffers: three times as fast as over the texts' own iterators.
    let ordered = utf8.withContiguousStorageIfAvailable { mine in
      other.utf8.withContiguousStorageIfAvailable { mine.lexicographicallyPrecedes($0) }
    }
    return (ordered ?? nil) ?? utf8.lexicographicallyPrecedes(other.utf8)
  }
}
