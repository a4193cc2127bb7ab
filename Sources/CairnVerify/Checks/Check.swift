// One thing that was looked at, and what came of it. Knows nothing of how it was found nor of how it is shown.
package import CairnCore

/// Where a check points: a file of the project and a line of it.
package struct CheckPlace: Hashable, Sendable {
  /// Relative to the project's root.
  package var file: String
  /// 1-based.
  package var line: Int

  package init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
}

package enum CheckStatus: String, Sendable {
  case passed, failed, unknown
  /// Failed, and the team has said that it may until a date; or the base of a comparison failed in the same way.
  case accepted
  /// What it needs was erased on purpose; counts as unknown.
  case erased
  /// Another level's business; counts nowhere.
  case skipped
}

package struct Check: Sendable {
  package var id: CheckID
  /// `error` or `warning`: what is off is not looked at.
  package var severity: Severity
  package var status: CheckStatus
  /// DVC's address, seen from the project's root; of a chain or a dependency, the consumer. `nil` for what belongs to no
  /// stage.
  package var stage: String?
  /// Relative to the project's root; `nil` where the check is about the stage as a whole.
  package var path: String?
  /// One sentence without the stage's name; empty for what passed.
  package var message: String
  /// The next step.
  package var hint: String?
  /// What was recorded and what is there now, where two things differ.
  package var was: String?
  package var now: String?
  package var at: CheckPlace
  /// An unknown that the verdict passes over: a record that nobody asked for.
  package var isOptional = false
  /// Why a failed check was accepted, and until when (`2026-12-31`); `nil` for an old fault under `--new-only`.
  package var acceptance: Acceptance?

  package struct Acceptance: Hashable, Sendable {
    package var reason: String
    package var until: String

    package init(reason: String, until: String) {
      self.reason = reason
      self.until = until
    }
  }

  package init(
    _ id: CheckID, _ status: CheckStatus, stage: String? = nil, path: String? = nil, message: String = "",
    hint: String? = nil, was: String? = nil, now: String? = nil, at place: CheckPlace
  ) {
    self.id = id
    severity = id.defaultSeverity
    self.status = status
    self.stage = stage
    self.path = path
    self.message = message
    self.hint = hint
    self.was = was
    self.now = now
    at = place
  }

  /// It stands against the verdict.
  package var isFault: Bool { status == .failed && severity == .error }
  /// The verdict cannot be reached because of it.
  package var isOpen: Bool { (status == .unknown || status == .erased) && !isOptional }
}
