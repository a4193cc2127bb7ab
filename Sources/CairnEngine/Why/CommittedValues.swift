// Values in files of the work tree and of commits: what stood there then, and which commit made it what it is.
// A value is followed, not a line: a list of many lines, a text of many lines, a file that was written anew.
package import CairnCore
import CairnFormats
import CairnStore
package import CairnSystem
import Synchronization

/// A value in a file of values or of a pipeline. What is asked of git is remembered.
package struct ValuePlace: Sendable, Hashable {
  package var file: Location
  /// As parameters are declared: dotted, with patterns; `nil` for `steps`.
  package var key: String?
  /// The keys and indices that lead to it.
  package var steps: [String] = []

  package init(_ file: Location, key: String) {
    self.file = file
    self.key = key
  }

  package init(_ file: Location, steps: [String]) {
    self.file = file
    self.steps = steps
  }

  fileprivate func value(in document: ReadDocument) -> MarkedValue? {
    if let key { return (try? ParameterLookup.value(key, in: document.value)) ?? nil }
    if steps.count > 1, steps[0] == "stages", let stage = document.stages[steps[1]] {
      return ParameterLookup.value(at: Array(steps.dropFirst(2)), in: stage)
    }
    return ParameterLookup.value(at: steps, in: document.value)
  }
}

/// A file of values, or a pipeline: of that, the stages by name, since each of many may be asked for.
private struct ReadDocument: Sendable {
  let value: MarkedValue
  let stages: [String: MarkedValue]

  init(_ value: MarkedValue) {
    self.value = value
    stages = Dictionary(
      (value["stages"]?.entries ?? []).compactMap { entry in entry.key.string.map { ($0, entry.value) } },
      uniquingKeysWith: { first, _ in first })
  }
}

package final class CommittedValues: Sendable {
  /// So many commits are looked through.
  private static let commitLimit = 50
  /// A file of more bytes is not parsed at each commit.
  private static let sizeLimit = 4 << 20

  private let root: String
  private let git: GitRepository?
  private let objects: GitObjects?
  private let prefix: String
  private let shallow: Set<String>

  private struct Key: Hashable {
    var path: RepoPath
    /// `nil`: the work tree.
    var commit: String?
  }
  private enum Document {
    case absent, unreadable
    case read(ReadDocument)
  }
  /// What stands at a place.
  private enum Content {
    case absent, unreadable
    case value(Value)

    func isSame(as other: Content) -> Bool {
      switch (self, other) {
      case (.absent, .absent): true
      case (.value(let a), .value(let b)): a.isEqualInPython(to: b)
      default: false
      }
    }
  }
  private let documents = Mutex<[Key: Document]>([:])
  private let origins = Mutex<[ValuePlace: Origin]>([:])
  private let marks = Mutex<[RepoPath: [SourceMark: [String]]]>([:])
  private let histories = Mutex<[Key: [GitHistoryEntry]]>([:])

  package init(_ workspace: Workspace) {
    root = workspace.repository.root
    git = workspace.git
    objects = workspace.git.map(GitObjects.init)
    let inside = workspace.git.map { Repository.relative(workspace.repository.root, to: $0.workTree) } ?? "."
    prefix = inside == "." ? "" : inside + "/"
    shallow = workspace.git?.shallowCommits() ?? []
  }

  // MARK: What stands there

  /// As it is now; `nil` where it is not, or its file cannot be read.
  package func current(_ place: ValuePlace) -> MarkedValue? {
    guard case .local(let path) = place.file, case .read(let document) = document(Key(path: path)) else { return nil }
    return place.value(in: document)
  }

  /// As a commit has it.
  func value(_ place: ValuePlace, at commit: String) -> Value? {
    guard case .value(let value) = content(place, at: commit) else { return nil }
    return value
  }

  /// The steps to the value that stands at `mark` now; `nil` for one outside of the project.
  func place(of mark: SourceMark) -> ValuePlace? {
    guard let path = RepoPath(mark.source.path), case .read(let document) = document(Key(path: path)) else { return nil }
    // Asked of each stage of a file: the whole of it is walked once.
    let known = marks.withLock { $0[path] }
    let steps = known ?? Self.marks(of: document.value)
    if known == nil { marks.withLock { $0[path] = steps } }
    return steps[mark].map { ValuePlace(.local(path), steps: $0) }
  }

  private static func marks(of document: MarkedValue) -> [SourceMark: [String]] {
    var found: [SourceMark: [String]] = [:]
    func walk(_ value: MarkedValue, _ steps: [String]) {
      // Of an anchor and its aliases the first is where it is written.
      if let mark = value.mark, found[mark] == nil { found[mark] = steps }
      switch value.node {
      case .scalar: break
      case .list(let items): for (index, item) in items.enumerated() { walk(item, steps + [String(index)]) }
      case .map(let entries): for entry in entries { walk(entry.value, steps + [PythonText.str(entry.key.value)]) }
      }
    }
    walk(document, [])
    return found
  }

  private func content(_ place: ValuePlace, at commit: String?) -> Content {
    guard case .local(let path) = place.file else { return .unreadable }
    switch document(Key(path: path, commit: commit)) {
    case .absent: return .absent
    case .unreadable: return .unreadable
    case .read(let document): return place.value(in: document).map { .value($0.value) } ?? .absent
    }
  }

  private func document(_ key: Key) -> Document {
    if let known = documents.withLock({ $0[key] }) { return known }
    let document = read(key)
    documents.withLock { $0[key] = document }
    return document
  }

  private func read(_ key: Key) -> Document {
    let bytes: [UInt8]?
    do throws(Diagnostic) {
      if let commit = key.commit {
        bytes = try objects?.show(commit, prefix + key.path.text)
      } else {
        bytes = try Files.read(PathResolver(root: root).absolute(key.path))
      }
    } catch {
      return .unreadable
    }
    guard let bytes else { return .absent }
    guard bytes.count <= Self.sizeLimit, let value = try? ParameterFile.parse(SourceText(path: key.path.text, bytes: bytes))
    else { return .unreadable }
    return .read(ReadDocument(value))
  }

  // MARK: Where it came from

  package enum Origin: Sendable {
    /// The work tree has it otherwise than HEAD.
    case uncommitted
    case commit(GitCommit)
    /// No git, or not among the newest commits.
    case unknown
  }

  /// The newest commit before which the value was another one, or was not there.
  package func origin(of place: ValuePlace) -> Origin {
    if let known = origins.withLock({ $0[place] }) { return known }
    let origin = findOrigin(of: place)
    origins.withLock { $0[place] = origin }
    return origin
  }

  private func findOrigin(of place: ValuePlace) -> Origin {
    guard let git, case .local(let file) = place.file, !isInSubmodule(file) else { return .unknown }
    let now = content(place, at: nil)
    let head = content(place, at: "HEAD")
    // What cannot be read, here or by git, tells nothing.
    if case .unreadable = now { return .unknown }
    if case .unreadable = head { return .unknown }
    guard head.isSame(as: now) else { return .uncommitted }
    var place = place
    var path = file
    var start = "HEAD"
    // A file may have been renamed on the way.
    for _ in 0..<8 {
      var renamed: (path: RepoPath, parent: String)?
      for entry in history(of: path, from: start, git) where content(place, at: entry.commit).isSame(as: now) {
        // The end of a shallow clone looks like a beginning.
        if shallow.contains(entry.commit) { return .unknown }
        if entry.parents.contains(where: { content(place, at: $0).isSame(as: now) }) { continue }
        if case .value = now, let parent = entry.parents.first, case .absent = document(Key(path: path, commit: parent)),
          let old = (try? git.renamed(prefix + path.text, in: entry.commit, from: parent)) ?? nil,
          let inside = inside(old)
        {
          renamed = (inside, parent)
          break
        }
        // A file that is there since has nothing to tell of what it never had.
        if case .absent = now, !entry.parents.contains(where: { isThere(path, at: $0) }) { return .unknown }
        return commit(entry.commit, path, git)
      }
      guard let renamed else { return .unknown }
      (path, start) = (renamed.path, renamed.parent)
      place.file = .local(path)
    }
    return .unknown
  }

  /// The commit that brought these bytes to a file.
  package func origin(ofFile path: RepoPath, hash: ContentHash) -> Origin {
    guard let git, let objects, !isInSubmodule(path) else { return .unknown }
    func bytes(_ path: RepoPath, at commit: String) throws(Diagnostic) -> [UInt8]? {
      try objects.show(commit, prefix + path.text)
    }
    func isHash(of bytes: [UInt8]) -> Bool {
      ContentHasher.digests(of: bytes, DigestKinds(hash.algorithm, sha256: false))[hash.algorithm] == hash.digest
    }
    do throws(Diagnostic) {
      guard let head = try bytes(path, at: "HEAD") else { return .uncommitted }
      // Line ends that a checkout turns, a link, a file that git was told not to look at: git says unchanged, and yet
      // these are not the bytes of HEAD.
      guard isHash(of: head) else { return try git.isChanged(prefix + path.text) ? .uncommitted : .unknown }
      var path = path
      var start = "HEAD"
      var blob: String?
      for _ in 0..<8 {
        var renamed: (path: RepoPath, parent: String)?
        for entry in history(of: path, from: start, git) {
          // A merge that changed it in its own way.
          guard let change = entry.changes.first else { return .unknown }
          blob = blob ?? change.new
          // Another mode, another version.
          if change.new != blob || change.old == change.new { continue }
          if shallow.contains(entry.commit) { return .unknown }
          if change.old == nil, let parent = entry.parents.first,
            let old = try git.renamed(prefix + path.text, in: entry.commit, from: parent), let inside = inside(old),
            let before = try bytes(inside, at: parent), isHash(of: before)
          {
            renamed = (inside, parent)
            break
          }
          return commit(entry.commit, path, git)
        }
        guard let renamed else { return .unknown }
        (path, start) = (renamed.path, renamed.parent)
      }
    } catch { return .unknown }
    return .unknown
  }

  /// The newest commit that changed one of the files of a folder that differ from what it held.
  ///
  /// - Parameter differing: relative to the folder.
  package func origin(ofFolder path: RepoPath, differing: Set<String>) -> Origin {
    guard let git, !isInSubmodule(path) else { return .unknown }
    let folder = prefix + path.text
    let names = Set(differing.map { folder + "/" + $0 })
    guard let changed = try? git.changedFiles(in: folder) else { return .unknown }
    if changed.contains(where: names.contains) { return .uncommitted }
    for entry in history(of: path, from: "HEAD", git)
    where entry.changes.contains(where: { $0.old != $0.new && names.contains($0.path) }) {
      return shallow.contains(entry.commit) ? .unknown : commit(entry.commit, path, git)
    }
    return .unknown
  }

  /// Another repository knows of it.
  private func isInSubmodule(_ path: RepoPath) -> Bool {
    var folder = path.parent
    while !folder.isRoot {
      if Files.exists(PathResolver(root: root).absolute(folder.appending(".git"))) { return true }
      folder = folder.parent
    }
    return false
  }

  /// A path of the work tree inside of the project.
  private func inside(_ path: String) -> RepoPath? {
    guard path.utf8.starts(with: prefix.utf8) else { return nil }
    return RepoPath(unchecked: String(decoding: path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
  }

  private func isThere(_ path: RepoPath, at commit: String) -> Bool {
    if case .absent = document(Key(path: path, commit: commit)) { false } else { true }
  }

  private func commit(_ name: String, _ path: RepoPath, _ git: GitRepository) -> Origin {
    let commit = (try? git.lastCommit(of: prefix + path.text, from: name)) ?? nil
    return commit.map { .commit($0) } ?? .unknown
  }

  private func history(of path: RepoPath, from start: String, _ git: GitRepository) -> [GitHistoryEntry] {
    let key = Key(path: path, commit: start)
    if let known = histories.withLock({ $0[key] }) { return known }
    let history = (try? git.history(of: prefix + path.text, from: start, limit: Self.commitLimit)) ?? []
    histories.withLock { $0[key] = history }
    return history
  }

  /// The newest commits that changed any of the files, HEAD first.
  func commits(of paths: [RepoPath]) -> [String] {
    guard let git else { return [] }
    var seen: Set<String> = []
    return (["HEAD"] + paths.flatMap { history(of: $0, from: "HEAD", git).map(\.commit) }).filter { seen.insert($0).inserted }
  }
}
