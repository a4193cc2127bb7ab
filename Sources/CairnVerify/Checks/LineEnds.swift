// Whether what differs from the lock is line ends alone: the usual trouble of a team with Windows and Linux, where git
// converts on one machine what it leaves on the other, and DVC hashes what it finds on the disk.
import CairnCore
import CairnStore
import CairnSystem

/// The line ends with which a stage read its files.
enum LineEnds: String, CaseIterable {
  case crlf = "CRLF"
  case lf = "LF"

  private var other: LineEnds { self == .crlf ? .lf : .crlf }

  /// What to say instead of "was edited".
  ///
  /// - Parameter declared: the file or folder that differs.
  func message(_ declared: String) -> String {
    "\(declared) differs in its line ends alone: the stage ran with \(rawValue), and a checkout gives \(other.rawValue)"
  }

  /// - Parameter rerun: what makes the lock anew.
  func hint(_ rerun: String) -> String {
    "let every checkout have the same bytes, with `* text=auto eol=lf` in .gitattributes; then \(rerun)"
  }

  /// What the MD5 of a file, or of a folder's list, would be with each kind of line ends; empty when it is not known.
  ///
  /// - Parameter files: with their names in the folder; of a single file it does not matter.
  static func digests(
    _ files: [(name: String, path: RepoPath)], isFolder: Bool, in source: some SourceTree
  ) -> [LineEnds: Digest16] {
    guard files.count <= mostFiles else { return [:] }
    var entries: [LineEnds: [DirectoryManifest.Entry]] = [:]
    var size = 0
    for (name, path) in files {
      guard let bytes = (try? source.bytes(path)) ?? nil else { return [:] }
      size += bytes.count
      guard size <= mostBytes else { return [:] }
      for ends in allCases {
        entries[ends, default: []].append(.init(path: name, md5: ContentHasher.md5(of: ends.converted(bytes))))
      }
    }
    return entries.compactMapValues { isFolder ? DependencyChecks.digest($0) : $0.first?.md5 }
  }

  /// The same for a folder; empty where it holds more than git's files.
  static func digests(of plan: FolderPlan, in source: some SourceTree) -> [LineEnds: Digest16] {
    var files: [(name: String, path: RepoPath)] = []
    for (name, member) in plan.members {
      guard case .file(let path) = member else { return [:] }
      files.append((name, path))
    }
    return digests(files, isFolder: true, in: source)
  }

  /// A verdict does not hang on it: it only finds the better words.
  private static let mostFiles = 2000
  private static let mostBytes = 64 << 20

  /// Files with zeros are left as they are, as git leaves them.
  private func converted(_ bytes: [UInt8]) -> [UInt8] {
    if bytes.contains(0) { return bytes }
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 16)
    var previous: UInt8 = 0
    for byte in bytes {
      if byte == 0x0A {
        if previous == 0x0D { result.removeLast() }
        if self == .crlf { result.append(0x0D) }
      }
      result.append(byte)
      previous = byte
    }
    return result
  }
}
