// `cairn unprotect`: gives linked files bytes of their own.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct UnprotectCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "unprotect", abstract: "Unprotect tracked files or directories",
    discussion: """
      When hard links or symbolic links are the cache.type, an edit would change the cache: unprotect first.

      cairn unprotect data.csv
      """)

  @OptionGroup var global: GlobalOptions
  @Argument(help: "Data files/directories to unprotect.", completion: Completions.files) var targets: [String]

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let project = try OpenProject.open()
    for target in targets {
      try DataUnprotection(project).run(Repository.normalized(project.absolute(target)), name: target)
    }
    return .success
  }
}
