// The record of one execution of a stage (`cairn.run/v1`), as a value. Its bytes: CairnFormats' `RecordJSON`.
package import OrderedCollections

/// The SHA-256 of a record's canonical bytes.
package struct RunID: Hashable, Sendable, CustomStringConvertible {
  package var digest: Digest32
  package init(_ digest: Digest32) { self.digest = digest }
  package init?(hex: some StringProtocol) {
    guard let digest = Digest32(hex: hex) else { return nil }
    self.digest = digest
  }
  package var hex: String { digest.hex }
  package var description: String { hex }
  /// What people are shown.
  package var short: String { String(hex.prefix(4)) }
}

package enum RunResult: String, Sendable, CaseIterable {
  case succeeded, failed, aborted, restored
  case inputChanged = "input-changed"
  case accepted, lost
}

/// Immutable. Shapes and meanings are those of docs/formats.md; keys that v1 does not know are in `unknown`.
package struct RunRecord: Sendable {
  /// Where a record comes from that nobody wrote when the stage ran: an entry of a lock in git's history.
  package struct Reconstruction: Sendable, Hashable {
    /// The first commit that has the entry.
    package var commit: String
    /// Relative to the project's root.
    package var lock: String
    package init(commit: String, lock: String) {
      self.commit = commit
      self.lock = lock
    }
  }

  package struct StagePart: Sendable {
    package var address: String
    package var file: String
    package var wdir: String
    package var cmd: [String]
    package init(address: String, file: String, wdir: String, cmd: [String]) {
      self.address = address
      self.file = file
      self.wdir = wdir
      self.cmd = cmd
    }
  }

  package struct Actor: Sendable {
    package var name: String
    package var host: String
    package init(name: String, host: String) {
      self.name = name
      self.host = host
    }
  }

  package struct Source: Sendable {
    package var commit: String?
    package var branch: String?
    /// The remote's URL without credentials, or the root commit's hash where there is none.
    package var repository: String?
    /// `nil`: git did not answer; then `changed` says nothing either.
    package var isDirty: Bool?
    /// Whether it is known to have differed.
    package var dirty: Bool { isDirty ?? false }
    /// Tracked files that differed from the commit at the start → SHA-256 (`nil`: deleted).
    package var changed: OrderedDictionary<String, Digest32?>
    /// The object that holds `git diff HEAD --binary`.
    package var patch: Digest32?
    package init(
      commit: String? = nil, branch: String? = nil, repository: String? = nil, dirty: Bool? = false,
      changed: OrderedDictionary<String, Digest32?> = [:], patch: Digest32? = nil
    ) {
      self.commit = commit
      self.branch = branch
      self.repository = repository
      isDirty = dirty
      self.changed = changed
      self.patch = patch
    }
  }

  package struct Origin: Sendable, Hashable {
    package enum Kind: String, Sendable {
      case git, stage
      case dvcFile = "dvc-file"
      case `import`
      case importURL = "import-url"
      case none
    }
    package var kind: Kind
    package var repository: String?
    package var rev: String?
    package var url: String?
    package init(_ kind: Kind, repository: String? = nil, rev: String? = nil, url: String? = nil) {
      self.kind = kind
      self.repository = repository
      self.rev = rev
      self.url = url
    }
  }

  package struct Input: Sendable {
    /// Relative to the project's root where it lies inside, else as declared.
    package var path: String
    /// `dep` or `params`.
    package var role: String
    package var md5: String?
    package var sha256: Digest32?
    package var size: UInt64?
    package var producer: RunID?
    package var origin: Origin
    /// Of `ds://NAME`: the lock of the dataset that it ran with, as the stage's own entry has it.
    package var dataset: ValueMap?
    /// What it was read for, where the stage says so (`meta.cairn.context`).
    package var context: String?
    /// Files that appeared inside a directory while the command ran.
    package var appeared: [String] = []
    /// Of a dependency named in `rewrites`: the hashes when the command had ended.
    package var after: (md5: String, sha256: Digest32?, size: UInt64)?
    package init(
      path: String, role: String = "dep", md5: String?, sha256: Digest32?, size: UInt64?, producer: RunID?,
      origin: Origin
    ) {
      self.path = path
      self.role = role
      self.md5 = md5
      self.sha256 = sha256
      self.size = size
      self.producer = producer
      self.origin = origin
    }
  }

  package struct OutputPart: Sendable {
    package var path: String
    /// `out`, `metric` or `plot`.
    package var role: String
    package var md5: String?
    package var sha256: Digest32?
    package var size: UInt64?
    package var annotations: ValueMap
    package init(path: String, role: String, md5: String?, sha256: Digest32?, size: UInt64?, annotations: ValueMap) {
      self.path = path
      self.role = role
      self.md5 = md5
      self.sha256 = sha256
      self.size = size
      self.annotations = annotations
    }
  }

  package struct Execution: Sendable {
    package var executor: String = "local"
    package var job: String?
    package var attempt: Int = 1
    package var previousAttempt: RunID?
    package var started: Nanoseconds
    package var finished: Nanoseconds?
    package var exit: Int?
    package var cairn: String
    package var os: String
    /// Of the variables that the stage names; `nil`: it was not set.
    package var env: OrderedDictionary<String, String?> = [:]
    package var resources: ValueMap = [:]
    package var cpuSeconds: Double?
    /// Bytes.
    package var peakMemory: UInt64?
    package init(started: Nanoseconds, cairn: String, os: String) {
      self.started = started
      self.cairn = cairn
      self.os = os
    }
  }

  package struct Log: Sendable {
    package var sha256: Digest32
    package var size: UInt64
    /// Bytes left out of the middle.
    package var dropped: UInt64
    package init(sha256: Digest32, size: UInt64, dropped: UInt64) {
      self.sha256 = sha256
      self.size = size
      self.dropped = dropped
    }
  }

  package struct Failure: Sendable {
    package var code: String
    package var message: String
    package init(code: String, message: String) {
      self.code = code
      self.message = message
    }
  }

  package var stage: StagePart
  /// A ULID.
  package var invocation: String
  package var actor: Actor
  package var source: Source
  /// As `why --json` shows them.
  package var reasons: [Value] = []
  package var inputs: [Input] = []
  package var params: OrderedDictionary<String, OrderedDictionary<String, Value>> = [:]
  package var outputs: [OutputPart] = []
  package var metrics: OrderedDictionary<String, Value> = [:]
  package var environment: Digest32?
  package var execution: Execution
  package var log: Log?
  package var claims: ValueMap = [:]
  package var error: Failure?
  package var restoredFrom: RunID?
  package var accepts: RunID?
  /// `nil` for an execution that was observed.
  package var reconstructed: Reconstruction?
  package var result: RunResult
  /// Top-level keys that v1 does not name, kept as read.
  package var unknown: ValueMap = [:]

  package init(
    stage: StagePart, invocation: String, actor: Actor, source: Source, execution: Execution, result: RunResult
  ) {
    self.stage = stage
    self.invocation = invocation
    self.actor = actor
    self.source = source
    self.execution = execution
    self.result = result
  }
}

/// The record of one `repro` that ran, restored or failed something (`cairn.invocation/v1`).
package struct InvocationRecord: Sendable {
  package struct Considered: Sendable {
    package enum State: String, Sendable { case ran, restored, unchanged, fresh, failed, skipped }
    package var stage: String
    package var state: State
    package var run: RunID?
    package init(stage: String, state: State, run: RunID?) {
      self.stage = stage
      self.state = state
      self.run = run
    }
  }
  /// A ULID.
  package var invocation: String
  package var actor: RunRecord.Actor
  package var started: Nanoseconds
  package var finished: Nanoseconds
  package var arguments: [String]
  package var commit: String?
  package var stages: [Considered]
  /// UUID of the store that it was written to.
  package var store: String
  /// SHA-256 of the invocations known when this one was written.
  package var previous: [Digest32]
  package var exit: Int

  package init(
    invocation: String, actor: RunRecord.Actor, started: Nanoseconds, finished: Nanoseconds, arguments: [String],
    commit: String?, stages: [Considered], store: String, previous: [Digest32], exit: Int
  ) {
    self.invocation = invocation
    self.actor = actor
    self.started = started
    self.finished = finished
    self.arguments = arguments
    self.commit = commit
    self.stages = stages
    self.store = store
    self.previous = previous
    self.exit = exit
  }
}

extension RunRecord {
  /// What the run made of an input that it declares to change (`rewrites`); `nil` where it changed none.
  ///
  /// Of a run whose input somebody changed nobody knows who wrote the later bytes.
  package func rewritten(_ input: Input) -> (md5: String, sha256: Digest32?, size: UInt64?)? {
    guard result == .succeeded, input.appeared.isEmpty, let after = input.after, after.md5 != input.md5 else { return nil }
    return after
  }
}

extension RunRecord.OutputPart {
  /// Said to be one in `dvc.yaml`, when it was made.
  package var isModel: Bool { annotations["type"]?.string == "model" }
}
