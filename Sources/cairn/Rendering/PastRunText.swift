// Why a run ran, on one line for people.
internal import CairnCore
internal import CairnEngine
internal import CairnLineage

struct PastRunText {
  private let workspace: Workspace
  private let names: RunNames

  init(_ workspace: Workspace) {
    self.workspace = workspace
    names = RunNames(workspace)
  }

  /// `train  RAN  4 minutes ago because params.yaml: train.lr changed  0.1 → 0.01  (7f3a)`.
  func line(_ run: PastRun) -> String {
    if let skipped = run.skipped {
      return "\(name(run.stage))  SKIPPED  \(HumanText.ago(skipped)): nothing differed from its run "
        + "\(HumanText.ago(run.record.execution.started))  (\(names.name(run.id)))"
    }
    var word = "RAN"
    switch run.record.result {
    case .succeeded where run.record.reconstructed != nil: word = "RECONSTRUCTED"
    case .succeeded: break
    case .restored: word = "RESTORED"
    case .accepted: word = "ACCEPTED"
    case .failed: word = "FAILED"
    case .aborted: word = "ABORTED"
    case .inputChanged: word = "INPUT CHANGED"
    case .lost: word = "LOST"
    }
    return "\(name(run.stage))  \(word)  \(sentence(run))  (\(names.name(run.id)))\(run.isOutdated ? "; dvc.lock has other work" : "")"
  }

  /// `4 minutes ago because data/raw.csv changed (prepare → train) and 2 other causes`.
  func sentence(_ run: PastRun) -> String {
    let ago = HumanText.ago(run.record.execution.started)
    guard let first = run.causes.first else { return ago }
    let more = run.causes.count - 1
    let way = first.through.isEmpty ? "" : " (\(Self.shortened((first.through + [run.stage]).map(name)).joined(separator: " → ")))"
    return ago + " because " + words(first, of: run.stage) + way
      + (more > 0 ? " and " + HumanText.count(more, run.hasMoreCauses ? "or more other cause" : "other cause") : "")
  }

  /// As seen from the working directory.
  private func name(_ stage: String) -> String { StageAddress(stage).text(from: workspace.folder) }

  private static func shortened(_ names: [String]) -> [String] {
    names.count > 6 ? Array(names.prefix(2)) + ["…"] + names.suffix(3) : names
  }
}

extension PastRunText {
  /// What was so when it ran, in the past tense where the words of now would mislead.
  private func words(_ cause: PastCause, of stage: String) -> String {
    var reason = cause.reason
    reason.path = reason.path.map(workspace.shown)
    let name = cause.stage.utf8.elementsEqual(stage.utf8) ? nil : name(cause.stage)
    switch reason.kind {
    case .neverRun: return "\(name ?? "it") had never run"
    case .noRecord: return "dvc.lock had no entry for \(name ?? "it")"
    case .outputMissing where reason.isOfCache: return "\(reason.path ?? "") was not in the cache"
    case .outputChanged: return "\(reason.path ?? "") was not what dvc.lock had"
    case .outputMissing, .dependencyMissing: return "\(reason.path ?? "") was missing"
    case .upstreamStale: return "a stage before it had changed"
    case .commandChanged where name != nil && reason.removedDeclarations == nil:
      return "the command of \(name ?? "") changed"
    case .alwaysChanged where name != nil: return "\(name ?? "") is declared always changed"
    case .forced where name != nil: return "\(name ?? "") was forced"
    default: return ReasonText.short(reason)
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
    return ShortNames(index)
  }()

  init(_ workspace: Workspace) { self.workspace = workspace }

  func name(_ run: RunID) -> String { names?.name(run) ?? run.short }
}
