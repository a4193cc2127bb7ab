// Which commit brought what stands at a path: followed through the parents that have it too, and through renames.
// Knows git and where paths lie; what "it" is, its callers say.
import CairnCore
import CairnSystem
import Synchronization

/// The git side of a project. What is asked of git is remembered; where there is no git nothing is found.
final class CommitSearch: Sendable {
  let git: GitRepository?
  /// One process answers all questions about contents.
  let objects: GitObjects?
  let paths: PathResolver
  /// The commit that searches begin at: `HEAD`, or the one that is looked at.
  let head: String
  /// Commits whose parents a shallow clone does not have.
  private let shallow: Set<String>
  /// So many commits of a file are looked through.
  private static let limit = 200

  private struct Key: Hashable {
    var location: Location
    var start: String
  }
  private let histories = Mutex<[Key: [GitHistoryEntry]]>([:])

  /// - Parameter root: of the project.
  init(root: String, git: GitRepository?, head: String) {
    self.git = git
    self.head = head
    objects = git.map(GitObjects.init)
    paths = PathResolver(root: root, workTree: git?.workTree)
    shallow = git?.shallowCommits() ?? []
  }

  /// As git names it; `nil` outside of its work tree.
  func pathInWorkTree(_ location: Location) -> String? { paths.pathInWorkTree(location) }

  func pathInWorkTree(recorded path: String) -> String? { pathInWorkTree(paths.location(ofRecorded: path)) }

  /// The newest commits that changed the path, up to `start` (`nil`: `head`), the newest first.
  func history(of location: Location, from start: String? = nil) -> [GitHistoryEntry] {
    let start = start ?? head
    let key = Key(location: location, start: start)
    if let known = histories.withLock({ $0[key] }) { return known }
    let found = pathInWorkTree(location).flatMap { try? git?.history(of: $0, from: start, limit: Self.limit) }
    let history = found ?? []
    histories.withLock { $0[key] = history }
    return history
  }

  /// The bytes of a file in a commit; `nil` where the commit has no such file. Throws where that cannot be told: a
  /// partial clone lacks objects, a link leads elsewhere.
  func bytes(_ location: Location, at commit: String) throws(Diagnostic) -> [UInt8]? {
    guard let git, let objects, let path = pathInWorkTree(location) else { return nil }
    if let bytes = try objects.show(commit, path) { return bytes }
    guard try git.tree(commit, path: path)?.isEmpty ?? true else {
      throw Diagnostic(.git, "'\(location.recordPath)' of \(commit) is not at hand")
    }
    return nil
  }

  /// Goes back from the newest commit that has it, through the parents that have it too, to the one of whose parents
  /// none has. `nil` where that cannot be told: the history at hand, or what is looked through, ends before.
  ///
  /// - Parameters:
  ///   - start: the commit that the search begins at; `nil`: `head`.
  ///   - isAbsent: that there is no such file or value is what is looked for.
  ///   - isThere: whether a commit has it, at the path that the file had then; `nil` where that cannot be told.
  func bringer(
    of location: Location, isAbsent: Bool = false, from start: String? = nil, _ isThere: (Location, String) -> Bool?
  ) -> GitCommit? {
    guard let git else { return nil }
    var location = location
    var start = start ?? head
    // A file may have been renamed on the way.
    for _ in 0..<8 {
      let history = history(of: location, from: start)
      let entries = Dictionary(history.map { ($0.commit, $0) }, uniquingKeysWith: { first, _ in first })
      var next: GitHistoryEntry?
      for entry in history {
        guard let isThere = isThere(location, entry.commit) else { return nil }
        if isThere {
          next = entry
          break
        }
      }
      var last: GitHistoryEntry?
      while let entry = next {
        // The end of a shallow clone looks like a beginning.
        if shallow.contains(entry.commit) { return nil }
        last = entry
        next = nil
        for parent in entry.parents {
          guard let isThere = isThere(location, parent) else { return nil }
          guard isThere else { continue }
          // Further back than is looked.
          guard let before = entries[parent] else { return nil }
          next = before
          break
        }
      }
      guard let last else { return nil }
      // A file that is there since has nothing to tell of what it never had.
      if isAbsent, last.parents.isEmpty { return nil }
      let parent = last.commit + "^"
      guard !isAbsent, last.parents.isEmpty, let before = former(location, in: last.commit, from: parent, git) else {
        return commit(last.commit, location)
      }
      guard let wasThere = isThere(before, parent) else { return nil }
      guard wasThere else { return commit(last.commit, location) }
      (location, start) = (before, parent)
    }
    return nil
  }

  /// A commit as people name it.
  func commit(_ name: String, _ location: Location) -> GitCommit? {
    pathInWorkTree(location).flatMap { try? git?.lastCommit(of: $0, from: name) }
  }

  /// Where a file lay before the commit gave it another name.
  private func former(_ location: Location, in commit: String, from parent: String, _ git: GitRepository) -> Location? {
    guard let path = pathInWorkTree(location), let old = (try? git.renamed(path, in: commit, from: parent)) ?? nil
    else { return nil }
    return paths.location(inWorkTree: old)
  }
}
