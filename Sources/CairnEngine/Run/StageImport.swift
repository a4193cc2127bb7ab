// Brings an import that has changed up to date (`repro` of a `.dvc` file made by `import-url`): a copy of a file or folder
// of this machine. Knows nothing of other machines and of other repositories.
import CairnCore
import CairnFormats
import CairnStore
import CairnSystem

extension StageExecution {
  /// Copies what the stage imports over its output, and writes both hashes into its `.dvc` file.
  func importAgain(_ judged: Judged) throws(Diagnostic) {
    guard stage.importsFromHere, let source = stage.dependencies.first, let output = stage.outputs.first,
      let target = output.location.local
    else {
      throw Diagnostic(
        .notInThisVersion, "'\(context.name(stage))' is an import that has changed: importing is not in Cairn yet",
        hint: "'dvc repro \(context.name(stage))' works on the same files")
    }
    context.emit(
      .importing(
        id, from: context.shown(source.location, declared: source.declared),
        to: context.shown(output.location, declared: output.declared)))
    if context.request.dry {
      report(.finished(.ran))
      return report(.settled(Outcome(result: .ran)))
    }
    guard try acquirePaths() else { return }
    let aside = try context.outputs.clear(stage, context)
    progress.withLock { $0.aside = aside }
    try checkInputsExist(judged.snapshot, hasRun: true)
    let path = context.absolute(.local(target))
    try FileTree.copy(context.absolute(source.location), to: path)
    try record(judged)
    context.outputs.discard(aside)
    releasePaths()
    report(.finished(.ran))
    report(.settled(Outcome(result: .ran)))
  }

  /// What the data of a `.dvc` file is now goes into it, and what its input was when it was looked at.
  func record(_ judged: Judged) throws(Diagnostic) {
    let kept = try context.outputs.collect(
      stage, lock: judged.lock, commits: context.request.commits, position: position, context)
    try context.outputs.rewriteTracked(
      stage, kept, dependencies: stage.importsFromHere ? judged.snapshot.dependencies : nil, position: position, context)
  }
}

extension Stage {
  /// Made by `import-url` from a path of this machine.
  fileprivate var importsFromHere: Bool {
    guard isImport, dependencies.count == 1, outputs.count == 1, dependencies[0].source == nil else { return false }
    if case .url = dependencies[0].location { return false }
    return true
  }
}
