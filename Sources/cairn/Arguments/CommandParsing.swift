// From words to a command, by ArgumentParser; what it refuses is read again by the rules of Python's argparse,
// which DVC's users know. Knows nothing of what commands do.
internal import ArgumentParser
internal import CairnCore

enum CommandParsing {
  enum Result {
    case success(any CairnCommand)
    case help(String)
    case wrong(String, any ParsableCommand.Type)
  }

  static func parse(_ words: [String]) -> Result {
    let (path, command, given) = find(words)
    let rest = LeftOutValues.filled(given, for: command)
    // A command that takes another command's words would take a wrong option of its own for one of them; and what may
    // stand before a command would be taken behind it, and count for nothing.
    let isPlain = !takesRest(command) && !isInterrupted(rest, command)
    if isPlain, !rest.prefix(while: { $0 != "--" }).contains(where: isLeading) {
      do {
        return try parsed(path + rest)
      } catch {
        if Cairn.exitCode(for: error) == .success { return .help(Cairn.fullMessage(for: error)) }
      }
    }
    // Refused: an abbreviation perhaps, or something wrong, which argparse's rules then name.
    if !command.configuration.subcommands.isEmpty { return .wrong(unknownCommand(rest, in: command, path), command) }
    guard let shapes = ArgumentShapes(of: command) else { return .wrong("unrecognized arguments", command) }
    switch ArgparseRules(shapes: shapes).read(rest) {
    case .wrong(let message): return .wrong(message, command)
    case .help: return .help(Cairn.helpMessage(for: command))
    case .words(let full):
      do {
        return try parsed(path + full)
      } catch {
        if Cairn.exitCode(for: error) == .success { return .help(Cairn.fullMessage(for: error)) }
        return .wrong(argparseWords(Cairn.message(for: error), shapes), command)
      }
    }
  }

  private static func parsed(_ words: [String]) throws -> Result {
    var command = try Cairn.parseAsRoot(words)
    if let command = command as? any CairnCommand {
      if command.global.quiet > 0, command.global.verbose > 0 {
        let isQuietFirst =
          words.firstIndex { isFlag($0, "q", "--quiet") } ?? 0 < words.firstIndex { isFlag($0, "v", "--verbose") } ?? 0
        let (second, first) = isQuietFirst ? ("-v/--verbose", "-q/--quiet") : ("-q/--quiet", "-v/--verbose")
        return .wrong("argument \(second): not allowed with argument \(first)", type(of: command))
      }
      return .success(command)
    }
    guard type(of: command).configuration.subcommands.isEmpty else {
      return .wrong("the following arguments are required: cmd", type(of: command))
    }
    // ArgumentParser's own help command: it throws what is to be shown.
    try command.run()
    return .help("")
  }

  private static func takesRest(_ command: any ParsableCommand.Type) -> Bool {
    command == StageAddCommand.self
  }

  /// Arguments stand in front of an option and perhaps behind it, where argparse has left out what may be left out.
  private static func isInterrupted(_ words: [String], _ command: any ParsableCommand.Type) -> Bool {
    guard command is any OptionalValues.Type, let first = words.first, !first.hasPrefix("-") else { return false }
    return words.drop { !$0.hasPrefix("-") }.contains { !$0.hasPrefix("-") }
  }

  /// An option of the program, as DVC has them before the command alone.
  private static func isLeading(_ word: String) -> Bool {
    ["--cd", "--wait-for-lock", "--version", "-V"].contains(word) || word.hasPrefix("--cd=")
  }

  private static func isFlag(_ word: String, _ letter: Character, _ name: String) -> Bool {
    word.hasPrefix("--") ? name.hasPrefix(word) : word.hasPrefix("-") && word.contains(letter)
  }

  /// The command that the first words name, those words, and the others.
  private static func find(_ words: [String]) -> (path: [String], command: any ParsableCommand.Type, rest: [String]) {
    var command: any ParsableCommand.Type = Cairn.self
    var path: [String] = []
    var rest = words[...]
    while let word = rest.first,
      let next = command.configuration.subcommands.first(where: {
        $0.configuration.commandName == word || $0.configuration.aliases.contains(word)
      })
    {
      command = next
      path.append(word)
      rest.removeFirst()
    }
    // Options right behind it are those of the subcommand that it stands for.
    if rest.first?.hasPrefix("-") ?? false, let standard = command.configuration.defaultSubcommand {
      command = standard
    }
    return (path, command, Array(rest))
  }

  private static func unknownCommand(_ rest: [String], in command: any ParsableCommand.Type, _ path: [String])
    -> String
  {
    let name = path.isEmpty ? "command" : "cmd"
    guard let word = rest.first(where: { !$0.hasPrefix("-") }) else {
      return rest.isEmpty
        ? "the following arguments are required: \(name)" : "unrecognized arguments: \(rest.joined(separator: " "))"
    }
    let choices = command.configuration.subcommands.flatMap {
      [$0.configuration.commandName ?? ""] + $0.configuration.aliases
    }
    let list = choices.map { "'\($0)'" }.joined(separator: ", ")
    let hint = Suggestion.hint(for: word, among: choices).map { "\nhint: " + $0 } ?? ""
    return "argument \(name): invalid choice: '\(word)' (choose from \(list))" + hint
  }

  /// ArgumentParser's sentences on values and flags, as argparse says them.
  private static func argparseWords(_ message: String, _ shapes: ArgumentShapes) -> String {
    let quoted = message.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
    if message.hasPrefix("The value '"), quoted.count >= 4 {
      let name = String(quoted[3].prefix { $0 != " " })
      let display = shapes.option(named: name)?.display ?? name.filter { $0 != "<" && $0 != ">" }
      return "argument \(display): invalid int value: '\(quoted[1])'"
    }
    if message.contains("had already been set"), quoted.count >= 4 {
      return "argument \(quoted[1]): not allowed with argument \(quoted[3])"
    }
    return message
  }
}

/// How a wrong command line is told.
enum UsageErrors {
  static func print(_ message: String, command: any ParsableCommand.Type, on console: Console) {
    console.error(message)
    console.note("usage: " + Cairn.usageString(for: command))
  }
}
