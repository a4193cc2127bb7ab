// Whether a run can have been one of this project: another one of the same repository may share its cache with ours.
package import CairnCore
import CairnFormats
import CairnSystem

package struct RunOwnership: Sendable {
  private let search: CommitSearch

  package init(_ sources: SourceHistory) { search = sources.search }

  /// False where the run was one of another project of this repository: its commit lacks, here, what it read unchanged
  /// from git, or its stage in the file that it names. One whose commit is not here, or that is like a run of ours in
  /// all of that, may be ours.
  package func canBeOurs(_ record: RunRecord) -> Bool {
    guard let git = search.git, let commit = record.source.commit else { return true }
    let bytes = { (path: String) in (try? search.bytes(search.paths.location(ofRecorded: path), at: commit)) ?? nil }
    let isUnchanged = { (path: String) in
      search.pathInWorkTree(recorded: path).map { !record.source.changed.keys.contains($0) } ?? false
    }
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
}
