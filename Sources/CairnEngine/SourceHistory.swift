// What git tells of the sources in a lineage: which commit brought this data, was this script ever committed.
import CairnCore
import CairnStore
import CairnSystem

/// Asked only for what is shown on a terminal; without git it answers nothing.
package struct SourceHistory: Sendable {
  private let git: GitRepository?
  private let prefix: String

  package init(root: String) {
    git = (try? GitRepository.find(from: root)) ?? nil
    let inside = git.map { Repository.relative(root, to: $0.workTree) } ?? "."
    prefix = inside == "." ? "" : inside + "/"
  }

  /// `1a2b3c4 "june batch"`: the newest commit that changed the `.dvc` file behind this data.
  package func commit(ofData path: String) -> String? {
    guard let commit = commit(path + ".dvc") else { return nil }
    return "\(commit.name.prefix(7)) \"\(commit.subject)\""
  }

  /// The commit in which the file now has these bytes; `nil` when HEAD has others.
  package func commitSince(_ path: String, md5: String) -> String? {
    guard let git, let bytes = (try? GitObjects(git).show("HEAD", prefix + path)) ?? nil,
      ContentHasher.md5(of: bytes).hex == md5
    else { return nil }
    return commit(path).map { String($0.name.prefix(7)) }
  }

  private func commit(_ path: String) -> GitCommit? {
    guard let git else { return nil }
    return (try? git.lastCommit(of: prefix + path)) ?? nil
  }
}
