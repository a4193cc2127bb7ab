// Finds the paths in a shell command that mean another place on another machine. Works on text; runs nothing, and
// rather overlooks a path than takes a text for one.

enum CommandPaths {
  /// Absolute paths and those of a home directory, in the order of their mention, without what every machine has.
  static func outside(_ command: String) -> [String] { outside(command, depth: 0) }

  private static func outside(_ command: String, depth: Int) -> [String] {
    var found: [String] = []
    var runsText = false
    var program = ""
    var isFirst = true
    for word in ShellWords.words(command) {
      if word.endsCommand {
        (isFirst, runsText) = (true, false)
        continue
      }
      // `sh -c "…"` runs what stands in its quotes.
      if runsText, word.isQuoted, depth < 3 {
        found += outside(word.text, depth: depth + 1)
        runsText = false
        continue
      }
      runsText = shells.contains(program) && word.text.hasPrefix("-") && word.text.hasSuffix("c")
      if isFirst {
        // `LR=0.1 python …`: a setting is no program.
        if word.text.contains("="), !word.text.hasPrefix("/") {
          // It may name a path all the same.
        } else {
          program = String(word.text.split(separator: "/").last ?? "")
          isFirst = false
        }
      }
      for candidate in candidates(word.text, of: program)
      where isOutside(candidate, of: program, isQuoted: word.isQuoted) {
        found.append(candidate)
      }
    }
    return found
  }

  /// A word, and what stands behind `=`, `:` or `,` in it: `--data=/mnt/x`, `a:/mnt/b`.
  private static func candidates(_ word: String, of program: String) -> [String] {
    if word.hasPrefix("file:///") { return [String(word.dropFirst(7))] }
    if word.contains("://") { return [] }
    // `host:/path` is a path of the host's.
    if remote.contains(program), word.contains(":") { return [] }
    // `-i/data/x`
    if word.hasPrefix("-"), !word.hasPrefix("--"), word.dropFirst(2).hasPrefix("/") {
      return [String(word.dropFirst(2))]
    }
    var parts: [String] = []
    var current = ""
    for character in word {
      if character == "=" || character == "," || character == ":" || character == "@" {
        parts.append(current)
        current = ""
      } else {
        current.append(character)
      }
    }
    parts.append(current)
    return parts
  }

  private static let shells: Set<String> = ["sh", "bash", "zsh", "dash", "ksh"]
  private static let remote: Set<String> = ["scp", "rsync", "ssh"]
  /// Places where people put data.
  private static let roots: Set<Substring> = [
    "home", "Users", "mnt", "media", "data", "datasets", "srv", "scratch", "nfs", "workspace", "work", "storage",
    "shared", "gpfs", "lustre", "content", "kaggle", "Volumes", "dbfs", "projects", "export", "net", "efs", "fsx",
    "raid",
  ]
  /// Those that are meant as such also without anything behind them.
  private static let alone: Set<Substring> = ["data", "datasets", "mnt", "scratch", "home"]
  /// What every machine of its kind has.
  private static let system: Set<Substring> = [
    "bin", "sbin", "usr", "lib", "lib64", "lib32", "etc", "dev", "proc", "sys", "tmp", "run", "boot", "opt", "System",
    "Library", "nix", "snap",
  ]
  /// Their first words are programs of their own, full of slashes.
  private static let scripted: Set<String> = [
    "sed", "awk", "gawk", "mawk", "perl", "grep", "egrep", "rg", "tr", "jq", "ed",
  ]

  private static func isOutside(_ text: String, of program: String, isQuoted: Bool) -> Bool {
    if text.hasPrefix("~/") || text == "~" { return text.count > 1 || !isQuoted }
    // Another user's home.
    if text.hasPrefix("~"), !isQuoted, text.contains("/"), text.dropFirst().first?.isLetter ?? false { return true }
    for home in ["$HOME/", "${HOME}/"] where text.hasPrefix(home) { return true }
    guard text.hasPrefix("/"), !text.hasPrefix("//"),
      text.unicodeScalars.allSatisfy({ isPathScalar($0) || isQuoted && $0 == " " })
    else { return false }
    let parts = text.split(separator: "/")
    guard let first = parts.first, !(scripted.contains(program) && isQuoted) else { return false }
    if system.contains(first) { return false }
    if first == "var" { return parts.count > 1 && !["tmp", "log", "run", "lib", "cache"].contains(parts[1]) }
    if roots.contains(first) { return parts.count > 1 || alone.contains(first) }
    if scripted.contains(program) { return false }
    // Elsewhere only what looks like a file: `/api/v1` may be anything.
    guard parts.count > 1, let last = parts.last, !text.hasSuffix("/") else { return false }
    return last.dropFirst().dropLast().contains(".")
  }

  private static func isPathScalar(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "/", "_", "-", ".", "+", "%", "~", "{", "}", "$": true
    default: scalar.value > 0x7F
    }
  }
}
