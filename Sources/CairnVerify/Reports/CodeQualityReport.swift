// A verification as GitLab's code quality report. Knows nothing of merge requests: GitLab compares it with that of the
// target branch.
import CairnCore
import CairnFormats

package enum CodeQualityReport {
  /// A list of issues, `[]` when there is nothing to say, without a byte order mark.
  ///
  /// Every item has every key, since GitLab drops all that follows the first item that lacks one. `severity` is
  /// `blocker` for a fault, `major` for what is unknown, `minor` for a warning; an unknown verdict is one more item,
  /// `critical`. What was accepted is left out. Fingerprints are unique, for equal ones become one item, and know no
  /// line, so that a fault that moves is still the same.
  ///
  /// - Source: GitLab's `codequality` artifact, as its own schema and reader have it.
  package static func bytes(_ verification: Verification) -> [UInt8] {
    let items = ReportEntry.findings(of: verification).map(item)
    return JSONWriter.bytes(.list(items), indent: 1, ensureASCII: false) + [0x0A]
  }

  private static func item(_ entry: ReportEntry) -> Value {
    .map([
      "type": "issue",
      "check_name": .string(entry.id),
      "description": .string(ReportText.cut(description(entry))),
      "fingerprint": .string(entry.fingerprint),
      "severity": .string(severity(entry)),
      "location": .map(["path": .string(entry.place), "lines": .map(["begin": .int(entry.line)])]),
    ])
  }

  private static func severity(_ entry: ReportEntry) -> String {
    if entry.id == ReportEntry.verdictID { return "critical" }
    return switch entry.standing {
    case .fault: "blocker"
    case .open: "major"
    default: "minor"
    }
  }

  /// One line, which is all that is shown: the sentence, then what it rests on.
  private static func description(_ entry: ReportEntry) -> String {
    ([entry.sentence] + entry.details).joined(separator: "; ").split(whereSeparator: \.isNewline)
      .joined(separator: " ⏎ ")
  }
}
