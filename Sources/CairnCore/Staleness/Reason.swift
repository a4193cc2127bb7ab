// Why a stage is stale: the closed list that `why`, `repro` and the run records share.

package enum ReasonKind: String, Sendable, CaseIterable {
  case neverRun = "never-run"
  /// The lock has no entry, though it ran once.
  case noRecord = "no-record"
  case commandChanged = "command-changed"
  case dependencyChanged = "dependency-changed"
  case dependencyMissing = "dependency-missing"
  case dependencyAdded = "dependency-added"
  case parameterChanged = "parameter-changed"
  case parameterAdded = "parameter-added"
  case parameterMissing = "parameter-missing"
  case outputChanged = "output-changed"
  case outputMissing = "output-missing"
  case outputAdded = "output-added"
  case upstreamStale = "upstream-stale"
  case alwaysChanged = "always-changed"
  case environmentChanged = "environment-changed"
  case forced

  /// It lies in the stage itself, not in a file or variable that others may read too.
  package var isOfStage: Bool {
    switch self {
    case .dependencyChanged, .dependencyMissing, .dependencyAdded, .parameterChanged, .parameterAdded,
      .parameterMissing, .environmentChanged:
      false
    default: true
    }
  }
}

/// One reason, with what was and what is. `path` is as declared by the stage where the verdict is found, and from the
/// project's root in records and in what `why` says.
package struct Reason: Sendable, Hashable {
  package var kind: ReasonKind
  package var path: String?
  package var key: String?
  /// Of a file: its hash and size; of a parameter, command or variable: its value.
  package var was: Evidence?
  package var now: Evidence?
  /// `upstream-stale`: the stage before it.
  package var stage: StageAddress?
  /// `command-changed` under `strict`, where the command is what it was: what is no longer declared.
  package var removedDeclarations: [String]?

  package init(
    _ kind: ReasonKind, path: String? = nil, key: String? = nil, was: Evidence? = nil, now: Evidence? = nil,
    stage: StageAddress? = nil
  ) {
    self.kind = kind
    self.path = path
    self.key = key
    self.was = was
    self.now = now
    self.stage = stage
  }

  /// An output that is what its lock says, and that the cache has not.
  package var isOfCache: Bool {
    if kind == .outputMissing, case .content? = now { true } else { false }
  }

  package enum Evidence: Sendable, Hashable {
    case content(hash: String, size: UInt64?)
    case value(Value)
  }
}

/// What deserves to be said of a stage beside its verdict.
package struct StageNote: Sendable, Hashable {
  package enum Kind: String, Sendable {
    case declarationDiffers = "declaration-differs"
    case undeclaredChanged = "undeclared-changed"
    case lastAttemptFailed = "last-attempt-failed"
    /// Of a commit: what its lock has does not follow from what is declared there.
    case lockOutdated = "lock-outdated"
  }
  package var kind: Kind
  /// `declaration-differs`: what was taken out (`path`, or `file:key`).
  package var removed: [String] = []
  /// `lock-outdated`: what is declared otherwise: `cmd`, `path` or `file:key`.
  package var differs: [String] = []

  package init(_ kind: Kind, removed: [String] = [], differs: [String] = []) {
    self.kind = kind
    self.removed = removed
    self.differs = differs
  }
}
