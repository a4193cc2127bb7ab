// `remove`: stops tracking data, or takes a stage out of its pipeline.
package import CairnCore
internal import CairnSystem

package struct RemoveStage {
  private let project: OpenProject

  package init(_ project: OpenProject) { self.project = project }

  /// - Parameter removesOutputs: `--outs`: the data goes, too; otherwise it stays, made free to edit.
  package func run(_ target: String, removesOutputs: Bool) throws(Diagnostic) {
    let loaded = project.loader.loadKeepingFailures()
    let stages: [StageID]
    do {
      stages = try StageLookup(project, loaded).stages(target)
    } catch {
      guard error.code == .stageFile, Files.exists(project.absolute(target + ".dvc")) else { throw error }
      throw Diagnostic(.stageFile, "'\(target)' is not a .dvc file. Do you mean '\(target).dvc'?").because(of: error)
    }
    for id in stages { try remove(loaded.pipeline[id], removesOutputs: removesOutputs) }
  }

  private func remove(_ stage: Stage, removesOutputs: Bool) throws(Diagnostic) {
    var git = GitTracking(project)
    for output in stage.outputs {
      guard let path = output.location.local else { continue }
      let absolute = project.repository.absolute(path)
      if removesOutputs {
        try Files.removeTree(absolute)
      } else if output.isCached, Files.exists(absolute, followLinks: false) {
        // A link into the cache whose object is gone: all that tells what it was is what would be removed.
        try DataUnprotection(project).run(absolute, name: absolute)
      }
      if output.isCached { try git.unignore(absolute) }
    }
    if stage.kind == .tracked {
      _ = try Files.remove(project.repository.absolute(stage.address.file))
    } else {
      try PipelineFileWriter(project: project, file: stage.address.file).remove(stage)
    }
  }
}
