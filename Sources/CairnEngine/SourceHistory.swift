// What git tells of the sources in a lineage: which commit brought this data, was this script ever committed.
package import CairnCore
import CairnStore
import CairnSystem

/// Asked only for what is shown on a terminal; without git it answers nothing.
package struct SourceHistory: Sendable {
  /// So many commits are looked through for a version.
  private static let commitLimit = 50

  private let root: String
  private let git: GitRepository?
  private let prefix: String

  package init(root: String) {
    self.root = root
    git = (try? GitRepository.find(from: root)) ?? nil
    let inside = git.map { Repository.relative(root, to: $0.workTree) } ?? "."
    prefix = inside == "." ? "" : inside + "/"
  }

  /// `1a2b3c4 "june batch"`: the newest commit whose `.dvc` file says that the data is this version. `nil` when none of
  /// the newest says so, or the data is no `.dvc` file's.
  package func commit(ofData path: String, md5: String) -> String? {
    guard let git else { return nil }
    let file = prefix + path + ".dvc"
    let objects = GitObjects(git)
    for commit in (try? git.commits(of: file, limit: Self.commitLimit)) ?? [] {
      guard let bytes = (try? objects.show(commit, file)) ?? nil,
        String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).contains(md5[...]),
        let found = (try? git.lastCommit(of: file, from: commit)) ?? nil
      else { continue }
      return "\(found.name.prefix(7)) \"\(found.subject)\""
    }
    return nil
  }

  /// A `.dvc` file stands beside it.
  package func isData(_ path: String) -> Bool { Files.exists(Repository.join(root, path) + ".dvc") }

  /// The commit in which the file got these bytes; `nil` when none of the newest has them.
  ///
  /// - Parameter moment: the first one since then is meant, where there is one; without it the newest.
  package func commitSince(_ path: String, md5: String, _ moment: Nanoseconds? = nil) -> String? {
    guard let git else { return nil }
    let objects = GitObjects(git)
    let file = prefix + path
    var found: String?
    // The newest first. Git knows no parts of a second.
    for commit in (try? git.commits(of: file, limit: Self.commitLimit)) ?? [] {
      guard let bytes = (try? objects.show(commit, file)) ?? nil, ContentHasher.md5(of: bytes).hex == md5,
        let commit = (try? git.lastCommit(of: file, from: commit)) ?? nil
      else { continue }
      if found != nil, commit.date / 1_000_000_000 < (moment ?? 0) / 1_000_000_000 { break }
      found = String(commit.name.prefix(7))
      if moment == nil { break }
    }
    return found
  }
}
