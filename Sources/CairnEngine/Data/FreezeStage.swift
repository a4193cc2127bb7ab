// `freeze` and `unfreeze`: a frozen stage does not look at its dependencies.
package import CairnCore

package struct FreezeStage {
  private let project: OpenProject
  private let loaded: LoadedProject

  package init(_ project: OpenProject) {
    self.project = project
    loaded = project.loader.loadKeepingFailures()
  }

  /// Returns what was done, in DVC's words; `nil` for a `.dvc` file, of which DVC says nothing.
  package func set(_ target: String, isFrozen: Bool) throws(Diagnostic) -> String? {
    var stage = loaded.pipeline[try StageLookup(project, loaded).stage(target)]
    stage.isFrozen = isFrozen
    let file = stage.address.file
    guard let name = stage.address.name else {
      try DataFileWriter.write(
        stage, outputs: stage.tracked?.outputs ?? [], previous: stage.tracked?.document, keepsChecksum: true,
        keepsNeedlessChecksum: true, to: project.repository.absolute(file))
      return nil
    }
    let action = try PipelineFileWriter(project: project, file: file).put(stage)
    return "\(action.rawValue) stage '\(name)' in '\(project.shown(file))'"
  }
}
