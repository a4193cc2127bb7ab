// From words to a command, by ArgumentParser; what it refuses is read again by the rules of Python's argparse,
// which DVC's users know. Knows nothing of what commands do.
internal import ArgumentParser

enum CommandParsing {
  enum Result {
    case success(any CairnCommand)
    case help(String)
    case wrong(String, any ParsableCommand.Type)
  }

  static func parse(_ words: [String]) -> Result {
    do {
      var command = try Cairn.parseAsRoot(words)
      if let command = command as? any CairnCommand { return .success(command) }
      guard type(of: command).configuration.subcommands.isEmpty else {
        return .wrong("the following arguments are required: cmd", type(of: command))
      }
      // ArgumentParser's own help command: it throws what is to be shown.
      try command.run()
      return .help("")
    } catch {
      if Cairn.exitCode(for: error) == .success { return .help(Cairn.fullMessage(for: error)) }
      return .wrong(Cairn.message(for: error), Cairn.self)
    }
  }
}

/// How a wrong command line is told.
enum UsageErrors {
  static func print(_ message: String, command: any ParsableCommand.Type, on console: Console) {
    console.error(message)
    console.note(Cairn.usageString(for: command))
  }
}
