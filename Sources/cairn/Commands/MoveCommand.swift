// `cairn move`: renames tracked data.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct MoveCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "move", abstract: "Rename or move a DVC controlled data file or a directory",
    discussion: """
      It renames and modifies the corresponding .dvc file to reflect the changes.

      cairn move data.csv data/raw.csv
      """, aliases: ["mv"])

  @OptionGroup var global: GlobalOptions
  @Argument(help: "Source path to a data file or directory.", completion: Completions.files) var src: String
  @Argument(help: "Destination path.", completion: Completions.files) var dst: String

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let project = try OpenProject.open()
    do {
      let lock = try project.lock(waitsForEver: invocation.waitsForLock)
      defer { lock.release() }
      var work = try MoveData(project, src)
      let said = try work.run(to: dst)
      for line in said.warnings { invocation.console.warning(line) }
      for line in said.git { invocation.console.info(line) }
    } catch {
      throw error.framed("failed to move '\(src)' -> '\(dst)'").exiting(.no)
    }
    return .success
  }
}
