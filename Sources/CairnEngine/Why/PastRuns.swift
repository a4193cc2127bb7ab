// Why a run ran, from its record: the newest of each stage, or one that is named.
package import CairnCore
import CairnLineage
import CairnFormats
import CairnSystem

package struct PastRun: Sendable {
  package var stage: String
  package var id: RunID
  package var record: RunRecord
  package var reasons: [Reason]
  /// Looked at again since, and left alone: when.
  package var skipped: Nanoseconds?

  package init(_ id: RunID, _ record: RunRecord, skipped: Nanoseconds? = nil) {
    stage = record.stage.address
    self.id = id
    self.record = record
    reasons = record.reasons.compactMap(ReasonJSON.reason)
    self.skipped = skipped
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
            "reasons": .list(run.record.reasons),
          ])
        }),
    ])
  }
}

package struct PastRuns: Sendable {
  private let workspace: Workspace

  package init(_ workspace: Workspace) { self.workspace = workspace }

  /// The run that `word` names. Throws when there is none.
  package func named(_ word: String) throws(Diagnostic) -> [PastRun] {
    let history = try History(workspace.repository, cacheFolder: workspace.settings.cacheFolder)
    let id = try history.index().resolve(word)
    guard let record = try workspace.records.record(id) else {
      throw Diagnostic(.noSuchRun, "no run begins with '\(word)'")
    }
    return [PastRun(id, record)]
  }

  /// The newest run of each stage; of all stages those that the newest invocation did something with.
  ///
  /// Throws when a stage that was asked for has none.
  package func last(of wanted: [StageID]?) throws(Diagnostic) -> [PastRun] {
    var invocations: [InvocationRecord] = []
    for digest in workspace.records.heads() {
      if let invocation = try workspace.records.invocation(digest) { invocations.append(invocation) }
    }
    guard let wanted else {
      guard let newest = invocations.max(by: { $0.started < $1.started }) else { throw .noRun("") }
      var runs: [PastRun] = []
      for considered in newest.stages where considered.state != .fresh {
        guard let id = considered.run, let record = try workspace.records.record(id) else { continue }
        runs.append(PastRun(id, record))
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
      runs.append(PastRun(run, record, skipped: skipped))
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
