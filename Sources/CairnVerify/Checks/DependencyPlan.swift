// Says of each dependency where its bytes come from: a stage, git, another machine. Looks at names alone; what stands
// in the files is asked for afterwards, of all stages at once.
import CairnCore
import CairnEngine
import CairnStore
import CairnSystem

enum DependencySource: Sendable {
  /// A URL, a dataset, another repository: an origin of its own.
  case elsewhere
  /// A path of this machine outside of git's work tree.
  case outside
  /// An output, or something in one: `rest` is empty, or the path in the folder. `kept`: what git has of it, where no
  /// cache holds it.
  case output(OutputPlace, rest: String, kept: KeptOutput?)
  case file(RepoPath)
  case folder(FolderPlan)
  /// Neither in git nor made by anything: the path in the work tree that is missing.
  case absent(RepoPath)
  /// A link of git's leads out of the work tree.
  case leadsOut(link: RepoPath, to: String)
  case circle(RepoPath)
  /// A repository in the repository that no clone fetches.
  case stray(RepoPath)
  /// In words that follow "its content is not known: ".
  case unknown(String)
}

/// What git has in the place of an output without a cache.
enum KeptOutput: Sendable {
  case file(RepoPath)
  case folder(FolderPlan)
}

/// A folder that is a dependency: what it holds by git, and by the outputs in it.
struct FolderPlan: Sendable {
  /// The folder, and how its files are hashed: two plans of one place are the same.
  let place: ContentRequest
  enum Member: Sendable {
    /// A file of git's.
    case file(RepoPath)
    case digest(Digest16)
  }

  /// As a list of DVC's names them.
  var members: [(path: String, member: Member)] = []
  /// Files that git does not have and that would be part of it; in the work tree.
  var strangers: [RepoPath] = []
  /// There are more of them, or more bytes in them, than are read to know whether they were a part of what was locked.
  var areStrangersMany = false
  /// The folders that were listed to know it.
  var listed: [RepoPath] = []
  /// Links in it that lead out of the repository.
  var leadingOut: [(link: RepoPath, to: String)] = []
  /// Repositories in it that no clone fetches.
  var strays: [RepoPath] = []
  /// `.dvc` files of data in it that are not in git themselves.
  var untracked: [RepoPath] = []
  /// An output in it is only known by its name: another level's business.
  var isOpen = false
  /// It holds outputs, so that more than git decides.
  var holdsOutputs = false
  /// What is recorded of all outputs in it together, their lists here or not; `nil` when of one there is no number.
  var recorded: (files: Int, bytes: UInt64)? = (0, 0)
  /// A submodule in it, or a link, whose content is not here.
  var unknown: String?
  /// It holds data with a hash of DVC 2's, which is the other kind's only where its lines end as on Unix.
  var mixesHashes = false

  /// In words that follow "its content is not known: ".
  static let mixed = "a part of it has a hash of DVC 2's, and the data would have to be read to compare them"

  /// The files of git's in it.
  var files: [RepoPath] {
    members.compactMap { if case .file(let path) = $0.member { path } else { nil } }
  }

  /// Its hash can be told, when its files are read.
  var isWhole: Bool { !isOpen && unknown == nil }

  /// What it holds, from the readings of its files.
  func content(_ readings: [ContentRequest: ContentReading]) -> FolderContents.Content {
    var entries: [DirectoryManifest.Entry] = []
    entries.reserveCapacity(members.count)
    for (name, member) in members {
      switch member {
      case .digest(let digest): entries.append(.init(path: name, md5: digest))
      case .file(let file):
        switch readings[ContentRequest(file, place.algorithm)] {
        case .digest(let digest)?: entries.append(.init(path: name, md5: digest))
        case .missing?: return .deleted(name, file)
        case .folder?: return .folder(name, file)
        case .unknown(let why)?: return .unknown(name, why: "is not known: \(why)")
        case nil: return .unknown(name, why: "was not looked at")
        }
      }
    }
    return .entries(entries, DependencyChecks.digest(entries))
  }
}

struct DependencyPlanner: Sendable {
  let subject: VerifySubject
  let source: any SourceTree
  let places: OutputPlaces
  /// Each folder is planned once, however many stages depend on it.
  private let plans = FolderPlans()

  init(subject: VerifySubject, source: any SourceTree, places: OutputPlaces) {
    self.subject = subject
    self.source = source
    self.places = places
  }

  /// More strangers than this are not told one by one.
  static let strangerLimit = 100
  /// Bytes of strangers that are read: they are a fault already, and reading them only spares a second one.
  static let strangerBytes: UInt64 = 64 << 20

  func source(of dependency: Dependency, algorithm: ContentHash.Algorithm) -> DependencySource {
    if dependency.isDataset { return .elsewhere }
    if dependency.location.isURL {
      return places.around(dependency.location).map { .output($0, rest: "", kept: nil) } ?? .elsewhere
    }
    if let place = places.around(dependency.location) { return output(place, dependency.location, algorithm) }
    guard let path = gitPath(dependency.location) else { return .outside }
    switch source.target(of: path) {
    case .file(let file): return .file(file)
    case .folder(let folder): return .folder(plan(folder, algorithm))
    case .submodule(let module):
      return source.isFetchable(submodule: module)
        ? .unknown("the submodule '\(module)' is not checked out here") : .stray(module)
    case .circle(let link): return .circle(link)
    case .outside(let text): return .leadsOut(link: path, to: text)
    case .missing(let target):
      // A link of git's may lead to what a stage makes.
      let location = subject.paths.location(inWorkTree: target.text)
      if target != path, let place = places.around(location) { return output(place, location, algorithm) }
      // A folder of which nothing is in git, but which outputs lie in.
      if !places.inside(location).isEmpty { return .folder(plan(target, algorithm)) }
      return .absent(target)
    }
  }

  func gitPath(_ location: Location) -> RepoPath? {
    subject.paths.pathInWorkTree(location).map { RepoPath(unchecked: $0) }
  }

  private func output(
    _ place: OutputPlace, _ location: Location, _ algorithm: ContentHash.Algorithm
  ) -> DependencySource {
    var kept: KeptOutput?
    if !places.output(place).isCached, let path = gitPath(location) { kept = self.kept(path, algorithm) }
    return .output(place, rest: rest(of: location, in: places.output(place).location), kept: kept)
  }

  /// What git has at the place of an output without a cache, or in it.
  private func kept(_ path: RepoPath, _ algorithm: ContentHash.Algorithm) -> KeptOutput? {
    switch source.target(of: path) {
    case .file(let file): .file(file)
    case .folder(let folder): .folder(plan(folder, algorithm))
    default: nil
    }
  }

  /// What git has of the outputs of a stage that no cache holds, with what the lock says of them.
  func kept(by stage: Stage, _ entry: LockEntry) -> [OutputChecks.Kept] {
    stage.outputs.compactMap { output in
      guard !output.isCached, let path = gitPath(output.location),
        let hash = entry.out(output.declared)?.withHashOfFiles.contentHash,
        let content = kept(path, hash.algorithm)
      else { return nil }
      return OutputChecks.Kept(output: output, hash: hash, content: content)
    }
  }

  /// An output that git has, and not the cache: its bytes are git's.
  private func isKept(_ place: OutputPlace) -> Bool {
    guard !places.output(place).isCached, let path = gitPath(places.output(place).location) else { return false }
    switch source.target(of: path) {
    case .file, .folder: return true
    default: return false
    }
  }

  private func rest(of location: Location, in folder: Location) -> String {
    switch (location, folder) {
    case (.local(let path), .local(let folder)): path == folder ? "" : path.relative(to: folder)
    case (.external(let path), .external(let folder)):
      path == folder ? "" : String(path.absolute.dropFirst(folder.absolute.count + 1))
    default: ""
    }
  }

  /// What DVC would find in the folder in a checkout whose outputs are all there.
  private func plan(_ folder: RepoPath, _ algorithm: ContentHash.Algorithm) -> FolderPlan {
    plans.plan(ContentRequest(folder, algorithm)) { newPlan(folder, algorithm) }
  }

  private func newPlan(_ folder: RepoPath, _ algorithm: ContentHash.Algorithm) -> FolderPlan {
    var plan = FolderPlan(place: ContentRequest(folder, algorithm))
    func name(_ path: RepoPath) -> String { folder.isRoot ? path.text : path.relative(to: folder) }
    let location = subject.paths.location(inWorkTree: folder.text)
    let outputs = places.inside(location)
    let kept = Set(([places.around(location)].compactMap { $0 } + outputs).filter(isKept))
    for file in source.listing.files(below: folder) where !isHidden(file, isDirectory: false) {
      let location = subject.paths.location(inWorkTree: file.text)
      // What an output holds is told by its list, but for those that git has themselves.
      if let place = places.around(location), !kept.contains(place) { continue }
      switch source.listing[file]?.kind {
      case .file, .executable: plan.members.append((name(file), .file(file)))
      case .submodule where !source.isFetchable(submodule: file): plan.strays.append(file)
      case .submodule: plan.unknown = "the submodule '\(file)' is not checked out here"
      case .link: add(link: file, name(file), algorithm, to: &plan)
      case nil: break
      }
    }
    plan.holdsOutputs = !outputs.isEmpty
    for place in outputs where !kept.contains(place) { add(place, in: folder, algorithm, to: &plan) }
    let found = source.strangers(in: folder, limit: Self.strangerLimit) { path, isDirectory in
      isHidden(path, isDirectory: isDirectory)
        || places.around(subject.paths.location(inWorkTree: path.text)).map { !kept.contains($0) } ?? false
    }
    let known = Set(plan.strangers)
    plan.strangers += found.files.filter { !known.contains($0) }
    plan.areStrangersMany =
      plan.strangers.count >= Self.strangerLimit
      || plan.strangers.reduce(0) { $0 + (source.size(of: $1) ?? 0) } > Self.strangerBytes
    plan.listed = found.folders
    return plan
  }

  /// A link to a file counts as the file; one to a folder as nothing, and so does one that leads nowhere.
  private func add(
    link: RepoPath, _ name: String, _ algorithm: ContentHash.Algorithm, to plan: inout FolderPlan
  ) {
    switch source.target(of: link) {
    case .file(let file): plan.members.append((name, .file(file)))
    case .folder: break
    case .submodule(let module): plan.unknown = "the submodule '\(module)' is not checked out here"
    case .outside(let text): plan.leadingOut.append((link, text))
    case .missing(let target):
      // To what a stage makes, or to what git does not have: to this machine alone.
      let location = subject.paths.location(inWorkTree: target.text)
      guard let place = places.around(location) else { return plan.strangers.append(target) }
      add(linkTo: place, rest(of: location, in: places.output(place).location), name, algorithm, to: &plan)
    case .circle: plan.strangers.append(link)
    }
  }

  /// What is locked of the file that a link leads to; `rest` is its path in a folder, or empty.
  private func add(
    linkTo place: OutputPlace, _ rest: String, _ name: String, _ algorithm: ContentHash.Algorithm,
    to plan: inout FolderPlan
  ) {
    let locked = places.locked(place)
    // A link to a folder counts as nothing.
    if rest.isEmpty, locked?.contentHash?.isDirectory == true { return }
    noteUntracked(place, in: &plan)
    if rest.isEmpty { return add(locked, name, algorithm, to: &plan) }
    plan.recorded = nil
    guard let hash = locked?.contentHash, let manifest = subject.manifest(hash) else {
      plan.isOpen = true
      return
    }
    if let entry = manifest.entry(at: rest) { add(name, entry.md5, hash.algorithm, algorithm, to: &plan) }
  }

  private func noteUntracked(_ place: OutputPlace, in plan: inout FolderPlan) {
    if let file = untracked(place), !plan.untracked.contains(file) { plan.untracked.append(file) }
  }

  /// The `.dvc` file of an output where git does not have it.
  func untracked(_ place: OutputPlace) -> RepoPath? {
    let file = subject.project.pipeline[place.stage].address.file
    let path = RepoPath(unchecked: subject.paths.pathInWorkTree(file))
    return file.text.hasSuffix(".dvc") && source.listing[path] == nil ? file : nil
  }

  private func add(
    _ name: String, _ digest: Digest16, _ kind: ContentHash.Algorithm, _ wanted: ContentHash.Algorithm,
    to plan: inout FolderPlan
  ) {
    if kind != wanted { plan.mixesHashes = true }
    plan.members.append((name, .digest(digest)))
  }

  private func add(
    _ place: OutputPlace, in folder: RepoPath, _ algorithm: ContentHash.Algorithm, to plan: inout FolderPlan
  ) {
    guard let path = gitPath(places.output(place).location), !isHidden(path, isDirectory: false) else { return }
    noteUntracked(place, in: &plan)
    add(places.locked(place), path.relative(to: folder), algorithm, to: &plan)
  }

  /// A file or a folder under its name, as it is recorded.
  private func add(
    _ locked: LockedFile?, _ name: String, _ algorithm: ContentHash.Algorithm, to plan: inout FolderPlan
  ) {
    if let sum = plan.recorded, let locked, let size = locked.size,
      let count = locked.contentHash?.isDirectory == true ? locked.fileCount : 1
    {
      plan.recorded = (sum.files + count, sum.bytes &+ size)
    } else {
      plan.recorded = nil
    }
    guard let hash = locked?.contentHash else {
      plan.isOpen = true
      return
    }
    if !hash.isDirectory {
      add(name, hash.digest, hash.algorithm, algorithm, to: &plan)
    } else if let manifest = subject.manifest(hash) {
      for entry in manifest.entries { add(name + "/" + entry.path, entry.md5, hash.algorithm, algorithm, to: &plan) }
    } else {
      plan.isOpen = true
    }
  }

  /// `.dvcignore` hides it, or a folder around it, from DVC.
  private func isHidden(_ path: RepoPath, isDirectory: Bool) -> Bool {
    guard case .local(let inside) = subject.paths.location(inWorkTree: path.text), !inside.isRoot else { return false }
    return subject.loader.ignore.isIgnored(inside, isDirectory: isDirectory)
  }
}
