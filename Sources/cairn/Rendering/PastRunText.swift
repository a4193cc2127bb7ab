// Why a run ran, on one line for people.
internal import CairnCore
internal import CairnEngine
internal import CairnLineage

struct PastRunText {
  private let names: RunNames

  init(_ workspace: Workspace) { names = RunNames(workspace) }

  /// `train  RAN  4 minutes ago because params.yaml: train.lr changed  0.1 → 0.01  (7f3a)`.
  func line(_ run: PastRun) -> String {
    if let skipped = run.skipped {
      return "\(run.stage)  SKIPPED  \(HumanText.ago(skipped)): nothing differed from its run "
        + "\(HumanText.ago(run.record.execution.started))  (\(names.name(run.id)))"
    }
    var word = "RAN"
    switch run.record.result {
    case .succeeded: break
    case .restored: word = "RESTORED"
    case .accepted: word = "ACCEPTED"
    case .failed: word = "FAILED"
    case .aborted: word = "ABORTED"
    case .inputChanged: word = "INPUT CHANGED"
    case .lost: word = "LOST"
    }
    return "\(run.stage)  \(word)  \(Self.sentence(run))  (\(names.name(run.id)))"
  }

  /// `4 minutes ago because data/raw.csv changed and 2 other reasons`.
  static func sentence(_ run: PastRun) -> String {
    let ago = HumanText.ago(run.record.execution.started)
    guard let first = run.reasons.first else { return ago }
    let more = run.reasons.count - 1
    return ago + " because " + words(first) + (more > 0 ? " and " + HumanText.count(more, "other reason") : "")
  }
}

extension PastRunText {
  /// What was so when it ran, in the past tense where the words of now would mislead.
  private static func words(_ reason: Reason) -> String {
    switch reason.kind {
    case .neverRun: "it had never run"
    case .noRecord: "dvc.lock had no entry for it"
    case .outputMissing, .dependencyMissing: "\(reason.path ?? "") was missing"
    case .upstreamStale: "a stage before it had changed"
    default: ReasonText.short(reason)
    }
  }
}

/// The shortest names that tell runs apart; the history is opened when the first is asked for.
final class RunNames {
  private let workspace: Workspace
  private lazy var names: ShortNames? = {
    guard let history = try? History(workspace.repository, cacheFolder: workspace.settings.cacheFolder),
      let index = try? history.index()
    else { return nil }
    return try? ShortNames(index)
  }()

  init(_ workspace: Workspace) { self.workspace = workspace }

  func name(_ run: RunID) -> String { names?.name(run) ?? run.short }
}
