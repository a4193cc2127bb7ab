// Reads what stands before the command's name: `--cd`, `--wait-for-lock`, `--version`. Knows no command's own options.
internal import ArgumentParser

struct LeadingArguments: Sendable {
  /// Of `--cd`, the last one given.
  var folder: String?
  var waitsForLock = false
  /// The command's name and all behind it.
  var words: [String] = []

  enum Reading {
    case command(LeadingArguments)
    case version
    /// A command of DVC's that Cairn lacks.
    case missing(String)
    case wrong(String, any ParsableCommand.Type)
  }

  private static let flags = ["--quiet", "--verbose", "--help", "--version", "--cd", "--wait-for-lock"]

  static func read(_ arguments: [String]) -> Reading {
    var result = LeadingArguments()
    var rest = arguments[...]
    var isQuiet = false
    var isVerbose = false
    while let word = rest.first, word.hasPrefix("-"), word != "-", word != "--" {
      rest.removeFirst()
      if word.hasPrefix("--") {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        let matches = flags.contains(name) ? [name] : flags.filter { $0.hasPrefix(name) }
        guard matches.count == 1 else {
          let message =
            matches.isEmpty
            ? "unrecognized arguments: \(word)"
            : "ambiguous option: \(word) could match \(matches.joined(separator: ", "))"
          return .wrong(message, Cairn.self)
        }
        switch matches[0] {
        case "--cd":
          if parts.count == 2 {
            result.folder = String(parts[1])
          } else if let value = rest.first, !value.hasPrefix("-") {
            result.folder = value
            rest.removeFirst()
          } else {
            return .wrong("argument --cd: expected one argument", Cairn.self)
          }
        case "--quiet": isQuiet = true
        case "--verbose": isVerbose = true
        case "--wait-for-lock": result.waitsForLock = true
        case "--version": return .version
        default:
          result.words = ["--help"]
          return .command(result)
        }
      } else {
        for letter in word.dropFirst() {
          switch letter {
          case "q": isQuiet = true
          case "v": isVerbose = true
          case "V": return .version
          case "h":
            result.words = ["--help"]
            return .command(result)
          default: return .wrong("unrecognized arguments: \(word)", Cairn.self)
          }
        }
      }
      if isQuiet && isVerbose {
        return .wrong("argument -v/--verbose: not allowed with argument -q/--quiet", Cairn.self)
      }
    }
    if rest.first == "--" { rest.removeFirst() }
    guard !rest.isEmpty else { return .wrong("the following arguments are required: command", Cairn.self) }
    result.words = Array(rest)
    if let missing = MissingCommands.match(result.words) { return .missing(missing) }
    return .command(result)
  }
}
