// What a run tells while it goes on: the console and `--json` are two readers of the same events.
package import CairnCore

package enum RunEvent: Sendable {
  /// `isFrozen`: it is frozen, and DVC warns that its dependencies do not count.
  case considered(StageID, isFrozen: Bool)
  case fresh(StageID)
  /// "Running stage 'X':"; `attempt` counts from 1.
  case started(StageID, reasons: [Reason], attempt: Int)
  /// GPUs that the command may use, as `CUDA_VISIBLE_DEVICES` names them.
  case assigned(StageID, devices: [String])
  /// How many stages wait for nothing but a resource or a mutex, by its name; told when it changes.
  case held([String: Int])
  /// "> line", before each command.
  case command(StageID, line: String)
  case output(StageID, OutputStream, [UInt8])
  /// "Pulling data for stage: 'X'": something is merely missing, and the remote may have it.
  case pulling(StageID)
  /// It had it: the stage is as it should be.
  case pulled(StageID)
  case pullFailed(StageID)
  /// "Verifying data sources in stage: 'x.dvc'".
  case verifying(StageID)
  /// "Importing 'x' -> 'y'".
  case importing(StageID, from: String, to: String)
  /// "Stage 'X' is cached - skipping run, checking out outputs".
  case restoring(StageID)
  case warning(StageID?, String)
  /// An input changed while the command runs: told at once.
  case inputEdited(StageID, path: String)
  /// Another process has held what the stage needs for a second; `pid` 0: nobody in particular does.
  case waiting(StageID, path: String, pid: Int, command: String)
  case retrying(StageID, after: Diagnostic, attempt: Int)
  /// The lock gets a new entry for the stage; `isNew`: there was no lock file.
  case lockChanged(StageID, isNew: Bool)
  case finished(StageID, Outcome)
  /// The result is known, and the next stage may start; `finished` follows once it is durable.
  case ended(StageID, StageResult)
  /// Will not start, since a producer failed; in serial order.
  case skipped([StageID], because: StageID)
}

package enum OutputStream: Sendable { case standardOutput, standardError }

/// How one stage ended.
package struct Outcome: Sendable {
  package var result: StageResult
  /// The record; `nil` where none is written (a fresh stage, a dry run, a `.dvc` file).
  package var run: RunID?
  package var restoredFrom: RunID?
  package var seconds: Double
  package var exit: Int?
  package var error: Diagnostic?
  /// It ran, and every output kept its bytes.
  package var isUnchanged = false

  package init(result: StageResult, run: RunID? = nil, seconds: Double = 0) {
    self.result = result
    self.run = run
    self.seconds = seconds
  }
}

/// What a whole run came to, in serial order.
package struct RunSummary: Sendable {
  package var outcomes: [(stage: StageID, outcome: Outcome)] = []
  package var notStarted: [StageID] = []
  package var skipped: [StageID] = []
  /// The signal that ended it, if one did.
  package var signal: Int32?
  /// A fault of the run itself, not of a stage.
  package var error: Diagnostic?
  /// Outputs of stages that ended well, changed by others that do not declare them. Seen when all have ended and are
  /// recorded: the run fails, and each stage keeps the result that it had.
  package var undeclaredChanges: [Diagnostic] = []
  /// What went wrong when all stages had ended.
  package var afterwards: Diagnostic?
  /// Locks and `.gitignore` files that were written: what git should hear of.
  package var changedFiles: [RepoPath] = []

  package init() {}

  package var failures: [(stage: StageID, error: Diagnostic)] {
    outcomes.compactMap { entry in entry.outcome.error.map { (entry.stage, $0) } }
  }

  package func count(_ matches: (Outcome) -> Bool) -> Int { outcomes.count { matches($0.outcome) } }
}
