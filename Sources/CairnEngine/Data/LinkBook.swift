// Remembers what was put into the workspace from the cache, so that data which no stage names any more can go with
// its `.dvc` file when another commit is checked out. Losing the book leaves files behind, never takes one away.
package import CairnCore
internal import CairnStore
internal import CairnSystem

/// One line for each output, `HASH TAB PATH`; the last line of a path counts.
package struct LinkBook {
  private let repository: Repository
  private let cache: DataCache
  private let snapshotter: Snapshotter
  private let path: String
  /// What `dvc` put there is noted in its own book.
  private let dvc: DVCLinks

  package init(_ project: OpenProject) {
    self.init(project.repository, project.settings, cache: project.cache, snapshotter: project.snapshotter)
  }

  package init(_ workspace: Workspace) {
    self.init(workspace.repository, workspace.settings, cache: workspace.cache, snapshotter: workspace.snapshotter)
  }

  private init(_ repository: Repository, _ settings: Settings, cache: DataCache, snapshotter: Snapshotter) {
    self.repository = repository
    self.cache = cache
    self.snapshotter = snapshotter
    dvc = DVCLinks(
      root: repository.root, temporary: repository.temporaryFolder,
      sites: ConfigLevels.variable("DVC_SITE_CACHE_DIR") ?? settings.text("core", "site_cache_dir") ?? "/var/tmp/dvc")
    path = Repository.join(repository.cairnFolder, "links")
  }

  /// The outputs now hold these contents of the cache.
  package func record(_ links: [(path: RepoPath, hash: ContentHash)]) throws(Diagnostic) {
    if links.isEmpty { return }
    let known = read()
    let new = links.filter { known[$0.path] != $0.hash }
    if new.isEmpty { return }
    try write(contents() + new.flatMap { Self.line($0.path, $0.hash) })
  }

  /// Paths outside of `used` that still hold what was put there, and that the cache has.
  package func unused(besides used: Set<RepoPath>) throws(Diagnostic) -> [RepoPath] {
    var result: [RepoPath] = []
    let known = read()
    for (path, hash) in known where isUnused(path, besides: used) {
      guard snapshotter.observe(path, algorithm: hash.algorithm).hash == hash else { continue }
      if try cache.contains(hash) { result.append(path) }
    }
    for path in dvc.untouched() where known[path] == nil && isUnused(path, besides: used) {
      for algorithm in [ContentHash.Algorithm.md5, .md5Dos2unix] {
        guard let hash = snapshotter.observe(path, algorithm: algorithm).hash, try cache.contains(hash) else { continue }
        result.append(path)
        break
      }
    }
    return result.sorted()
  }

  private func isUnused(_ path: RepoPath, besides used: Set<RepoPath>) -> Bool {
    // Somebody's output, or a folder around one, is never taken away.
    Files.exists(repository.absolute(path)) && !used.contains(where: { $0.overlaps(path) })
  }

  /// What lies at exactly these paths was not put there from the cache.
  package func forget(_ paths: Set<RepoPath>) throws(Diagnostic) {
    if paths.isEmpty { return }
    let known = read()
    let kept = known.filter { !paths.contains($0.key) }
    if kept.count < known.count { try write(kept) }
  }

  /// What lies there is the user's own now, and so is a folder that holds it.
  package func forget(_ path: RepoPath) throws(Diagnostic) {
    let known = read()
    let kept = known.filter { !$0.key.overlaps(path) }
    if kept.count < known.count { try write(kept) }
  }

  /// Takes the paths out of the workspace and the book.
  package func remove(_ paths: [RepoPath]) throws(Diagnostic) {
    if paths.isEmpty { return }
    for path in paths { try Files.removeTree(repository.absolute(path)) }
    var known = read()
    for path in paths { known[path] = nil }
    try write(known)
  }

  /// What cannot be read is a book that is lost: files stay behind, and the next one is written anew.
  private func contents() -> [UInt8] { (try? Files.read(path)) ?? [] }

  private func write(_ known: [RepoPath: ContentHash]) throws(Diagnostic) {
    try write(known.sorted { $0.key < $1.key }.flatMap { Self.line($0.key, $0.value) })
  }

  private func write(_ bytes: [UInt8]) throws(Diagnostic) {
    if Files.isDirectory(path) { try Files.removeTree(path) }
    try AtomicFile.write(bytes, to: path, sync: false)
  }

  private static func line(_ path: RepoPath, _ hash: ContentHash) -> [UInt8] {
    let kind = hash.algorithm == .md5 ? "" : "dos2unix:"
    return Array("\(kind)\(hash.text)\t".utf8) + FileName.bytes(path.text) + [0x0A]
  }

  private func read() -> [RepoPath: ContentHash] {
    var result: [RepoPath: ContentHash] = [:]
    for line in contents().split(separator: 0x0A) {
      guard let tab = line.firstIndex(of: 0x09) else { continue }
      var text = String(decoding: line[..<tab], as: UTF8.self)
      let isLegacy = text.hasPrefix("dos2unix:")
      if isLegacy { text = String(text.dropFirst(9)) }
      guard let hash = ContentHash(text, algorithm: isLegacy ? .md5Dos2unix : .md5) else { continue }
      result[RepoPath(unchecked: FileName.escape(line[line.index(after: tab)...]))] = hash
    }
    return result
  }
}
