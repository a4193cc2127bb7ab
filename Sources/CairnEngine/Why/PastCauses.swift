// What a run began with: its reasons followed, through the runs that made what it read, to the edits behind them.
// Which runs those were, the history tells.
package import CairnCore
import CairnFormats
import CairnLineage
import Synchronization

/// One root cause of a run.
package struct PastCause: Sendable {
  package var reason: Reason
  /// The stage that has this reason.
  package var stage: String
  /// The stages through which it arrived, the one that has the reason first; empty for a reason of the run's own.
  package var through: [String] = []
}

final class PastCauses: Sendable {
  private let history: RunHistory
  private let commands: CommandChanges
  /// So many roots come through others: of each of many runs.
  private static let rootLimit = 64
  /// What runs before others began with; asked of one run by each that read what it made.
  private let known = Mutex<[RunID: Roots]>([:])

  init(_ history: RunHistory, commands: CommandChanges) {
    self.history = history
    self.commands = commands
  }

  /// A root of a run, as a step on the way to it: what stands further on is the root `index` of the run `before`.
  private struct Root: Sendable {
    var reason: Reason
    var stage: String
    var before: (run: RunID, index: Int)?
  }

  private struct Roots: Sendable {
    var stage: String
    var roots: [Root]
    /// There are more than `roots` has.
    var hasMore: Bool
  }

  /// What makes two reasons one cause: what is about a file or a value is one for all stages that see it.
  private struct Key: Hashable {
    var kind: ReasonKind
    var stage: String?
    var path: String?
    var key: String?

    init(_ root: Root) {
      kind = root.reason.kind
      path = root.reason.path
      key = root.reason.key
      if kind.isOfStage { stage = root.stage }
    }
  }

  /// The run's own first, then those that came through other stages: each once, of the latter at most
  /// `rootLimit`; and whether there are more.
  func of(_ id: RunID, _ record: RunRecord) -> (causes: [PastCause], hasMore: Bool) {
    let found = roots(of: id, record)
    return (causes(found.roots), found.hasMore)
  }

  /// What made a dependency another one than a lock entry has, where a stage made it so: what its runs since began
  /// with, up to `maker`, the one that left it as it is. `nil` where not all of them are known.
  func of(_ reason: Reason, madeBy maker: RunID) -> (causes: [PastCause], hasMore: Bool)? {
    guard let makers = history.makers(of: reason, upTo: maker) else { return nil }
    for maker in makers { _ = roots(of: maker.id, maker.record) }
    let (roots, hasMore) = join(makers.map(\.id))
    return roots.isEmpty ? nil : (causes(roots), hasMore)
  }

  private func causes(_ roots: [Root]) -> [PastCause] {
    roots.map { root in
      var through: [String] = []
      var next = root.before
      while let (run, index) = next, let before = known.withLock({ $0[run] }) {
        through.append(before.stage)
        next = before.roots[index].before
      }
      return PastCause(reason: root.reason, stage: root.stage, through: through.reversed())
    }
  }

  private func roots(of id: RunID, _ record: RunRecord) -> Roots {
    typealias Run = RunHistory.Run
    struct Step {
      var run: Run
      /// Beside each reason the runs that made what it is about.
      var makers: [[Run]]?
    }
    var stack = [Step(run: Run(id: id, record: record))]
    // A record that was made by hand may lead back to itself.
    var begun: Set<RunID> = []
    while var step = stack.popLast() {
      if known.withLock({ $0[step.run.id] }) != nil { continue }
      let reasons = step.run.record.reasons.compactMap(ReasonJSON.reason)
      if let makers = step.makers {
        let roots = join(reasons, makers.map { $0.map(\.id) }, of: step.run)
        known.withLock { $0[step.run.id] = roots }
        continue
      }
      guard begun.insert(step.run.id).inserted else { continue }
      let makers = reasons.map { history.makers(of: $0, in: step.run) }
      step.makers = makers
      stack.append(step)
      // One that is asked for again further up is looked at there: it must be known before those that stand on it.
      for maker in makers.joined().reversed() { stack.append(Step(run: maker)) }
    }
    return known.withLock { $0[id] } ?? Roots(stage: record.stage.address, roots: [], hasMore: false)
  }

  private func join(_ reasons: [Reason], _ makers: [[RunID]], of run: RunHistory.Run) -> Roots {
    let stage = run.record.stage.address
    var own: [Root] = []
    var others: [Root] = []
    var hasMore = false
    for (reason, makers) in zip(reasons, makers) {
      let before = join(makers)
      hasMore = hasMore || before.hasMore
      others += before.roots
      if before.roots.isEmpty { own += roots(of: reason, run).map { Root(reason: $0, stage: stage) } }
    }
    var seen: Set<Key> = []
    own = own.filter { seen.insert(Key($0)).inserted }
    others = others.filter { seen.insert(Key($0)).inserted }
    let kept = own + others.prefix(Self.rootLimit)
    hasMore = hasMore || kept.count < own.count + others.count
    // It would have run without being forced.
    return Roots(
      stage: stage, roots: kept.filter { $0.reason.kind != .forced } + kept.filter { $0.reason.kind == .forced },
      hasMore: hasMore)
  }

  /// What successive runs of a stage began with, the newest first: of what several of them saw change, from what it was
  /// before the oldest to what it is after the newest.
  private func join(_ makers: [RunID]) -> (roots: [Root], hasMore: Bool) {
    var found: [Root] = []
    var places: [Key: Int] = [:]
    var hasMore = false
    for maker in makers {
      guard let before = known.withLock({ $0[maker] }) else { continue }
      hasMore = hasMore || before.hasMore
      for (index, root) in before.roots.enumerated() {
        if let place = places[Key(root)] {
          if found[place].stage.utf8.elementsEqual(root.stage.utf8) { found[place].reason.was = root.reason.was }
        } else {
          places[Key(root)] = found.count
          found.append(Root(reason: root.reason, stage: root.stage, before: (maker, index)))
        }
      }
    }
    // What went back to where it was, and that it was forced where it had another cause, tells nothing.
    found.removeAll { $0.reason.was != nil && $0.reason.was == $0.reason.now }
    let others = found.filter { $0.reason.kind != .forced }
    return (others.isEmpty ? found : others, hasMore)
  }

  /// A command that the stage still has was made another one by values that still stand where they stood.
  private func roots(of reason: Reason, _ run: RunHistory.Run) -> [Reason] {
    guard reason.kind == .commandChanged,
      case .values(let changed)? = commands.change(reason, of: run.record, since: history.former(reason, run))
    else { return [reason] }
    return changed.map(\.reason)
  }
}
