// Whether a record that names a repository is this one's. Asks git when the first such question comes, not before.
import CairnCore
import CairnSystem
import Synchronization

final class RepositoryNames: Sendable {
  private let git: GitRepository?
  /// `nil` in it: a shallow clone cannot tell.
  private let known = Mutex<[String?: Bool?]>([:])

  init(_ git: GitRepository?) { self.git = git }

  /// By the address of the remote, in whatever spelling, or by the root commit; `nil` where git does not answer, and
  /// for a root commit in a shallow clone, which lacks its own.
  func areOurs(_ name: String?) -> Bool? {
    known.withLock { known in
      if let answer = known[name] { return answer }
      do {
        let answer = try ask(name)
        known[name] = .some(answer)
        return answer
      } catch { return nil }
    }
  }

  private func ask(_ name: String?) throws(Diagnostic) -> Bool? {
    // One that was made without git, or before the first commit, could be anybody's: ours too.
    guard let name else { return true }
    guard let git else { return false }
    // A repository that has got a remote was known by its root commit before.
    if GitRepository.isObjectName(name) {
      guard let root = try git.rootCommit() else { return nil }
      if root.hasSameBytes(as: name) { return true }
      return git.shallowCommits().isEmpty ? false : nil
    }
    guard let ours = try git.remoteURL() else { return false }
    return GitRepository.isSamePlace(ours, name)
  }
}
