// Values in files of the work tree, or of one commit, and of the commits before: what stood there then, and which
// commit made it what it is.
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
  /// Of a folder that differs in more files nobody is named.
  private static let folderLimit = 16
  /// A file of more bytes is not parsed at each commit.
  private static let sizeLimit = 4 << 20

  private let git: GitRepository?
  let search: CommitSearch
  /// The commit that is looked at as if it were what is there now; `nil`: the work tree is.
  private let now: String?

  private struct Key: Hashable {
    var file: Location
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
      case (.value(let a), .value(let b)): a.isIdentical(to: b)
      default: false
      }
    }
  }
  private let documents = Mutex<[Key: Document]>([:])
  private let origins = Mutex<[ValuePlace: Origin]>([:])
  private let marks = Mutex<[Location: [SourceMark: [String]]]>([:])

  package init(_ workspace: Workspace) {
    git = workspace.git
    now = nil
    search = CommitSearch(root: workspace.repository.root, git: git, head: "HEAD")
  }

  /// Of a commit instead of the work tree: nothing is uncommitted then.
  init(_ committed: CommittedProject) {
    git = committed.git
    now = committed.revision
    search = CommitSearch(root: committed.repository.root, git: git, head: committed.revision)
  }

  // MARK: What stands there

  /// As it is now; `nil` where it is not, or its file cannot be read.
  package func current(_ place: ValuePlace) -> MarkedValue? {
    guard case .read(let document) = document(Key(file: place.file, commit: now)) else { return nil }
    return place.value(in: document)
  }

  /// As a commit has it.
  func value(_ place: ValuePlace, at commit: String) -> Value? {
    guard case .value(let value) = content(place, at: commit) else { return nil }
    return value
  }

  /// The steps to the value that stands at `mark` now; `nil` for one outside of project and work tree.
  func place(of mark: SourceMark) -> ValuePlace? {
    let file = search.paths.location(ofRecorded: mark.source.path)
    guard search.pathInWorkTree(file) != nil, case .read(let document) = document(Key(file: file, commit: now)) else {
      return nil
    }
    // Asked of each stage of a file: the whole of it is walked once.
    let known = marks.withLock { $0[file] }
    let steps = known ?? Self.marks(of: document.value)
    if known == nil { marks.withLock { $0[file] = steps } }
    return steps[mark].map { ValuePlace(file, steps: $0) }
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
    switch document(Key(file: place.file, commit: commit)) {
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
    guard let path = search.paths.absolute(key.file) else { return .unreadable }
    let bytes: [UInt8]
    do throws(Diagnostic) {
      let found =
        if let commit = key.commit { try search.bytes(key.file, at: commit) } else { try Files.read(plain: path) }
      guard let found else { return .absent }
      bytes = found
    } catch {
      return .unreadable
    }
    // Named as the loader names it: its marks are looked up here.
    let source = SourceText(path: key.file.local?.text ?? path, bytes: bytes)
    guard bytes.count <= Self.sizeLimit, let value = try? ParameterFile.parse(source)
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

    var commit: GitCommit? { if case .commit(let commit) = self { commit } else { nil } }

    fileprivate init(_ commit: GitCommit?) { self = commit.map(Origin.commit) ?? .unknown }
  }

  /// The newest commit before which the value was another one, or was not there.
  package func origin(of place: ValuePlace) -> Origin {
    if let known = origins.withLock({ $0[place] }) { return known }
    let origin = findOrigin(of: place)
    origins.withLock { $0[place] = origin }
    return origin
  }

  private func findOrigin(of place: ValuePlace) -> Origin {
    guard let git, !isElsewhere(place.file) else { return .unknown }
    let now = content(place, at: self.now)
    let head = content(place, at: search.head)
    // What cannot be read, here or by git, tells nothing.
    if case .unreadable = now { return .unknown }
    if case .unreadable = head { return .unknown }
    guard head.isSame(as: now) else { return uncommitted(place.file, git) }
    var isAbsent = false
    if case .absent = now { isAbsent = true }
    let commit = search.bringer(of: place.file, isAbsent: isAbsent) { file, commit in
      var there = place
      there.file = file
      let content = content(there, at: commit)
      if case .unreadable = content { return nil }
      return content.isSame(as: now)
    }
    return Origin(commit)
  }

  /// The newest commit that brought it about that `isSo` of what stands there; `nil` for nothing.
  func origin(of place: ValuePlace, where isSo: (Value?) -> Bool) -> GitCommit? {
    guard !isElsewhere(place.file) else { return nil }
    return search.bringer(of: place.file) { file, commit in
      var there = place
      there.file = file
      return switch content(there, at: commit) {
      case .absent: isSo(nil)
      case .value(let value): isSo(value)
      case .unreadable: nil
      }
    }
  }

  /// The commit that brought what a file has in the commit that is looked at, whatever a checkout makes of it.
  func arrival(ofFile file: Location) -> GitCommit? {
    guard !isElsewhere(file), let bytes = (try? search.bytes(file, at: search.head)) ?? nil else { return nil }
    return search.bringer(of: file) { file, commit in
      do throws(Diagnostic) { return try search.bytes(file, at: commit) == bytes } catch { return nil }
    }
  }

  /// The commit that brought these bytes to a file.
  package func origin(ofFile file: Location, hash: ContentHash) -> Origin {
    guard let git, !isElsewhere(file) else { return .unknown }
    func isSame(_ file: Location, _ commit: String) -> Bool? {
      let bytes: [UInt8]?
      do throws(Diagnostic) { bytes = try search.bytes(file, at: commit) } catch { return nil }
      guard let bytes else { return false }
      return ContentHasher.digests(of: bytes, DigestKinds(hash.algorithm, sha256: false))[hash.algorithm] == hash.digest
    }
    // Line ends that a checkout turns, a file that git was told not to look at: git says unchanged, and yet these are
    // not the bytes of HEAD.
    guard let isHead = isSame(file, search.head) else { return .unknown }
    guard isHead else { return uncommitted(file, git) }
    return Origin(search.bringer(of: file, isSame))
  }

  /// The newest of the commits that brought the files by which a folder differs from what it held; unknown when that
  /// is so of one of them.
  ///
  /// - Parameter differing: relative to the folder; `nil`: it is gone.
  package func origin(ofFolder folder: Location, differing: [String: ContentHash?]) -> Origin {
    guard git != nil, !isElsewhere(folder), differing.count <= Self.folderLimit else { return .unknown }
    var commits: [String: GitCommit] = [:]
    for (name, hash) in differing {
      let file = search.paths.location(of: name, in: folder)
      let origin = if let hash { origin(ofFile: file, hash: hash) } else { removal(of: file) }
      switch origin {
      case .commit(let commit): commits[commit.name] = commit
      case .uncommitted, .unknown: return origin
      }
    }
    if commits.count < 2 { return Origin(commits.values.first) }
    // By their order in history: a commit keeps its date when it is picked or rebased.
    let newest = search.history(of: folder).lazy.compactMap { commits[$0.commit] }.first
    return Origin(newest)
  }

  /// The commit that took a file away.
  package func removal(of file: Location) -> Origin {
    guard let git, !isElsewhere(file) else { return .unknown }
    do throws(Diagnostic) {
      if try search.bytes(file, at: search.head) != nil { return uncommitted(file, git) }
    } catch { return .unknown }
    // The newest commit that changed what HEAD lacks took it away; of a merge nothing is said.
    guard let entry = search.history(of: file).first, entry.parents.count == 1 else { return .unknown }
    return Origin(search.commit(entry.commit, file))
  }

  /// What differs from HEAD, unless git calls the file unchanged: then a filter or an attribute stands between them.
  private func uncommitted(_ file: Location, _ git: GitRepository) -> Origin {
    guard now == nil, let path = search.pathInWorkTree(file), let isTracked = try? git.isTracked(path),
      let isChanged = try? git.isChanged(path)
    else { return .unknown }
    return isTracked && !isChanged ? .unknown : .uncommitted
  }

  /// No path of this repository's; or a link stands on the way, or another repository knows of it: what lies there is
  /// not what HEAD has at this path.
  private func isElsewhere(_ location: Location) -> Bool {
    if now != nil { return search.pathInWorkTree(location) == nil }
    guard let top = git?.workTree, let path = search.pathInWorkTree(location).map({ RepoPath(unchecked: $0) }) else {
      return true
    }
    if isInSubmodule(path, of: top) { return true }
    guard let real = (try? Files.realPath(Repository.join(top, path.text))) ?? nil,
      let home = (try? Files.realPath(top)) ?? nil
    else { return false }
    return !real.hasSameBytes(as: Repository.join(home, path.text))
  }

  /// Another repository knows of it.
  private func isInSubmodule(_ path: RepoPath, of top: String) -> Bool {
    var folder = path.parent
    while !folder.isRoot {
      if Files.exists(Repository.join(top, folder.appending(".git").text)) { return true }
      folder = folder.parent
    }
    return false
  }

  /// The newest commits that changed any of the files, HEAD first.
  func commits(of files: [Location]) -> [String] {
    if git == nil { return [] }
    var seen: Set<String> = []
    return ([search.head] + files.flatMap { search.history(of: $0).map(\.commit) }).filter { seen.insert($0).inserted }
  }
}

extension Value {
  /// The same, and written by the same type: to say who wrote `true`, a commit that says `1` will not do.
  fileprivate func isIdentical(to other: Value) -> Bool {
    switch (self, other) {
    case (.float(let a), .float(let b)): a == b || (a.isNaN && b.isNaN)
    case (.list(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isIdentical(to: $1) }
    case (.map(let a), .map(let b)):
      a.count == b.count && a.allSatisfy { key, value in b[key].map { value.isIdentical(to: $0) } ?? false }
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    default: self == other
    }
  }
}
