// Finds the one stage, or the stages of one file, that a word names: what `remove`, `freeze` and `move` take.
// Says what is wrong as DVC's loader of single files says it.
package import CairnCore
internal import CairnSystem

package struct StageLookup {
  let project: OpenProject
  let loaded: LoadedProject

  package init(_ project: OpenProject, _ loaded: LoadedProject) {
    self.project = project
    self.loaded = loaded
  }

  /// `path/dvc.yaml:name@key`, `name`, `data.csv.dvc` taken apart; a missing part is `nil`.
  static func split(_ target: String) throws(Diagnostic) -> (file: String?, name: String?) {
    let at = target.firstIndex(of: "@")
    let group = at.map { String(target[..<$0]) } ?? target
    let key = at.map { String(target[target.index(after: $0)...]) }
    var path = group
    var name: String?
    if let colon = group.lastIndex(of: ":") {
      let behind = group[group.index(after: colon)...]
      if !behind.contains("/"), !behind.contains("\\") {
        path = String(group[..<colon])
        name = String(behind)
      }
    }
    if let found = name, !found.isEmpty, let key, !key.isEmpty { name = found + "@" + key }
    if name?.isEmpty ?? false { name = nil }
    guard !path.isEmpty else { return (nil, name) }
    if fileName(path) == "dvc.lock" {
      throw Diagnostic(.stageFile, "Did you mean: `\(target.replacing(".lock", with: ".yaml", maxReplacements: 1))`?")
    }
    if name == nil { return TargetWords.isStageFile(target) ? (target, nil) : (nil, target) }
    return (path, name)
  }

  private static func fileName(_ path: String) -> Substring { path.split(separator: "/").last ?? "" }

  /// All stages that the word names: one, or those of a whole file.
  package func stages(_ target: String) throws(Diagnostic) -> [StageID] {
    let (path, name) = try Self.split(target)
    let file = try file(path)
    if let name, file.name == "dvc.yaml" { return [try stage(name, in: file)] }
    return loaded.pipeline.ids.filter { loaded.pipeline[$0].address.file == file }
  }

  /// Exactly one stage.
  package func stage(_ target: String) throws(Diagnostic) -> StageID {
    let (path, name) = try Self.split(target)
    let file = try file(path)
    if let id = loaded.pipeline.byAddress[StageAddress(file: file, name: nil)] { return id }
    guard let name else {
      throw Diagnostic(
        .stageFile,
        "Stage name not provided.Please specify the name as: `\(project.shown(file)):stage_name`")
    }
    return try stage(name, in: file)
  }

  private func file(_ path: String?) throws(Diagnostic) -> RepoPath {
    let absolute = Repository.normalized(project.absolute(path ?? "dvc.yaml"))
    let shown = path == nil ? "dvc.yaml" : absolute
    guard Files.exists(absolute) else { throw Diagnostic(.stageFile, "'\(shown)' does not exist") }
    guard let file = project.repository.repoPath(of: absolute) else {
      throw Diagnostic(.stageFile, "'\(shown)' is outside of DVC repo")
    }
    if Files.isDirectory(absolute) { throw Diagnostic(.stageFile, "'\(project.shown(file))' is not a .dvc file") }
    if let failure = loaded.failures.first(where: { $0.file == file && $0.stage == nil }) { throw failure.diagnostic }
    return file
  }

  private func stage(_ name: String, in file: RepoPath) throws(Diagnostic) -> StageID {
    if let id = loaded.pipeline.byAddress[StageAddress(file: file, name: name)] { return id }
    if let failure = loaded.failures.first(where: { $0.file == file && ($0.stage == name || $0.stage == nil) }) {
      throw failure.diagnostic
    }
    throw Diagnostic(.stageFile, "Stage '\(name)' not found inside '\(project.shown(file))' file")
  }
}
