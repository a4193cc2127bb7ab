// Why a run ran, from its record: the newest of each stage, or one that is named.
package import CairnCore
import CairnLineage
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
}

package struct PastRuns: Sendable {
  private let workspace: Workspace
  let causes: PastCauses

  package init(_ workspace: Workspace, _ commands: CommandChanges) {
    self.workspace = workspace
    let history = RunHistory(workspace.records) {
      try History(workspace.repository, cacheFolder: workspace.settings.cacheFolder).index()
    }
    causes = PastCauses(history, commands: commands)
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
    let pipeline = workspace.project.pipeline
    let stages = Dictionary(pipeline.stages.map { ($0.address.text(), $0) }, uniquingKeysWith: { first, _ in first })
    var runs: [PastRun] = []
    func add(_ id: RunID, _ record: RunRecord, skipped: Nanoseconds? = nil) {
      var past = run(id, record, skipped: skipped)
      if let stage = stages[record.stage.address], record.result.leavesLock,
        let lock = workspace.lockEntry(of: stage)
      {
        past.isOutdated = !WorkKey(stage, lock).isWork(of: WorkKey(record).digest)
      }
      runs.append(past)
    }
    if let wanted {
      for id in wanted {
        let address = pipeline[id].address.text()
        guard let run = workspace.producers.history(of: address)?.lastRun, let record = try workspace.records.record(run)
        else { throw .noRun(" of '\(address)'") }
        let skipped = invocations.filter { invocation in
          invocation.started > record.execution.started
            && invocation.stages.contains { $0.stage == address && $0.state == .fresh }
        }.map(\.started).max()
        add(run, record, skipped: skipped)
      }
      return runs
    }
    let newest = invocations.max { $0.started < $1.started }
    // The first invocation may still be going on: it has no record of its own, and what has ended has.
    let ids = newest.map { $0.stages.filter { $0.state != .fresh }.compactMap(\.run) }
      ?? pipeline.ids.compactMap { workspace.producers.history(of: pipeline[$0].address.text())?.lastRun }
    if newest == nil, ids.isEmpty { throw .noRun("") }
    for id in ids {
      do throws(Diagnostic) {
        if let record = try workspace.records.record(id) { add(id, record) }
      } catch { warn(error) }
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
