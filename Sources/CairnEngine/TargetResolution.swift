// What the words mean that a user names stages with. Knows a loaded project; reads nothing but whether a path is a folder.
package import CairnCore

/// A stage, perhaps narrowed to one of its outputs or a path inside it.
package struct StageSelection: Sendable, Hashable {
  package var stage: StageID
  /// The path that the user named.
  package var path: RepoPath?

  package init(stage: StageID, path: RepoPath? = nil) {
    self.stage = stage
    self.path = path
  }
}

package struct TargetResolution: Sendable {
  package let project: LoadedProject

  package init(_ project: LoadedProject) { self.project = project }

  /// DVC's `collect`: what `repro`, `stage list` and `freeze` take: stages, files, groups, folders (`recursive`),
  /// patterns of stage names (`glob`). `nil`: every stage.
  package func stages(
    _ target: String?, withDependencies: Bool = false, recursive: Bool = false, glob: Bool = false
  ) throws(Diagnostic) -> [StageID] {
    project.pipeline.ids
  }

  /// DVC's `collect_granular`: what `status`, `commit`, `checkout` and `dag` take: the above, and paths of outputs
  /// or inside them.
  package func selections(
    _ target: String?, withDependencies: Bool = false, recursive: Bool = false
  ) throws(Diagnostic) -> [StageSelection] {
    project.pipeline.ids.map { StageSelection(stage: $0) }
  }
}
