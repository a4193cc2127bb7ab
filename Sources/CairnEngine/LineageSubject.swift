// What a word on the command line asks the lineage of: a version of a path, all places of a hash, or a run.
// Knows locks, work tree and index; knows nothing of how lineage is walked.
package import CairnCore
import CairnFormats
package import CairnLineage
import CairnStore
import CairnSystem

package struct LineageSubject: Sendable {
  package enum What: Sendable {
    case run(RunID)
    /// With the run behind the lock entry and the origin, where they are known.
    case artifacts([LineageArtifact], producer: RunID?, origin: RunRecord.Origin?)
  }
  package var what: What
  /// What deserves to be said beside the answer.
  package var notes: [String] = []

  /// Asked for `models:/NAME/VERSION`. Throws when there is no such version, or nobody to ask.
  package typealias ModelLookup = (_ word: String) throws(Diagnostic) -> RegisteredModel

  /// - Parameters:
  ///   - tracked: of the work tree, where they are known; `nil`: they are read where they are asked for.
  ///   - model: `nil`: no registry is known here.
  package static func find(
    _ word: String, rev: String?, isDown: Bool, _ repository: Repository, _ folders: CachedFolders,
    _ index: LineageIndex, tracked: TrackedPaths? = nil, model lookUp: ModelLookup? = nil
  ) throws(Diagnostic) -> LineageSubject {
    let finder = Finder(
      repository: repository, folders: folders, index: index, rev: rev, isDown: isDown, tracked: tracked)
    for (prefix, kind) in [("path:", Kind.path), ("md5:", .hash), ("sha256:", .hash), ("run:", .run)]
    where word.hasPrefix(prefix) {
      return try finder.find(String(word.dropFirst(prefix.utf8.count)), kind, said: word)
    }
    if word.hasPrefix("models:/") {
      guard let lookUp else {
        var diagnostic = Diagnostic(.usage, "'models:/' is not in this version")
        diagnostic.exitCode = 254
        throw diagnostic
      }
      return try finder.find(try lookUp(word))
    }
    return try finder.find(word)
  }

  /// Every version of a path that a run has read (`isDown`) or made.
  ///
  /// - Parameter locked: of runs without a record.
  package static func versions(
    of word: String, isDown: Bool, _ repository: Repository, _ index: LineageIndex, locked: [LockedWork] = []
  ) throws(Diagnostic) -> LineageSubject {
    let name = word.hasPrefix("path:") ? String(word.dropFirst(5)) : word
    let path = repository.paths.location(of: name, in: .local(repository.workingFolder ?? .root))
    let names = [path.recordPath, path.formerRecordPath].compactMap { $0 }
    var found = try index.artifacts(at: names, isDown ? .read : .written)
    for version in locked.flatMap({ isDown ? $0.read : $0.made })
    where version.md5 != nil && names.contains(where: { $0.hasSameBytes(as: version.path) }) {
      if !found.contains(where: { $0.md5 == version.md5 }) { found.append(version) }
    }
    if found.isEmpty {
      throw Diagnostic.noSubject("no run has \(isDown ? "read" : "made") any version of '\(name)'")
    }
    return LineageSubject(what: .artifacts(found, producer: nil, origin: nil))
  }

  enum Kind: String { case path, hash, run }
}

private struct Finder {
  let repository: Repository
  let folders: CachedFolders
  /// Where names of paths and stages start.
  var folder: RepoPath { repository.workingFolder ?? .root }
  let index: LineageIndex
  let rev: String?
  let isDown: Bool
  let tracked: TrackedPaths?

  typealias Kind = LineageSubject.Kind

  func find(_ word: String, _ kind: Kind, said: String) throws(Diagnostic) -> LineageSubject {
    switch kind {
    case .path:
      if let subject = try path(word) { return subject }
      throw Diagnostic.noSubject("nothing is known of the path '\(word)'")
    case .hash:
      if let subject = try hash(word) { return subject }
      throw Diagnostic.noSubject("no record has the hash '\(word)'")
    case .run: return LineageSubject(what: .run(try index.resolve(word, from: folder)))
    }
  }

  /// A word that says not what it is: an existing or tracked path wins.
  func find(_ word: String) throws(Diagnostic) -> LineageSubject {
    if let subject = try path(word) { return subject }
    var found: [(Kind, LineageSubject)] = []
    var runError: Diagnostic?
    do {
      if RunReference(word) != nil {
        found.append((.run, LineageSubject(what: .run(try index.resolve(word, from: folder)))))
      }
    } catch { runError = error }
    if let subject = try hash(word) { found.append((.hash, subject)) }
    if found.count > 1 {
      throw Diagnostic(.ambiguousSubject, "'\(word)' begins the name of a run and a file's hash")
        .hinting("say 'run:\(word)' or 'md5:\(word)'")
    }
    if let only = found.first { return only.1 }
    if let runError, runError.code != .noSuchRun || word.hasPrefix("@") { throw runError }
    if rev == nil, let subject = try revision(word) { return subject }
    let unknown = Diagnostic.noSubject("'\(word)' is no path, hash, run or revision that Cairn knows")
    // The name of a stage is none of them, but its newest run is near.
    if (try? index.resolve("@last:" + word, from: folder)) != nil {
      throw unknown.hinting("the newest run of that stage is '@last:\(word)'")
    }
    throw unknown
  }

  // MARK: Revisions

  /// All that a commit has locked.
  private func revision(_ word: String) throws(Diagnostic) -> LineageSubject? {
    guard let git = try GitRepository.find(from: repository.root), let commit = (try? git.revision(word)) ?? nil else { return nil }
    let locked = try TrackedPaths.inCommit(commit, git, repository).locked
    var artifacts: [LineageArtifact] = []
    for entry in locked {
      let found = subject(
        entry.path, entry.file?.hashText ?? "", entry.file?.size, origin: entry.origin, isInGit: false)
      if case .artifacts(let some, _, _) = found.what { artifacts += some.prefix(1) }
    }
    if artifacts.isEmpty { throw Diagnostic.noSubject("commit \(commit.prefix(7)) has nothing locked") }
    return LineageSubject(
      what: .artifacts(artifacts, producer: nil, origin: nil),
      notes: ["'\(word)' is commit \(commit.prefix(7)): this is what it has locked"])
  }

  // MARK: Models

  func find(_ model: RegisteredModel) throws(Diagnostic) -> LineageSubject {
    guard let md5 = model.md5 else { return LineageSubject(what: .run(model.run)) }
    var known = try index.artifacts(path: model.path, md5: md5)
    if known.isEmpty {
      known = [LineageArtifact(repository: repositoryName, path: model.path, md5: md5, sha256: nil, size: nil)]
    }
    return LineageSubject(what: .artifacts([known[0]], producer: model.run, origin: .init(.stage)))
  }

  // MARK: Hashes

  private func hash(_ word: String) throws(Diagnostic) -> LineageSubject? {
    let digits = word.hasSuffix(".dir") ? String(word.dropLast(4)) : word
    guard digits.utf8.count >= 4, digits.utf8.allSatisfy({ "0123456789abcdefABCDEF".utf8.contains($0) }) else { return nil }
    let artifacts = try index.artifacts(hashPrefix: digits)
    if artifacts.isEmpty { return try part(withHash: digits) }
    let hashes = Set(artifacts.map { $0.md5?.hasPrefix(digits.lowercased()) == true ? $0.md5 ?? "" : $0.contentHash })
    if hashes.count > 1 {
      throw Diagnostic(.ambiguousSubject, "'\(word)' begins \(hashes.count) hashes")
        .noting(hashes.sorted().prefix(20).joined(separator: "\n      ")).hinting("give more digits")
    }
    return LineageSubject(what: .artifacts(artifacts, producer: nil, origin: nil))
  }

  /// Files of folders that have this MD5: records name the folders alone.
  private func part(withHash digits: String) throws(Diagnostic) -> LineageSubject? {
    guard let md5 = Digest16(hex: digits.lowercased()) else { return nil }
    let tracked = try trackedPaths().locked.filter { $0.file?.hashText?.hasSuffix(".dir") ?? false }.map { entry in
      LineageArtifact(
        repository: repositoryName, path: entry.path.recordPath, md5: entry.file?.hashText, sha256: nil,
        size: entry.file?.size)
    }
    let parts = try index.parts(withHash: md5, in: tracked) { [folders] in folders.manifest($0) }
    return parts.isEmpty ? nil : LineageSubject(what: .artifacts(parts, producer: nil, origin: nil))
  }

  // MARK: Paths

  private func path(_ word: String) throws(Diagnostic) -> LineageSubject? {
    let path = repository.paths.location(of: word, in: .local(folder))
    guard path != .local(.root), !path.isURL else { return nil }
    if let rev { return try committed(path, rev) }
    let tracked = try trackedPaths()
    if let entry = tracked.at(path) { return try version(path, entry) }
    let newest = try newest(path)
    // Outside of the project what nobody has heard of is not looked at: it may be a whole disk.
    if path.local == nil, newest == nil, !tracked.parameterFiles.contains(path), tracked.around(path) == nil,
      try !isInGit(path)
    {
      return nil
    }
    if let content = try observe(path), let md5 = content.hash?.text {
      if try versions(path, md5).isEmpty, let entry = tracked.around(path) {
        var subject = try version(entry.path, entry)
        if subject.notes.isEmpty, try isMade(subject) {
          return self.subject(path, md5, content.size, origin: .init(.stage), isInGit: false)
        }
        // Of data the story behind it is that of the whole folder, and what it touched its own.
        if isDown, subject.notes.isEmpty, let part = part(path, of: entry) { return part }
        subject.notes.insert("'\(path)' is part of '\(entry.path)'", at: 0)
        return subject
      }
      let isInGit = try isInGit(path)
      var subject = subject(path, md5, content.size, origin: isInGit ? .init(.git) : nil, isInGit: isInGit)
      if isDown, newest == nil, tracked.parameterFiles.contains(path) {
        subject.notes.append("'\(path)' is read for its parameters: `cairn runs` shows with which values stages ran")
      }
      return subject
    }
    guard let newest else { return nil }
    return LineageSubject(
      what: .artifacts([newest], producer: nil, origin: nil),
      notes: ["'\(path)' is not here: this is its newest recorded version"])
  }

  /// A file of a folder, by what the cache knows of the folder; `nil` where that is nothing, or names no such file.
  private func part(_ path: Location, of entry: TrackedPaths.Entry) -> LineageSubject? {
    let paths = repository.paths
    guard let hash = entry.file?.hashText, let manifest = folders.manifest(hash),
      let file = manifest.entries.first(where: { paths.location(of: $0.path, in: entry.path) == path })
    else { return nil }
    return subject(path, file.md5.hex, file.size, origin: entry.origin, isInGit: false)
  }

  /// A run made it: then that is known of its parts, too.
  private func isMade(_ subject: LineageSubject) throws(Diagnostic) -> Bool {
    guard case .artifacts(let artifacts, _, _) = subject.what, let folder = artifacts.first else { return false }
    return try !index.generators(of: folder, limit: 1).isEmpty
  }

  /// A path that the lock or a `.dvc` file names: what lies there now, else what is locked.
  private func version(_ path: Location, _ entry: TrackedPaths.Entry) throws(Diagnostic) -> LineageSubject {
    let locked = entry.file?.hashText
    let content = try observe(path, lockedAs: entry.file?.contentHash)
    let md5 = content?.hash?.text ?? locked
    guard let md5 else {
      throw Diagnostic.noSubject("'\(path)' was never made: it has no hash, neither in the work tree nor in dvc.lock")
    }
    guard md5 == locked else {
      var subject = subject(path, md5, content?.size, origin: .init(.none), isInGit: false)
      subject.notes.append(try difference(path, md5, entry))
      return subject
    }
    var producer: RunID?
    if let work = entry.work { producer = try index.run(behind: work, of: entry.stage) }
    return subject(
      path, md5, content?.size ?? entry.file?.size, producer: producer, origin: entry.origin, isInGit: false)
  }

  /// What lies there is not what is locked: what is known of the reason.
  private func difference(_ path: Location, _ md5: String, _ entry: TrackedPaths.Entry) throws(Diagnostic) -> String {
    let isData = entry.stage.hasSuffix(".dvc")
    let lock = isData ? "'\(entry.stage)'" : "dvc.lock"
    if entry.file?.hashText == nil { return "nothing is locked for '\(path)': \(lock) has no hash of it" }
    // Data has no run that makes it: whoever read it saw it.
    let name = path.recordPath
    let recorded = try isData ? index.artifacts(path: name, md5: md5) : index.artifacts(at: [name], .written, md5: md5)
    return !recorded.isEmpty ? "\(lock) has another version of '\(path)'"
      : "'\(path)' is not the version that is locked: it was changed afterwards"
  }

  private func committed(_ path: Location, _ rev: String) throws(Diagnostic) -> LineageSubject? {
    guard let git = try GitRepository.find(from: repository.root) else {
      throw Diagnostic.noSubject("--rev needs git, and this project is not in a git repository")
    }
    guard let commit = try git.revision(rev) else { throw Diagnostic.noSubject("unknown Git revision '\(rev)'") }
    let tracked = try TrackedPaths.inCommit(commit, git, repository)
    if tracked.at(path) == nil, let entry = tracked.around(path), let part = part(path, of: entry) { return part }
    if let entry = tracked.at(path) ?? tracked.around(path), let hash = entry.file?.hashText {
      var producer: RunID?
      if let work = entry.work { producer = try index.run(behind: work, of: entry.stage) }
      var subject = subject(
        entry.path, hash, entry.file?.size, producer: producer, origin: entry.origin, isInGit: false)
      if entry.path != path { subject.notes.append("'\(path)' is part of '\(entry.path)'") }
      return subject
    }
    guard let name = repository.paths.pathInWorkTree(path), let bytes = try GitObjects(git).show(commit, name)
    else { return nil }
    return subject(
      path, ContentHasher.md5(of: bytes).hex, UInt64(bytes.count), origin: .init(.git), isInGit: true)
  }

  private func subject(
    _ path: Location, _ md5: String, _ size: UInt64?, producer: RunID? = nil, origin: RunRecord.Origin?, isInGit: Bool
  ) -> LineageSubject {
    let known = (try? versions(path, md5)) ?? []
    // Those that have its former name know other runs.
    var artifacts = [path.recordPath, path.formerRecordPath].compactMap { $0 }
      .compactMap { name in known.first { $0.path.hasSameBytes(as: name) } }
    if artifacts.isEmpty {
      artifacts = [
        LineageArtifact(repository: repositoryName, path: path.recordPath, md5: md5, sha256: nil, size: size)
      ]
    }
    return LineageSubject(what: .artifacts(artifacts, producer: producer, origin: origin))
  }

  /// What records know of this version of the path, by each of its names the newest first.
  private func versions(_ path: Location, _ md5: String) throws(Diagnostic) -> [LineageArtifact] {
    var found = try index.artifacts(path: path.recordPath, md5: md5)
    if let former = path.formerRecordPath { found += try index.artifacts(path: former, md5: md5) }
    return found
  }

  /// The newest version that records know.
  private func newest(_ path: Location) throws(Diagnostic) -> LineageArtifact? {
    if let newest = try index.artifacts(path: path.recordPath, limit: 1).first { return newest }
    return try path.formerRecordPath.flatMap { former throws(Diagnostic) in
      try index.artifacts(path: former, limit: 1).first
    }
  }

  /// As records have it.
  private var repositoryName: String {
    ((try? GitRepository.find(from: repository.root)) ?? nil).flatMap(History.name) ?? ""
  }

  private func isInGit(_ path: Location) throws(Diagnostic) -> Bool {
    guard let git = try GitRepository.find(from: repository.root), let name = repository.paths.pathInWorkTree(path),
      !name.isEmpty
    else { return false }
    return try git.isTracked(name)
  }

  private func trackedPaths() throws(Diagnostic) -> TrackedPaths {
    if let tracked { tracked } else { try TrackedPaths.inWorkTree(repository) }
  }

  /// - Parameter locked: where it is of DVC 2's kind and names what is there, text is hashed as it was, with its line
  ///   ends unified.
  private func observe(_ path: Location, lockedAs locked: ContentHash? = nil) throws(Diagnostic) -> Content? {
    guard let absolute = repository.paths.absolute(path), Files.exists(absolute) else { return nil }
    let state = StateIndex(
      path: Repository.join(repository.cairnFolder, "state"),
      isNetworkFileSystem: Machine.isNetworkFileSystem(repository.root))
    let snapshotter = Snapshotter(root: repository.root, index: state)
    func look(_ algorithm: ContentHash.Algorithm) -> Content {
      if let path = path.local { return snapshotter.observe(path, algorithm: algorithm) }
      return snapshotter.observe(external: absolute, algorithm: algorithm)
    }
    if let locked, locked.algorithm == .md5Dos2unix {
      let content = look(locked.algorithm)
      if content.hash == locked { return content }
    }
    let content = look(.md5)
    if case .unknown(let diagnostic) = content { throw diagnostic }
    return content
  }
}

extension Diagnostic.Code {
  package static let ambiguousSubject = Diagnostic.Code("ambiguous-subject")
  package static let noSubject = Diagnostic.Code("no-subject")
}

extension Diagnostic {
  fileprivate static func noSubject(_ words: String) -> Diagnostic { Diagnostic(.noSubject, words) }
}
