// `cairn remove`: stops tracking data, takes stages out of dvc.yaml.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct RemoveCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove stages from dvc.yaml and/or stop tracking files",
    discussion: """
      The data stays in the workspace, and in the cache, unless --outs is given.

      cairn remove data.csv.dvc
      cairn remove train
      """, aliases: ["rm"])

  @OptionGroup var global: GlobalOptions
  @Flag(name: .long, help: "Remove outputs as well.") var outs = false
  @Argument(help: ".dvc files or stages from dvc.yaml to remove.", completion: Completions.stages) var targets: [String]

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let project = try OpenProject.open()
    do {
      let lock = try project.lock(waitsForEver: invocation.waitsForLock)
      defer { lock.release() }
      for target in targets { try RemoveStage(project).run(target, removesOutputs: outs) }
    } catch {
      throw error.exiting(.no)
    }
    return .success
  }
}
