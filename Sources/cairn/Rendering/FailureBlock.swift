// How a failed stage is told on a terminal: what failed, the last lines of its log, what goes on, the next step.
internal import CairnCore

struct FailureBlock {
  var stage: String
  var error: Diagnostic
  /// The last lines that the command printed; empty where they have just been shown.
  var lastLines: [String] = []
  var hasLog = false
  /// Stages that are let finish, with what is known of their time.
  var stillFinishing: [String] = []
  var notStarted: [String] = []
  /// Stages of this run whose results are kept.
  var keptCount = 0

  /// The lines, without a newline at the end.
  func text(usesColor: Bool) -> String {
    let isCommand = error.code == .commandFailed
    var lines = [
      Color.red.paint("ERROR", if: usesColor) + ": failed to reproduce '\(stage)': \(error.fullMessage)"
    ]
    var log = lastLines.map { "  | " + $0 }
    if hasLog, isCommand {
      let pointer = "all of it: cairn runs log @last:\(stage)"
      if let last = log.popLast() {
        let padding = String(repeating: " ", count: max(4, 50 - last.count))
        log.append(last + padding + Color.grey.paint(pointer, if: usesColor))
      } else {
        log.append("  " + Color.grey.paint(pointer, if: usesColor))
      }
    }
    lines += log
    var others: [String] = []
    if !stillFinishing.isEmpty { others.append("still finishing: " + Self.list(stillFinishing)) }
    if !notStarted.isEmpty { others.append("not started: " + Self.list(notStarted)) }
    if !others.isEmpty { lines.append("  " + others.joined(separator: " · ")) }
    func hint(_ text: String) { lines.append(Color.cyan.paint("hint", if: usesColor) + ": " + text) }
    if isCommand {
      let kept = keptCount == 1 ? "the finished stage is kept" : "the \(keptCount) finished stages are kept"
      hint("mend it and run `cairn repro`" + (keptCount > 0 ? ": \(kept)" : ""))
    }
    if let next = error.hint { hint(next) }
    return lines.joined(separator: "\n")
  }

  /// At most six names.
  private static func list(_ names: [String]) -> String {
    names.count <= 6 ? names.joined(separator: ", ") : names.prefix(5).joined(separator: ", ") + " and \(names.count - 5) more"
  }
}
