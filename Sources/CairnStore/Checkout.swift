// Makes the workspace hold what is recorded, changing only what differs, never taking away what no cache holds
// unless told to. Knows nothing of stages and locks.
package import CairnCore
import CairnSystem
import Glibc

package struct Checkout: Sendable {
  package let cache: DataCache
  package let snapshotter: Snapshotter

  package init(cache: DataCache, snapshotter: Snapshotter) {
    self.cache = cache
    self.snapshotter = snapshotter
  }

  /// Removes what killed processes left unfinished: else it stays until a file is made again.
  package func sweep() { Staging(project: snapshotter.root).sweep() }

  /// Looks at the path, hashing what the index does not know, and changes nothing.
  ///
  /// With `relink`, files that are right already are made anew by `cache.type`.
  package func plan(_ target: CheckoutTarget, relink: Bool = false) throws(Diagnostic) -> CheckoutPlan {
    let path = target.part.map { target.path.appending($0) } ?? target.path
    var plan = CheckoutPlan(target: target, path: path)
    let wanted = try wanted(target)
    if case .unobtainable(let damage) = wanted {
      plan.isImpossible = true
      plan.damage = damage
    }
    let algorithm = target.hash?.algorithm ?? .md5
    // A cache that was moved leaves links that lead nowhere: they are made anew.
    let now = snapshotter.observe(
      snapshotter.place(path), DigestKinds(algorithm, sha256: false), passesDanglingLinks: true)
    switch (now, wanted) {
    case (.unknown(let error), _): throw error
    case (_, .unobtainable):
      if !now.isMissing { plan.change = .modified }
    case (.missing, .nothing), (.dataset, _): break
    case (.missing, .file(let file)):
      plan.creations = [file]
      plan.change = isLink(path) ? .modified : .added
      if plan.change == .added { plan.counts.added = 1 } else { plan.counts.modified = 1 }
    case (.missing, .folder(let files)):
      plan.isFolder = true
      plan.creations = files
      plan.counts.added = files.count
      plan.change = isLink(path) ? .modified : .added
    case (.file(let file), .nothing):
      try plan.delete("", file.hash, self)
      plan.counts.deleted = 1
      plan.change = .deleted
    case (.file(let file), .file(let want)):
      try compare(file, want, into: &plan)
    case (.file(let file), .folder(let files)):
      try plan.delete("", file.hash, self)
      plan.isFolder = true
      plan.creations = files
      plan.counts.added = files.count
      plan.change = .modified
    case (.directory(let folder), .file(let want)):
      for entry in folder.manifest.entries {
        try plan.delete(entry.path, ContentHash(algorithm, entry.md5), self)
      }
      plan.creations = [want]
      plan.emptied = try folders(path) + [""]
      plan.counts.deleted = folder.manifest.entries.count + plan.emptied.count - 1
      plan.counts.modified = 1
      plan.change = .modified
    case (.directory(let folder), .nothing):
      for entry in folder.manifest.entries {
        try plan.delete(entry.path, ContentHash(algorithm, entry.md5), self)
      }
      plan.emptied = try folders(path) + [""]
      plan.counts.deleted = folder.manifest.entries.count + plan.emptied.count
      plan.change = .deleted
    case (.directory(let folder), .folder(let files)):
      plan.isFolder = true
      try compare(folder, files, algorithm, into: &plan)
    }
    if relink {
      for file in plan.kept where try !isSaved(file.hash) {
        plan.unsaved.append(snapshotter.place(path).appending(file.path).absolute)
      }
    }
    plan.unsaved.sort { $0.precedesInBytes($1) }
    return plan
  }

  /// Carries the plan out. True when the path holds what is recorded afterwards.
  ///
  /// False when the cache lacks something or holds it altered (the altered object is removed, never given out). Then,
  /// as with DVC, nothing is left at the path but files that no cache holds.
  ///
  /// The caller has asked about `plan.unsaved`; they are lost here.
  @discardableResult
  package func apply(_ plan: CheckoutPlan, relink: Bool = false) throws(Diagnostic) -> Bool {
    let place = snapshotter.place(plan.path)
    if plan.isImpossible {
      try removeSaved(plan.path)
      return false
    }
    // A link that leads nowhere is in the way of a folder.
    if plan.isFolder, isLink(plan.path), !Files.exists(place.absolute) { _ = try Files.remove(place.absolute) }
    for path in plan.deletions { try Files.remove(place.appending(path).absolute) }
    for folder in plan.emptied { _ = try Files.removeEmptyDirectory(place.appending(folder).absolute) }
    if plan.isFolder { try Files.makeDirectories(place.absolute) }
    let files = plan.creations + (relink ? plan.kept : [])
    try makeParents(of: files, place, isNew: !plan.creations.isEmpty)
    let linker = ObjectLinker(cache, plan.target.hash?.algorithm ?? .md5, Staging(project: snapshotter.root))
    let outcomes = try Parallel.map(files.count, makeTool: ReadBuffer.init) { number, buffer throws(Diagnostic) in
      try create(files[number], place, linker, buffer)
    }
    for path in plan.executables { Self.setExecutable(place.appending(path).absolute) }
    if outcomes.contains(false) {
      try removeSaved(plan.path)
      return false
    }
    return true
  }

  /// The same in one step, for a caller who handles one output: refuses to lose data unless forced.
  package func materialise(_ target: CheckoutTarget, force: Bool) throws(Diagnostic) -> CheckoutPlan {
    let plan = try plan(target)
    if !force, let lost = plan.unsaved.first { throw .confirmRemove(lost) }
    guard try apply(plan) else { throw .checkoutFailed([plan.path.text]) }
    return plan
  }

  /// Owner may execute, as DVC sets it; following a link to the object itself.
  static func setExecutable(_ path: String) {
    guard case .success(let found) = RawFile.stat(path, followLinks: true) else { return }
    if found.permissions & 0o100 == 0 { _ = RawFile.chmod(path, found.permissions | 0o100) }
  }

  // MARK: - Looking

  private func isLink(_ path: RepoPath) -> Bool {
    (try? FileStat.of(snapshotter.place(path).absolute, followLinks: false))?.kind == .symlink
  }

  private enum Wanted {
    case nothing
    /// Recorded, but its manifest is not to be had, or damaged.
    case unobtainable(Diagnostic?)
    case file(CheckoutPlan.File)
    case folder([CheckoutPlan.File])
  }

  private func wanted(_ target: CheckoutTarget) throws(Diagnostic) -> Wanted {
    guard let hash = target.hash else { return .nothing }
    guard hash.isDirectory else {
      return .file(
        CheckoutPlan.File(path: "", hash: hash, size: target.size, isExecutable: target.isExecutable))
    }
    let found: DirectoryManifest?
    do throws(Diagnostic) {
      found = try cache.store(for: hash).manifest(hash)
    } catch where error.code == .corruptObject {
      return .unobtainable(error)
    }
    guard let manifest = found else { return .unobtainable(nil) }
    func file(_ entry: DirectoryManifest.Entry, _ path: String) -> CheckoutPlan.File {
      CheckoutPlan.File(
        path: path, hash: ContentHash(hash.algorithm, entry.md5), size: entry.size, isExecutable: false)
    }
    guard let part = target.part else { return .folder(manifest.entries.map { file($0, $0.path) }) }
    if let entry = manifest.entries.first(where: { $0.path.hasSameBytes(as: part) }) { return .file(file(entry, "")) }
    let prefix = Array((part + "/").utf8)
    let inside = manifest.entries.filter { $0.path.utf8.starts(with: prefix) }
    if inside.isEmpty { return .nothing }
    return .folder(inside.map { file($0, String(decoding: $0.path.utf8.dropFirst(prefix.count), as: UTF8.self)) })
  }

  private func compare(
    _ now: FileContent, _ want: CheckoutPlan.File, into plan: inout CheckoutPlan
  ) throws(Diagnostic) {
    if now.hash == want.hash {
      plan.kept = [want]
      if now.isExecutable == want.isExecutable { return }
      plan.executables = [""]
    } else {
      try plan.delete("", now.hash, self)
      plan.creations = [want]
    }
    plan.counts.modified = 1
    plan.change = .modified
  }

  private func compare(
    _ now: DirectoryContent, _ want: [CheckoutPlan.File], _ algorithm: ContentHash.Algorithm,
    into plan: inout CheckoutPlan
  ) throws(Diagnostic) {
    // Both are ordered by the bytes of their paths.
    let have = now.manifest.entries
    var index = 0
    var folders = Set<RepoPath>()
    for file in want { noteParents(of: file.path, &folders) }
    func delete(_ old: DirectoryManifest.Entry) throws(Diagnostic) {
      try plan.delete(old.path, ContentHash(algorithm, old.md5), self)
      // A file where a folder must be: DVC counts the folder's files only.
      if !folders.contains(RepoPath(unchecked: old.path)) { plan.counts.deleted += 1 }
    }
    for file in want {
      while index < have.count, have[index].path.precedesInBytes(file.path) {
        try delete(have[index])
        index += 1
      }
      guard index < have.count, have[index].path.hasSameBytes(as: file.path) else {
        plan.creations.append(file)
        plan.counts.added += 1
        continue
      }
      let old = have[index]
      index += 1
      if old.md5 != file.hash.digest {
        try plan.delete(old.path, ContentHash(algorithm, old.md5), self)
        plan.creations.append(file)
        plan.counts.modified += 1
        continue
      }
      plan.kept.append(file)
      if old.isExecutable == true {
        // DVC keeps no such bit for files of a folder, and so calls this one modified each time.
        plan.counts.modified += 1
      }
    }
    for old in have[index...] { try delete(old) }
    plan.emptied = try self.folders(plan.path).filter { !folders.contains(RepoPath(unchecked: $0)) }
    plan.counts.deleted += plan.emptied.count
    // A folder where a file must be: one file modified, not one deleted and one added.
    let new = Set(plan.creations.map { RepoPath(unchecked: $0.path) })
    let replaced = plan.emptied.count { new.contains(RepoPath(unchecked: $0)) }
    plan.counts += CheckoutCounts(added: -replaced, modified: replaced, deleted: -replaced)
    if plan.counts != CheckoutCounts() { plan.change = .modified }
  }

  private func noteParents(of path: String, _ folders: inout Set<RepoPath>) {
    var parent = RepoPath(unchecked: path).parent
    while !parent.isRoot, folders.insert(parent).inserted { parent = parent.parent }
  }

  /// The folders below `path` that are not overlooked, deepest first.
  private func folders(_ path: RepoPath) throws(Diagnostic) -> [String] {
    var found: [String] = []
    var waiting = [RepoPath.root]
    while let folder = waiting.popLast() {
      let inner = path.appending(folder.text)
      guard let names = try Files.list(snapshotter.absolute(inner)) else { continue }
      for entry in names where entry.kind == .directory {
        if snapshotter.filter.isIgnored(inner.appending(entry.name), isDirectory: true) { continue }
        let below = folder.appending(entry.name)
        found.append(below.text)
        waiting.append(below)
      }
    }
    return found.sorted { $1.precedesInBytes($0) }
  }

  fileprivate func isSaved(_ hash: ContentHash) throws(Diagnostic) -> Bool {
    try cache.store(for: hash).contains(hash)
  }

  // MARK: - Changing

  private func makeParents(
    of files: [CheckoutPlan.File], _ place: Snapshotter.Place, isNew: Bool
  ) throws(Diagnostic) {
    if isNew { try Files.makeDirectories(parent(place.absolute)) }
    var made = Set<RepoPath>()
    for file in files {
      let folder = RepoPath(unchecked: file.path).parent
      if folder.isRoot || !made.insert(folder).inserted { continue }
      try refuseWayOut(folder, place)
      try Files.makeDirectories(place.appending(folder.text).absolute)
    }
  }

  /// A repository may bring a link in the place of a folder: what a list names in it would be written elsewhere.
  private func refuseWayOut(_ folder: RepoPath, _ place: Snapshotter.Place) throws(Diagnostic) {
    var inner = folder
    while !inner.isRoot {
      let path = place.appending(inner.text).absolute
      if case .success(let own) = RawFile.stat(path, followLinks: false), own.isSymbolicLink,
        let target = try Files.realPath(path), let root = try Files.realPath(snapshotter.root),
        !RepoPath(unchecked: target).isInside(RepoPath(unchecked: root))
      {
        throw Diagnostic(.leadsOut, "'\(path)' is a link that leads out of the repository: nothing is written behind it")
          .hinting("remove the link, or let the folder itself be one")
      }
      inner = inner.parent
    }
  }

  /// True when it is there now.
  private func create(
    _ file: CheckoutPlan.File, _ place: Snapshotter.Place, _ linker: ObjectLinker, _ buffer: borrowing ReadBuffer
  ) throws(Diagnostic) -> Bool {
    let place = place.appending(file.path)
    guard try linker.put(file.hash, size: file.size, at: place.absolute, buffer) == .done else { return false }
    if file.isExecutable { Self.setExecutable(place.absolute) }
    let observed = snapshotter.index.now()
    if case .success(let now) = RawFile.stat(place.absolute, followLinks: true) {
      var digests = Digests()
      if file.hash.algorithm == .md5 { digests.md5 = file.hash.digest } else { digests.md5Dos2unix = file.hash.digest }
      snapshotter.index.remember(place.key, now.fingerprint, digests, observed: observed)
    }
    return true
  }

  /// Takes away all at `path` that the cache holds; what it does not hold stays.
  private func removeSaved(_ path: RepoPath) throws(Diagnostic) {
    let place = snapshotter.place(path)
    switch snapshotter.observe(path) {
    case .missing, .dataset: return
    case .unknown(let error): throw error
    case .file(let file):
      if try isSaved(file.hash) { try Files.remove(place.absolute) }
    case .directory(let folder):
      for entry in folder.manifest.entries where try isSaved(ContentHash(.md5, entry.md5)) {
        try Files.remove(place.appending(entry.path).absolute)
      }
      for folder in try folders(path) + [""] {
        _ = try Files.removeEmptyDirectory(place.appending(folder).absolute)
      }
    }
  }

  /// The files where a plan leads whose bytes no cache holds: of one that is impossible, all of them would be lost.
  package func unsaved(at plan: CheckoutPlan) throws(Diagnostic) -> [String] {
    let algorithm = plan.target.hash?.algorithm ?? .md5
    let place = snapshotter.place(plan.path)
    switch snapshotter.observe(plan.path, algorithm: algorithm) {
    case .missing, .dataset: return []
    case .unknown(let error): throw error
    case .file(let file): return try isSaved(file.hash) ? [] : [place.absolute]
    case .directory(let folder):
      var lost: [String] = []
      for entry in folder.manifest.entries where try !isSaved(ContentHash(algorithm, entry.md5)) {
        lost.append(place.appending(entry.path).absolute)
      }
      return lost
    }
  }

  private func parent(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.utf8.startIndex else { return "/" }
    return String(path[..<slash])
  }
}

extension CheckoutPlan {
  fileprivate mutating func delete(_ file: String, _ hash: ContentHash, _ checkout: Checkout) throws(Diagnostic) {
    deletions.append(file)
    if try !checkout.isSaved(hash) {
      unsaved.append(checkout.snapshotter.place(path).appending(file).absolute)
    }
  }
}

extension Diagnostic.Code {
  package static let checkoutFailed = Diagnostic.Code("checkout-failed")
  package static let leadsOut = Diagnostic.Code("leads-out")
  package static let unsavedFiles = Diagnostic.Code("unsaved-files")
}

extension Diagnostic {
  /// Of one file, as `repro` and `commit` say it.
  package static func confirmRemove(_ path: String) -> Diagnostic {
    Diagnostic(.unsavedFiles, "unable to remove '\(path)' without a confirmation. Use `-f` to force.")
  }

  /// Of all outputs together, as `checkout` says it: what lies deeper comes later.
  package static func unsavedFiles(_ paths: [String]) -> Diagnostic {
    let depth = { (path: String) in path.utf8.count { $0 == UInt8(ascii: "/") } }
    let paths = paths.enumerated().sorted { (depth($0.element), $0.offset) < (depth($1.element), $1.offset) }
      .map(\.element)
    return Diagnostic(
      .unsavedFiles,
      "Can't remove the following unsaved files without confirmation. Use `--force` to force.\n"
        + paths.joined(separator: "\n"))
  }

  /// `paths` relative to the working folder.
  package static func checkoutFailed(_ paths: [String]) -> Diagnostic {
    Diagnostic(
      .checkoutFailed,
      "Checkout failed for following targets:\n" + paths.joined(separator: "\n")
        + "\nIs your cache up to date?\n<https://error.dvc.org/missing-files>")
  }
}
