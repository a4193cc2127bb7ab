// What a run will surely do, what it may do, and about how long that takes. A guess for people; nothing rests on it.
package import CairnCore
internal import CairnLineage

package struct Forecast: Sendable {
  /// Stale as they stand: they run or are restored.
  package let sure: Set<StageID>
  /// The sure ones and all that depend on them.
  package let mayRun: Set<StageID>
  /// The run behind the lock entry of each stage with metrics that may run, to compare with.
  package let runsBefore: [StageID: RunID]
  private let order: [StageID]
  private let producers: [StageID: [StageID]]
  private let seconds: [StageID: Double]
  private let typical: Double?
  private let slots: Int

  /// Judges every wanted stage; the hashes that this takes are not taken again.
  package init(_ reproduction: Reproduction) {
    let workspace = reproduction.workspace
    let pipeline = workspace.project.pipeline
    let judge = StageJudge(workspace)
    var sure: Set<StageID> = []
    var mayRun: Set<StageID> = []
    var producers: [StageID: [StageID]] = [:]
    var runsBefore: [StageID: RunID] = [:]
    var seconds: [StageID: Double] = [:]
    for judgement in judge.judge(reproduction.order) {
      let id = judgement.id
      let needs = reproduction.producers(of: id)
      if reproduction.request.force || judgement.staleness.isStale { sure.insert(id) }
      guard sure.contains(id) || needs.contains(where: mayRun.contains) else { continue }
      mayRun.insert(id)
      producers[id] = needs
      let stage = pipeline[id]
      seconds[id] = workspace.producers.history(of: stage.address.text())?.seconds
      if let lock = judgement.lock, stage.outputs.contains(where: { $0.role == .metric }) {
        runsBefore[id] = workspace.producers.run(behind: WorkKey(stage, lock), of: stage.address.text())
      }
    }
    self.sure = sure
    self.mayRun = mayRun
    self.runsBefore = runsBefore
    self.producers = producers
    self.seconds = seconds
    order = reproduction.order.filter(mayRun.contains)
    let known = seconds.values
    typical = known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
    slots = max(1, reproduction.request.jobs)
  }

  /// About how many seconds a stage takes; `nil` when it has never run.
  package func seconds(of id: StageID) -> Double? { seconds[id] }

  /// Seconds until the end: when only what is sure runs, and when all does. `nil` when nothing is known.
  ///
  /// `running`: for how long each has been.
  package func left(done: Set<StageID>, running: [StageID: Double]) -> ClosedRange<Double>? {
    guard let typical else { return nil }
    func estimate(_ counts: (StageID) -> Bool) -> Double {
      var total = 0.0
      var longest = 0.0
      var ends: [StageID: Double] = [:]
      for id in order where !done.contains(id) && counts(id) {
        let own = max(0, (seconds[id] ?? typical) - (running[id] ?? 0))
        let end = own + (producers[id] ?? []).reduce(0) { max($0, ends[$1] ?? 0) }
        ends[id] = end
        total += own
        longest = max(longest, end)
      }
      return max(longest, total / Double(slots))
    }
    let low = estimate { sure.contains($0) || running[$0] != nil }
    return low...max(low, estimate { _ in true })
  }
}
