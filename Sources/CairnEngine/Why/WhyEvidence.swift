// What can be told of a cause beyond "changed": where it stands, who committed it, how many lines or files differ.
// Reads git, the cache and the records; changes nothing.
package import CairnCore
import CairnFormats
import CairnLineage
import CairnStore
package import CairnSystem
import Synchronization

package final class WhyEvidence: CauseEvidence {
  /// Files beyond this are told by their sizes.
  private static let lineLimit = 256 << 20
  /// So many commits are looked through for the old version of a file.
  private static let commitLimit = 50
  /// So many places and differences are looked up: each is a question to git.
  private static let budget = 200

  private struct Key: Hashable {
    var path: String
    var was: String
  }

  private let workspace: Workspace
  private let values: CommittedValues
  private let spent = Mutex(0)
  private let counted = Mutex<[Key: LineCounts?]>([:])
  private let compared = Mutex<[Key: FolderDifferences?]>([:])

  package init(_ workspace: Workspace, _ values: CommittedValues) {
    self.workspace = workspace
    self.values = values
  }

  private func isAffordable() -> Bool {
    spent.withLock { spent in
      spent += 1
      return spent <= Self.budget
    }
  }

  // MARK: Where

  /// Where the cause stands now; `nil` where no file shows it.
  package func place(of reason: Reason, _ subject: Explanation.Subject) -> CausePlace? {
    switch reason.kind {
    case .parameterChanged, .parameterAdded, .parameterMissing, .commandChanged:
      return subject.value.flatMap { place(of: $0, reason) }
    case .dependencyMissing:
      // What a stage makes, and data, is nothing to commit.
      guard isAffordable(), let location = subject.location, subject.producer == nil else { return nil }
      let origin = values.removal(of: location)
      if case .unknown = origin { return nil }
      return place(location, line: nil, origin)
    case .dependencyChanged, .dependencyAdded:
      guard let location = subject.location else { return nil }
      return place(reason, subject, location)
    case .outputChanged:
      // What a stage makes is nothing to commit.
      return subject.location.flatMap { place($0, line: nil, .unknown) }
    default: return nil
    }
  }

  private func place(of value: ValuePlace, _ reason: Reason) -> CausePlace? {
    guard isAffordable() else { return nil }
    let line = values.current(value).flatMap { DifferingLine.of($0, reason) }
    return place(value.file, line: line, values.origin(of: value))
  }

  private func place(_ reason: Reason, _ subject: Explanation.Subject, _ location: Location) -> CausePlace? {
    guard isAffordable() else { return nil }
    return place(location, line: nil, origin(of: location, reason, subject))
  }

  /// `nil` for a file of another machine.
  private func place(_ file: Location, line: Int?, _ origin: CommittedValues.Origin) -> CausePlace? {
    guard let path = values.search.paths.absolute(file) else { return nil }
    var place = CausePlace(file: file.recordPath, line: line)
    switch origin {
    case .commit(let commit):
      place.commit = commit
      place.isDirty = false
      place.date = commit.date
      return place
    case .uncommitted: place.isDirty = true
    case .unknown: break
    }
    place.date = ((try? FileStat.of(path)) ?? nil)?.modified
    return place
  }

  /// Who brought the file as it is now: of data, its `.dvc` file tells.
  private func origin(of file: Location, _ reason: Reason, _ subject: Explanation.Subject) -> CommittedValues.Origin {
    guard let content = subject.content, let hash = content.hash else { return .unknown }
    for stage in workspace.project.pipeline.stages where stage.kind == .tracked {
      for (index, output) in stage.outputs.enumerated() {
        guard file.isInside(output.location) else { continue }
        // Of a part of it the `.dvc` file does not say when it changed.
        guard file == output.location else { return .unknown }
        guard stage.trackedLock?.out(output.declared)?.contentHash == hash else { return .uncommitted }
        return values.origin(
          of: ValuePlace(.local(stage.address.file), steps: ["outs", String(index), "md5"]))
      }
    }
    // A part of what a stage makes is nothing to commit, and nor is what the cache has: dvc.lock tells of that.
    let isMade = workspace.project.pipeline.stages.contains { stage in
      stage.kind == .pipeline
        && stage.outputs.contains { output in
          file == output.location ? output.isCached && subject.isAsLocked : file.isInside(output.location)
        }
    }
    if isMade { return .unknown }
    switch content {
    case .file: return values.origin(ofFile: file, hash: hash)
    case .directory:
      // What it held tells which of its files count.
      guard let differing = differing(reason, subject) else { return .unknown }
      // What stages make in it is nothing to commit.
      let paths = workspace.repository.paths
      let isMadeInside = differing.keys.contains { name in
        let part = paths.location(of: name, in: file)
        return workspace.project.pipeline.stages.contains { stage in
          stage.kind == .pipeline && stage.outputs.contains { part.isInside($0.location) }
        }
      }
      if isMadeInside { return .unknown }
      return values.origin(ofFolder: file, differing: differing)
    default: return .unknown
    }
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
    // Of a link git would compare where it leads.
    guard let path = values.search.paths.absolute(location), let now = (try? Files.realPath(path)) ?? nil
    else { return nil }
    let store = workspace.cache.store(for: hash)
    if (try? store.contains(hash)) ?? false {
      return (try? GitRepository.lineCounts(from: store.path(of: hash), to: now)) ?? nil
    }
    guard let bytes = committedBytes(location, hash, run: run) else { return nil }
    let old = (Environment.value("TMPDIR") ?? "/tmp") + "/cairn-why-" + Identifier.ulid()
    do throws(Diagnostic) {
      try Files.write(bytes, to: old, mode: 0o600)
    } catch { return nil }
    defer { _ = try? Files.remove(old) }
    return (try? GitRepository.lineCounts(from: old, to: now)) ?? nil
  }

  /// The version of a file in git that has this hash: in the commit of the run, HEAD, or the newest that changed it.
  private func committedBytes(_ location: Location, _ hash: ContentHash, run: RunID?) -> [UInt8]? {
    guard let git = workspace.git, let objects = values.search.objects,
      let path = values.search.pathInWorkTree(location)
    else { return nil }
    var commits: [String] = []
    if let run, let commit = ((try? workspace.records.record(run)) ?? nil)?.source.commit { commits.append(commit) }
    commits.append("HEAD")
    func find(_ commits: [String]) -> [UInt8]? {
      for commit in commits {
        guard let bytes = (try? objects.show(commit, path)) ?? nil else { continue }
        let digests = ContentHasher.digests(of: bytes, DigestKinds(hash.algorithm, sha256: false))
        if digests[hash.algorithm] == hash.digest { return bytes }
      }
      return nil
    }
    return find(commits) ?? find((try? git.commits(of: path, limit: Self.commitLimit)) ?? [])
  }

  /// Files of a folder that came, went or changed since the lock's version, where that can still be found.
  package func files(_ reason: Reason, _ subject: Explanation.Subject) -> FileCounts? {
    differences(reason, subject).map { FileCounts(added: $0.added.count, removed: $0.removed.count, changed: $0.changed.count) }
  }

  private func differing(_ reason: Reason, _ subject: Explanation.Subject) -> [String: ContentHash?]? {
    guard let found = differences(reason, subject), case .directory(let now)? = subject.content else { return nil }
    var files: [String: ContentHash?] = [:]
    let names = Set((found.added + found.changed).map { RepoPath(unchecked: $0) })
    for entry in now.manifest.entries where names.contains(RepoPath(unchecked: entry.path)) {
      files.updateValue(ContentHash(now.hash.algorithm, entry.md5), forKey: entry.path)
    }
    for name in found.removed { files.updateValue(nil, forKey: name) }
    return files
  }

  private func differences(_ reason: Reason, _ subject: Explanation.Subject) -> FolderDifferences? {
    guard reason.kind == .dependencyChanged || reason.kind == .outputChanged, let hash = subject.lockedHash,
      hash.isDirectory, case .directory(let now)? = subject.content, let location = subject.location
    else { return nil }
    let key = Key(path: location.recordPath, was: hash.text)
    if let known = compared.withLock({ $0[key] }) { return known }
    guard isAffordable() else { return nil }
    let versions = FolderVersions(workspace: workspace, search: values.search)
    let found = versions.manifest(hash, at: location, run: subject.run).map { FolderDifferences($0, now.manifest) }
    compared.withLock { $0[key] = .some(found) }
    return found
  }
}

/// The names of the files by which a folder differs from what it held.
private struct FolderDifferences {
  var added: [String] = []
  var removed: [String]
  var changed: [String] = []

  init(_ old: DirectoryManifest, _ now: DirectoryManifest) {
    var before: [RepoPath: Digest16] = [:]
    for entry in old.entries { before[RepoPath(unchecked: entry.path)] = entry.md5 }
    for entry in now.entries {
      switch before.removeValue(forKey: RepoPath(unchecked: entry.path)) {
      case nil: added.append(entry.path)
      case entry.md5?: break
      default: changed.append(entry.path)
      }
    }
    removed = before.keys.map(\.text)
  }
}
