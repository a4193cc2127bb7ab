// A commit as a source: its tree, and the bytes that a checkout of it would give. Looks at no work tree.
package import CairnCore
package import CairnEngine
import CairnStore
package import CairnSystem
import Synchronization

package struct CommitSource: SourceTree {
  private let tree: CommitTree

  package init(_ tree: CommitTree) { self.tree = tree }

  package var listing: GitListing { tree.listing }
  package var isSpread: Bool { false }
  package func isFetchable(submodule: RepoPath) -> Bool { tree.isFetchable(submodule: submodule) }
  package func linkText(_ path: RepoPath) -> String? { tree.linkText(path) }

  package func content(of requests: [ContentRequest]) -> [ContentReading] {
    let found = Mutex([ContentReading?](repeating: nil, count: requests.count))
    do throws(Diagnostic) {
      try tree.read(requests.map(\.path)) { place, result in
        let reading: ContentReading
        switch result {
        case .bytes(let bytes):
          let kinds = DigestKinds(requests[place].algorithm, sha256: false)
          let digests = ContentHasher.digests(of: bytes, kinds)
          reading = digests[requests[place].algorithm].map { .digest($0) } ?? .missing
        case .unknown(let why): reading = .unknown(why)
        }
        found.withLock { $0[place] = reading }
      }
    } catch {
      let why = error.fullMessage
      return found.withLock { $0.map { $0 ?? .unknown(why) } }
    }
    return found.withLock { $0.map { $0 ?? .unknown("git did not answer") } }
  }

  /// What git does not have is not in a commit.
  package func strangers(
    in folder: RepoPath, limit: Int, isHidden: (RepoPath, Bool) -> Bool
  ) -> Strangers { Strangers() }

  package func absence(of path: RepoPath) -> Absence { .nowhere }

  /// The content is unknown then.
  package func holdsPointer(_ path: RepoPath) -> Bool { false }

  package func bytes(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? { try tree.read(path) }
}
