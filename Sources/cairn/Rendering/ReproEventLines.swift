// `repro --json`: one event a line on standard output (`cairn.event/v1`); what stages print goes to standard error.
// A stage's events come after the end of what it depends on.
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnSystem
internal import Synchronization

struct ReproEventLines: ReproPrinter {
  let console: Console
  let reproduction: Reproduction
  private let attempts = Attempts()
  private let sequence = EventSequence()

  /// The try that each stage is at.
  private final class Attempts: Sendable {
    private let numbers = Mutex<[StageID: Int]>([:])
    subscript(id: StageID) -> Int? {
      get { numbers.withLock { $0[id] } }
      set { numbers.withLock { $0[id] = newValue } }
    }
  }

  init(console: Console, reproduction: Reproduction) {
    self.console = console
    self.reproduction = reproduction
    console.keepOutputForResults()
  }

  private var pipeline: Pipeline { reproduction.workspace.project.pipeline }
  private func name(_ id: StageID) -> String { pipeline[id].address.text() }

  func take(_ event: RunEvent) {
    switch event {
    case .started(let id, let reasons, let attempt):
      attempts[id] = attempt
      tell(id) {
        line("stage-started", id, attempt: attempt, ["reasons": .list(reasons.map { value(of: $0, for: id) })])
      }
    case .output(_, _, let bytes): console.writeErrors(bytes)
    case .fresh(let id):
      tell(id) { line("stage-skipped", id, ["why": pipeline[id].isFrozen ? "frozen" : "fresh"]) }
    case .skipped(let ids, _): for id in ids { line("stage-skipped", id, ["why": "upstream-failed"]) }
    case .finished(let id, let outcome):
      let attempt = attempts[id]
      tell(id, isEnd: true) {
        if isVerified(id, outcome) { line("stage-skipped", id, ["why": "frozen"]) } else { end(id, outcome, attempt: attempt) }
      }
    case .ended(let id, let result):
      if result != .fresh { sequence.ended(id) }
    case .warning(_, let text): console.warning(text)
    case .inputEdited(let id, let path):
      console.warning(WaitingText.edited(name(id), path))
    case .waiting(let id, let path, let pid, let command):
      console.note(WaitingText.line(name(id), path, pid, command))
    case .retrying(let id, let error, let attempt):
      console.warning("\(name(id)): \(error.fullMessage); try \(attempt)")
    case .considered, .command, .pulling, .pulled, .pullFailed, .verifying, .importing, .restoring, .assigned, .held,
      .lockChanged:
      break
    }
  }

  /// A frozen stage whose outputs were looked at: nothing ran.
  private func isVerified(_ id: StageID, _ outcome: Outcome) -> Bool {
    pipeline[id].isFrozen && outcome.run == nil && outcome.error == nil
  }

  private func tell(_ id: StageID, isEnd: Bool = false, _ write: @escaping @Sendable () -> Void) {
    sequence.tell(id, isEnd: isEnd, after: reproduction.producers(of: id), write)
  }

  private func end(_ id: StageID, _ outcome: Outcome, attempt: Int?) {
    if outcome.result == .restored {
      return line(
        "stage-restored", id, ["run": Self.run(outcome.run), "restored_from": Self.run(outcome.restoredFrom)])
    }
    line(
      outcome.error == nil ? "stage-finished" : "stage-failed", id, attempt: attempt,
      [
        "run": Self.run(outcome.run), "result": .string(outcome.error == nil ? "succeeded" : Self.result(outcome)),
        "seconds": .float(outcome.seconds), "exit": outcome.exit.map { .int($0) } ?? .null,
        "error": outcome.error.map { .map(["code": .string($0.code.rawValue), "message": .string($0.fullMessage)]) }
          ?? .null,
      ])
  }

  /// As `why` has it, without what must be counted.
  private func value(of reason: Reason, for id: StageID) -> Value {
    guard reason.kind == .dependencyChanged, case .map(var map) = ReasonJSON.value(reason) else {
      return ReasonJSON.value(reason)
    }
    map["producer"] = producer(of: reason, for: id)
    return .map(map)
  }

  /// The stage that makes the dependency, and the run that made what it is now.
  private func producer(of reason: Reason, for id: StageID) -> Value {
    guard let place = reason.path,
      let dependency = pipeline[id].dependencies.first(where: { $0.location.recordPath.hasSameBytes(as: place) }),
      let path = dependency.location.local, case .content(let hash, _)? = reason.now,
      let maker = reproduction.producers(of: id).first(where: { producer in
        pipeline[producer].kind == .pipeline
          && pipeline[producer].outputs.contains { $0.location.local.map { path == $0 || path.isInside($0) } ?? false }
      })
    else { return .null }
    let run = reproduction.workspace.producer(of: place, md5: hash, maker: pipeline[maker])
    return .map(["stage": .string(name(maker)), "run": Self.run(run)])
  }

  private static func result(_ outcome: Outcome) -> String {
    switch outcome.error?.code {
    case .inputChanged?: RunResult.inputChanged.rawValue
    case .aborted?: RunResult.aborted.rawValue
    default: RunResult.failed.rawValue
    }
  }

  private static func run(_ run: RunID?) -> Value { run.map { .string($0.hex) } ?? .null }

  func settle(_ summary: RunSummary) {}

  func fail(_ summary: RunSummary) {
    for (id, error) in summary.failures {
      console.report(Diagnostic(error.code, "failed to reproduce '\(name(id))'").because(of: error))
    }
  }

  func end(_ summary: RunSummary, _ status: ExitStatus) {
    var counted = summary
    for (place, item) in counted.outcomes.enumerated() where isVerified(item.stage, item.outcome) {
      counted.outcomes[place].outcome.result = .fresh
    }
    line("summary", nil, Self.counts(counted, status))
  }

  /// The only line of a run that failed before anything could run; the error is told by whoever met it.
  static func endOfNothing(_ status: ExitStatus, on console: Console) {
    write("summary", counts(RunSummary(), status), invocation: Identifier.ulid(), on: console)
  }

  private static func counts(_ summary: RunSummary, _ status: ExitStatus) -> ValueMap {
    let outcomes = summary.outcomes.map(\.outcome)
    let seconds = outcomes.reduce(0) { $0 + $1.seconds }
    return [
      "ran": .int(outcomes.count { $0.result == .ran && !$0.isUnchanged }),
      "restored": .int(outcomes.count { $0.result == .restored }),
      "unchanged": .int(outcomes.count { $0.result == .ran && $0.isUnchanged }),
      "fresh": .int(outcomes.count { $0.result == .fresh }),
      "failed": .int(outcomes.count { $0.error != nil }),
      "skipped": .int(summary.skipped.count + summary.notStarted.count), "seconds": .float(seconds),
      "exit": .int(Int(status.rawValue)),
    ]
  }

  private func line(_ event: String, _ id: StageID?, attempt: Int? = nil, _ more: ValueMap) {
    Self.write(event, more, stage: id.map(name), attempt: attempt, invocation: reproduction.invocation, on: console)
  }

  private static func write(
    _ event: String, _ more: ValueMap, stage: String? = nil, attempt: Int? = nil, invocation: String,
    on console: Console
  ) {
    var map: ValueMap = [
      "schema": "cairn.event/v1", "time": .string(Timestamp.text(WallClock.now())), "event": .string(event),
      "stage": stage.map { .string($0) } ?? .null, "invocation": .string(invocation),
      "attempt": attempt.map { .int($0) } ?? .null,
    ]
    map.merge(more) { $1 }
    console.writeRaw(Array((JSONWriter.text(JSONWriter.strict(.map(map)), ensureASCII: false) + "\n").utf8))
    console.flush()
  }
}
