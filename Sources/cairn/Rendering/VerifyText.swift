// A verification as people read it: the verdict on the first line, then what stands against it, with the next step.
internal import CairnCore
internal import CairnVerify

struct VerifyText {
  let verification: Verification
  let usesColor: Bool
  /// `-v`: each finding with the name of its check.
  let showsNames: Bool
  /// `verify` or `lint`, which gives no verdict.
  var command = "verify"

  /// More than this are counted.
  private static let limit = 50

  func lines() -> [String] {
    var lines = [headline]
    // What follows from a file that cannot be understood is said once.
    let findings = verification.findings.filter { !$0.isUnlooked }
    let unlooked = verification.findings.count - findings.count
    let folded = FoldedChecks(findings)
    for check in folded.checks.prefix(Self.limit) { lines += block(check) }
    let more = folded.counts.dropFirst(Self.limit).reduce(0, +)
    if more > 0 { lines.append("  … and \(more) more: `cairn \(command) --json` lists them all") }
    if unlooked > 0 { lines.append("  \(HumanText.count(unlooked, "check")) could not be made because of it") }
    return lines
  }

  private var headline: String {
    let summary = verification.summary
    var counts: [String] = []
    if summary.failed > 0 { counts.append(HumanText.count(summary.failed, "error")) }
    if summary.unknown > 0 { counts.append("\(summary.unknown) unknown") }
    if summary.warnings > 0 { counts.append(HumanText.count(summary.warnings, "warning")) }
    if summary.accepted > 0 { counts.append("\(summary.accepted) accepted") }
    counts.append("\(summary.passed) passed")
    let (word, color): (String, Color) =
      switch verification.verdict {
      case .reproducible: ("REPRODUCIBLE", .green)
      case .accepted: ("ACCEPTED", .green)
      case .notReproducible: ("NOT REPRODUCIBLE", .red)
      case .unknown: ("UNKNOWN", .yellow)
      }
    if command == "lint" { return counts.joined(separator: ", ") }
    return color.paint(word, if: usesColor) + "  " + counts.joined(separator: ", ")
  }

  private func block(_ check: Check) -> [String] {
    var first = "  " + place(check)
    let stage = check.stage.map { $0 + ": " } ?? ""
    first += "  " + tag(check) + PrintableText.line(stage + check.message)
    if showsNames { first += Color.grey.paint(" [\(check.id.rawValue)]", if: usesColor) }
    var lines = [first]
    if let was = check.was { lines.append("    was  " + PrintableText.line(was)) }
    if let now = check.now { lines.append("    now  " + PrintableText.line(now)) }
    if let acceptance = check.acceptance {
      lines.append("    until \(acceptance.until): " + PrintableText.line(acceptance.reason))
    } else if check.status == .accepted {
      lines.append("    the base has it too")
    } else if let hint = check.hint {
      lines.append("    " + PrintableText.line(hint))
    }
    return lines
  }

  private func place(_ check: Check) -> String {
    // A line that begins with two colons is a command to GitHub's runner.
    let file = (check.at.file.hasPrefix("::") ? "./" : "") + check.at.file
    return Color.blue.paint(PrintableText.line(file) + ":\(check.at.line)", if: usesColor)
  }

  /// What is no error says so.
  private func tag(_ check: Check) -> String {
    switch check.status {
    case .failed where check.severity == .warning: Color.yellow.paint("warning", if: usesColor) + " · "
    case .unknown, .erased: Color.yellow.paint("unknown", if: usesColor) + " · "
    case .accepted: "accepted · "
    default: ""
    }
  }
}
