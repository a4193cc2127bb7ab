// Finds what a folder held when its hash was taken: in the cache, in the record of a run that read it, or in git.
// Changes nothing.
import CairnCore
import CairnFormats
import CairnLineage
import CairnStore
import CairnSystem

struct FolderVersions {
  let workspace: Workspace
  let search: CommitSearch

  /// More bytes of a commit than this are not hashed for an answer.
  private static let sizeLimit: UInt64 = 64 << 20
  /// So many commits are looked through.
  private static let commitLimit = 20

  /// - Parameter run: one that is known to have read or made it, where there is one.
  func manifest(_ hash: ContentHash, at location: Location, run: RunID?) -> DirectoryManifest? {
    if let cached = (try? workspace.cache.store(for: hash).manifest(hash)) ?? nil { return cached }
    guard hash.algorithm == .md5 else { return nil }
    return recorded(hash, at: location, run) ?? committed(hash, at: location, run)
  }

  private func recorded(_ hash: ContentHash, at location: Location, _ run: RunID?) -> DirectoryManifest? {
    guard let run, let record = (try? workspace.records.record(run)) ?? nil else { return nil }
    let found =
      record.inputs.first { location.isRecorded(as: $0.path) && $0.md5 == hash.text }?.sha256
      // The lock has what it was when the command had ended.
      ?? record.inputs.first { location.isRecorded(as: $0.path) && $0.after?.md5 == hash.text }?.after?.sha256
      ?? record.outputs.first { location.isRecorded(as: $0.path) && $0.md5 == hash.text }?.sha256
    guard let found, let bytes = (try? workspace.records.document(found)) ?? nil else { return nil }
    return try? DirectoryDocument.decode(bytes)
  }

  /// The folder of a commit that has this hash: that of the run, HEAD, or one of the newest that changed it.
  private func committed(_ hash: ContentHash, at location: Location, _ run: RunID?) -> DirectoryManifest? {
    guard let git = workspace.git, let path = search.pathInWorkTree(location) else { return nil }
    var commits: [String] = []
    if let run, let commit = ((try? workspace.records.record(run)) ?? nil)?.source.commit { commits.append(commit) }
    commits.append("HEAD")
    commits += (try? git.commits(of: path, limit: Self.commitLimit)) ?? []
    var seen: Set<String> = []
    for commit in commits where seen.insert(commit).inserted {
      guard let manifest = manifest(of: path, in: commit, git) else { continue }
      if ContentHasher.md5(of: ManifestJSON.encode(manifest)) == hash.digest { return manifest }
    }
    return nil
  }

  /// - Parameter folder: as git names it.
  private func manifest(of folder: String, in commit: String, _ git: GitRepository) -> DirectoryManifest? {
    guard let objects = search.objects, let files = (try? git.tree(commit, path: folder)) ?? nil, !files.isEmpty,
      files.reduce(0, { $0 + ($1.size ?? 0) }) <= Self.sizeLimit
    else { return nil }
    var entries: [DirectoryManifest.Entry] = []
    for file in files {
      // A link would have to be followed, a submodule be opened: then another way must tell.
      guard file.mode.hasPrefix("100"), file.path.hasPrefix(folder + "/"), let bytes = (try? objects.object(file.object)) ?? nil
      else { return nil }
      entries.append(.init(path: String(file.path.dropFirst(folder.count + 1)), md5: ContentHasher.md5(of: bytes)))
    }
    return DirectoryManifest(entries)
  }
}
