// Which artifacts lie inside which: a file of an output that is a folder, a folder that outputs lie in.
// Told by the recorded contents, never by the paths alone.
import CairnCore
import CairnFormats

/// Reads each folder's `cairn.dir/v1` document once; of one that no run has read or made, what the cache has.
struct FolderContents {
  private let index: LineageIndex
  private let cached: @Sendable (String) -> DirectoryManifest?
  private var files: [String: [RepoPath: Digest16]] = [:]
  private var ours: [String: Bool] = [:]

  /// - Parameter cached: the contents of a folder by its MD5 (`….dir`), where they are at hand.
  init(_ index: LineageIndex, cached: @escaping @Sendable (String) -> DirectoryManifest?) {
    self.index = index
    self.cached = cached
  }

  /// `part` lies below `folder`, and all of it has the same bytes there.
  mutating func holds(_ folder: LineageArtifact, _ part: LineageArtifact) throws(Diagnostic) -> Bool {
    let prefix = folder.path + "/"
    guard part.path.utf8.starts(with: prefix.utf8), try isSame(folder.repository, part.repository),
      let whole = try files(of: folder)
    else { return false }
    let place = RepoPath(unchecked: String(decoding: part.path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
    guard part.isFolder else { return part.md5.flatMap { Digest16(hex: $0) }.map { whole[place] == $0 } ?? false }
    guard let inside = try files(of: part), !inside.isEmpty else { return false }
    return inside.allSatisfy { whole[place.appending($0.key.text)] == $0.value }
  }

  /// Files of the folder that have these bytes.
  mutating func parts(of folder: LineageArtifact, md5: Digest16) throws(Diagnostic) -> [LineageArtifact] {
    let files = try files(of: folder) ?? [:]
    return files.filter { $0.value == md5 }.map { place, _ in
      LineageArtifact(
        repository: folder.repository, path: folder.path + "/" + place.text, md5: md5.hex, sha256: nil, size: nil)
    }.sorted { $0.path.precedesInBytes($1.path) }
  }

  /// One repository, perhaps by two addresses: ours may have been named otherwise when a record was made.
  private mutating func isSame(_ a: String, _ b: String) throws(Diagnostic) -> Bool {
    if a == b { return true }
    guard try isOurs(a) else { return false }
    return try isOurs(b)
  }

  private mutating func isOurs(_ repository: String) throws(Diagnostic) -> Bool {
    if let known = ours[repository] { return known }
    let isOurs = try index.isOurs(repository)
    ours[repository] = isOurs
    return isOurs
  }

  /// `nil` for what is no folder, or whose document is not here.
  private mutating func files(of folder: LineageArtifact) throws(Diagnostic) -> [RepoPath: Digest16]? {
    guard folder.isFolder, let md5 = folder.md5 else { return nil }
    let name = folder.sha256?.hex ?? md5
    if let known = files[name] { return known }
    // A document that is missing or altered tells nothing; `runs check` says so.
    let bytes = folder.sha256.flatMap { (try? index.store.document($0)) ?? nil }
    let manifest = bytes.flatMap { try? DirectoryDocument.decode($0) } ?? cached(md5)
    let found = manifest?.digests ?? [:]
    files[name] = found
    return found
  }
}

extension LineageArtifact {
  var isFolder: Bool { md5?.hasSuffix(".dir") ?? false }

  /// The folders around its path, the nearest first.
  var foldersAround: [String] {
    var folders: [String] = []
    var folder = RepoPath(unchecked: path).parent
    while !folder.isRoot {
      folders.append(folder.text)
      folder = folder.parent
    }
    return folders
  }
}
