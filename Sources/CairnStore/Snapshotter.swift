// Observes what lies at a path: its digests, size and fingerprint, files of a folder in parallel, through the state
// index. Knows nothing of caches, and changes nothing.
package import CairnCore
import CairnFormats
import CairnSystem
import Dispatch
import Glibc
import Synchronization

package struct Snapshotter: Sendable {
  /// The project's folder, absolute.
  package let root: String
  package let index: StateIndex
  let filter: any PathFilter
  /// Files that are not looked at again.
  package private(set) var seen: SeenFiles?

  package init(root: String, index: StateIndex, filter: any PathFilter = DefaultPathFilter()) {
    self.root = root
    self.index = index
    self.filter = filter
  }

  /// The same, which takes the files of one look at many paths as that look found them.
  package func trusting(_ seen: SeenFiles) -> Snapshotter {
    var trusting = self
    trusting.seen = seen
    return trusting
  }

  /// Where `path` lies on the disk.
  package func absolute(_ path: RepoPath) -> String { path.isRoot ? root : root + "/" + path.text }

  /// What is there now. Never throws: what could not be established is `.unknown`.
  ///
  /// A link is followed. Call `index.flush()` when done observing: digests then outlive the process.
  package func observe(
    _ path: RepoPath, sha256: Bool = false, algorithm: ContentHash.Algorithm = .md5
  ) -> Content {
    observe(Place(absolute: absolute(path), key: path.text, base: path), DigestKinds(algorithm, sha256: sha256))
  }

  /// The same for a path outside the project, absolute.
  package func observe(
    external path: String, sha256: Bool = false, algorithm: ContentHash.Algorithm = .md5
  ) -> Content {
    observe(Place(absolute: path, key: path, base: nil), DigestKinds(algorithm, sha256: sha256))
  }

  /// True when nothing tells of a change since `content` was observed at `path`: the same files with the same
  /// fingerprints. Reads no byte of them, except of those whose fingerprint cannot be trusted (racy ones).
  package func isUnchanged(_ content: Content, at path: RepoPath) -> Bool {
    isUnchanged(content, Place(absolute: absolute(path), key: path.text, base: path))
  }

  package func isUnchanged(_ content: Content, external path: String) -> Bool {
    isUnchanged(content, Place(absolute: path, key: path, base: nil))
  }

  // MARK: -

  /// A path in the three forms that are needed of it.
  struct Place: Sendable {
    var absolute: String
    /// Its name in the state index.
    var key: String
    /// `nil` outside the project.
    var base: RepoPath?

    func appending(_ name: String) -> Place {
      if name.isEmpty { return self }
      return Place(
        absolute: absolute + "/" + name, key: key.isEmpty ? name : key + "/" + name, base: base?.appending(name))
    }
  }

  func place(_ path: RepoPath) -> Place { Place(absolute: absolute(path), key: path.text, base: path) }

  /// - Parameter passesDanglingLinks: what leads nowhere inside a folder is as if it were not there.
  func observe(_ place: Place, _ kinds: DigestKinds, passesDanglingLinks: Bool = false) -> Content {
    do {
      return try look(place, kinds, passesDanglingLinks: passesDanglingLinks)
    } catch {
      return .unknown(error)
    }
  }

  private func look(_ place: Place, _ kinds: DigestKinds, passesDanglingLinks: Bool) throws(Diagnostic) -> Content {
    if let seen, let file = seen[place.key] {
      return .file(try content(place, file.fingerprint, kinds, isExecutable: file.mode & 0o111 != 0, seen.taken))
    }
    let observed = index.now()
    switch RawFile.stat(place.absolute, followLinks: true) {
    case .failure(let error) where error.code == ENOENT || error.code == ENOTDIR: return .missing
    case .failure(let error): throw .system(error.code, "look at it", place.absolute)
    case .success(let found) where found.isFile:
      return .file(try content(place, found.fingerprint, kinds, isExecutable: found.isExecutable, observed))
    case .success(let found) where found.isDirectory:
      let scan = try DirectoryScan(
        place.absolute, base: place.base, filter: filter, pass: passesDanglingLinks ? .deadLinks : .nothing)
      let all = try digests(of: scan.files, in: place, kinds, observed: observed)
      return .directory(try DirectoryContent(scan.files, all, kinds))
    case .success: throw .notAFile(place.absolute)
    }
  }

  private func content(
    _ place: Place, _ fingerprint: FileFingerprint, _ kinds: DigestKinds, isExecutable: Bool, _ observed: Nanoseconds
  ) throws(Diagnostic) -> FileContent {
    let digests = try digests(place, fingerprint, kinds, observed: observed, ReadBuffer())
    guard let file = FileContent(digests, kinds, fingerprint, isExecutable: isExecutable) else {
      throw .vanished(place.absolute)
    }
    return file
  }

  /// The digests of `files` in their order; known ones from the index, the others read by all processors.
  func digests(
    of files: [FoundFile], in place: Place, _ kinds: DigestKinds, observed: Nanoseconds
  ) throws(Diagnostic) -> [Digests] {
    try Parallel.map(files.count, makeTool: ReadBuffer.init) { number, buffer throws(Diagnostic) in
      let file = files[number]
      return try digests(place.appending(file.path), file.fingerprint, kinds, observed: observed, buffer)
    }
  }

  private func digests(
    _ place: Place, _ fingerprint: FileFingerprint, _ kinds: DigestKinds, observed: Nanoseconds,
    _ buffer: borrowing ReadBuffer
  ) throws(Diagnostic) -> Digests {
    if let known = index.digests(place.key, fingerprint, kinds) { return known }
    let descriptor = RawFile.open(place.absolute, O_RDONLY)
    if descriptor < 0 { throw .system(-descriptor, "open it", place.absolute) }
    defer { close(descriptor) }
    let digests = try ContentHasher.digests(
      of: descriptor, path: place.absolute, size: fingerprint.size, kinds, buffer)
    index.remember(place.key, fingerprint, digests, observed: observed)
    return digests
  }

  private func isUnchanged(_ content: Content, _ place: Place) -> Bool {
    let found = RawFile.stat(place.absolute, followLinks: true)
    switch content {
    case .unknown, .dataset: return false
    case .missing:
      guard case .failure(let error) = found else { return false }
      return error.code == ENOENT || error.code == ENOTDIR
    case .file(let file):
      guard case .success(let now) = found, now.isFile, now.isExecutable == file.isExecutable else { return false }
      return isSame(file.fingerprint, now.fingerprint, file.hash, place)
    case .directory(let directory):
      guard case .success(let now) = found, now.isDirectory,
        let scan = try? DirectoryScan(place.absolute, base: place.base, filter: filter),
        scan.files.count == directory.manifest.entries.count
      else { return false }
      return zip(zip(scan.files, directory.manifest.entries), directory.fingerprints).allSatisfy { pair, before in
        let (file, entry) = pair
        return file.path.hasSameBytes(as: entry.path) && (entry.isExecutable ?? file.isExecutable) == file.isExecutable
          && isSame(
            before, file.fingerprint, ContentHash(directory.hash.algorithm, entry.md5), place.appending(file.path))
      }
    }
  }

  private func isSame(
    _ before: FileFingerprint, _ now: FileFingerprint, _ hash: ContentHash, _ place: Place
  ) -> Bool {
    guard before == now else { return false }
    let kinds = DigestKinds(hash.algorithm, sha256: false)
    if let known = index.digests(place.key, now, kinds) { return known[hash.algorithm] == hash.digest }
    // Not known, or too young to be trusted: only the bytes can say.
    let observed = index.now()
    guard let digests = (try? ContentHasher.digests(ofFile: place.absolute, kinds)) ?? nil else { return false }
    index.remember(place.key, now, digests, observed: observed)
    return digests[hash.algorithm] == hash.digest
  }
}

extension FileContent {
  init?(_ digests: Digests, _ kinds: DigestKinds, _ fingerprint: FileFingerprint, isExecutable: Bool) {
    let algorithm: ContentHash.Algorithm = kinds.contains(.md5) ? .md5 : .md5Dos2unix
    guard let digest = digests[algorithm] else { return nil }
    self.init(
      hash: ContentHash(algorithm, digest), sha256: kinds.contains(.sha256) ? digests.sha256 : nil,
      size: fingerprint.size, isExecutable: isExecutable, fingerprint: fingerprint)
  }
}

extension DirectoryContent {
  /// `files` as a scan orders them, `digests` in the same order.
  init(_ files: [FoundFile], _ digests: [Digests], _ kinds: DigestKinds) throws(Diagnostic) {
    let algorithm: ContentHash.Algorithm = kinds.contains(.md5) ? .md5 : .md5Dos2unix
    var entries: [DirectoryManifest.Entry] = []
    entries.reserveCapacity(files.count)
    var size: UInt64 = 0
    for number in files.indices {
      let file = files[number]
      guard let md5 = digests[number][algorithm] else { throw .vanished(file.path) }
      entries.append(
        DirectoryManifest.Entry(
          path: file.path, md5: md5, size: file.fingerprint.size,
          sha256: kinds.contains(.sha256) ? digests[number].sha256 : nil, isExecutable: file.isExecutable))
      size += file.fingerprint.size
    }
    let manifest = DirectoryManifest(entries)
    self.init(
      hash: ContentHash(algorithm, ContentHasher.md5(of: ManifestJSON.encode(manifest)), isDirectory: true),
      sha256: kinds.contains(.sha256)
        ? DirectoryDocument.encode(manifest).map { ContentHasher.sha256(of: $0) } : nil,
      size: size, fileCount: entries.count, manifest: manifest, fingerprints: files.map(\.fingerprint))
  }
}

extension Diagnostic {
  static func vanished(_ path: String) -> Diagnostic { .system(ENOENT, "read it", path) }
}
