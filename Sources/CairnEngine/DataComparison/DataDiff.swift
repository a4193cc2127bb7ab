// Which data came, went, changed or moved between two states of a project: what `diff` tells. Knows nothing of words
// and tables.
package import CairnCore
import CairnStore
import CairnSystem

package struct DataDiff: Sendable {
  package enum State: String, Sendable, CaseIterable {
    case added, deleted, renamed, modified
    case notInCache = "not in cache"
  }

  package struct Item: Sendable {
    package var path: String
    package var hash: String?
    /// Of what was renamed.
    package var newPath: String?
    /// Of what was modified.
    package var newHash: String?
  }

  /// By path; `nil` when nothing differs and nothing is missing.
  package private(set) var items: [State: [Item]]?

  /// - Parameters:
  ///   - new: `nil` for the workspace, of which DVC also tells what the cache lacks.
  ///   - targets: what of the data counts; none: all of it.
  /// - Throws: DVC's words for revisions that do not exist, and for targets that are in neither state.
  package init(
    from old: String, to new: String?, _ targets: [String], in project: DataProject
  ) throws(Diagnostic) {
    let history = project.history
    if try history.hasNoCommits() { return }
    let asksCache = new == nil
    let new = new ?? "workspace"
    var sides: [String: Side] = [:]
    for (name, state) in try history.states(of: [old, new]) {
      // The workspace counts as the newer side alone.
      if name == "workspace", new != "workspace" { continue }
      sides[name] = try Side(state, targets, isOnDisk: name == "workspace", of: project)
    }
    if let target = targets.first(where: { target in
      [old, new].allSatisfy { sides[$0]?.missingTargets.contains(target) ?? false }
    }) {
      throw .unexpected(.notFound, "[Errno 2] No such file or directory: '\(target)'")
    }
    // Two names of one commit stand under both together: there is nothing to compare.
    if sides.count == 1 { return }
    guard let before = sides[old], let after = sides[new] else {
      throw .unexpected(.unknownRevision, PythonText.repr(.string(sides[old] == nil ? old : new)))
    }
    let changes: [DataChange]
    do throws(Diagnostic) {
      changes = try DataComparison(.hashesAndKinds, keepsUnchanged: asksCache).changes(
        from: try before.view(), to: try after.view(), roots: Set(before.keys + after.keys).sorted())
    } catch {
      var error = error
      error.isUnexpected = error.code == .noFolderList
      throw error
    }
    items = Self.items(changes, asksCache ? project.storage : nil)
  }

  private static func items(_ changes: [DataChange], _ storage: DataStorage?) -> [State: [Item]]? {
    var items: [State: [Item]] = [:]
    var cached: [DataChange.Place] = []
    for change in changes {
      // A folder without a hash is told by what lies in it.
      let entries = [change.old?.entry, change.new?.entry].compactMap { $0 }
      if entries.contains(where: { $0.isDirectory && $0.hash == nil }) { continue }
      var item = Item(path: change.old?.text ?? change.new?.text ?? "", hash: change.old?.entry.hash?.text)
      switch change.kind {
      case .added:
        item = Item(path: change.new?.text ?? "", hash: change.new?.entry.hash?.text)
        items[.added, default: []].append(item)
      case .deleted: items[.deleted, default: []].append(item)
      case .modified:
        item.newHash = change.new?.entry.hash?.text
        items[.modified, default: []].append(item)
      case .renamed:
        item.newPath = change.new?.text
        items[.renamed, default: []].append(item)
      case .unchanged, .unknown: break
      }
      if storage != nil, let old = change.old, old.entry.hash != nil { cached.append(old) }
    }
    for number in storage?.missing(cached.map(\.entry)) ?? [] {
      let place = cached[number]
      items[.notInCache, default: []].append(Item(path: place.text, hash: place.entry.hash?.text))
    }
    return items.isEmpty ? nil : items.mapValues { $0.sorted { $0.path.precedesInBytes($1.path) } }
  }

  /// One of the two states.
  private struct Side {
    /// Outputs, and where a target lies inside of one, that.
    var keys: [RepoPath] = []
    var missingTargets: Set<String> = []
    private let state: ProjectState
    private let recorded: DataTree
    private var outputs: Set<RepoPath> = []
    private let isOnDisk: Bool
    private let hasTargets: Bool
    private let project: DataProject

    init(
      _ state: ProjectState, _ targets: [String], isOnDisk: Bool, of place: DataProject
    ) throws(Diagnostic) {
      self.state = state
      self.isOnDisk = isOnDisk
      project = place
      hasTargets = !targets.isEmpty
      let project = try state.project()
      recorded = try place.storage(of: state).tree(of: project.dataOutputs())
      var keys: Set<RepoPath> = []
      func add(_ selection: StageSelection) {
        for (output, data) in project.dataOutputs(of: project.pipeline[selection.stage]) {
          guard let target = selection.path else {
            keys.insert(data.path)
            outputs.insert(data.path)
            continue
          }
          guard target.isInside(output.location), let path = target.local else { continue }
          keys.insert(path)
          outputs.insert(data.path)
        }
      }
      if targets.isEmpty { project.pipeline.ids.forEach { add(StageSelection(stage: $0)) } }
      let resolution = TargetResolution(project, loader: state.loader)
      for target in targets {
        do throws(Diagnostic) {
          try resolution.selections(target).forEach(add)
        } catch {
          if error.isUnexpected { throw error }
          missingTargets.insert(target)
        }
      }
      self.keys = keys.sorted()
    }

    func view() throws(Diagnostic) -> DataView {
      if isOnDisk {
        let places = try keys.map { key throws(Diagnostic) in
          WorkspaceData.Place(path: key, algorithm: try algorithm(of: key), isOutput: outputs.contains(key))
        }
        return DataView(try project.workspaceData(state.loader.ignore).tree(of: places))
      }
      if !hasTargets { return DataView(recorded) }
      var explicit: Set<RepoPath> = []
      var folders: [RepoPath] = []
      for key in keys {
        if try recorded.node(at: key)?.entry?.isDirectory ?? false { folders.append(key) }
        var path = key
        while !path.isRoot, explicit.insert(path).inserted { path = path.parent }
      }
      return DataView(recorded) { [explicit, folders] path in
        explicit.contains(path) || folders.contains { path.isInside($0) }
      }
    }

    /// Of the nearest hash at the path or above it.
    private func algorithm(of key: RepoPath) throws(Diagnostic) -> ContentHash.Algorithm {
      var path = key
      while !path.isRoot {
        if case .content(let hash)? = try recorded.node(at: path)?.entry?.hash { return hash.algorithm }
        path = path.parent
      }
      return .md5
    }
  }
}
