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
  /// An output, or something in one: `rest` is empty, or the path in the folder. `kept`: the file of git's that it is,
  /// where no cache holds it.
  case output(OutputPlace, rest: String, kept: RepoPath?)
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
  /// An output in it is only known by its name: another level's business.
  var isOpen = false
  /// It holds outputs, so that more than git decides.
  var holdsOutputs = false
  /// What is recorded of all outputs in it together, their lists here or not; `nil` when of one there is no number.
  var recorded: (files: Int, bytes: UInt64)? = (0, 0)
  /// A submodule in it, or a link, whose content is not here.
  var unknown: String?
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
    if dependency.isDataset || dependency.location.isURL { return .elsewhere }
    if let place = places.around(dependency.location) { return output(place, dependency.location) }
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
      if target != path, let place = places.around(location) { return output(place, location) }
      // A folder of which nothing is in git, but which outputs lie in.
      if !places.inside(location).isEmpty { return .folder(plan(target, algorithm)) }
      return .absent(target)
    }
  }

  func gitPath(_ location: Location) -> RepoPath? {
    subject.paths.pathInWorkTree(location).map { RepoPath(unchecked: $0) }
  }

  private func output(_ place: OutputPlace, _ location: Location) -> DependencySource {
    var kept: RepoPath?
    if !places.output(place).isCached, let path = gitPath(location), case .file(let file) = source.target(of: path) {
      kept = file
    }
    return .output(place, rest: rest(of: location, in: places.output(place).location), kept: kept)
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
    for file in source.listing.files(below: folder) where !isHidden(file, isDirectory: false) {
      let location = subject.paths.location(inWorkTree: file.text)
      // What an output holds is told by its list.
      if places.around(location) != nil { continue }
      switch source.listing[file]?.kind {
      case .file, .executable: plan.members.append((name(file), .file(file)))
      case .submodule where !source.isFetchable(submodule: file): plan.strays.append(file)
      case .submodule: plan.unknown = "the submodule '\(file)' is not checked out here"
      case .link: add(link: file, name(file), to: &plan)
      case nil: break
      }
    }
    let outputs = places.inside(subject.paths.location(inWorkTree: folder.text))
    plan.holdsOutputs = !outputs.isEmpty
    for place in outputs { add(place, in: folder, algorithm, to: &plan) }
    let found = source.strangers(in: folder, limit: Self.strangerLimit) { path, isDirectory in
      isHidden(path, isDirectory: isDirectory)
        || places.around(subject.paths.location(inWorkTree: path.text)) != nil
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
  private func add(link: RepoPath, _ name: String, to plan: inout FolderPlan) {
    switch source.target(of: link) {
    case .file(let file): plan.members.append((name, .file(file)))
    case .folder: break
    case .submodule(let module): plan.unknown = "the submodule '\(module)' is not checked out here"
    case .outside(let text): plan.leadingOut.append((link, text))
    case .missing(let target):
      // To what a stage makes: the list of that tells. To what git does not have: to this machine alone.
      if places.around(subject.paths.location(inWorkTree: target.text)) != nil {
        plan.isOpen = true
        plan.recorded = nil
      } else {
        plan.strangers.append(target)
      }
    case .circle: plan.strangers.append(link)
    }
  }

  private func add(
    _ place: OutputPlace, in folder: RepoPath, _ algorithm: ContentHash.Algorithm, to plan: inout FolderPlan
  ) {
    guard let path = gitPath(places.output(place).location), !isHidden(path, isDirectory: false) else { return }
    let name = path.relative(to: folder)
    let locked = places.locked(place)
    if let sum = plan.recorded, let locked, let size = locked.size,
      let count = locked.contentHash?.isDirectory == true ? locked.fileCount : 1
    {
      plan.recorded = (sum.files + count, sum.bytes &+ size)
    } else {
      plan.recorded = nil
    }
    guard let hash = locked?.contentHash, hash.algorithm == algorithm else {
      plan.isOpen = true
      return
    }
    if !hash.isDirectory {
      plan.members.append((name, .digest(hash.digest)))
    } else if let manifest = subject.manifest(hash) {
      plan.members += manifest.entries.map { (name + "/" + $0.path, .digest($0.md5)) }
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
