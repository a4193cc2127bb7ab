// `add`: puts files and folders under DVC's care. Knows what a `.dvc` file must say; prints nothing.
package import CairnCore
internal import CairnFormats
internal import CairnStore
internal import CairnSystem

package struct AddData {
  package struct Options: Sendable {
    package var commits = true
    package var relinks = true
    package var overwrites = false
    /// `--out`: the one target is copied there.
    package var out: String?
    package init() {}
  }

  private let project: OpenProject
  private let loaded: LoadedProject
  private let options: Options
  private var git: GitTracking
  /// What the workspace now shares with the cache.
  private var links: [(path: RepoPath, hash: ContentHash)] = []

  package init(_ project: OpenProject, options: Options) throws(Diagnostic) {
    self.project = project
    self.options = options
    loaded = try project.loader.load()
    _ = try loaded.graph()
    git = GitTracking(project)
  }

  /// One target, and the stage that will hold it.
  private struct Item {
    var target: String
    /// With `--out`: what is copied.
    var source: String
    var path: RepoPath
    var stage: Stage
    var previous: MarkedValue?
    /// The file exists as a stage that already has the target, or the folder around it, as an output.
    var isKnown: Bool
  }

  /// Adds the targets in their order. Returns what is to be said of git.
  package mutating func run(_ targets: [String]) throws(Diagnostic) -> [String] {
    do throws(Diagnostic) {
      let items = try plan(targets)
      let tracked = try git.tracked(items.map { project.repository.absolute($0.path) })
      for item in items { try add(item, isInGit: tracked.contains(project.repository.absolute(item.path))) }
      try LinkBook(project).record(links)
      project.snapshotter.index.flush()
      return git.finish()
    } catch {
      git.takeBack()
      throw error
    }
  }

  // MARK: - What is to be done

  private func plan(_ targets: [String]) throws(Diagnostic) -> [Item] {
    var items: [Item] = []
    for target in targets {
      let item = try item(target)
      if !items.contains(where: { $0.target.hasSameBytes(as: target) }) { items.append(item) }
    }
    try checkOverlaps(items)
    return items
  }

  private func item(_ target: String) throws(Diagnostic) -> Item {
    let source = try source(of: target)
    let place = try options.out.map { (out) throws(Diagnostic) in try destination(of: target, out) } ?? target
    if let scheme = PathResolver.unsupportedScheme(of: place) { throw .unsupportedURL(scheme) }
    if PathResolver.isURL(place) { throw .outsideOfProject(place, target) }
    let absolute = Repository.normalized(project.absolute(place))
    guard let path = project.repository.repoPath(of: absolute) else { throw .outsideOfProject(absolute, target) }
    if path.isRoot { throw .isProjectItself(project.repository) }
    try checkLinks(path)
    if let known = holder(of: path) {
      let stage = loaded.pipeline[known.stage]
      guard stage.commands.isEmpty else { throw .isOutputOfStage(path, stage, project) }
      return Item(
        target: target, source: source, path: path, stage: stage, previous: stage.tracked?.document, isKnown: true)
    }
    return try newItem(target, source, path)
  }

  /// Where the target lies on this machine.
  private func source(of target: String) throws(Diagnostic) -> String {
    guard PathResolver.isURL(target) else { return Repository.normalized(project.absolute(target)) }
    let remotes = RemoteFolders(project.settings)
    if let fault = remotes.unknownRemote(in: target) { throw fault }
    if options.out == nil { throw .outsideOfProject(target, target) }
    guard let path = remotes.path(of: target) else { throw .isElsewhere(target) }
    return path
  }

  private func newItem(_ target: String, _ source: String, _ path: RepoPath) throws(Diagnostic) -> Item {
    let file = RepoPath(unchecked: path.text + ".dvc")
    if TargetWords.isStageFile(path.name) { throw .isStageFile(target) }
    try project.refuseIgnored(stageFile: file)
    if let pattern = project.loader.ignore.refusal(ofOutput: path) {
      throw .isIgnored(project.repository.absolute(path), pattern.shown)
    }
    var stage = Stage(address: StageAddress(file: file, name: nil), kind: .tracked)
    var previous: MarkedValue?
    var output = Output(declared: path.name, location: .local(path))
    // A file of that name with another output: its words stay, its output is replaced.
    if let id = loaded.pipeline.byAddress[stage.address] {
      let old = loaded.pipeline[id]
      previous = old.tracked?.document
      stage.meta = old.meta
      stage.description = old.description
      if let same = old.outputs.first(where: { $0.declared.hasSameBytes(as: output.declared) }) {
        output.annotations = same.annotations
        output.remote = same.remote
        output.isPushed = same.isPushed
      }
    }
    stage.outputs = [output]
    return Item(target: target, source: source, path: path, stage: stage, previous: previous, isKnown: false)
  }

  /// The output that is, or contains, `path`.
  private func holder(of path: RepoPath) -> (stage: StageID, output: Int)? {
    for id in loaded.pipeline.ids {
      for (index, output) in loaded.pipeline[id].outputs.enumerated() {
        if let place = output.location.local, path.isInside(place) { return (id, index) }
      }
    }
    return nil
  }

  private func checkOverlaps(_ items: [Item]) throws(Diagnostic) {
    let new = items.filter { !$0.isKnown }
    for (number, item) in new.enumerated() {
      for id in loaded.pipeline.ids {
        let stage = loaded.pipeline[id]
        if stage.address == item.stage.address { continue }
        for output in stage.outputs {
          guard let place = output.location.local, place.isInside(item.path) else { continue }
          throw .overlaps(parent: item.path, inner: place, holder: stage.address, project)
        }
      }
      for other in new[(number + 1)...] where other.path.overlaps(item.path) {
        if other.path == item.path { throw .outputTwice(item.path, project) }
        let (outer, inner) = other.path.isInside(item.path) ? (item, other) : (other, item)
        throw .overlaps(parent: outer.path, inner: inner.path, holder: inner.stage.address, project)
      }
    }
  }

  /// Data behind a linked folder is not the project's.
  private func checkLinks(_ path: RepoPath) throws(Diagnostic) {
    var folder = path.parent
    while !folder.isRoot {
      let found = try FileStat.of(project.repository.absolute(folder), followLinks: false)
      if found?.kind == .symlink { throw .behindLink }
      folder = folder.parent
    }
    let absolute = project.repository.absolute(path)
    if try FileStat.of(absolute, followLinks: false)?.kind == .symlink, Files.isDirectory(absolute) {
      throw .behindLink
    }
  }

  /// Where `--out` puts the target.
  private func destination(of target: String, _ out: String) throws(Diagnostic) -> String {
    let name = Repository.normalized(project.absolute(target)).split(separator: "/").last.map(String.init) ?? target
    let place = Files.isDirectory(project.absolute(out)) ? Repository.join(out, name) : out
    if Files.exists(project.absolute(place)), !options.overwrites {
      throw Diagnostic(
        .addition, "The file '\(place)' already exists locally. \nTo override it, re-run with '--force'.")
    }
    let folder = Repository.parent(Repository.normalized(project.absolute(place)))
    if !Files.isDirectory(folder) { throw Diagnostic(.stageFile, "stage working dir '\(folder)' does not exist") }
    return place
  }

  // MARK: - Doing it

  private mutating func add(_ item: Item, isInGit: Bool) throws(Diagnostic) {
    var stage = item.stage
    var files = stage.tracked?.outputs ?? []
    let index = stage.outputs.firstIndex { $0.location.local.map { item.path.isInside($0) } ?? false } ?? 0
    let output = stage.outputs[index]
    guard let place = output.location.local else { return }
    var copied: Content?
    if options.out != nil {
      let content = try take(item.source)
      if isInGit { throw .isInGit(project.shown(place)) }
      try checkOut(content, at: item.path)
      copied = content
    }
    let old = files.indices.contains(index) ? files[index] : nil
    let isPart = item.path != place
    if isPart, let old, old.hashText != nil, old.contentHash?.isDirectory != true {
      throw Diagnostic(.addition, "Cannot modify '\(project.shown(place))' which is being tracked as a file")
    }
    let isGone = !Files.exists(project.repository.absolute(item.path))
    if isGone, !isPart || !Files.exists(project.repository.absolute(place)) { throw .doesNotExist(place, item.path, project) }
    if isInGit { throw .isInGit(project.shown(place)) }
    let algorithm = try algorithm(of: place, old)
    let file: LockedFile
    if isPart {
      file = try update(output.declared, item.path, in: place, old, algorithm, isGone: isGone)
    } else {
      let content = if let copied { copied } else { try save(place, algorithm, isCached: output.isCached) }
      if case .unknown(let error) = content { throw error }
      file = LockedFile(path: output.declared, content: content).keepingVersions(of: old, in: content)
    }
    if output.isCached { try git.ignore(project.repository.absolute(place)) }
    if output.isCached, options.commits, options.relinks, let hash = file.contentHash { links.append((place, hash)) }
    if files.indices.contains(index) { files[index] = file } else { files = [file] }
    stage.tracked?.outputs = files
    let path = project.repository.absolute(stage.address.file)
    try DataFileWriter.write(stage, outputs: files, previous: item.previous, keepsChecksum: true, to: path)
    git.track(path)
  }

  private func save(_ path: RepoPath, _ algorithm: ContentHash.Algorithm, isCached: Bool) throws(Diagnostic) -> Content {
    guard options.commits, isCached else { return project.snapshotter.observe(path, algorithm: algorithm) }
    return try project.writer.save(path, algorithm: algorithm, relink: options.relinks)
  }

  /// DVC 2's hash is kept for as long as the content is the one it names.
  private func algorithm(of path: RepoPath, _ old: LockedFile?) throws(Diagnostic) -> ContentHash.Algorithm {
    guard let hash = old?.contentHash, hash.algorithm == .md5Dos2unix else { return .md5 }
    return project.snapshotter.observe(path, algorithm: .md5Dos2unix).hash == hash ? .md5Dos2unix : .md5
  }

  /// A file or folder inside a tracked folder: the folder's manifest with that part replaced, or without it.
  private func update(
    _ declared: String, _ path: RepoPath, in place: RepoPath, _ old: LockedFile?, _ algorithm: ContentHash.Algorithm,
    isGone: Bool
  ) throws(Diagnostic) -> LockedFile {
    let store = project.cache.store(algorithm)
    var manifest = DirectoryManifest([])
    if let hash = old?.contentHash {
      var known = try store.manifest(hash)
      if known == nil { known = try pulled(hash, into: store) }
      guard let known else {
        throw Diagnostic(.addition, "could not read '\(hash.text)'")
          .hinting("'dvc pull \(project.shown(place))' brings it, where a remote has it")
      }
      manifest = known
    }
    let inner = path.relative(to: place)
    let kept = manifest.entries.filter {
      !$0.path.hasSameBytes(as: inner) && !$0.path.utf8.starts(with: (inner + "/").utf8)
    }
    let replaces = kept.count < manifest.entries.count
    var size: UInt64?
    var entries = kept
    if isGone {
      if !replaces { throw Diagnostic.system(2, "find it", project.repository.absolute(path)) }
    } else {
      switch try save(path, algorithm, isCached: true) {
      case .file(let file):
        entries.append(
          DirectoryManifest.Entry(
            path: inner, md5: file.hash.digest, size: file.size, isExecutable: file.isExecutable))
        size = file.size
      case .directory(let folder):
        entries += folder.manifest.entries.map { DirectoryManifest.Entry(path: inner + "/" + $0.path, md5: $0.md5) }
        size = folder.size
      case .missing, .dataset: throw .doesNotExist(place, path, project)
      case .unknown(let error): throw error
      }
    }
    entries.sort { $0.path.precedesInBytes($1.path) }
    let new = DirectoryManifest(entries)
    let bytes = ManifestJSON.encode(new)
    let hash = ContentHash(algorithm, ContentHasher.md5(of: bytes), isDirectory: true)
    if options.commits { try store.write(bytes, as: hash) }
    var file = LockedFile(path: declared, hashName: "md5", hashText: hash.text, hasHashField: algorithm == .md5)
    file.fileCount = entries.count
    if !isGone, !replaces, let before = old?.size, let added = size {
      file.size = before + added
    } else if !isGone, old?.contentHash == hash {
      file.size = old?.size
    }
    return file.keepingVersions(of: old, in: entries)
  }

  /// As DVC, which asks the remote for what the folder held.
  private func pulled(_ hash: ContentHash, into store: LocalObjectStore) throws(Diagnostic) -> DirectoryManifest? {
    guard let storage = try? OpenRemotes(project.settings, project.repository).storage(nil, command: "add"),
      try RemoteObjects(storage).bringObject(hash, into: project.cache)
    else { return nil }
    return try store.manifest(hash)
  }

  /// Takes what `--out` copies into the cache as it is, whatever `.dvcignore` says here.
  private func take(_ source: String) throws(Diagnostic) -> Content {
    switch try project.writer.store(external: source) {
    case .file(var file):
      // As with DVC, the copy is not executable.
      file.isExecutable = false
      return .file(file)
    case .directory(let folder): return .directory(folder)
    case .missing, .dataset: throw Diagnostic.system(2, "find it", source)
    case .unknown(let error): throw error
    }
  }

  private func checkOut(_ content: Content, at path: RepoPath) throws(Diagnostic) {
    var wanted = CheckoutTarget(path: path, hash: content.hash)
    if case .file(let file) = content { wanted.size = file.size }
    _ = try Checkout(cache: project.cache, snapshotter: project.snapshotter).materialise(wanted, force: true)
  }
}

extension Diagnostic.Code {
  static let addition = Diagnostic.Code("addition")
  static let stageFile = Diagnostic.Code("stage-file")
}

extension Diagnostic {
  static func doesNotExist(_ output: RepoPath, _ path: RepoPath, _ project: OpenProject) -> Diagnostic {
    Diagnostic(.addition, "output '\(project.shown(output))' does not exist")
      .because(of: Diagnostic(.io, "[Errno 2] No such file or directory: '\(project.repository.absolute(path))'"))
  }

  static func isInGit(_ path: String) -> Diagnostic {
    Diagnostic(
      .addition,
      """
       output '\(path)' is already tracked by SCM (e.g. Git).
          You can remove it from Git, then add to DVC.
              To stop tracking from Git:
                  git rm -r --cached '\(path)'
                  git commit -m "stop tracking \(path)"\(" ")
      """)
  }

  fileprivate static func isElsewhere(_ url: String) -> Diagnostic {
    Diagnostic(.notInThisVersion, "'\(url)': copying from other machines is not in this version of Cairn")
  }

  fileprivate static func outsideOfProject(_ absolute: String, _ target: String) -> Diagnostic {
    Diagnostic(
      .addition,
      "Cached output(s) outside of DVC project: \(absolute). See "
        + "<https://dvc.org/doc/user-guide/data-management/importing-external-data> for more info.")
  }

  fileprivate static func isProjectItself(_ repository: Repository) -> Diagnostic {
    Diagnostic(
      .addition,
      "Path: \(Repository.parent(repository.root)) does not overlap with base path: \(repository.root)",
      hint: "the whole project cannot be data of its own: add the folders that hold data")
  }

  static func isStageFile(_ target: String) -> Diagnostic {
    Diagnostic(.stageFile, "DVC file '\(target)' cannot be an output.")
  }

  static func isIgnored(_ path: String, _ pattern: String) -> Diagnostic {
    Diagnostic(.addition, "Path '\(path)' is ignored by \(pattern)")
  }

  fileprivate static var behindLink: Diagnostic {
    Diagnostic(
      .addition,
      "Cannot add files inside symlinked directories to DVC. See "
        + "<https://dvc.org/doc/user-guide/troubleshooting#add-symlink> for more information.")
  }

  fileprivate static func isOutputOfStage(_ path: RepoPath, _ stage: Stage, _ project: OpenProject) -> Diagnostic {
    let folder = project.repository.workingFolder ?? .root
    return Diagnostic(
      .addition,
      "cannot update '\(path.name)': overlaps with an output of stage: '\(stage.address.text(from: folder))' in "
        + "'\(project.shown(stage.address.file))'.\nRun the pipeline or use 'dvc commit' to force update it.")
  }

  fileprivate static func overlaps(
    parent: RepoPath, inner: RepoPath, holder: StageAddress, _ project: OpenProject
  ) -> Diagnostic {
    let (outer, inside) = (project.shown(parent), project.shown(inner))
    let stage = holder.text(from: project.repository.workingFolder ?? .root)
    return Diagnostic(
      .addition,
      "Cannot add '\(outer)', because it is overlapping with other DVC tracked output: '\(inside)'.\nTo include "
        + "'\(inside)' in '\(outer)', run 'dvc remove \(stage)' and then 'dvc add \(outer)'")
  }

  fileprivate static func outputTwice(_ path: RepoPath, _ project: OpenProject) -> Diagnostic {
    Diagnostic(.addition, "output '\(project.shown(path))' is specified more than once")
  }
}
