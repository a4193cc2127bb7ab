// What can be told of a cause beyond "changed": where it stands, who committed it, how many lines or files differ.
// Reads git, the cache and the records; changes nothing.
package import CairnCore
import CairnFormats
import CairnLineage
import CairnStore
package import CairnSystem
import Synchronization

package final class WhyEvidence: Sendable {
  /// Files beyond this are told by their sizes.
  private static let lineLimit = 256 << 20
  /// So many commits are looked through for the old version of a file.
  private static let commitLimit = 50
  /// So many places and differences are looked up: each is a question to git.
  private static let budget = 200

  package struct Place: Sendable {
    package var file: String?
    package var line: Int?
    /// That of the value or file as it is now; `nil` when it is not committed.
    package var commit: GitCommit?
    /// `nil` without git, and where it cannot be told.
    package var isDirty: Bool?
    /// The commit's; of what is not committed, the file's.
    package var date: Nanoseconds?
  }

  package struct FileCounts: Sendable, Hashable {
    package var added = 0
    package var removed = 0
    package var changed = 0
  }

  private struct Key: Hashable {
    var path: String
    var was: String
  }

  private let workspace: Workspace
  private let values: CommittedValues
  private let objects: GitObjects?
  private let prefix: String
  private let spent = Mutex(0)
  private let counted = Mutex<[Key: LineCounts?]>([:])
  private let compared = Mutex<[Key: FileCounts?]>([:])

  package init(_ workspace: Workspace, _ values: CommittedValues) {
    self.workspace = workspace
    self.values = values
    objects = workspace.git.map(GitObjects.init)
    let inside = workspace.git.map { Repository.relative(workspace.repository.root, to: $0.workTree) } ?? "."
    prefix = inside == "." ? "" : inside + "/"
  }

  private func isAffordable() -> Bool {
    spent.withLock { spent in
      spent += 1
      return spent <= Self.budget
    }
  }

  // MARK: Where

  /// Where the cause stands now; `nil` where no file shows it.
  package func place(of reason: Reason, _ subject: Explanation.Subject) -> Place? {
    switch reason.kind {
    case .parameterChanged, .parameterAdded, .parameterMissing, .commandChanged:
      return subject.value.flatMap { place(of: $0, reason) }
    case .dependencyChanged, .dependencyAdded:
      guard let location = subject.location else { return nil }
      return place(file: location, content: subject.content)
    case .outputChanged:
      guard let path = subject.location?.local else { return nil }
      // What a stage makes is nothing to commit.
      let stat = (try? FileStat.of(workspace.repository.absolute(path))) ?? nil
      return Place(file: path.text, date: stat?.modified)
    default: return nil
    }
  }

  private func place(of value: ValuePlace, _ reason: Reason) -> Place? {
    guard isAffordable(), case .local(let path) = value.file else { return nil }
    let now = values.current(value)
    var place = Place(file: path.text, line: now.flatMap { DifferingLine.of($0, reason) })
    switch values.origin(of: value) {
    case .commit(let commit):
      place.commit = commit
      place.isDirty = false
      place.date = commit.date
      return place
    case .uncommitted: place.isDirty = true
    case .unknown: break
    }
    place.date = ((try? FileStat.of(workspace.repository.absolute(path))) ?? nil)?.modified
    return place
  }

  private func place(file: Location, content: Content?) -> Place? {
    guard isAffordable(), case .local(let path) = file else { return nil }
    var place = Place(file: path.text)
    let absolute = workspace.repository.absolute(path)
    place.date = ((try? FileStat.of(absolute)) ?? nil)?.modified
    guard let git = workspace.git else { return place }
    place.commit = commit(ofFile: path, content, git)
    place.isDirty = place.commit == nil
    if let commit = place.commit { place.date = commit.date }
    return place
  }

  /// The commit that brought the file as it is now: of data, the one of its `.dvc` file.
  private func commit(ofFile path: RepoPath, _ content: Content?, _ git: GitRepository) -> GitCommit? {
    let hash = content?.hash?.text
    for stage in workspace.project.pipeline.stages where stage.kind == .tracked {
      guard let output = stage.outputs.first(where: { $0.location == .local(path) }) else { continue }
      guard stage.trackedLock?.out(output.declared)?.hashText == hash else { return nil }
      return committed(stage.address.file, git)
    }
    return committed(path, git)
  }

  private func committed(_ path: RepoPath, _ git: GitRepository) -> GitCommit? {
    // Nothing in the work tree differs from HEAD there, and HEAD has it.
    guard let isTracked = try? git.isTracked(prefix + path.text), isTracked,
      let isChanged = try? git.isChanged(prefix + path.text), !isChanged
    else { return nil }
    return (try? git.lastCommit(of: prefix + path.text)) ?? nil
  }

  // MARK: How much

  /// Lines of a text file that came and went since the lock's version, where that can still be found.
  package func lines(_ reason: Reason, _ subject: Explanation.Subject) -> LineCounts? {
    guard reason.kind == .dependencyChanged || reason.kind == .outputChanged, let hash = subject.lockedHash,
      !hash.isDirectory, case .file(let file)? = subject.content, file.size <= Self.lineLimit,
      case .content(_, let oldSize)? = reason.was, (oldSize ?? 0) <= Self.lineLimit, let location = subject.location
    else { return nil }
    let key = Key(path: location.recordPath, was: hash.text)
    if let known = counted.withLock({ $0[key] }) { return known }
    guard isAffordable() else { return nil }
    let counts = count(location, hash, run: subject.run)
    counted.withLock { $0[key] = .some(counts) }
    return counts
  }

  private func count(_ location: Location, _ hash: ContentHash, run: RunID?) -> LineCounts? {
    let now: String
    switch location {
    case .local(let path): now = workspace.repository.absolute(path)
    case .external(let path): now = path
    case .url: return nil
    }
    let store = workspace.cache.store(for: hash)
    if (try? store.contains(hash)) ?? false {
      return (try? GitRepository.lineCounts(from: store.path(of: hash), to: now)) ?? nil
    }
    guard case .local(let path) = location, let bytes = committedBytes(path, hash, run: run) else { return nil }
    let old = (Environment.value("TMPDIR") ?? "/tmp") + "/cairn-why-" + Identifier.ulid()
    do throws(Diagnostic) {
      try Files.write(bytes, to: old, mode: 0o600)
    } catch { return nil }
    defer { _ = try? Files.remove(old) }
    return (try? GitRepository.lineCounts(from: old, to: now)) ?? nil
  }

  /// The version of a file in git that has this hash: in the commit of the run, HEAD, or the newest that changed it.
  private func committedBytes(_ path: RepoPath, _ hash: ContentHash, run: RunID?) -> [UInt8]? {
    guard let git = workspace.git, let objects else { return nil }
    var commits: [String] = []
    if let run, let commit = ((try? workspace.records.record(run)) ?? nil)?.source.commit { commits.append(commit) }
    commits.append("HEAD")
    func find(_ commits: [String]) -> [UInt8]? {
      for commit in commits {
        guard let bytes = (try? objects.show(commit, prefix + path.text)) ?? nil else { continue }
        let digests = ContentHasher.digests(of: bytes, DigestKinds(hash.algorithm, sha256: false))
        if digests[hash.algorithm] == hash.digest { return bytes }
      }
      return nil
    }
    return find(commits)
      ?? find((try? git.commits(of: prefix + path.text, limit: Self.commitLimit)) ?? [])
  }

  /// Files of a folder that came, went or changed since the lock's version, where that can still be found.
  package func files(_ reason: Reason, _ subject: Explanation.Subject) -> FileCounts? {
    guard reason.kind == .dependencyChanged || reason.kind == .outputChanged, let hash = subject.lockedHash,
      hash.isDirectory, case .directory(let now)? = subject.content, let location = subject.location
    else { return nil }
    let key = Key(path: location.recordPath, was: hash.text)
    if let known = compared.withLock({ $0[key] }) { return known }
    guard isAffordable() else { return nil }
    let versions = FolderVersions(workspace: workspace, objects: objects, prefix: prefix)
    let counts = versions.manifest(hash, at: location, run: subject.run).map { Self.compare($0, with: now.manifest) }
    compared.withLock { $0[key] = .some(counts) }
    return counts
  }

  private static func compare(_ old: DirectoryManifest, with now: DirectoryManifest) -> FileCounts {
    var counts = FileCounts()
    var before: [RepoPath: Digest16] = [:]
    for entry in old.entries { before[RepoPath(unchecked: entry.path)] = entry.md5 }
    for entry in now.entries {
      switch before.removeValue(forKey: RepoPath(unchecked: entry.path)) {
      case nil: counts.added += 1
      case entry.md5?: break
      default: counts.changed += 1
      }
    }
    counts.removed = before.count
    return counts
  }
}
