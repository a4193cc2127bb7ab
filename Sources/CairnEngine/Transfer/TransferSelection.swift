// Which objects a push or a fetch is about, and which remote each belongs to. Transfers none.
import CairnCore
import CairnFormats
import CairnStore
import CairnSystem
import OrderedCollections

/// What the user asks for.
package struct TransferRequest: Sendable {
  package enum OutputKind: String, Sendable, CaseIterable { case metrics, plots }

  package var targets: [String] = []
  /// `nil` or empty: the default one.
  package var remote: String?
  package var jobs: Int?
  package var withDependencies = false
  package var recursive = false
  package var revisions = ValueHistory.Selection()
  package var withRunCache = false
  /// Outputs of this many bytes or more are left out.
  package var sizeLimit: Int?
  /// Outputs of other kinds are left out, unless it is empty.
  package var kinds: [OutputKind] = []
  package init() {}
}

struct TransferSelection {
  /// What belongs to one remote.
  struct Group {
    var hashes = OrderedSet<ContentHash>()
    /// What directories among them list, as far as anybody knows.
    var manifests: [ContentHash: DirectoryManifest] = [:]
    /// Lists that only the remote had.
    var lists: [ContentHash: RemoteObjects.FolderList] = [:]
  }

  enum Direction { case push, fetch }

  /// By the remote's name.
  private(set) var groups: OrderedDictionary<String, Group> = [:]
  /// Outputs whose files keep their paths, by the name of a remote that keeps versions.
  private(set) var versioned: OrderedDictionary<String, [VersionedOutput]> = [:]
  /// Objects of imports, and where they come from.
  private(set) var imports: [(hash: ContentHash, stage: Stage)] = []
  /// States that could not be collected.
  private(set) var skipped: [String] = []

  private let request: TransferRequest
  private let direction: Direction
  private let remotes: OpenRemotes
  private let cache: DataCache

  /// - Throws: what is wrong with the only state.
  init(
    _ request: TransferRequest, _ direction: Direction, _ states: OrderedDictionary<String, ProjectState>,
    remotes: OpenRemotes, cache: DataCache
  ) throws(Diagnostic) {
    self.request = request
    self.direction = direction
    self.remotes = remotes
    self.cache = cache
    var failure: Diagnostic?
    for (name, state) in states {
      do throws(Diagnostic) {
        try collect(state)
      } catch {
        skipped.append(name)
        failure = error
      }
    }
    if let failure, skipped.count == states.count { throw failure }
  }

  private mutating func collect(_ state: ProjectState) throws(Diagnostic) {
    let project = try state.project()
    let selections = try TargetResolution(project, loader: state.loader)
      .selections(request.targets, withDependencies: request.withDependencies, recursive: request.recursive)
    if selections.isEmpty { return }
    // DVC asks for all remotes that the project's outputs name, whichever of them are meant.
    for stage in project.pipeline.stages {
      for output in stage.outputs where output.isCached && output.location.local != nil {
        if let name = remotes.name(output.remote ?? request.remote) { _ = try remotes.name(name, command: "push") }
      }
    }
    let wanted = request.kinds.isEmpty ? nil : Self.places(of: request.kinds, in: project, state.loader)
    for selection in selections { try collect(selection, of: project, wanted) }
  }

  /// Where metrics, or plots, are: outputs that are some, and what the top level of a dvc.yaml names.
  private static func places(
    of kinds: [TransferRequest.OutputKind], in project: LoadedProject, _ loader: PipelineLoader
  ) -> [RepoPath] {
    let paths = PathResolver(ofProject: loader.root)
    var places: [RepoPath] = []
    for kind in kinds {
      let role: Output.Role = kind == .metrics ? .metric : .plot
      for stage in project.pipeline.stages { places += stage.outputs.filter { $0.role == role }.compactMap(\.location.local) }
      for file in project.pipeline.files {
        for name in kind == .metrics ? file.metrics : file.plotFiles {
          if let path = paths.location(of: name, in: .local(file.path.parent)).local { places.append(path) }
        }
      }
    }
    return places
  }

  private mutating func collect(
    _ selection: StageSelection, of project: LoadedProject, _ wanted: [RepoPath]?
  ) throws(Diagnostic) {
    let stage = project.pipeline[selection.stage]
    let isImport = stage.dependencies.contains { $0.source?.repository != nil }
    if isImport, direction == .push { return }
    let lock = stage.tracked == nil ? project.lockEntry(of: stage) : nil
    for (index, output) in stage.outputs.enumerated() {
      guard output.isCached, let path = output.location.local, isMeant(output, path, selection, project) else { continue }
      if let wanted, !wanted.contains(where: { $0.overlaps(path) }) { continue }
      let locked =
        stage.tracked.map { $0.outputs.indices.contains(index) ? $0.outputs[index] : nil } ?? lock?.out(output.declared)
      if let limit = request.sizeLimit, limit > 0, let size = locked?.size, size >= UInt64(limit) { continue }
      guard let hash = locked?.contentHash else { continue }
      if isImport {
        imports.append((hash, stage))
      }
      guard let name = remotes.name(output.remote ?? request.remote) else { continue }
      if try remotes.isVersioned(name) {
        // What another repository keeps has its path there.
        guard !isImport, let locked else { continue }
        let part = selection.path?.local.flatMap { $0 != path && $0.isInside(path) ? $0.relative(to: path) : nil }
        versioned[name, default: []].append(
          VersionedOutput(stage: stage, index: index, path: path, locked: locked, hash: hash, part: part))
        continue
      }
      try add(hash, of: path, selection.path?.local, toRemote: name)
    }
  }

  private func isMeant(
    _ output: Output, _ path: RepoPath, _ selection: StageSelection, _ project: LoadedProject
  ) -> Bool {
    if direction == .push, !output.isPushed { return false }
    if let asked = request.remote, !asked.isEmpty, let own = output.remote, own.lowercased() != asked.lowercased() {
      return false
    }
    if let wanted = selection.path, wanted.local.map({ !$0.overlaps(path) }) ?? true { return false }
    return true
  }

  private mutating func add(
    _ hash: ContentHash, of path: RepoPath, _ wanted: RepoPath?, toRemote name: String
  ) throws(Diagnostic) {
    groups[name, default: Group()].hashes.append(hash)
    guard hash.isDirectory, let manifest = try list(of: hash, remote: name) else { return }
    // Of a part only that, and the list.
    let part = wanted.flatMap { $0 != path && $0.isInside(path) ? RepoPath(unchecked: $0.relative(to: path)) : nil }
    for entry in manifest.entries {
      if let part, !RepoPath(unchecked: entry.path).isInside(part) { continue }
      groups[name]?.hashes.append(ContentHash(hash.algorithm, entry.md5))
    }
  }

  /// The cache's, else the remote's; `nil` where neither has it.
  private mutating func list(of hash: ContentHash, remote name: String) throws(Diagnostic) -> DirectoryManifest? {
    if let known = groups[name]?.manifests[hash] { return known }
    if let list = (try? cache.store(for: hash).manifest(hash)) ?? nil {
      groups[name]?.manifests[hash] = list
      return list
    }
    // What is wrong with the remote is told when it is asked for the object.
    guard let storage = try? remotes.storage(name, command: "fetch"),
      let list = (try? RemoteObjects(storage).list(of: hash)) ?? nil
    else { return nil }
    groups[name]?.manifests[hash] = list.manifest
    groups[name]?.lists[hash] = list
    return list.manifest
  }
}
