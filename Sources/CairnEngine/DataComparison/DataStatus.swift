// How the data of the workspace stands to what is recorded of it, that to the last commit, and both to cache and
// remote: what `data status` tells. Knows nothing of words.
package import CairnCore
import CairnStore
import CairnSystem
package import OrderedCollections

package struct DataStatus: Sendable {
  package struct Options: Sendable {
    package var targets: [String] = []
    /// Folders file by file.
    package var isGranular = false
    package var asksRemote = false
    package var asksForUntracked = false
    /// Whether git is asked if anything else has changed.
    package var asksGit = true
    package init() {}
  }

  package enum Change: Sendable {
    case path(String)
    case rename(old: String, new: String)
  }

  /// Kind → what is of that kind: `modified`, `added`, `deleted`, `renamed`, `unknown`, in the order found.
  package typealias Changes = OrderedDictionary<String, [Change]>

  package private(set) var notInCache: [String] = []
  package private(set) var notInRemote: [String] = []
  /// Of the last commit, against the files that record data.
  package private(set) var committed: Changes = [:]
  /// Of the files that record data, against the workspace.
  package private(set) var uncommitted: Changes = [:]
  package private(set) var untracked: [String] = []
  package private(set) var unchanged: [String] = []
  /// Git has no commit yet.
  package private(set) var isEmptyRepository = false
  /// Git itself has something that is not committed.
  package private(set) var hasGitChanges = false
  package private(set) var warnings: [String] = []

  private let project: DataProject
  private let options: Options
  /// What counts, from the project's root; empty: all.
  private let wanted: [RepoPath]

  package init(_ options: Options, of project: DataProject) throws(Diagnostic) {
    self.project = project
    self.options = options
    // As DVC takes them: as if the user stood in the project's root.
    wanted = options.targets.map { target in
      let whole = target.hasPrefix("/") ? target : Repository.join(project.repository.workingDirectory, target)
      return RepoPath(unchecked: Repository.relative(whole, to: project.repository.workingDirectory))
    }
    let git = project.history.git
    let changedFiles = options.asksGit || options.asksForUntracked ? git.map { git in
      Prefetch { try? git.changedFiles(untracked: options.asksForUntracked) }
    } : nil
    changedFiles?.begin()
    let workspace = project.history.workspace
    let outputs = try workspace.project().dataOutputs()
    let recorded = try project.storage.tree(of: outputs)
    let now = try project.workspaceData(workspace.loader.ignore).tree(
      of: outputs.filter { isLookedAt($0.path) }.map { output in
        WorkspaceData.Place(
          path: output.path, algorithm: output.entry.hash?.content?.algorithm ?? .md5, isOutput: true)
      })
    let differences = try compare(recorded, now)
    uncommitted = changes(differences)
    notInCache = missing(differences)
    var unchanged = paths(differences, .unchanged)
    if options.asksRemote { notInRemote = try missingInRemote(outputs, recorded) }
    if let git {
      let differences = try compare(try committedTree(git), recorded)
      committed = changes(differences)
      let alsoThere = Set(paths(differences, .unchanged))
      unchanged = unchanged.filter(alsoThere.contains)
      isEmptyRepository = try git.headCommit() == nil
    }
    self.unchanged = unchanged
    if let git, let found = changedFiles?.value {
      hasGitChanges = !found.isEmpty
      untracked = shown(found.filter { $0.index == "?" }.map(\.path), git)
    }
  }

  // MARK: Trees

  private func compare(_ old: DataTree, _ new: DataTree) throws(Diagnostic) -> [DataChange] {
    let isShown: ((RepoPath) -> Bool)? =
      wanted.isEmpty ? nil : { [wanted] path in wanted.contains { path.isInside($0) || $0.isInside(path) } }
    let all = try DataComparison(.hashes, isShallow: !options.isGranular, keepsUnchanged: true)
      .changes(from: DataView(old, isShown: isShown), to: DataView(new, isShown: isShown), roots: [.root])
    return all.filter { change in
      // A folder on the way to what counts is none of it.
      guard isWanted((change.kind == .renamed ? change.new : change.old ?? change.new)?.path) else { return false }
      switch change.kind {
      case .unchanged: return change.old?.entry.hash != nil || change.new?.entry.hash != nil
      case .unknown: return change.new != nil
      case .added, .deleted, .modified, .renamed: return true
      }
    }
  }

  private func isWanted(_ path: RepoPath?) -> Bool {
    guard let path else { return false }
    return wanted.isEmpty || wanted.contains { path.isInside($0) }
  }

  private func isLookedAt(_ output: RepoPath) -> Bool {
    wanted.isEmpty || wanted.contains { $0.overlaps(output) }
  }

  private mutating func committedTree(_ git: GitRepository) throws(Diagnostic) -> DataTree {
    guard let head = try git.headCommit() else { return DataTree() }
    guard let state = try project.history.state(ofCommit: head, git) else {
      warnings.append("Commit '\(head.prefix(7))' does not contain a DVC repo")
      return DataTree()
    }
    return try project.storage(of: state).tree(of: state.project().dataOutputs())
  }

  // MARK: What is told

  private func changes(_ differences: [DataChange]) -> Changes {
    var changes: Changes = [:]
    for change in differences {
      if change.kind == .renamed {
        changes["renamed", default: []].append(.rename(old: change.old?.text ?? "", new: change.new?.text ?? ""))
      } else if let word = Self.words[change.kind] {
        changes[word, default: []].append(.path(Self.text(change)))
      }
    }
    return changes
  }

  private static let words: [DataChange.Kind: String] = [
    .added: "added", .deleted: "deleted", .modified: "modified", .unknown: "unknown",
  ]

  private func paths(_ differences: [DataChange], _ kind: DataChange.Kind) -> [String] {
    differences.filter { $0.kind == kind }.map(Self.text)
  }

  /// Named as it was, with a slash behind what is a folder now, or was one and is gone.
  private static func text(_ change: DataChange) -> String {
    let now = change.kind == .deleted ? nil : change.new.flatMap { $0.entry.isKnown ? $0 : nil }
    let kind = now ?? change.old ?? change.new
    let path = (change.old ?? change.new)?.path.text ?? ""
    return kind?.entry.isDirectory ?? false ? path + "/" : path
  }

  /// Those that share an object stand together.
  private func missing(_ differences: [DataChange]) -> [String] {
    let places = differences.compactMap(\.old).filter { $0.entry.hash != nil }
    var users: OrderedDictionary<DataHash?, [String]> = [:]
    for number in project.storage.missing(places.map(\.entry)) {
      users[places[number].entry.hash, default: []].append(places[number].text)
    }
    return users.values.flatMap { $0 }
  }

  private func missingInRemote(_ outputs: [DataOutput], _ recorded: DataTree) throws(Diagnostic) -> [String] {
    var paths: [String] = []
    for output in outputs.sorted(by: { $0.path < $1.path })
    where output.isPushed && output.origin == nil && isLookedAt(output.path) {
      guard let node = try recorded.node(at: output.path) else { continue }
      var nodes = [node]
      while let node = nodes.popLast() {
        var children: [DataTree.Node] = []
        var isLost = false
        if node.isDirectory, options.isGranular || node.entry?.hash == nil {
          switch try recorded.children(of: node) {
          case .known(let nodes): children = nodes
          case .unknown: isLost = true
          }
        }
        // What no list names is told by its folder, wanted or not.
        if let entry = node.entry, let hash = entry.hash, isLost || isWanted(node.path),
          try !project.storage.isInRemote(hash, of: output)
        {
          paths.append(node.path.text + (entry.isDirectory ? "/" : ""))
        }
        nodes += children.reversed()
      }
    }
    return paths
  }

  /// As seen from where the user stands; what lies outside of the project does not count.
  private func shown(_ files: [String], _ git: GitRepository) -> [String] {
    let here = project.repository.workingDirectory
    let targets = options.targets.map { target in
      Repository.relative(target.hasPrefix("/") ? target : Repository.join(here, target), to: git.workTree)
    }
    return files.compactMap { file in
      let path = RepoPath(unchecked: file)
      let isMeant = targets.isEmpty || targets.contains { $0 != "." && path.isInside(RepoPath(unchecked: $0)) }
      guard isMeant, !file.hasSuffix("/"),
        let inside = project.repository.repoPath(of: Repository.join(git.workTree, file))
      else { return nil }
      return inside.relative(to: project.history.folder)
    }
  }
}
