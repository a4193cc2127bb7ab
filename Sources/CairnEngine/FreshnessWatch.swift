// Makes the freshness index around one run: looks before, and again after when something ran.
import CairnCore
import CairnStore
import CairnSystem
import Dispatch
import Glibc
import Synchronization

/// The index may only say what was judged: its stamps are taken before the judgement that they stand for.
final class FreshnessWatch {
  private let workspace: Workspace
  private let order: [StageID]
  private let key: String
  private let paths: Prefetch<[String]?>
  private var before: (entries: [FreshnessIndex.Entry], taken: Nanoseconds)?

  /// `nil` when this request is never answered by stamps. A network file system's are another clock's, and may be
  /// remembered ones: there one always asks properly.
  init?(_ workspace: Workspace, _ request: ReproRequest, _ order: [StageID]) {
    guard let key = FreshnessIndex.key(request, workingDirectory: workspace.repository.workingDirectory),
      !Machine.isNetworkFileSystem(workspace.repository.root)
    else { return nil }
    self.workspace = workspace
    self.order = order
    self.key = key
    paths = Prefetch { FreshnessIndex.paths(of: workspace, order: order) }
  }

  /// Stamps for the case that nothing needs to run.
  func lookBefore() {
    // A lock that lacks a stage cannot be followed by "nothing to do".
    guard order.allSatisfy({ workspace.lockEntry(of: workspace.project.pipeline[$0]) != nil }) else { return }
    before = FreshnessIndex.paths(of: workspace, order: order).map(look)
  }

  private func look(at paths: [String]) -> (entries: [FreshnessIndex.Entry], taken: Nanoseconds) {
    let taken = WallClock.now()
    return (FreshnessIndex.look(at: paths, root: workspace.repository.root), taken)
  }

  /// The run is over: names what is to be looked at, beside what else there is to do.
  func prepare(_ summary: RunSummary) {
    if Self.isGood(summary), !Self.isFresh(summary) { paths.begin() }
  }

  private static func isGood(_ summary: RunSummary) -> Bool {
    summary.error == nil && summary.failures.isEmpty && summary.signal == nil && summary.notStarted.isEmpty
      && summary.skipped.isEmpty
  }

  private static func isFresh(_ summary: RunSummary) -> Bool {
    summary.outcomes.allSatisfy { $0.outcome.result == .fresh }
  }

  /// - Parameter ended: when the run was over, by the monotonic clock.
  func remember(_ summary: RunSummary, ended: Nanoseconds) {
    guard Self.isGood(summary) else { return }
    if Self.isFresh(summary) {
      if let before { write(before) }
      return
    }
    guard let paths = paths.value else { return }
    // The last outputs are younger than a clock tick: stamps are trusted once it has passed.
    let wait = FreshnessIndex.granularity + 1_000_000 - (WallClock.monotonic() - ended)
    if wait > 0 { usleep(UInt32(wait / 1000)) }
    let after = look(at: paths)
    guard areAllFresh() else { return }
    write(after)
  }

  private func write(_ look: (entries: [FreshnessIndex.Entry], taken: Nanoseconds)) {
    guard !FreshnessIndex.isRacy(look.entries, now: look.taken) else { return }
    FreshnessIndex.write(look.entries, root: workspace.repository.root, key: key, words: words())
  }

  /// By all processors: the user waits for this.
  private func areAllFresh() -> Bool {
    let (workspace, order) = (workspace, order)
    let piece = 64
    let isStale = Atomic(false)
    DispatchQueue.concurrentPerform(iterations: (order.count + piece - 1) / piece) { number in
      for id in order[(number * piece)..<min(order.count, (number + 1) * piece)] {
        if isStale.load(ordering: .relaxed) { return }
        if !Self.isFresh(id, workspace) { isStale.store(true, ordering: .relaxed) }
      }
    }
    return !isStale.load(ordering: .relaxed)
  }

  private static func isFresh(_ id: StageID, _ workspace: Workspace) -> Bool {
    let stage = workspace.project.pipeline[id]
    let lock = workspace.lockEntry(of: stage)
    var snapshot = workspace.observer.inputs(of: stage, lock: lock, sha256: false)
    workspace.observer.addOutputs(to: &snapshot, of: stage, lock: lock)
    let staleness = Staleness.judge(stage, lock: lock, now: snapshot)
    return !staleness.isStale && staleness.unknown == nil
  }

  /// What a run with nothing to do prints, in the serial order.
  private func words() -> [UInt8] {
    var text = ""
    for id in order {
      let stage = workspace.project.pipeline[id]
      let name = stage.address.text(from: workspace.folder)
      text += "\(stage.isPlainFile ? "" : "Stage ")'\(name)' didn't change, skipping\n"
    }
    return FileName.bytes(text + "Data and pipelines are up to date.\n")
  }
}
