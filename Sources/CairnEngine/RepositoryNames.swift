// Whether a record that names a repository is this one's. Asks git when the first such question comes, not before.
import CairnCore
import CairnSystem
import Synchronization

final class RepositoryNames: Sendable {
  private let git: GitRepository?
  private let known = Mutex<[String?: Bool]>([:])

  init(_ git: GitRepository?) { self.git = git }

  /// By the address of the remote, in whatever spelling, or by the root commit; `nil` where git does not answer.
  func areOurs(_ name: String?) -> Bool? {
    known.withLock { known in
      if let answer = known[name] { return answer }
      let answer = ask(name)
      if let answer { known[name] = answer }
      return answer
    }
  }

  private func ask(_ name: String?) -> Bool? {
    // One that was made without git, or before the first commit, could be anybody's: ours too.
    guard let name else { return true }
    guard let git else { return false }
    do {
      // A repository that has got a remote was known by its root commit before.
      if GitRepository.isObjectName(name) { return try git.rootCommit()?.hasSameBytes(as: name) }
      guard let ours = try git.remoteURL() else { return false }
      return GitRepository.isSamePlace(ours, name)
    } catch { return nil }
  }
}
