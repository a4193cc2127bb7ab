// What git tells of the sources in a lineage: which commit brought this data, was this script ever committed.
package import CairnCore
import CairnStore
import CairnSystem

/// Asked only for what is shown, and for what would else be unknown; without git it answers nothing.
package struct SourceHistory: Sendable {
  /// So many commits are looked through for a version.
  private static let commitLimit = 200

  private let root: String
  private let git: GitRepository?
  private let objects: GitObjects?
  private let prefix: String
  /// Commits whose parents a shallow clone does not have.
  private let boundary: Set<String>

  package init(root: String) {
    self.root = root
    git = (try? GitRepository.find(from: root)) ?? nil
    objects = git.map { GitObjects($0) }
    let inside = git.map { Repository.relative(root, to: $0.workTree) } ?? "."
    prefix = inside == "." ? "" : inside + "/"
    boundary = git?.shallowCommits() ?? []
  }

  /// A `.dvc` file stands beside it.
  package func isData(_ path: String) -> Bool { Files.exists(Repository.join(root, path) + ".dvc") }

  /// `1a2b3c4 "june batch"`: the commit that made the `.dvc` file say that the data is this version. `nil` when none of
  /// the newest did, or the data is no `.dvc` file's.
  package func commit(ofData path: String, md5: String) -> String? {
    let found = bringer(of: prefix + path + ".dvc") { bytes in
      String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).contains(md5[...])
    }
    return found.map { "\($0.name.prefix(7)) \"\($0.subject)\"" }
  }

  /// The commit that gave the file these bytes; `nil` when none of the newest did.
  package func commit(of path: String, md5: String) -> String? {
    bringer(of: prefix + path) { ContentHasher.md5(of: $0).hex == md5 }.map { String($0.name.prefix(7)) }
  }

  /// The newest commit that made the file what is meant: where it is so in a parent too, an older commit did. `nil`
  /// also where the clone's history ends: the commit there has everything, and brought none of it.
  private func bringer(of file: String, isMeant: ([UInt8]) -> Bool) -> GitCommit? {
    guard let git, let objects else { return nil }
    func has(_ commit: String) -> Bool { ((try? objects.show(commit, file)) ?? nil).map(isMeant) ?? false }
    for entry in (try? git.history(of: file, from: "HEAD", limit: Self.commitLimit)) ?? [] where has(entry.commit) {
      if entry.parents.contains(where: has) { continue }
      if boundary.contains(entry.commit) { return nil }
      return (try? git.lastCommit(of: file, from: entry.commit)) ?? nil
    }
    return nil
  }

  /// The first commit after the run in which the file has the bytes that the run read.
  package func firstCommit(of input: RunRecord.Input, after record: RunRecord) -> String? {
    guard let git, let objects else { return nil }
    let file = prefix + input.path
    let commits = try? git.commits(of: file, since: record.execution.started, notIn: record.source.commit)
    let found = commits?.first { commit in
      ((try? objects.show(commit, file)) ?? nil).map { Self.areBytes($0, of: input) } ?? false
    }
    return found.map { String($0.prefix(7)) }
  }

  private static func areBytes(_ bytes: [UInt8], of input: RunRecord.Input) -> Bool {
    // The MD5 may be one of unified line ends.
    if let sha256 = input.sha256 { return ContentHasher.sha256(of: bytes) == sha256 }
    return ContentHasher.md5(of: bytes).hex == input.md5
  }
}
