// A verification as workflow commands of GitHub's runner, which make annotations of them. Knows nothing of GitHub's
// interface for checks, which has other limits.
import CairnCore

package enum GitHubAnnotations {
  /// What GitHub keeps of each level in a step; the rest is in the log only.
  private static let mostOfALevel = 10

  private enum Level: String { case error, warning }

  /// Lines for standard output, without their ends: faults and an unknown verdict as `::error`, what is unknown and
  /// warnings as `::warning`, the gravest first. Where there are more than ten of a level, the tenth says how many.
  ///
  /// What was accepted, and unknowns that the verdict passes over, are left out.
  ///
  /// - Source: `ActionCommand` of GitHub's runner and `command.ts` of its toolkit.
  package static func lines(_ verification: Verification) -> [String] {
    let findings = ReportEntry.findings(of: verification)
    return lines(.error, findings.filter { $0.standing == .fault })
      + lines(.warning, findings.filter { $0.standing != .fault })
  }

  private static func lines(_ level: Level, _ entries: [ReportEntry]) -> [String] {
    if entries.count <= mostOfALevel { return entries.map { line(level, $0) } }
    let shown = entries.prefix(mostOfALevel - 1)
    let more = entries.count - shown.count
    let files = Set(entries.dropFirst(shown.count).map(\.place)).sorted()
    let places = files.prefix(3).joined(separator: ", ") + (files.count > 3 ? " and other files" : "")
    return shown.map { line(level, $0) }
      + [
        command(
          level, [("title", "cairn verify: \(more) more")],
          "\(ReportText.count(more, level.rawValue)) more in \(places): `cairn verify --json` lists all of them")
      ]
  }

  private static func line(_ level: Level, _ entry: ReportEntry) -> String {
    let title = [entry.stage, entry.id].compactMap(\.self).joined(separator: ": ")
    return command(
      level, [("file", entry.place), ("line", String(entry.line)), ("title", title)],
      ([entry.statement] + entry.details).joined(separator: "\n"))
  }

  /// A value that is empty would drop its key: it is omitted.
  private static func command(_ level: Level, _ values: [(key: String, value: String)], _ message: String) -> String {
    let properties = values.filter { !$0.value.isEmpty }.map { "\($0.key)=\(escapeValue(visible($0.value)))" }
    return "::\(level.rawValue) \(properties.joined(separator: ","))::" + escape(ReportText.cut(visible(message)))
  }

  /// The runner undoes `%25` last, so that a `%0A` in the text survives.
  private static func escape(_ text: String) -> String {
    ReportText.replacing(text) { scalar in
      switch scalar {
      case "%": "%25"
      case "\r": "%0D"
      case "\n": "%0A"
      default: nil
      }
    }
  }

  private static func escapeValue(_ text: String) -> String {
    ReportText.replacing(escape(text)) { $0 == ":" ? "%3A" : $0 == "," ? "%2C" : nil }
  }

  /// What the log would obey, made harmless: control characters, and the old form of a command, `##[error]`, which the
  /// runner finds anywhere in a line.
  private static func visible(_ text: String) -> String {
    var before: (Unicode.Scalar, Unicode.Scalar) = (" ", " ")
    return ReportText.replacing(text) { scalar in
      defer { before = (before.1, scalar) }
      if scalar == "[", before == ("#", "#") { return " [" }
      let isControl = scalar.properties.generalCategory == .control && scalar != "\n" && scalar != "\r"
      return isControl ? "\u{FFFD}" : nil
    }
  }
}
