// The options that every command has, and those that stand before the command.
internal import ArgumentParser

/// `-q` and `-v`, behind the command's name: as with DVC, those before the name have no effect.
struct GlobalOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Be quiet.")
  var quiet: Int

  @Flag(name: .shortAndLong, help: "Be verbose.")
  var verbose: Int
}

/// What stands before the command's name. `LeadingArguments` reads them; here they are declared for `--help`.
struct LeadingOptions: ParsableArguments {
  @Option(name: .long, help: ArgumentHelp("Change to directory before executing.", valueName: "path"))
  var cd: String?

  @Flag(name: [.customShort("V"), .long], help: "Show the version and exit.")
  var version = false

  @Flag(name: .long, help: "Wait for the lock if it is already held by another process, instead of failing immediately.")
  var waitForLock = false
}

/// A command of Cairn's: all commands conform, those that only hold subcommands do not.
protocol CairnCommand: ParsableCommand {
  var global: GlobalOptions { get }

  /// Does the work. What it throws is printed, and ends the process with the error's exit code.
  mutating func execute(_ invocation: Invocation) throws -> ExitStatus
}

/// A command that DVC does not have: where it fails, the exit code is none of the finer ones of DVC's.
protocol OwnCommand: CairnCommand {}

/// What a command is given beside its own arguments.
struct Invocation: Sendable {
  let console: Console
  /// As typed, without the program's name.
  let arguments: [String]
  /// `--wait-for-lock`: a lock that another process holds is waited for without an end.
  let waitsForLock: Bool
}
