// How a stage's command becomes processes: which shell, with which flags, and which lines. Starts nothing.
import CairnCore
import Glibc
import Synchronization

package enum ShellCommand {
  /// The shell that DVC would take: `$SHELL`, or `/bin/sh` where that is unset or empty.
  package static func shell() -> String {
    if let shell = Environment.value("SHELL"), !shell.isEmpty { return shell }
    return "/bin/sh"
  }

  /// The words of the process that runs one line. Flags keep the shell from its start-up files, so that those do not
  /// change the command.
  package static func argv(for line: String, shell: String = shell()) -> [String] {
    let name = (shell.split(separator: "/").last.map(String.init) ?? shell).lowercased()
    let flags =
      switch name {
      case "bash": ["--noprofile", "--norc"]
      case "zsh": ["--no-rcs"]
      case "fish": fishKnowsNoConfig(shell) ? ["--no-config"] : []
      default: [String]()
      }
    return [shell] + flags + ["-c", line]
  }

  /// The commands of a stage one after the other: the items of a list as they are, a text line by line.
  ///
  /// Blank lines stay: DVC gives them to a shell too.
  package static func lines(ofText command: String) -> [String] { PythonLines.split(command) }

  /// Where `argv` would take an older fish that cannot leave its configuration out: what DVC warns of.
  package static func warning(shell: String = shell()) -> String? {
    guard shell.split(separator: "/").last == "fish", !fishKnowsNoConfig(shell) else { return nil }
    return "DVC detected that you are using a version of fish shell below 3.3.0 "
      + "Be aware that it might cause problems by overwriting "
      + "your current environment variables with values defined "
      + "in 'config.fish', which might affect your command. See "
      + "https://github.com/treeverse/dvc/issues/1307. "
  }

  /// Asked once for each fish: it means starting it.
  private static func fishKnowsNoConfig(_ shell: String) -> Bool {
    if let known = fishes.withLock({ $0[shell] }) { return known }
    let answer = try? ChildProcess.run([shell, "--version"])
    let text = answer.map { String(decoding: $0.output, as: UTF8.self) } ?? ""
    let knows = answer?.exit.code == 0 && isVersion(text, atLeast: [3, 3, 0])
    fishes.withLock { $0[shell] = knows }
    return knows
  }

  static func isVersion(_ text: String, atLeast wanted: [Int]) -> Bool {
    let word = text.split(separator: " ").last.map { $0.trimmingWhitespace() } ?? ""
    let numbers = word.split(separator: ".").map { Int($0.prefix { $0.isASCII && $0.isNumber }) }
    guard let first = numbers.first, first != nil else { return false }
    for (index, part) in wanted.enumerated() {
      let own = index < numbers.count ? numbers[index] ?? 0 : 0
      if own != part { return own > part }
    }
    return true
  }

  private static let fishes = Mutex<[String: Bool]>([:])
}

package enum PythonLines {
  /// Python's `str.splitlines()`: also at vertical tab, form feed, the separators U+001C to U+001E, U+0085, U+2028
  /// and U+2029; `\r\n` is one end; no empty line after the last end.
  package static func split(_ text: String) -> [String] {
    // Most commands are one line: nothing in them could be an end, whole or in part.
    if !text.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0xC2 || $0 == 0xE2 }) {
      return text.isEmpty ? [] : [text]
    }
    var lines: [String] = []
    var line = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      defer { previous = scalar }
      if scalar == "\n", previous == "\r" { continue }
      switch scalar.value {
      case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029:
        lines.append(String(line))
        line = String.UnicodeScalarView()
      default: line.append(scalar)
      }
    }
    if !line.isEmpty { lines.append(String(line)) }
    return lines
  }
}
