// Which paths and variables decide whether a whole `repro` has nothing to do.
package import CairnCore
import CairnStore
import CairnSystem

extension FreshnessIndex {
  /// Everything beside files that decides: the version, where the user stands, what was asked, and the variables that
  /// resolution reads. `nil`: this request can never be answered by stamps.
  package static func key(_ request: ReproRequest, workingDirectory: String) -> String? {
    guard !request.force, !request.dry, !request.pulls, request.confirm == nil else { return nil }
    let flags = [
      request.recursive, request.glob, request.pipeline, request.allPipelines, request.downstream, request.singleItem,
      request.allowsMissing,
    ].map { $0 ? "1" : "0" }.joined()
    return ([CairnVersion.current, workingDirectory, flags] + request.targets + environment())
      .joined(separator: "\u{0}")
  }

  /// Variables that choose configuration, and all that a stage could be keyed by are Cairn's own business: a stage
  /// with `meta.cairn.env` is never answered by stamps.
  package static func environment() -> [String] {
    let found = Environment.all().filter { name, _ in
      name == "HOME" || ["DVC_", "CAIRN_", "XDG_CONFIG"].contains { name.hasPrefix($0) }
    }.map { "\($0)=\($1)" }
    return found.sorted()
  }

  /// All that the answer "nothing to do" was or would be made from; `nil` when a stage is such that it must always be
  /// asked (it runs every time, its environment counts, something lies elsewhere).
  ///
  /// `general`: how many of the first are not the stages'.
  static func paths(of workspace: Workspace, order: [StageID]) -> (list: [String], general: Int)? {
    let project = workspace.project
    var paths = PathSet(root: workspace.repository.root)
    for path in files(of: workspace) + folders(of: workspace).map(\.path) + [".cairn/journal"] { paths.add(path) }
    let general = paths.list.count
    for id in order {
      let stage = project.pipeline[id]
      if stage.isAlwaysChanged || stage.isCallback || stage.isFrozen || stage.settings.isKeyedByEnvironment {
        return nil
      }
      let lock = workspace.lockEntry(of: stage)
      // A dataset is what the lock says, which is among the files already.
      for dependency in stage.dependencies where !dependency.isDataset {
        guard paths.add(dependency.location, locked: lock?.dep(dependency.declared)?.contentHash) else { return nil }
      }
      for set in stage.parameters { guard paths.add(tree: set.location) else { return nil } }
      for output in stage.outputs {
        let locked = lock?.out(output.declared)?.contentHash
        guard paths.add(output.location, locked: locked) else { return nil }
        guard output.isCached, let hash = locked else { continue }
        let store = workspace.cache.store(for: hash)
        paths.add(store.path(of: hash))
        guard hash.isDirectory, let manifest = (try? store.manifest(hash)) ?? nil else { continue }
        for entry in manifest.entries { paths.add(store.path(of: ContentHash(hash.algorithm, entry.md5))) }
      }
    }
    return (paths.list, general)
  }

  static func files(of workspace: Workspace) -> [String] { files(of: workspace.project, workspace.repository) }

  /// What the pipeline and the settings were read from, or would have been.
  package static func files(of project: LoadedProject, _ repository: Repository) -> [String] {
    let sources = project.sources
    var paths = PathSet(root: repository.root)
    for file in sources.files + sources.absent { paths.add(file.text) }
    for path in sources.outside { paths.add(path) }
    for level in ConfigLevel.allCases {
      if let file = ConfigLevels(dvcFolder: repository.dvcFolder).file(level) { paths.add(file) }
    }
    for name in ["config.toml", "config.local.toml"] { paths.add(".cairn/" + name) }
    return paths.list
  }

  static func folders(of workspace: Workspace) -> [(path: String, place: RepoPath)] { folders(of: workspace.project) }

  /// The folders that were searched for pipelines: by their paths here, `.` being the root.
  package static func folders(of project: LoadedProject) -> [(path: String, place: RepoPath)] {
    // Cairn's own folder hides itself from the walk, and changes with each run.
    project.sources.folders.filter { $0.text != ".cairn" }.map { ($0.isRoot ? "." : $0.text, $0) }
  }

  /// Paths without repetition, in the order of their first mention, with everything inside folders.
  private struct PathSet {
    let root: String
    private(set) var list: [String] = []
    /// True for what was added with all that is inside; a folder that was merely walked in search of pipelines is not.
    private var seen: [RepoPath: Bool] = [:]

    init(root: String) { self.root = root }

    mutating func add(_ path: String) {
      let path = SeenFiles.name(of: path, root: root)
      let key = RepoPath(unchecked: path)
      if seen[key] != nil { return }
      seen[key] = false
      list.append(path)
    }

    /// Of what `locked` names nothing else is looked for: where there is another kind of thing now, it is not fresh.
    mutating func add(_ location: Location, locked: ContentHash?) -> Bool {
      guard let locked, !locked.isDirectory, case .local(let path) = location else { return add(tree: location) }
      add(path.text)
      return true
    }

    /// False for what stamps cannot vouch for.
    mutating func add(tree location: Location) -> Bool {
      switch location {
      case .url: return false
      case .local(let path): return add(tree: path.text)
      case .external(let path): return add(tree: path.absolute)
      }
    }

    private mutating func add(tree path: String) -> Bool {
      let key = RepoPath(unchecked: path)
      if seen[key] == true { return true }
      add(path)
      seen[key] = true
      let absolute = path.hasPrefix("/") ? path : root + "/" + path
      guard let stat = (try? FileStat.of(absolute)) ?? nil, stat.isDirectory else { return true }
      guard let entries = (try? Files.list(absolute)) ?? nil else { return false }
      for entry in entries {
        let inner = path.isEmpty ? entry.name : path + "/" + entry.name
        // A link in a folder that leads to another one counts as nothing, and may lead in a circle.
        if entry.kind == .symlink, Files.isDirectory(absolute + "/" + entry.name) {
          add(inner)
        } else if !add(tree: inner) {
          return false
        }
      }
      return true
    }
  }
}
