// `cairn root`: where the project begins.
internal import ArgumentParser
internal import CairnEngine

struct RootCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "root", abstract: "Return the relative path to the root of the DVC project")

  @OptionGroup var global: GlobalOptions

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    invocation.console.write(try Repository.findRoot().relativeFromWorkingDirectory)
    return .success
  }
}
