// What git tells of the sources in a lineage: which commit brought this data, was this script ever committed.
package import CairnCore
import CairnFormats
package import CairnLineage
import CairnStore
import CairnSystem

/// Asked only for what is shown, and for what would else be unknown; without git it answers nothing.
package struct SourceHistory: Sendable {
  /// So many commits are looked through for a version.
  private static let commitLimit = 200
  /// Of a folder so many bytes are compared with a commit.
  private static let sizeLimit: UInt64 = 64 << 20

  private let root: String
  private let git: GitRepository?
  private let objects: GitObjects?
  private let prefix: String
  private let store: RecordStore
  /// Commits whose parents a shallow clone does not have.
  private let boundary: Set<String>

  /// - Parameter store: has the contents of folders.
  package init(root: String, store: RecordStore) {
    self.root = root
    self.store = store
    git = (try? GitRepository.find(from: root)) ?? nil
    objects = git.map { GitObjects($0) }
    let inside = git.map { Repository.relative(root, to: $0.workTree) } ?? "."
    prefix = inside == "." ? "" : inside + "/"
    boundary = git?.shallowCommits() ?? []
  }

  /// A path of the project as records name what differed from the commit.
  package func gitPath(_ path: String) -> String { prefix + path }

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

  /// Whether these are in the commit the bytes that the run read. Of a folder: all its files are there with theirs. Of
  /// a link never: git has where it leads, not what stands there.
  package func holds(_ commit: String, _ input: RunRecord.Input) -> Bool {
    guard let git, let objects else { return false }
    let file = prefix + input.path
    guard input.md5?.hasSuffix(".dir") == true else {
      return ((try? objects.show(commit, file)) ?? nil).map { Self.areBytes($0, of: input) } ?? false
    }
    guard let digest = input.sha256, let bytes = (try? store.document(digest)) ?? nil,
      let manifest = try? DirectoryDocument.decode(bytes), let tree = (try? git.tree(commit, path: file)) ?? nil
    else { return false }
    let files = Dictionary(tree.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    if manifest.entries.reduce(0, { $0 + ($1.size ?? 0) }) > Self.sizeLimit { return false }
    return manifest.entries.allSatisfy { entry in
      guard let found = files[file + "/" + entry.path], found.mode.hasPrefix("100"), found.size == entry.size,
        let bytes = (try? objects.object(found.object)) ?? nil
      else { return false }
      return ContentHasher.md5(of: bytes) == entry.md5
    }
  }

  /// False where the run was one of another project of this repository: its commit lacks, here, what it read unchanged
  /// from git, or its stage in the file that it names. One whose commit is not here, or that is like a run of ours in
  /// all of that, may be ours.
  package func canBeOurs(_ record: RunRecord) -> Bool {
    guard let git, let objects, let commit = record.source.commit else { return true }
    let bytes = { (path: String) in (try? objects.show(commit, prefix + path)) ?? nil }
    let isUnchanged = { (path: String) in !record.source.changed.keys.contains(prefix + path) }
    let isElsewhere = record.inputs.contains { input in
      input.origin.kind == .git && input.md5?.hasSuffix(".dir") == false && isUnchanged(input.path)
        && bytes(input.path) == nil
    }
    if !isElsewhere {
      guard isUnchanged(record.stage.file), let text = bytes(record.stage.file),
        let file = try? YAMLReader.parse(SourceText(path: record.stage.file, bytes: text)),
        !Self.declares(file, record.stage)
      else { return true }
    }
    return ((try? git.revision(commit)) ?? nil) == nil
  }

  private static func declares(_ file: MarkedValue, _ stage: RunRecord.StagePart) -> Bool {
    let prefix = stage.file + ":"
    let name = stage.address.hasPrefix(prefix) ? String(stage.address.dropFirst(prefix.count)) : stage.address
    let group = name.split(separator: "@", maxSplits: 1).first.map(String.init) ?? name
    return file["stages"]?[name] != nil || file["stages"]?[group] != nil
  }

  private static func areBytes(_ bytes: [UInt8], of input: RunRecord.Input) -> Bool {
    // The MD5 may be one of unified line ends.
    if let sha256 = input.sha256 { return ContentHasher.sha256(of: bytes) == sha256 }
    return ContentHasher.md5(of: bytes).hex == input.md5
  }
}
