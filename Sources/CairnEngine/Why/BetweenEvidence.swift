// What git tells of a cause between two commits: where it stands in the later one, which commit after the earlier one
// brought it, how many lines or files differ. Reads git's objects alone.
package import CairnCore
import CairnFormats
import CairnStore
package import CairnSystem
import Synchronization

package final class BetweenEvidence: CauseEvidence {
  /// More bytes of a file, or of all files of a folder, are not hashed for an answer.
  private static let sizeLimit = 256 << 20
  private static let largeFile = 4 << 20
  /// So many places and differences are looked up: each is a question to git.
  private static let budget = 300

  private let from: CommittedProject
  private let to: CommittedProject
  private let values: CommittedValues
  private let formerValues: CommittedValues
  private let paths: PathResolver
  /// The commits that only the later one has in its history, and those that only the earlier one has.
  private let range = Mutex<Set<String>?>(nil)
  private let side = Mutex<Set<String>?>(nil)
  private let spent = Mutex(0)
  private let places = Mutex<[PlaceKey: CausePlace?]>([:])
  private let blobs = Mutex<[Key: Blob?]>([:])
  private let folders = Mutex<[Key: FolderVersion?]>([:])

  private struct Key: Hashable {
    var commit: String
    var location: Location
    var hash: ContentHash
  }
  private struct PlaceKey: Hashable {
    var kind: ReasonKind
    /// `nil` for what is the stage's own.
    var reason: Reason?
    var value: ValuePlace?
  }
  private struct Blob {
    var object: String
    var size: Int
  }
  /// The files of a folder as git has them, with the MD5 of what a checkout gives.
  private struct FolderVersion {
    var files: [RepoPath: (object: String, md5: Digest16)]
  }

  package init(_ query: BetweenCommits) {
    from = query.from
    to = query.to
    values = query.values
    formerValues = query.formerValues
    paths = PathResolver(root: to.repository.root, workTree: to.git.workTree)
  }

  private func isAffordable() -> Bool {
    spent.withLock { spent in
      spent += 1
      return spent <= Self.budget
    }
  }

  // MARK: Where

  package func place(of reason: Reason, _ subject: Explanation.Subject) -> CausePlace? {
    // Each is asked for at several places; the stages of a group have one declaration.
    let key = PlaceKey(
      kind: reason.kind, reason: reason.kind.isOfStage ? nil : reason,
      value: subject.value ?? subject.declaration?.place)
    if key.reason == nil, key.value == nil { return nil }
    if let known = places.withLock({ $0[key] }) { return known }
    guard isAffordable() else { return nil }
    let found = find(reason, subject)
    places.withLock { _ = $0.updateValue(found, forKey: key) }
    return found
  }

  private func find(_ reason: Reason, _ subject: Explanation.Subject) -> CausePlace? {
    switch reason.kind {
    case .neverRun: subject.declaration.map { declared($0, isThere: true) }
    case .commandChanged: subject.value.map { place($0, reason) }
    case .parameterChanged: subject.value.map { place($0, reason) }
    case .parameterAdded:
      // The value is new, or it was there and nobody had declared it.
      subject.value.map { place($0, reason) }.flatMap { $0.commit == nil ? nil : $0 }
        ?? subject.declaration.map { declared($0, isThere: true) }
    case .parameterMissing: subject.declaration.map { declared($0, isThere: false) }
    case .dependencyAdded where subject.former != nil: subject.location.flatMap(renaming)
    case .dependencyAdded, .outputAdded: subject.declaration.map { declared($0, isThere: true) }
    case .dependencyMissing, .outputMissing: subject.declaration.map { declared($0, isThere: false) }
    case .dependencyChanged: dependency(reason, subject)
    case .outputChanged: subject.value.map { place($0, reason) }
    default: nil
    }
  }

  /// A commit counts that the earlier one does not have.
  private func place(_ file: Location, line: Int?, _ commit: GitCommit?) -> CausePlace {
    var place = CausePlace(file: file.recordPath, line: line, isDirty: false)
    guard let commit, isInRange(commit.name) else { return place }
    place.commit = commit
    place.date = commit.date
    return place
  }

  /// One of the earlier commit's history that the later one's does not have.
  private func lacking(_ commit: GitCommit?) -> GitCommit? {
    guard let commit else { return nil }
    let isLacking = side.withLock { side in
      let known = side ?? (try? to.git.commits(of: from.revision, notIn: to.revision)) ?? []
      side = known
      return known.contains(commit.name)
    }
    return isLacking ? commit : nil
  }

  private func isInRange(_ commit: String) -> Bool {
    range.withLock { range in
      let known = range ?? (try? to.git.commits(of: to.revision, notIn: from.revision)) ?? []
      range = known
      return known.contains(commit)
    }
  }

  private func place(_ value: ValuePlace, _ reason: Reason) -> CausePlace {
    let current = values.current(value)
    // Where a whole entry is compared, there is no line of it that tells more than the first.
    let isEntry = value.steps.last.map { Int($0) != nil } ?? false
    let line = current.flatMap { isEntry ? $0.mark?.line : DifferingLine.of($0, reason) }
    guard let current, isEntry || isCommitted(current, reason) else { return place(value.file, line: line, nil) }
    var found = place(value.file, line: line, values.origin(of: value).commit)
    if found.commit != nil { return found }
    found.isOlder =
      reason.kind != .commandChanged
      && values.value(value, at: from.revision)?.isEqualInPython(to: current.value) ?? false
    if !found.isOlder { found.lacking = lacking(formerValues.origin(of: value).commit) }
    return found
  }

  /// What stands there is what the lock says: else the commit that brought it did not bring that about.
  private func isCommitted(_ current: MarkedValue, _ reason: Reason) -> Bool {
    switch (reason.kind, reason.now) {
    case (.commandChanged, _): return true
    case (_, .value(let now)?): return current.value.isEqualInPython(to: now)
    case (_, .content(let hash, _)?): return current.value.string?.hasSameBytes(as: hash) ?? false
    case (_, nil): return false
    }
  }

  private func declared(_ declaration: Declaration, isThere: Bool) -> CausePlace {
    let place = declaration.place
    let current = values.current(place)
    guard let name = declaration.name else {
      return self.place(place.file, line: current?.mark?.line, values.origin(of: place) { ($0 != nil) == isThere })
    }
    func names(_ value: Value?) -> Bool { value.map { Self.names($0, name) } ?? false }
    let item = current?.items?.first { Self.names($0.value, name) }
    let line = item?.mark?.line ?? current?.mark?.line
    if names(current?.value) == isThere {
      return self.place(place.file, line: isThere ? line : nil, values.origin(of: place) { names($0) == isThere })
    }
    // A template writes it otherwise: who changed the list may have changed anything in it.
    return self.place(place.file, line: line, nil)
  }

  /// Of a list, or of what it holds: a name as it is written, or a key of which `name` is a part.
  private static func names(_ value: Value, _ name: String) -> Bool {
    switch value {
    case .string(let text): text.hasSameBytes(as: name) || name.utf8.starts(with: (text + ".").utf8)
    case .list(let items): items.contains { names($0, name) }
    case .map(let map): map.contains { names($0.key, name) || names($0.value, name) }
    default: false
    }
  }

  private func dependency(_ reason: Reason, _ subject: Explanation.Subject) -> CausePlace? {
    guard let location = subject.location else { return nil }
    if let producer = subject.producer?.stage {
      let stage = to.project.pipeline[producer]
      // What a stage made: who committed the lock with it.
      guard stage.isPlainFile else { return subject.value.map { place($0, reason) } }
      return tracked(location, stage, reason)
    }
    guard let hash = subject.content?.hash else { return subject.value.map { place($0, reason) } }
    if hash.isDirectory {
      guard folder(location, to, hash) != nil, let newest = values.search.history(of: location).first else {
        return nil
      }
      return place(location, line: nil, values.search.commit(newest.commit, location))
    }
    guard blob(location, to, hash) != nil else { return place(location, line: nil, nil) }
    var found = place(location, line: nil, values.arrival(ofFile: location))
    if found.commit != nil { return found }
    found.isOlder = blob(location, from, hash) != nil
    if !found.isOlder { found.lacking = lacking(formerValues.arrival(ofFile: subject.former ?? location)) }
    return found
  }

  /// Of data its `.dvc` file tells.
  private func tracked(_ location: Location, _ stage: Stage, _ reason: Reason) -> CausePlace? {
    guard let index = stage.outputs.firstIndex(where: { location.isInside($0.location) }) else { return nil }
    let value = ValuePlace(.local(stage.address.file), steps: ["outs", String(index), "md5"])
    if location == stage.outputs[index].location { return place(value, reason) }
    // Of a part of it the `.dvc` file does not say when it changed, only when the whole did.
    let line = values.current(value)?.mark?.line
    return place(value.file, line: line, values.origin(of: value).commit)
  }

  /// The commit after the earlier one that gave a file its name.
  private func renaming(_ location: Location) -> CausePlace? {
    let entry = values.search.history(of: location).last { isInRange($0.commit) }
    return place(location, line: nil, entry.flatMap { values.search.commit($0.commit, location) })
  }

  // MARK: How much

  package func lines(_ reason: Reason, _ subject: Explanation.Subject) -> LineCounts? {
    guard reason.kind == .dependencyChanged, let was = subject.lockedHash, let now = subject.content?.hash,
      let location = subject.location
    else { return nil }
    let former = subject.former ?? location
    if !was.isDirectory, !now.isDirectory {
      guard let old = blob(former, from, was), let new = blob(location, to, now) else { return nil }
      return lines(old, new)
    }
    guard let old = folder(former, from, was)?.files, let new = folder(location, to, now)?.files else { return nil }
    var sum = LineCounts(added: 0, removed: 0)
    for name in Set(old.keys).union(new.keys) where old[name]?.object != new[name]?.object {
      // Of a file that came or went the lines are all its own, of a binary one there are none.
      guard let a = old[name], let b = new[name] else { continue }
      guard let counts = lines(Blob(object: a.object, size: 0), Blob(object: b.object, size: 0)) else { return nil }
      sum.added += counts.added
      sum.removed += counts.removed
    }
    return sum.added + sum.removed == 0 ? nil : sum
  }

  private func lines(_ old: Blob, _ new: Blob) -> LineCounts? {
    guard isAffordable() else { return nil }
    let isLarge = max(old.size, new.size) > Self.largeFile
    return (try? to.git.lineCounts(fromBlob: old.object, toBlob: new.object, isLarge: isLarge)) ?? nil
  }

  package func files(_ reason: Reason, _ subject: Explanation.Subject) -> FileCounts? {
    guard reason.kind == .dependencyChanged, let was = subject.lockedHash, let now = subject.content?.hash,
      was.isDirectory, now.isDirectory, let location = subject.location,
      let old = folder(subject.former ?? location, from, was)?.files, let new = folder(location, to, now)?.files
    else { return nil }
    var counts = FileCounts()
    for (name, file) in new {
      if let before = old[name] {
        if before.md5 != file.md5 { counts.changed += 1 }
      } else {
        counts.added += 1
      }
    }
    counts.removed = old.keys.count { new[$0] == nil }
    return counts
  }

  // MARK: What git has

  /// The blob of a file that a commit has, when a checkout of it has this hash; `nil` also where that cannot be told.
  private func blob(_ location: Location, _ commit: CommittedProject, _ hash: ContentHash) -> Blob? {
    let key = Key(commit: commit.revision, location: location, hash: hash)
    if let known = blobs.withLock({ $0[key] }) { return known }
    let found = findBlob(location, commit, hash)
    blobs.withLock { _ = $0.updateValue(found, forKey: key) }
    return found
  }

  private func findBlob(_ location: Location, _ commit: CommittedProject, _ hash: ContentHash) -> Blob? {
    guard isAffordable(), let path = paths.pathInWorkTree(location).map({ RepoPath(unchecked: $0) }),
      case .file(let file) = commit.tree.target(of: path), let entry = commit.tree.listing[file],
      let bytes = (try? commit.tree.read(file)) ?? nil, bytes.count <= Self.sizeLimit
    else { return nil }
    let digests = ContentHasher.digests(of: bytes, DigestKinds(hash.algorithm, sha256: false))
    return digests[hash.algorithm] == hash.digest ? Blob(object: entry.object, size: bytes.count) : nil
  }

  /// The files of a folder that a commit has, when they alone have this hash.
  private func folder(_ location: Location, _ commit: CommittedProject, _ hash: ContentHash) -> FolderVersion? {
    let key = Key(commit: commit.revision, location: location, hash: hash)
    if let known = folders.withLock({ $0[key] }) { return known }
    let found = findFolder(location, commit, hash)
    folders.withLock { _ = $0.updateValue(found, forKey: key) }
    return found
  }

  private func findFolder(_ location: Location, _ commit: CommittedProject, _ hash: ContentHash) -> FolderVersion? {
    guard isAffordable(), hash.algorithm == .md5,
      let path = paths.pathInWorkTree(location).map({ RepoPath(unchecked: $0) }),
      case .folder(let folder) = commit.tree.target(of: path)
    else { return nil }
    var names: [RepoPath] = []
    for file in commit.tree.listing.files(below: folder) {
      // A link would have to be followed, a submodule be opened.
      guard let kind = commit.tree.listing[file]?.kind, kind == .file || kind == .executable else { return nil }
      let place = paths.location(inWorkTree: file.text)
      if let inside = place.local, commit.loader.ignore.isIgnored(inside, isDirectory: false) { continue }
      names.append(file)
    }
    let digests = Mutex<[Int: Digest16]>([:])
    let size = Mutex(0)
    try? commit.tree.read(names) { number, result in
      guard case .bytes(let bytes) = result else { return }
      let total = size.withLock { size in
        size += bytes.count
        return size
      }
      if total > Self.sizeLimit { return }
      digests.withLock { $0[number] = ContentHasher.md5(of: bytes) }
    }
    let found = digests.withLock { $0 }
    guard found.count == names.count else { return nil }
    var files: [RepoPath: (object: String, md5: Digest16)] = [:]
    for (number, md5) in found {
      let name = RepoPath(unchecked: names[number].relative(to: folder))
      files[name] = (commit.tree.listing[names[number]]?.object ?? "", md5)
    }
    let manifest = DirectoryManifest(files.map { DirectoryManifest.Entry(path: $0.key.text, md5: $0.value.md5) })
    guard ContentHasher.md5(of: ManifestJSON.encode(manifest)) == hash.digest else { return nil }
    return FolderVersion(files: files)
  }
}
