// Why a run ran, from its record: the newest of each stage, or one that is named.
package import CairnCore
import CairnLineage
import CairnFormats
import CairnSystem

package struct PastRun: Sendable {
  package var stage: String
  package var id: RunID
  package var record: RunRecord
  /// What it began with; the nearest first.
  package var causes: [PastCause]
  /// There are more than `causes` has.
  package var hasMoreCauses: Bool
  /// Looked at again since, and left alone: when.
  package var skipped: Nanoseconds?
  /// It ended well, and the stage's lock entry is of other work: somebody else ran it, or brought another lock.
  package var isOutdated = false

  fileprivate init(_ id: RunID, _ record: RunRecord, _ causes: PastCauses, skipped: Nanoseconds?) {
    stage = record.stage.address
    self.id = id
    self.record = record
    (self.causes, hasMoreCauses) = causes.of(id, record)
    self.skipped = skipped
  }

  /// From the file or stage that the first cause is about to the stage.
  private var chain: [String] {
    guard let first = causes.first else { return [] }
    let root = first.reason.kind.isOfStage ? nil : first.reason.path ?? first.reason.key
    return (root.map { [$0] } ?? []) + first.through + [stage]
  }

  /// The document of `why --last --json` and `why --run RUN --json`.
  package static func document(_ runs: [PastRun]) -> Value {
    .map([
      "schema": "cairn.why/v1",
      "stages": .list(
        runs.map { run in
          .map([
            "stage": .string(run.stage), "run": .string(run.id.hex), "result": .string(run.record.result.rawValue),
            "started": .string(WallClock.text(run.record.execution.started)),
            "skipped": run.skipped.map { .string(WallClock.text($0)) } ?? .null,
            "outdated": .bool(run.isOutdated),
            "reasons": .list(run.record.reasons),
            "causes": .list(
              run.causes.map { cause in
                var map = ReasonJSON.value(cause.reason).map ?? [:]
                map["stage"] = .string(cause.stage)
                return .map(map)
              }), "chain": .list(run.chain.map { .string($0) }),
          ])
        }),
    ])
  }
}

package struct PastRuns: Sendable {
  private let workspace: Workspace
  let causes: PastCauses

  package init(_ workspace: Workspace, _ commands: CommandChanges) {
    self.workspace = workspace
    causes = PastCauses(
      workspace.records,
      index: { try History(workspace.repository, cacheFolder: workspace.settings.cacheFolder).index() },
      commands: commands)
  }

  /// The run with what it began with.
  package func run(_ id: RunID, _ record: RunRecord, skipped: Nanoseconds? = nil) -> PastRun {
    PastRun(id, record, causes, skipped: skipped)
  }

  /// The run that `word` names. Throws when there is none.
  package func named(_ word: String) throws(Diagnostic) -> [PastRun] {
    let history = try History(workspace.repository, cacheFolder: workspace.settings.cacheFolder)
    let id = try history.index().resolve(word, from: workspace.folder)
    guard let record = try workspace.records.record(id) else {
      throw Diagnostic(.noSuchRun, "no run begins with '\(word)'")
    }
    return [run(id, record)]
  }

  /// The newest run of each stage; of all stages those that the newest invocation did something with.
  ///
  /// Throws when a stage that was asked for has none.
  ///
  /// - Parameter warn: told of records that cannot be used, and are left out.
  package func last(of wanted: [StageID]?, warn: (Diagnostic) -> Void) throws(Diagnostic) -> [PastRun] {
    let invocations = try workspace.records.newestInvocations()
    guard let wanted else {
      guard let newest = invocations.max(by: { $0.started < $1.started }) else { throw .noRun("") }
      var runs: [PastRun] = []
      for considered in newest.stages where considered.state != .fresh {
        guard let id = considered.run else { continue }
        do throws(Diagnostic) {
          if let record = try workspace.records.record(id) { runs.append(self.run(id, record)) }
        } catch { warn(error) }
      }
      return runs
    }
    var runs: [PastRun] = []
    for id in wanted {
      let address = workspace.project.pipeline[id].address.text()
      guard let run = workspace.producers.history(of: address)?.lastRun, let record = try workspace.records.record(run)
      else { throw .noRun(" of '\(address)'") }
      let skipped = invocations.filter { invocation in
        invocation.started > record.execution.started
          && invocation.stages.contains { $0.stage == address && $0.state == .fresh }
      }.map(\.started).max()
      var past = self.run(run, record, skipped: skipped)
      if record.result.isTrusted || record.result == .restored, let lock = workspace.lockEntry(of: workspace.project.pipeline[id]) {
        past.isOutdated = WorkKey(workspace.project.pipeline[id], lock) != WorkKey(record)
      }
      runs.append(past)
    }
    return runs
  }
}

extension Diagnostic {
  fileprivate static func noRun(_ whose: String) -> Diagnostic {
    var diagnostic = Diagnostic(
      .noSuchRun, "no execution\(whose) is recorded", hint: "`cairn repro` records each run; `cairn why` tells what would run")
    // It could not tell.
    diagnostic.exitCode = 2
    return diagnostic
  }
}
