// A verification as the document `cairn.verify/v1`. Knows nothing of how it is printed.
package import CairnCore
import CairnFormats

package enum VerifyJSON {
  /// The shape under `--json`, which grows only by new keys.
  ///
  /// `schema`, `verdict`, `level`, `rev`, `summary`, `checks`, each check with `id`, `severity`, `stage`, `status`,
  /// `path`, `message`, `hint`, `at`. Only where they say something: `base`; `summary.accepted`; of a check `was` and
  /// `now`, `accepted` (`reason`, `until`), and `optional` where the verdict passes over an unknown. Paths count from
  /// the project's root; bytes that are not UTF-8 are `\xff`.
  ///
  /// - Source: `docs/formats.md`.
  package static func value(_ verification: Verification) -> Value {
    var map: ValueMap = [
      "schema": "cairn.verify/v1",
      "verdict": .string(verification.verdict.rawValue),
      "level": .string(verification.level.rawValue),
      "rev": text(verification.revision),
    ]
    if verification.base != nil { map["base"] = text(verification.base) }
    map["summary"] = summary(verification)
    map["checks"] = .list(verification.checks.map(check))
    return JSONWriter.strict(.map(map))
  }

  /// The document of `lint`, which gives no verdict: `cairn.lint/v1`, `rev`, `summary`, `checks` as above.
  package static func lint(_ verification: Verification) -> Value {
    JSONWriter.strict(
      .map([
        "schema": "cairn.lint/v1", "rev": text(verification.revision), "summary": summary(verification),
        "checks": .list(verification.checks.map(check)),
      ]))
  }

  private static func summary(_ verification: Verification) -> Value {
    let summary = verification.summary
    var map: ValueMap = [
      "passed": .int(summary.passed), "failed": .int(summary.failed), "unknown": .int(summary.unknown),
      "warnings": .int(summary.warnings),
    ]
    if summary.accepted > 0 || verification.verdict == .accepted { map["accepted"] = .int(summary.accepted) }
    return .map(map)
  }

  private static func check(_ check: Check) -> Value {
    var map: ValueMap = [
      "id": .string(check.id.rawValue),
      "severity": .string(check.severity.rawValue),
      "stage": text(check.stage),
      "status": .string(check.status.rawValue),
      "path": text(check.path),
      "message": text(check.message),
      "hint": text(check.hint),
    ]
    if check.was != nil { map["was"] = text(check.was) }
    if check.now != nil { map["now"] = text(check.now) }
    if let acceptance = check.acceptance {
      map["accepted"] = .map(["reason": text(acceptance.reason), "until": text(acceptance.until)])
    }
    // Without it the entries could not be added up to `summary.unknown`.
    if check.isOptional { map["optional"] = true }
    map["at"] = .map(["file": text(check.at.file), "line": .int(check.at.line)])
    return .map(map)
  }

  private static func text(_ text: String?) -> Value { text.map { .string(ReportText.valid($0)) } ?? .null }
}
