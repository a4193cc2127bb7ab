// Whether a run can have been one of this project: another one of the same repository may share its cache with ours.
package import CairnCore
import CairnFormats
import CairnSystem
import Synchronization

package final class RunOwnership: Sendable {
  private let search: CommitSearch
  private let known = Mutex(Known())

  /// What commits have, by `COMMIT:PATH`: many runs are of one.
  private struct Known {
    var absent: [String: Bool] = [:]
    /// `nil`: what the file declares cannot be told.
    var stages: [String: Set<String>?] = [:]
  }

  package init(_ sources: SourceHistory) { search = sources.search }

  /// False where the run was one of another project of this repository: its commit lacks, here, what it read unchanged
  /// from git, or its stage in the file that it names. One whose commit is not here, or that is like a run of ours in
  /// all of that, may be ours.
  package func canBeOurs(_ record: RunRecord) -> Bool {
    guard let git = search.git, let commit = record.source.commit else { return true }
    let isUnchanged = { [search] (path: String) in
      search.pathInWorkTree(recorded: path).map { !record.source.changed.keys.contains($0) } ?? false
    }
    let isElsewhere = record.inputs.contains { input in
      input.origin.kind == .git && input.md5?.hasSuffix(".dir") == false && isUnchanged(input.path)
        && isAbsent(input.path, commit)
    }
    if !isElsewhere {
      guard isUnchanged(record.stage.file), let stages = stages(of: record.stage.file, commit),
        !Self.declares(stages, record.stage)
      else { return true }
    }
    return ((try? git.revision(commit)) ?? nil) == nil
  }

  private func bytes(_ path: String, _ commit: String) -> [UInt8]? {
    (try? search.bytes(search.paths.location(ofRecorded: path), at: commit)) ?? nil
  }

  private func isAbsent(_ path: String, _ commit: String) -> Bool {
    let key = commit + ":" + path
    if let answer = known.withLock({ $0.absent[key] }) { return answer }
    let answer = bytes(path, commit) == nil
    known.withLock { $0.absent[key] = answer }
    return answer
  }

  private func stages(of path: String, _ commit: String) -> Set<String>? {
    let key = commit + ":" + path
    if let names = known.withLock({ $0.stages[key] }) { return names }
    let file = bytes(path, commit).flatMap { try? YAMLReader.parse(SourceText(path: path, bytes: $0)) }
    let names = file.map { Set(($0["stages"]?.entries ?? []).compactMap(\.key.value.string)) }
    known.withLock { $0.stages[key] = .some(names) }
    return names
  }

  private static func declares(_ stages: Set<String>, _ stage: RunRecord.StagePart) -> Bool {
    let prefix = stage.file + ":"
    let name = stage.address.hasPrefix(prefix) ? String(stage.address.dropFirst(prefix.count)) : stage.address
    let group = name.split(separator: "@", maxSplits: 1).first.map(String.init) ?? name
    return stages.contains(name) || stages.contains(group)
  }
}
