// Finds the paths in a shell command that mean another place on another machine. Works on text; runs nothing, and
// rather overlooks a path than takes a text for one.

enum CommandPaths {
  /// Absolute paths and those of a home directory, in the order of their mention, without what every machine has.
  static func outside(_ command: String) -> [String] {
    var found: [String] = []
    var program = ""
    var isFirst = true
    for word in ShellWords.words(command) {
      if word.endsCommand {
        isFirst = true
        continue
      }
      if isFirst {
        // `LR=0.1 python …`: a setting is no program.
        if word.text.contains("="), !word.text.hasPrefix("/") {
          // It may name a path all the same.
        } else {
          program = String(word.text.split(separator: "/").last ?? "")
          isFirst = false
        }
      }
      for candidate in candidates(word.text) where isOutside(candidate, of: program, isQuoted: word.isQuoted) {
        found.append(candidate)
      }
    }
    return found
  }

  /// A word, and what stands behind `=`, `:` or `,` in it: `--data=/mnt/x`, `a:/mnt/b`.
  private static func candidates(_ word: String) -> [String] {
    if word.contains("://") { return [] }
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

  /// Places where people put data.
  private static let roots: Set<Substring> = [
    "home", "Users", "root", "mnt", "media", "data", "datasets", "srv", "scratch", "nfs", "workspace", "work", "storage",
    "shared", "gpfs", "lustre", "content", "kaggle", "Volumes", "dbfs", "projects", "export", "net", "efs", "fsx", "raid",
  ]
  /// What every machine of its kind has.
  private static let system: Set<Substring> = [
    "bin", "sbin", "usr", "lib", "lib64", "lib32", "etc", "dev", "proc", "sys", "tmp", "run", "boot", "opt", "System",
    "Library", "nix", "snap",
  ]
  /// Their first words are programs of their own, full of slashes.
  private static let scripted: Set<String> = ["sed", "awk", "gawk", "mawk", "perl", "grep", "egrep", "rg", "tr", "jq", "ed"]

  private static func isOutside(_ text: String, of program: String, isQuoted: Bool) -> Bool {
    if text.hasPrefix("~/") || text == "~" { return text.count > 1 || !isQuoted }
    for home in ["$HOME/", "${HOME}/"] where text.hasPrefix(home) { return true }
    guard text.hasPrefix("/"), !text.hasPrefix("//"), text.unicodeScalars.allSatisfy(isPathScalar) else { return false }
    let parts = text.split(separator: "/")
    guard let first = parts.first else { return false }
    if system.contains(first) { return false }
    if first == "var" { return parts.count > 1 && !["tmp", "log", "run", "lib", "cache"].contains(parts[1]) }
    if roots.contains(first) { return parts.count > 1 }
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
