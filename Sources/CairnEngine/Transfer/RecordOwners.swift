// Whose a run is that lies on a remote, which several repositories may share. Asks git; reads no remote.
import CairnCore
import CairnLineage
import CairnSystem
import Synchronization

final class RecordOwners: Sendable {
  private let store: RecordStore
  private let git: GitRepository?
  private let projects: RunOwnership
  private let commits = Mutex<Set<String>?>(nil)

  init(_ project: OpenProject, _ history: History) {
    store = history.store
    git = project.git
    projects = RunOwnership(SourceHistory(root: project.repository.root, store: history.store))
  }

  /// A commit is in one history only, whatever the clones and forks of it are called.
  func hasCommit(_ name: String) -> Bool {
    guard let git else { return false }
    return commits.withLock { commits in
      let all = commits ?? Set((try? git.allCommits()) ?? [])
      commits = all
      return all.contains(name)
    }
  }

  /// The clone lacks a part of the history, and with it the commit that its repository may be known by.
  var isShallow: Bool { !(git?.shallowCommits().isEmpty ?? true) }

  /// `nil`: it cannot be known now.
  func isOurs(_ record: RunRecord) -> Bool? {
    let isOurs = store.isOfThisRepository(record)
    guard isOurs ?? false || (record.source.commit.map(hasCommit) ?? false) else { return isOurs }
    return projects.canBeOurs(record)
  }
}
