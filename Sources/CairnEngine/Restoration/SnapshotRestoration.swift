// The moment of a run in a folder of its own: code from git, data from the cache or a remote, every hash checked.
// Changes nothing of the project but that its cache may learn what the remote has.
package import CairnCore
import CairnFormats
package import CairnLineage
import CairnStore
import CairnSystem

package struct SnapshotRestoration: Sendable {
  private let repository: Repository
  private let git: GitRepository?
  private let cache: DataCache
  private let remotes: OpenRemotes
  private let records: RecordStore
  private let sources: SourceHistory
  /// `nil`: where the settings name none.
  private let remote: String?

  package init(_ repository: Repository, _ settings: Settings, _ records: RecordStore, remote: String?) throws(Diagnostic) {
    self.repository = repository
    git = try GitRepository.find(from: repository.root)
    cache = DataCache(folder: settings.cacheFolder, isShared: settings.isCacheShared)
    remotes = OpenRemotes(settings, repository)
    self.records = records
    self.remote = remote
    sources = SourceHistory(root: repository.root, store: records)
  }

  /// Restores into `folder`, which must not be there, or be empty. On an error nothing is left.
  ///
  /// - Parameters:
  ///   - withAncestors: also what the runs before it read, where its place is free.
  ///   - progress: told of each path before it is worked on.
  /// - Throws: where the folder is taken or cannot be written. What cannot be restored is in the manifest.
  package func restore(
    _ run: RunID, _ record: RunRecord, into folder: String, withAncestors: Bool, _ progress: (String) -> Void
  ) throws(Diagnostic) -> SnapshotManifest {
    if let entries = try Files.list(folder), !entries.isEmpty { throw .taken(folder) }
    if Files.exists(folder, followLinks: false), !Files.isDirectory(folder) { throw .taken(folder) }
    let slash = folder.utf8.lastIndex(of: UInt8(ascii: "/")) ?? folder.startIndex
    let parent = folder[..<slash].isEmpty ? "/" : String(folder[..<slash])
    try Files.makeDirectories(parent)
    let temporary = AtomicFile.temporaryName(in: parent)
    try Files.makeDirectories(temporary)
    do throws(Diagnostic) {
      var work = Work(top: temporary, manifest: manifest(run, record))
      try code(of: record, &work, progress)
      for input in record.inputs { try place(input, as: .input, nil, &work, progress) }
      for output in record.outputs { try place(output, &work, progress) }
      parameters(of: record, &work)
      if withAncestors { try ancestors(of: run, record, &work, progress) }
      try AtomicFile.write(
        JSONWriter.bytes(work.manifest.value, indent: 2, ensureASCII: false) + [0x0A],
        to: temporary + "/" + SnapshotManifest.fileName, sync: false)
      if Files.exists(folder) { _ = try Files.removeEmptyDirectory(folder) }
      try Files.rename(temporary, to: folder)
      return work.manifest
    } catch {
      _ = try? Files.removeTree(temporary)
      throw error
    }
  }

  private struct Work {
    /// The folder that stands for the top of the git work tree.
    var top: String
    var manifest: SnapshotManifest
    /// What lies where, by the recorded MD5: nothing is restored twice.
    var placed: [String: String] = [:]

    /// The folder that stands for the project's.
    var root: String { manifest.project == "." ? top : top + "/" + manifest.project }
  }

  private func manifest(_ run: RunID, _ record: RunRecord) -> SnapshotManifest {
    var project = "."
    if let git {
      let inside = Repository.relative(repository.root, to: git.workTree)
      if !inside.hasPrefix("..") { project = inside }
    }
    return SnapshotManifest(
      run: run, stage: record.stage.address, result: record.result, commit: record.source.commit,
      repository: record.source.repository, command: record.stage.cmd, project: project)
  }

  // MARK: Code

  private func code(of record: RunRecord, _ work: inout Work, _ progress: (String) -> Void) throws(Diagnostic) {
    var item = SnapshotItem(.code, ".")
    item.source = .git
    defer { work.manifest.items.append(item) }
    guard let commit = record.source.commit else {
      item.state = .unknown
      item.detail = "the record names no commit"
      return
    }
    item.detail = commit
    guard let git, try git.revision(commit) != nil else {
      item.detail = "the commit \(commit) is not in this clone: `git fetch` may bring it"
      return
    }
    progress("commit \(commit.prefix(10))")
    let index = work.top + ".index"
    defer { _ = try? Files.remove(index) }
    try git.export(commit, to: work.top, index: index)
    item.state = .restored
    try edits(of: record, on: commit, git, index: index, &work)
  }

  /// What was not committed when the run began.
  private func edits(
    of record: RunRecord, on commit: String, _ git: GitRepository, index: String, _ work: inout Work
  ) throws(Diagnostic) {
    if record.source.isDirty == nil {
      var item = SnapshotItem(.edit, ".", state: .unknown)
      item.detail = "git did not tell what differed from the commit"
      work.manifest.items.append(item)
    }
    if record.source.changed.isEmpty { return }
    var failure: (state: SnapshotItem.State, words: String)?
    if let patch = record.source.patch {
      do throws(Diagnostic) {
        if let bytes = try records.object(patch) {
          let file = work.top + ".patch"
          defer { _ = try? Files.remove(file) }
          try Files.write(bytes, to: file)
          try git.apply(patch: file, on: commit, to: work.top, index: index)
        } else if case .erased = try records.presence(of: patch) {
          failure = (.erased, "the patch was erased")
        } else {
          failure = (.missing, "the patch \(patch.hex.prefix(12)) is not in the store")
        }
      } catch where error.code == .recordAltered {
        failure = (.altered, error.message)
      } catch where error.code == .git {
        failure = (.missing, "the patch does not apply: \(error.fullMessage)")
      }
    } else if record.source.changed.keys.contains(where: { !SourceState.isSettings($0) }) {
      failure = (.missing, "what differed from the commit was too large to be kept")
    }
    for (path, sha256) in record.source.changed {
      var item = SnapshotItem(.edit, path)
      item.sha256 = sha256
      item.source = .patch
      let place = work.top + "/" + path
      let now = RepoPath(path) == nil ? nil : try digest(of: place)
      if now == sha256 {
        item.state = .restored
      } else if SourceState.isSettings(path) {
        (item.state, item.detail) = (.missing, "settings that were not committed are not kept: they may hold secrets")
      } else {
        (item.state, item.detail) = failure ?? (.altered, "after the patch it has other bytes than it had")
      }
      work.manifest.items.append(item)
    }
  }

  private func digest(of path: String) throws(Diagnostic) -> Digest32? {
    guard let stat = try FileStat.of(path), stat.kind == .file else { return nil }
    return try ContentHasher.digests(ofFile: path, DigestKinds(.md5, sha256: true))?.sha256
  }

  // MARK: Data

  private func place(
    _ input: RunRecord.Input, as kind: SnapshotItem.Kind, _ run: RunID?, _ work: inout Work, _ progress: (String) -> Void
  ) throws(Diagnostic) {
    var item = SnapshotItem(kind, input.path)
    item.run = run
    (item.md5, item.sha256, item.size) = (input.md5, input.sha256, input.size)
    try place(&item, &work, progress)
    work.manifest.items.append(item)
  }

  private func place(
    _ output: RunRecord.OutputPart, _ work: inout Work, _ progress: (String) -> Void
  ) throws(Diagnostic) {
    var item = SnapshotItem(.output, output.path)
    (item.md5, item.sha256, item.size) = (output.md5, output.sha256, output.size)
    try place(&item, &work, progress)
    work.manifest.items.append(item)
  }

  private func place(_ item: inout SnapshotItem, _ work: inout Work, _ progress: (String) -> Void) throws(Diagnostic) {
    guard let path = RepoPath(item.path), !path.isRoot, !item.path.contains("://") else {
      item.state = .unknown
      item.detail = "it lies outside of the project"
      return
    }
    guard let hash = item.md5.flatMap({ ContentHash($0) }) else {
      item.state = .unknown
      item.detail = "the record has no hash of it"
      return
    }
    progress(item.path)
    if let before = work.placed[item.path], before != item.md5 {
      item.detail = "another version of it is there: the run read and wrote it"
      return
    }
    let target = work.root + "/" + path.text
    // Git would run what its settings name.
    if path.components.contains(where: { $0.lowercased() == ".git" }) {
      item.state = .unknown
      item.detail = "it lies in git's own folder, where nothing is put"
      return
    }
    // A link of the commit may lead out of the folder.
    guard try isInside(target, work.top) else {
      item.state = .unknown
      item.detail = "it lies behind a link that leads out of the folder"
      return
    }
    work.placed[item.path] = item.md5
    // The commit may have brought it.
    if try isRight(target, hash, item.sha256) {
      item.source = .git
      item.state = .restored
      return
    }
    if path.components.contains(where: { $0 == ".dvc" || $0 == ".cairn" }) {
      item.state = .unknown
      item.detail = "it lies among the settings of the project, where only the commit puts something"
      return
    }
    if try isTaken(target) {
      item.state = .unknown
      item.detail = "a file is where its folder should be"
      return
    }
    if hash.isDirectory { return try folder(hash, at: target, &item) }
    try file(hash, at: target, &item)
  }

  /// What is there already of the way to the path; empty where there is nothing.
  private func nearest(above path: String) -> String {
    var folder = path
    repeat {
      guard let slash = folder.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
      folder = String(folder[..<slash])
    } while !Files.exists(folder, followLinks: false)
    return folder
  }

  private func isTaken(_ path: String) throws(Diagnostic) -> Bool { !Files.isDirectory(nearest(above: path)) }

  /// Whether the nearest folder that is there is in `top`, links followed.
  private func isInside(_ path: String, _ top: String) throws(Diagnostic) -> Bool {
    let folder = nearest(above: path)
    guard let real = try Files.realPath(folder), let realTop = try Files.realPath(top) else { return false }
    return real == realTop || real.hasPrefix(realTop + "/")
  }

  private func isRight(_ path: String, _ hash: ContentHash, _ sha256: Digest32?) throws(Diagnostic) -> Bool {
    guard !hash.isDirectory, let stat = try FileStat.of(path, followLinks: false), stat.kind == .file else { return false }
    return try holds(path, hash, sha256)
  }

  private func holds(_ path: String, _ hash: ContentHash, _ sha256: Digest32?) throws(Diagnostic) -> Bool {
    let found = try ContentHasher.digests(ofFile: path, DigestKinds(hash.algorithm, sha256: true))
    guard let found, found[hash.algorithm] == hash.digest else { return false }
    return sha256 == nil || found.sha256 == sha256
  }

  private func file(_ hash: ContentHash, at target: String, _ item: inout SnapshotItem) throws(Diagnostic) {
    guard let (found, from) = try find(hash, item.path, &item) else { return }
    try clear(target)
    switch found {
    case .file(let source): try copy(source, to: target)
    case .bytes(let bytes):
      try makeFolder(of: target)
      try Files.write(bytes, to: target)
    }
    guard try holds(target, hash, item.sha256) else {
      _ = try Files.remove(target)
      item.state = .altered
      item.detail = "what the \(from.rawValue) has is not what the run had"
      return
    }
    item.source = from
    item.state = .restored
  }

  private func makeFolder(of target: String) throws(Diagnostic) {
    let slash = target.utf8.lastIndex(of: UInt8(ascii: "/")) ?? target.startIndex
    try Files.makeDirectories(String(target[..<slash]))
  }

  private func copy(_ source: String, to target: String) throws(Diagnostic) {
    try makeFolder(of: target)
    _ = try FileLink.make(.copy, from: source, to: target)
  }

  private func clear(_ target: String) throws(Diagnostic) {
    guard let stat = try FileStat.of(target, followLinks: false) else { return }
    if stat.kind == .directory { _ = try Files.removeTree(target) } else { _ = try Files.remove(target) }
  }

  private func folder(_ hash: ContentHash, at target: String, _ item: inout SnapshotItem) throws(Diagnostic) {
    var altered: Set<ContentHash> = []
    guard try bring(hash, &item, altered: &altered) else { return }
    guard let manifest = try cache.store(for: hash).manifest(hash) else {
      item.state = .missing
      item.detail = "the list of its files is nowhere"
      return
    }
    try clear(target)
    try Files.makeDirectories(target)
    var wrong: [String] = []
    var alteredFiles = 0
    for entry in manifest.entries {
      guard let inside = RepoPath(entry.path), !inside.isRoot else {
        wrong.append(entry.path)
        continue
      }
      let part = ContentHash(hash.algorithm, entry.md5)
      let source = cache.store(for: part).path(of: part)
      guard try FileStat.of(source) != nil else {
        wrong.append(entry.path)
        if altered.contains(part) { alteredFiles += 1 }
        continue
      }
      let place = target + "/" + inside.text
      try copy(source, to: place)
      if try !holds(place, part, nil) {
        _ = try Files.remove(place)
        wrong.append(entry.path)
        alteredFiles += 1
      }
    }
    if wrong.isEmpty {
      item.state = .restored
      if item.source == nil { item.source = .cache }
    } else {
      let isAllAltered = alteredFiles == wrong.count
      item.state = isAllAltered ? .altered : .missing
      item.detail =
        "\(wrong.count) of its \(manifest.entries.count) files "
        + Self.words(of: wrong.count, altered: alteredFiles) + ": "
        + wrong.prefix(3).joined(separator: ", ") + (wrong.count > 3 ? " …" : "")
    }
  }

  private static func words(of count: Int, altered: Int) -> String {
    if altered == count { return count == 1 ? "has other bytes than it had" : "have other bytes than they had" }
    return (count == 1 ? "is" : "are") + (altered > 0 ? " missing or altered" : " missing")
  }

  private enum Found {
    case file(String)
    case bytes([UInt8])
  }

  /// These bytes, and where they are from.
  private func find(
    _ hash: ContentHash, _ path: String, _ item: inout SnapshotItem
  ) throws(Diagnostic) -> (Found, SnapshotItem.Source)? {
    var altered: Set<ContentHash> = []
    if try bring(hash, &item, altered: &altered) {
      let source = cache.store(for: hash).path(of: hash)
      return (.file(source), item.source ?? .cache)
    }
    // What no cache keeps may stand in the workspace still, or in another commit.
    let here = repository.root + "/" + path
    if try isRight(here, hash, item.sha256) { return (.file(here), .workspace) }
    return committed(path, hash).map { (.bytes($0), .git) }
  }

  /// A version of the file that a commit has.
  private func committed(_ path: String, _ hash: ContentHash) -> [UInt8]? {
    let location = repository.paths.location(ofRecorded: path)
    for entry in sources.search.history(of: location) {
      guard let bytes = (try? sources.search.bytes(location, at: entry.commit)) ?? nil else { continue }
      if ContentHasher.digests(of: bytes, DigestKinds(hash.algorithm, sha256: false))[hash.algorithm] == hash.digest { return bytes }
    }
    return nil
  }

  /// Whether the cache has it, from the remote where it had not; of a folder its list.
  ///
  /// - Parameter altered: what the remote has with other bytes.
  private func bring(
    _ hash: ContentHash, _ item: inout SnapshotItem, altered: inout Set<ContentHash>
  ) throws(Diagnostic) -> Bool {
    let isAltered = if case .corrupt = try cache.store(for: hash).check(hash) { true } else { false }
    let isHere = try cache.contains(hash)
    if isHere, !hash.isDirectory { return true }
    if isHere, let manifest = try cache.store(for: hash).manifest(hash), try cache.missing(of: manifest, hash.algorithm).isEmpty {
      return true
    }
    guard let name = remotes.name(remote) else {
      item.detail = "it is not in the cache, and there is no remote"
      return isHere
    }
    do throws(Diagnostic) {
      let objects = RemoteObjects(try remotes.storage(name, command: "fetch"))
      let lacking = try objects.lacking(afterBringing: hash, into: cache)
      altered = Set(lacking.filter(\.isAltered).map(\.hash))
      let missing = lacking.map(\.hash)
      if altered.contains(hash) {
        item.state = .altered
        item.detail = "'\(objects.name(of: hash))' has other bytes than its name says, and the cache does not have it"
        return false
      }
      if missing.contains(hash), isAltered {
        item.state = .altered
        item.detail = "the cache had other bytes under its name, and the remote '\(name)' does not have it"
        return false
      }
      if missing.contains(hash) {
        item.detail = "it is neither in the cache nor on the remote '\(name)'"
        return false
      }
      item.source = .remote
      return true
    } catch {
      item.detail = error.fullMessage
      item.state = .unknown
      return isHere
    }
  }

  // MARK: Parameters

  /// The declared values, held against the files that were restored.
  private func parameters(of record: RunRecord, _ work: inout Work) {
    for (file, values) in record.params {
      var item = SnapshotItem(.parameters, file)
      defer { work.manifest.items.append(item) }
      guard let path = RepoPath(file), let bytes = (try? Files.read(plain: work.root + "/" + path.text)) ?? nil,
        let document = try? ParameterFile.parse(SourceText(path: file, bytes: bytes)).value
      else {
        item.detail = "the file is not there; the record has the values"
        continue
      }
      let wrong = values.filter { key, value in !(document.parameter(key)?.isEqualInPython(to: value) ?? false) }
      if wrong.isEmpty {
        item.state = .restored
        item.source = .git
      } else {
        item.state = .altered
        item.detail = "other values than the run had: " + wrong.keys.prefix(5).joined(separator: ", ")
      }
    }
  }

  // MARK: Before it

  private func ancestors(
    of run: RunID, _ record: RunRecord, _ work: inout Work, _ progress: (String) -> Void
  ) throws(Diagnostic) {
    var seen: Set<RunID> = [run]
    var waiting = record.inputs.compactMap(\.producer) + [record.restoredFrom, record.accepts].compactMap { $0 }
    var next = 0
    while next < waiting.count {
      let id = waiting[next]
      next += 1
      guard seen.insert(id).inserted else { continue }
      let found: RunRecord?
      do throws(Diagnostic) { found = try records.record(id) } catch {
        var item = SnapshotItem(.ancestor, "", state: .altered)
        (item.run, item.detail) = (id, error.fullMessage)
        work.manifest.items.append(item)
        continue
      }
      guard let found else {
        var item = SnapshotItem(.ancestor, "", state: .missing)
        (item.run, item.detail) = (id, "the record is not in the store: `cairn fetch` may bring it")
        work.manifest.items.append(item)
        continue
      }
      for input in found.inputs where input.origin.kind != .git {
        if work.placed[input.path] == input.md5, input.md5 != nil { continue }
        try place(input, as: .ancestor, id, &work, progress)
      }
      waiting += found.inputs.compactMap(\.producer) + [found.restoredFrom, found.accepts].compactMap { $0 }
    }
  }
}

extension Diagnostic {
  fileprivate static func taken(_ folder: String) -> Diagnostic {
    Diagnostic(.wouldLose, "'\(folder)' is there already, and not empty")
      .hinting("name a folder that does not exist: nothing is written over")
  }
}
