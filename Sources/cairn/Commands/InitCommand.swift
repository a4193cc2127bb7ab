// `cairn init`: makes a folder a DVC project.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct InitCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Initialize DVC repository",
    discussion: """
      Makes .dvc, its settings and .dvcignore in the given directory, and adds them to git's index.

      cairn init
      cairn init --subdir services/churn
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .long, help: "Initiate DVC in directory that is not tracked by any SCM tool (e.g. Git).")
  var noScm = false
  @Flag(name: .shortAndLong, help: "Overwrite existing '.dvc/' directory. This operation removes local cache.")
  var force = false
  @Flag(name: .long, help: "Necessary for running this command inside a subdirectory of a parent SCM repository.")
  var subdir = false
  @Argument(help: "Directory to initialize DVC in. Defaults to the current working directory.", completion: Completions.folders)
  var directory = "."

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let here = try Repository.currentDirectory()
    let folder = Repository.normalized(directory.hasPrefix("/") ? directory : Repository.join(here, directory))
    do {
      try ProjectInitialiser(folder: folder, usesGit: !noScm, isSubfolder: subdir, replaces: force)
        .run(workingDirectory: here)
    } catch {
      guard error.code == .initialisation else { throw error }
      throw error.framed("failed to initiate DVC").exiting(.no)
    }
    let console = invocation.console
    console.info("Initialized DVC repository.\n")
    if !noScm { console.info("You can now commit the changes to git.\n") }
    return .success
  }
}
