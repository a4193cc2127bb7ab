// The commands of DVC 3.67.1 that this version lacks: they are named as such, never mistaken for a typing error.
internal import CairnCore

enum MissingCommands {
  /// Command → its subcommands that are missing; an empty list: the whole of it.
  static let table: [String: [String]] = [
    "artifacts": [],
    "cache": ["migrate"],
    "daemon": [],
    "dataset": [], "ds": [],
    "destroy": [],
    "du": [],
    "experiments": [], "exp": [],
    "gc": [],
    "get": [],
    "get-url": [],
    "git-hook": ["merge-driver"],
    "import": [],
    "import-db": [],
    "import-url": [],
    "list-url": [], "ls-url": [],
    "plots": [],
    "queue": [],
    "studio": [],
    "test-db": [],
    "update": [],
  ]

  /// The missing command that these words begin with: `gc`, `cache migrate`.
  static func match(_ words: [String]) -> String? {
    guard let first = words.first, let missing = table[first] else { return nil }
    if missing.isEmpty { return first }
    guard let second = words.dropFirst().first, missing.contains(second) else { return nil }
    return "\(first) \(second)"
  }

  static func diagnostic(_ command: String) -> Diagnostic {
    var diagnostic = Diagnostic(
      Diagnostic.Code("not-in-cairn-yet"), "'\(command)' is not in Cairn yet",
      hint: "'dvc \(command)' works on the same files")
    diagnostic.exitCode = ExitStatus.usage.rawValue
    return diagnostic
  }
}
