// What `verify` found as a whole: all checks, how they count, and the verdict.
package import CairnCore

package enum Verdict: String, Sendable {
  case reproducible, accepted, unknown
  case notReproducible = "not-reproducible"

  /// How the process ends.
  package var exitCode: Int32 {
    switch self {
    case .reproducible, .accepted: 0
    case .notReproducible: 1
    case .unknown: 2
    }
  }
}

package enum VerifyLevel: String, Sendable { case `static`, data, rerun, lineage }

package struct Verification: Sendable {
  package struct Summary: Hashable, Sendable {
    package var passed = 0
    /// Errors.
    package var failed = 0
    package var unknown = 0
    /// Failed checks of severity `warning`.
    package var warnings = 0
    package var accepted = 0

    package init() {}
  }

  package var level: VerifyLevel
  /// The full name of the commit that was looked at; `nil` for the work tree.
  package var revision: String?
  /// That of the base, where one was named.
  package var base: String?
  /// In the order of the pipeline.
  package var checks: [Check]
  /// `--new-only`: old faults are no faults, and the verdict is never `reproducible`.
  package var countsNewOnly = false
  /// The project inside git's work tree: empty, or ending in `/`. What reads reports knows paths from there.
  package var prefix: String
  /// How long it took.
  package var seconds: Double = 0
  /// When it was made.
  package var time: Nanoseconds = 0

  package init(
    level: VerifyLevel = .static, revision: String? = nil, base: String? = nil, checks: [Check], prefix: String = ""
  ) {
    self.level = level
    self.revision = revision
    self.base = base
    self.checks = checks
    self.prefix = prefix
  }

  package var summary: Summary {
    var summary = Summary()
    for check in checks {
      switch check.status {
      case .passed: summary.passed += 1
      case .failed: if check.severity == .error { summary.failed += 1 } else { summary.warnings += 1 }
      case .unknown, .erased: if check.isOpen { summary.unknown += 1 }
      case .accepted: summary.accepted += 1
      case .skipped: break
      }
    }
    return summary
  }

  package var verdict: Verdict {
    var isAccepted = countsNewOnly
    var isOpen = false
    for check in checks {
      if check.isFault { return .notReproducible }
      if check.isOpen { isOpen = true }
      if check.status == .accepted { isAccepted = true }
    }
    return isOpen ? .unknown : isAccepted ? .accepted : .reproducible
  }

  /// Errors first, then what is unknown, then warnings, then what was accepted; each in the order of the pipeline.
  package var findings: [Check] {
    let ranked = checks.compactMap { check in Self.rank(check).map { ($0, check) } }
    return (0...3).flatMap { rank in ranked.filter { $0.0 == rank }.map(\.1) }
  }

  private static func rank(_ check: Check) -> Int? {
    switch check.status {
    case .failed: check.severity == .error ? 0 : 2
    case .unknown, .erased: check.isOpen ? 1 : nil
    case .accepted: 3
    case .passed, .skipped: nil
    }
  }
}
