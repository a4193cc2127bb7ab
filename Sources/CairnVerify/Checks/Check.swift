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
  /// An unknown that the verdict passes over: a record that nobody asked for.
  package var isOptional = false
  /// The check whose failure says more than this one could, so that it was skipped: where that does not stand against
  /// the verdict, this is unknown.
  var standIn: CheckID?
  /// DVC's address, seen from the project's root; of a chain or a dependency, the consumer. `nil` for what belongs to no
  /// stage.
  package var stage: String?
  /// Relative to the project's root; `nil` where the check is about the stage as a whole.
  package var path: String?
  package var at: CheckPlace
  /// Nearly all checks pass, and have nothing to say: they stay small.
  private var words: Box?

  private struct Words: Sendable {
    var message = ""
    var hint: String?
    var was: String?
    var now: String?
    var evidence: String?
    var acceptance: Acceptance?
  }

  private final class Box: Sendable {
    let words: Words
    init(_ words: Words) { self.words = words }
  }

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
    hint: String? = nil, was: String? = nil, now: String? = nil, evidence: String? = nil, at place: CheckPlace
  ) {
    self.id = id
    severity = id.defaultSeverity
    self.status = status
    self.stage = stage
    self.path = path
    at = place
    if !message.isEmpty || hint != nil || was != nil || now != nil {
      words = Box(Words(message: message, hint: hint, was: was, now: now, evidence: evidence))
    }
  }

  private mutating func say(_ change: (inout Words) -> Void) {
    var new = words?.words ?? Words()
    change(&new)
    words = Box(new)
  }

  /// One sentence without the stage's name; empty for what passed.
  package var message: String {
    get { words?.words.message ?? "" }
    set { say { $0.message = newValue } }
  }
  /// The next step.
  package var hint: String? {
    get { words?.words.hint }
    set { say { $0.hint = newValue } }
  }
  /// What was recorded and what is there now, where two things differ.
  package var was: String? {
    get { words?.words.was }
    set { say { $0.was = newValue } }
  }
  package var now: String? {
    get { words?.words.now }
    set { say { $0.now = newValue } }
  }
  /// All of what differs, where the words above may be cut: by it a fault is the same as one that was there before.
  var evidence: String? { words?.words.evidence }
  /// Why a failed check was accepted, and until when (`2026-12-31`); `nil` for an old fault under `--new-only`.
  package var acceptance: Acceptance? {
    get { words?.words.acceptance }
    set { say { $0.acceptance = newValue } }
  }

  /// What is said of it where the pipeline's own files cannot be understood.
  static let unlooked = "not looked at: the pipeline cannot be understood"

  /// It is unknown for no reason of its own.
  package var isUnlooked: Bool { status == .unknown && message == Self.unlooked }

  /// It stands against the verdict.
  package var isFault: Bool { status == .failed && severity == .error }
  /// The verdict cannot be reached because of it.
  package var isOpen: Bool { (status == .unknown || status == .erased) && !isOptional }
}
