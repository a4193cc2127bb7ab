// Which entries the locks of git's history had, and the commit that brought each. Knows git, locks and where their paths
// lie; knows nothing of records.
import CairnCore
import CairnFormats
import CairnLineage
import CairnSystem
import OrderedCollections

/// A lock entry with its paths as records write them. One for as long as the entry stays as it is.
final class PlacedLockEntry {
  let address: StageAddress
  /// From the project's root.
  let lock: RepoPath
  let entry: LockEntry
  let wdir: Location
  let deps: [String]
  let outs: [String]
  /// By recorded path.
  let params: OrderedDictionary<String, OrderedDictionary<String, Value>>

  init(_ address: StageAddress, _ lock: RepoPath, _ entry: LockEntry, _ wdir: Location, _ paths: PathResolver) {
    self.address = address
    self.lock = lock
    self.entry = entry
    self.wdir = wdir
    deps = entry.deps.map { paths.location(of: $0.path, in: wdir).recordPath }
    outs = entry.outs.map { paths.location(of: $0.path, in: wdir).recordPath }
    params = OrderedDictionary(
      entry.params.map { (paths.location(of: $0, in: wdir).recordPath, $1) }, uniquingKeysWith: { $1 })
  }

  var commands: [String] { entry.command.list?.compactMap(\.string) ?? entry.command.string.map { [$0] } ?? [] }
}

/// An entry that no commit before had.
struct LockAppearance {
  /// What stood at a dependency's path.
  enum Origin {
    /// The appearance that made it.
    case made(Int)
    /// An output in a folder, or a folder of outputs.
    case stage
    case data(RunRecord.Origin)
    /// Git's, if the commit has it.
    case elsewhere
  }

  var entry: PlacedLockEntry
  var commit: GitWalkEntry
  /// The stage in `dvc.yaml`, templates as they stand there.
  var declaration: MarkedValue?
  var origins: [Origin] = []
}

struct LockHistory {
  /// A file of a commit that could not be understood.
  struct Fault {
    var commit: String
    /// From the project's root.
    var file: RepoPath
    var why: Diagnostic
  }

  private(set) var appearances: [LockAppearance] = []
  private(set) var faults: [Fault] = []
  /// So many commits changed a lock.
  private(set) var commits = 0

  private let repository: Repository
  private let paths: PathResolver
  private let git: GitRepository
  private let objects: GitObjects
  /// The project in the work tree: empty, or with a slash at its end.
  private let prefix: String

  private struct Work: Hashable {
    var address: StageAddress
    var digest: Digest16
  }
  private struct Place: Hashable {
    var path: String
    var md5: String
  }
  private var seen: Set<Work> = []
  private var makers: [Place: [Int]] = [:]
  private var walk: [GitWalkEntry] = []
  private var places: [String: Int] = [:]
  private var pipelines: [String: MarkedValue?] = [:]
  private var templatedFolders: [String: [StageAddress: Location]] = [:]
  private var toldObjects: Set<String> = []

  /// What a commit has, as far as it matters here.
  private struct State {
    /// By the path in the work tree: `dvc.yaml`, `dvc.lock`, `.dvc` and `.dvcignore` files, and what lies in `.dvc`.
    var files: [String: String] = [:]
    var locks: [String: PlacedLock] = [:]
    /// By recorded path, what `.dvc` files track.
    var data: [String: RunRecord.Origin] = [:]
    /// Makes `ignored` void.
    var ignoreVersion = 0
  }

  private final class PlacedLock {
    let pipeline: String?
    let entries: OrderedDictionary<String, PlacedLockEntry>
    init(pipeline: String?, entries: OrderedDictionary<String, PlacedLockEntry>) {
      self.pipeline = pipeline
      self.entries = entries
    }
  }

  /// Reads all that the revisions reach. Throws where this clone lacks a content: what is told without it would be told
  /// otherwise with it.
  ///
  /// - Parameter revisions: full names of commits.
  static func read(
    _ revisions: [String], _ repository: Repository, _ git: GitRepository
  ) throws(Diagnostic) -> LockHistory {
    var history = LockHistory(repository, git)
    try history.follow(revisions)
    return history
  }

  private init(_ repository: Repository, _ git: GitRepository) {
    self.repository = repository
    self.git = git
    paths = repository.paths
    objects = GitObjects(git)
    let inside = Repository.relative(repository.root, to: git.workTree)
    prefix = inside == "." ? "" : inside + "/"
  }

  private static let patterns = ["**/dvc.lock", "**/dvc.yaml", "**/*.dvc", "**/.dvc/*", "**/.dvcignore"]

  private mutating func follow(_ revisions: [String]) throws(Diagnostic) {
    walk = try git.walk(revisions, changing: Self.patterns.map { prefix.isEmpty ? $0 : Self.literal(prefix) + $0 })
    places = Dictionary(walk.enumerated().map { ($1.commit, $0) }, uniquingKeysWith: { first, _ in first })
    // A state is taken over by the last child that begins with it: copied only where branches part.
    var heirs = [Int](repeating: 0, count: walk.count)
    for commit in walk { if let parent = commit.parents.first.flatMap({ places[$0] }) { heirs[parent] += 1 } }
    var states: [Int: State] = [:]
    for number in walk.indices {
      var state = State()
      if let parent = walk[number].parents.first.flatMap({ places[$0] }) {
        heirs[parent] -= 1
        if heirs[parent] == 0, let last = states.removeValue(forKey: parent) {
          state = last
        } else if let shared = states[parent] {
          state = shared
        }
      }
      if !walk[number].changes.isEmpty { try apply(number, to: &state) }
      if heirs[number] > 0 { states[number] = state }
    }
  }

  /// Of a folder's name, no character means more than itself.
  private static func literal(_ folder: String) -> String {
    folder.reduce(into: "") { $0 += "\\*?[".contains($1) ? "\\" + String($1) : String($1) }
  }

  /// A path of git's, from the project's root.
  private func inside(_ path: String) -> RepoPath {
    RepoPath(unchecked: String(decoding: path.utf8.dropFirst(prefix.utf8.count), as: UTF8.self))
  }

  // MARK: One commit

  private mutating func apply(_ number: Int, to state: inout State) throws(Diagnostic) {
    let commit = walk[number]
    var touched: Set<String> = []
    var hasLock = false
    for change in commit.changes where change.path.hasPrefix(prefix) {
      state.files[change.path] = change.new
      switch RepoPath(unchecked: change.path).name {
      case "dvc.lock":
        hasLock = true
        touched.insert(change.path)
      case "dvc.yaml": touched.insert(String(change.path.dropLast(4)) + "lock")
      case let name where name.hasSuffix(".dvc") && name != ".dvc":
        if let old = change.old { for (path, _) in try data(old, change.path, commit) { state.data[path] = nil } }
        if let new = change.new { for (path, origin) in try data(new, change.path, commit) { state.data[path] = origin } }
      default: break
      }
    }
    if hasLock { commits += 1 }
    let first = appearances.count
    for path in touched.sorted(by: { $0.precedesInBytes($1) }) {
      let before = state.locks.removeValue(forKey: path)
      guard let object = state.files[path], let lock = try place(object, path, before, state, commit) else { continue }
      state.locks[path] = lock
      for (name, entry) in lock.entries where before?.entries[name] !== entry {
        guard seen.insert(Work(address: entry.address, digest: entry.work.digest)).inserted else { continue }
        note(entry, commit, try declaration(name, path, state, commit))
      }
    }
    for place in first..<appearances.count { appearances[place].origins = origins(of: place, state) }
  }

  private mutating func note(_ entry: PlacedLockEntry, _ commit: GitWalkEntry, _ declaration: MarkedValue?) {
    for (path, file) in zip(entry.outs, entry.entry.outs) {
      guard let md5 = file.md5 else { continue }
      makers[Place(path: path, md5: md5), default: []].append(appearances.count)
    }
    appearances.append(LockAppearance(entry: entry, commit: commit, declaration: declaration))
  }

  /// `nil` for a lock that cannot be read, or that belongs to another project or to none.
  private mutating func place(
    _ object: String, _ path: String, _ before: PlacedLock?, _ state: State, _ commit: GitWalkEntry
  ) throws(Diagnostic) -> PlacedLock? {
    let lock = inside(path)
    if isHidden(lock, state) { return nil }
    let file: LockFile
    let bytes = try content(object, lock, commit)
    do throws(Diagnostic) { file = try Self.parse(bytes, path: lock.text) } catch {
      tell(error, object, lock, commit)
      return nil
    }
    let pipelinePath = String(path.dropLast(4)) + "yaml"
    let pipeline = state.files[pipelinePath]
    let isSamePipeline = before.map { $0.pipeline == pipeline } ?? false
    var entries: OrderedDictionary<String, PlacedLockEntry> = [:]
    entries.reserveCapacity(file.entries.count)
    for (name, entry) in file.entries {
      let known = before?.entries[name]
      if let known, isSamePipeline, known.entry == entry {
        entries[name] = known
        continue
      }
      let address = StageAddress(file: lock.parent.appending("dvc.yaml"), name: name)
      let wdir = folder(of: address, try declaration(name, path, state, commit), known, commit)
      if let known, known.wdir == wdir, known.entry == entry {
        entries[name] = known
      } else {
        entries[name] = PlacedLockEntry(address, lock, entry, wdir, paths)
      }
    }
    return PlacedLock(pipeline: pipeline, entries: entries)
  }

  private func content(_ object: String, _ file: RepoPath, _ commit: GitWalkEntry) throws(Diagnostic) -> [UInt8] {
    do throws(Diagnostic) {
      if let bytes = try objects.object(object, limit: Files.plainLimit) { return bytes }
    } catch {
      // Where it would have to fetch a content, and may not, git gives up.
      guard git.isPartial, error.code != .tooLarge else { throw error }
    }
    throw .notHere(file, commit)
  }

  /// Of DVC 1 the stages stand at the top.
  private static func parse(_ bytes: [UInt8], path: String) throws(Diagnostic) -> LockFile {
    let source = SourceText(path: path, bytes: bytes)
    if let lock = LockYAML.scan(bytes) { return lock }
    var document = try YAMLReader.parse(source)
    if let entries = document.entries, !entries.isEmpty, document["stages"] == nil {
      let stages = entries.filter { $0.key.string != "schema" || $0.value.entries != nil }
      let isOld = document["schema"] == nil || document["schema"]?.string == "1.0" || document["schema"]?.entries != nil
      if isOld {
        document = MarkedValue(
          .map([
            .init(key: MarkedValue("schema", at: document.mark), value: MarkedValue("2.0", at: document.mark)),
            .init(key: MarkedValue("stages", at: document.mark), value: MarkedValue(.map(stages), at: document.mark)),
          ]), at: document.mark)
      }
    } else if document["schema"]?.string == "1.0" {
      document = MarkedValue(
        .map((document.entries ?? []).map { entry in
          entry.key.string == "schema" ? .init(key: entry.key, value: MarkedValue("2.0", at: entry.key.mark)) : entry
        }), at: document.mark)
    }
    return try LockYAML.parse(document)
  }

  /// Once for a content, with the first commit that has it there.
  private mutating func tell(_ why: Diagnostic, _ object: String, _ file: RepoPath, _ commit: GitWalkEntry) {
    if toldObjects.insert(object + file.text).inserted { faults.append(Fault(commit: commit.commit, file: file, why: why)) }
  }

  // MARK: What stands around the lock

  /// Another project's, or passed over by DVC.
  private func isHidden(_ lock: RepoPath, _ state: State) -> Bool {
    let isPlain = lock.parent.isRoot && state.files[prefix + ".dvcignore"] == nil
    if isPlain { return false }
    return IgnoreTree(root: repository.root, files: StateFiles(files: state.files, prefix: prefix, objects: objects))
      .isIgnored(lock, isDirectory: false)
  }

  private mutating func declaration(
    _ name: String, _ lock: String, _ state: State, _ commit: GitWalkEntry
  ) throws(Diagnostic) -> MarkedValue? {
    let path = String(lock.dropLast(4)) + "yaml"
    guard let object = state.files[path] else { return nil }
    if pipelines[object] == nil {
      var document: MarkedValue?
      let bytes = try content(object, inside(path), commit)
      do throws(Diagnostic) {
        document = try YAMLReader.parse(SourceText(path: inside(path).text, bytes: bytes))
      } catch { tell(error, object, inside(path), commit) }
      pipelines[object] = .some(document)
    }
    guard let stages = (pipelines[object] ?? nil)?["stages"] else { return nil }
    if let declared = stages[name] { return declared }
    let group = name.split(separator: "@", maxSplits: 1).first.map(String.init) ?? name
    return stages[group].map { $0["do"] ?? $0 }
  }

  /// Where the paths of an entry start.
  private mutating func folder(
    of address: StageAddress, _ declaration: MarkedValue?, _ before: PlacedLockEntry?, _ commit: GitWalkEntry
  ) -> Location {
    let top = Location.local(address.file.parent)
    // A `dvc.yaml` that is broken, or gone, says nothing new.
    guard let declaration else { return before?.wdir ?? top }
    guard let wdir = declaration["wdir"]?.string, !wdir.isEmpty else { return top }
    if !wdir.contains("${") { return paths.location(of: wdir, in: top) }
    if templatedFolders[commit.commit] == nil {
      let project = try? CommittedProject.open(commit.commit, repository).project
      templatedFolders[commit.commit] = Dictionary(
        (project?.pipeline.stages ?? []).map { ($0.address, $0.wdir) }, uniquingKeysWith: { first, _ in first })
    }
    return templatedFolders[commit.commit]?[address] ?? before?.wdir ?? top
  }

  /// What a `.dvc` file tracks, by recorded path.
  private mutating func data(
    _ object: String, _ path: String, _ commit: GitWalkEntry
  ) throws(Diagnostic) -> [(String, RunRecord.Origin)] {
    let file = inside(path)
    let bytes = try content(object, file, commit)
    do throws(Diagnostic) {
      let document = try YAMLReader.parse(SourceText(path: file.text, bytes: bytes))
      let origin = Self.origin(document)
      let folder = paths.location(of: document["wdir"]?.string ?? ".", in: .local(file.parent))
      return (document["outs"]?.items ?? []).compactMap { $0["path"]?.string }
        .map { (paths.location(of: $0, in: folder).recordPath, origin) }
    } catch {
      tell(error, object, file, commit)
      return []
    }
  }

  private static func origin(_ document: MarkedValue) -> RunRecord.Origin {
    guard let source = document["deps"]?.items?.first else { return .init(.dvcFile) }
    if let repository = source["repo"] {
      return .init(
        .import, repository: repository["url"]?.string,
        rev: repository["rev_lock"]?.string ?? repository["rev"]?.string, url: nil)
    }
    // A stage of its own, as DVC had them before there was `dvc.yaml`.
    if document["cmd"]?.string != nil { return .init(.dvcFile) }
    return source["path"]?.string.map { .init(.importURL, url: $0) } ?? .init(.dvcFile)
  }

  // MARK: Where inputs came from

  private func origins(of place: Int, _ state: State) -> [LockAppearance.Origin] {
    let entry = appearances[place].entry
    return zip(entry.deps, entry.entry.deps).map { path, file in
      if let md5 = file.md5, let maker = maker(of: Place(path: path, md5: md5), for: place, state) { return .made(maker) }
      if let data = state.data[path] { return .data(data) }
      var folder = RepoPath(unchecked: path).parent
      while !folder.isRoot {
        if let data = state.data[folder.text] { return .data(data) }
        folder = folder.parent
      }
      return isAmongOutputs(path, of: file, besides: entry, state) ? .stage : .elsewhere
    }
  }

  /// Of the entries that made these bytes there the one that the locks of this commit have, else the newest before it.
  private func maker(of place: Place, for consumer: Int, _ state: State) -> Int? {
    guard let candidates = makers[place] else { return nil }
    let others = candidates.filter { $0 != consumer }
    let standing = others.last { number in
      let entry = appearances[number].entry
      let lock = state.locks[prefix + entry.lock.text]
      guard let name = entry.address.name, let now = lock?.entries[name] else { return false }
      return now === entry || (now.entry == entry.entry && now.wdir == entry.wdir)
    }
    return standing ?? others.last { isBehind(appearances[$0].commit.commit, appearances[consumer].commit) }
  }

  /// Whether the commit is among those that stand behind another.
  private func isBehind(_ commit: String, _ later: GitWalkEntry) -> Bool {
    guard let place = places[commit] else { return false }
    var next = [later.commit]
    var looked: Set<Int> = []
    while let name = next.popLast() {
      if name == commit { return true }
      // The walk has parents first.
      guard let number = places[name], number > place, looked.insert(number).inserted else { continue }
      next += walk[number].parents
    }
    return false
  }

  private func isAmongOutputs(
    _ path: String, of file: LockedFile, besides consumer: PlacedLockEntry, _ state: State
  ) -> Bool {
    let isFolder = file.md5?.hasSuffix(".dir") ?? false
    let below = path + "/"
    for lock in state.locks.values {
      for entry in lock.entries.values where entry !== consumer {
        for (out, made) in zip(entry.outs, entry.entry.outs) {
          if made.md5?.hasSuffix(".dir") ?? false, path.utf8.starts(with: (out + "/").utf8) { return true }
          if isFolder, out.utf8.starts(with: below.utf8) { return true }
        }
      }
    }
    return false
  }
}

extension LockedFile {
  /// Of another kind of hash nothing is said.
  var md5: String? { hashName == "md5" ? hashText : nil }
}

extension PlacedLockEntry {
  /// As a record of it has it.
  var work: WorkKey {
    WorkKey(
      command: commands,
      inputs: zip(deps, entry.deps).map { path, file in
        (path, file.md5 ?? WorkKey.text(file.dataset))
      },
      parameters: params.map { file, values in (file, values.map { ($0.key, $0.value) }) },
      outputs: zip(outs, entry.outs).map { ($0, $1.md5 ?? "") })
  }
}

/// What a commit has, as the rules of what DVC passes over ask for it.
private struct StateFiles: ProjectFiles {
  let files: [String: String]
  let prefix: String
  let objects: GitObjects

  func read(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? {
    guard let object = files[prefix + path.text] else { return nil }
    return try objects.object(object, limit: Files.plainLimit)
  }

  func list(_ folder: RepoPath) throws(Diagnostic) -> [DirectoryEntry]? { nil }

  func isDirectory(_ path: RepoPath) -> Bool {
    let below = prefix + path.text + "/"
    return files.keys.contains { $0.hasPrefix(below) }
  }

  func exists(_ path: RepoPath) -> Bool { files[prefix + path.text] != nil || isDirectory(path) }
  func read(outside path: OutsidePath) throws(Diagnostic) -> [UInt8]? { nil }
  func isDirectory(outside path: OutsidePath) -> Bool { false }
}

extension Diagnostic {
  fileprivate static func notHere(_ file: RepoPath, _ commit: GitWalkEntry) -> Diagnostic {
    Diagnostic(
      .unknownContent,
      "'\(file)' of commit \(commit.commit.prefix(7)) cannot be read: git does not have its content in this clone")
      .hinting("a partial clone has some contents only: `git fetch --refetch --no-filter` brings the others")
  }
}
