// `cairn stage …`: the commands that list and create stages.
internal import ArgumentParser

struct StageCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stage", abstract: "Commands to list and create stages",
    subcommands: [StageAddCommand.self, StageListCommand.self])
}
