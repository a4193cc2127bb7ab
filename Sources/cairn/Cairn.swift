// The program's entry: from the words of a command line to a command, its printed errors and the exit code.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnServices
internal import CairnSystem
internal import Glibc

@main
enum Program {
  static func main() {
    signal(SIGPIPE, SIG_IGN)
    Machine.tuneMemory()
    // Before anything opens a file: a lock or a pipe with the number of a closed stream would get what is printed.
    StandardDescriptors.fill()
    RemoteConnectors.use(RemoteServices())
    TrackerConnectors.use(TrackingServices())
    EventConnectors.use(OpenLineageServices())
    let status = run(CommandArguments.words())
    exit(status.rawValue)
  }

  /// One whole invocation; `arguments` are without the program's name.
  static func run(_ arguments: [String]) -> ExitStatus {
    switch LeadingArguments.read(arguments) {
    case .version:
      return finish(Console(), .success) { $0.write(CairnVersion.current) }
    case .missing(let command):
      return finish(Console(), .usage) { $0.report(MissingCommands.diagnostic(command)) }
    case .wrong(let message, let command):
      return finish(Console(), .usage) { UsageErrors.print(message, command: command, on: $0) }
    case .command(let leading):
      return run(leading, arguments: arguments)
    }
  }

  private static func run(_ leading: LeadingArguments, arguments: [String]) -> ExitStatus {
    if let folder = leading.folder {
      do { try Files.changeDirectory(folder) } catch { return finish(Console(), .failure) { $0.report(error) } }
    }
    var command: any CairnCommand
    switch CommandParsing.parse(leading.words) {
    case .success(let parsed): command = parsed
    case .help(let text): return finish(Console(), .success) { $0.write(text) }
    case .wrong(let message, let command):
      return finish(Console(), .usage) { UsageErrors.print(message, command: command, on: $0) }
    }
    let console = Console(isQuiet: command.global.quiet > 0, isVerbose: command.global.verbose > 0)
    let invocation = Invocation(console: console, arguments: arguments, waitsForLock: leading.waitsForLock)
    do {
      let status = try command.execute(invocation)
      return finish(console, status) { _ in }
    } catch {
      let error = framed(error)
      return finish(console, ExitStatus(error, isOwn: command is any OwnCommand)) { $0.report(error) }
    }
  }

  private static func finish(_ console: Console, _ status: ExitStatus, _ words: (Console) -> Void) -> ExitStatus {
    words(console)
    console.flush()
    switch console.outputFailure {
    case 0: return status
    case EPIPE: return .brokenPipe
    case let code:
      console.report(Diagnostic.system(code, "print", "standard output"))
      return .failure
    }
  }

  /// DVC says of a wrong setting where it met it, unless the command has an answer of its own.
  static func framed(_ error: any Error) -> any Error {
    guard let diagnostic = error as? Diagnostic, diagnostic.code == .configuration, diagnostic.exitCode == nil else {
      return error
    }
    var copy = diagnostic.exiting(.configuration)
    copy.message = "configuration error - " + copy.message
    return copy
  }
}

/// The tree of commands. Each stands in a file of its own under `Commands/`.
struct Cairn: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cairn",
    abstract: "Reproduce data pipelines, and know where every result came from",
    discussion: """
      Works in DVC repositories, on DVC's files, with DVC's commands.
      """,
    subcommands: [
      AddCommand.self,
      CacheCommand.self,
      CheckIgnoreCommand.self,
      CheckoutCommand.self,
      CommitCommand.self,
      CompletionCommand.self,
      ConfigCommand.self,
      DagCommand.self,
      DataCommand.self,
      DiffCommand.self,
      FetchCommand.self,
      FreezeCommand.self,
      GitHookCommand.self,
      InitCommand.self,
      InstallCommand.self,
      LineageCommand.self,
      LintCommand.self,
      ListCommand.self,
      MetricsCommand.self,
      MoveCommand.self,
      ParamsCommand.self,
      PullCommand.self,
      PushCommand.self,
      RemoteCommand.self,
      RemoveCommand.self,
      ReproCommand.self,
      RestoreCommand.self,
      RootCommand.self,
      RunsCommand.self,
      StageCommand.self,
      StatusCommand.self,
      TrackCommand.self,
      UnfreezeCommand.self,
      UnprotectCommand.self,
      VerifyCommand.self,
      VersionCommand.self,
      WhyCommand.self,
    ],
    helpNames: [.short, .long])

  @OptionGroup var leading: LeadingOptions
}
