// What differs between the data of two states of a project, and what was only renamed. Knows trees of hashes; knows
// nothing of files and commits.

package struct DataChange: Sendable {
  package enum Kind: Sendable { case added, deleted, modified, renamed, unchanged, unknown }

  package struct Place: Sendable {
    package var path: RepoPath
    package var entry: DataTree.Entry

    /// With a slash behind a folder.
    package var text: String { entry.isDirectory ? path.text + "/" : path.text }
  }

  package var kind: Kind
  /// One of the two is there; of a rename, both.
  package var old: Place?
  package var new: Place?
}

/// One side of a comparison: a tree, or as much of it as was asked for.
package struct DataView {
  package var tree: DataTree
  /// `nil`: all of it.
  package var isShown: ((RepoPath) -> Bool)?

  package init(_ tree: DataTree, isShown: ((RepoPath) -> Bool)? = nil) {
    self.tree = tree
    self.isShown = isShown
  }

  fileprivate func node(at path: RepoPath) throws(Diagnostic) -> DataTree.Node? {
    if let isShown, !path.isRoot, !isShown(path) { return nil }
    return try tree.node(at: path)
  }

  fileprivate func children(of node: DataTree.Node) throws(Diagnostic) -> DataTree.Children {
    guard let isShown else { return try tree.children(of: node) }
    return try tree.children(of: node, where: isShown)
  }
}

package struct DataComparison {
  package enum Rule: Sendable {
    /// Hashes alone count.
    case hashes
    /// What was a file and is a folder counts too.
    case hashesAndKinds
  }

  package var rule: Rule
  /// Folders that have a hash are not looked into.
  package var isShallow = false
  package var keepsUnchanged = false

  package init(_ rule: Rule, isShallow: Bool = false, keepsUnchanged: Bool = false) {
    self.rule = rule
    self.isShallow = isShallow
    self.keepsUnchanged = keepsUnchanged
  }

  /// Compares what lies at `roots` and below, level by level; a path below two of them comes twice, as with DVC.
  ///
  /// Renames: an added path takes the hash of the first deleted one that has it. They stand where DVC puts them:
  /// what neither came nor went, what came, by path, and what went.
  ///
  /// - Throws: when a root lies in a folder whose list is not to be had, or an import's origin cannot be looked at.
  package func changes(
    from old: DataView, to new: DataView, roots: [RepoPath]
  ) throws(Diagnostic) -> [DataChange] {
    Self.joiningRenames(try compare(old, new, roots))
  }

  /// The two sides of one folder's children.
  private struct Level {
    var old: [DataTree.Node] = []
    var new: [DataTree.Node] = []
    /// Of the side's folder the list is not to be had.
    var isOldLost = false
    var isNewLost = false
  }

  private func compare(_ old: DataView, _ new: DataView, _ roots: [RepoPath]) throws(Diagnostic) -> [DataChange] {
    var levels: [Level] = []
    for root in roots {
      var level = Level()
      if let node = try old.node(at: root) { level.old = [node] }
      if let node = try new.node(at: root) { level.new = [node] }
      levels.append(level)
    }
    let isWhole = old.isShown == nil && new.isShown == nil
    var changes: [DataChange] = []
    var next = 0
    while next < levels.count {
      let level = levels[next]
      levels[next] = Level()
      next += 1
      for (was, now) in Self.paired(level.old, level.new) {
        let kind = level.isOldLost || level.isNewLost ? .unknown : kind(was?.entry, now?.entry)
        if was?.isDirectory ?? false || now?.isDirectory ?? false, !(isWhole && isSame(was, now, old, new)) {
          var inner = Level()
          (inner.old, inner.isOldLost) = try children(of: was, in: old, isLost: level.isOldLost)
          (inner.new, inner.isNewLost) = try children(of: now, in: new, isLost: level.isNewLost)
          if !inner.old.isEmpty || !inner.new.isEmpty { levels.append(inner) }
        }
        if was?.entry == nil, now?.entry == nil { continue }
        if kind == .unchanged, !keepsUnchanged { continue }
        changes.append(DataChange(kind: kind, old: Self.place(was), new: Self.place(now)))
      }
    }
    return changes
  }

  private static func place(_ node: DataTree.Node?) -> DataChange.Place? {
    guard let node, let entry = node.entry else { return nil }
    return DataChange.Place(path: node.path, entry: entry)
  }

  /// Both have their content from one list: nothing differs below.
  private func isSame(_ was: DataTree.Node?, _ now: DataTree.Node?, _ old: DataView, _ new: DataView) -> Bool {
    guard !keepsUnchanged, let was, let now, let list = old.tree.wholeList(of: was) else { return false }
    return new.tree.wholeList(of: now) == list
  }

  private func children(
    of node: DataTree.Node?, in view: DataView, isLost: Bool
  ) throws(Diagnostic) -> (nodes: [DataTree.Node], isLost: Bool) {
    guard let node else { return ([], isLost) }
    if isShallow, node.entry?.hash != nil { return ([], false) }
    switch try view.children(of: node) {
    case .known(let nodes): return (nodes, false)
    case .unknown: return ([], true)
    }
  }

  /// Both are in the order of their paths.
  private static func paired(
    _ old: [DataTree.Node], _ new: [DataTree.Node]
  ) -> [(DataTree.Node?, DataTree.Node?)] {
    var pairs: [(DataTree.Node?, DataTree.Node?)] = []
    pairs.reserveCapacity(max(old.count, new.count))
    var (left, right) = (0, 0)
    while left < old.count || right < new.count {
      if right == new.count || left < old.count && old[left].path < new[right].path {
        pairs.append((old[left], nil))
        left += 1
      } else if left == old.count || new[right].path < old[left].path {
        pairs.append((nil, new[right]))
        right += 1
      } else {
        pairs.append((old[left], new[right]))
        left += 1
        right += 1
      }
    }
    return pairs
  }

  // MARK: One entry

  private func kind(_ old: DataTree.Entry?, _ new: DataTree.Entry?) -> DataChange.Kind {
    let hashes = Self.kind(old?.hash, new?.hash) { $0 == $1 }
    if rule == .hashes { return hashes }
    if old == nil { return .added }
    if new == nil { return .deleted }
    let wasFolder = old.flatMap { $0.isKnown ? $0.isDirectory : nil }
    let isFolder = new.flatMap { $0.isKnown ? $0.isDirectory : nil }
    let kinds = Self.kind(wasFolder, isFolder) { $0 == $1 }
    if kinds == .unchanged, wasFolder == nil { return hashes }
    if hashes == .unchanged, old?.hash == nil { return kinds }
    return kinds == .unchanged && hashes == .unchanged ? .unchanged : .modified
  }

  private static func kind<Value>(
    _ old: Value?, _ new: Value?, isSame: (Value, Value) -> Bool
  ) -> DataChange.Kind {
    switch (old, new) {
    case (nil, nil): .unchanged
    case (nil, _): .added
    case (_, nil): .deleted
    case (let old?, let new?): isSame(old, new) ? .unchanged : .modified
    }
  }

  // MARK: Renames

  private static func joiningRenames(_ changes: [DataChange]) -> [DataChange] {
    func inOrder(_ kind: DataChange.Kind, _ place: (DataChange) -> DataChange.Place?) -> [(RepoPath, DataChange)] {
      changes.compactMap { change in
        guard change.kind == kind, let path = place(change)?.path else { return nil }
        return (path, change)
      }.sorted { $0.0.precedesInParts($1.0) }
    }
    let added = inOrder(.added) { $0.new }.map(\.1)
    let deleted = inOrder(.deleted) { $0.old }.map(\.1)
    var result = changes.filter { $0.kind != .added && $0.kind != .deleted }
    // By hash, in the order of the first path that had it; each from its last path to its first.
    var order: [DataHash?] = []
    var gone: [DataHash?: [DataChange]] = [:]
    for deletion in deleted.reversed() { gone[deletion.old?.entry.hash, default: []].append(deletion) }
    var seen: Set<DataHash?> = []
    for deletion in deleted where seen.insert(deletion.old?.entry.hash).inserted {
      order.append(deletion.old?.entry.hash)
    }
    for addition in added {
      if let hash = addition.new?.entry.hash, let deletion = gone[hash]?.popLast() {
        result.append(DataChange(kind: .renamed, old: deletion.old, new: addition.new))
      } else {
        result.append(addition)
      }
    }
    return result + order.flatMap { gone[$0] ?? [] }
  }
}

extension RepoPath {
  /// Part by part: `a/b` before `a-b`, as Python orders tuples.
  package func precedesInParts(_ other: RepoPath) -> Bool {
    text.utf8.lexicographicallyPrecedes(other.text.utf8) { a, b in
      let slash = UInt8(ascii: "/")
      return (a == slash ? 0 : a) < (b == slash ? 0 : b)
    }
  }
}
