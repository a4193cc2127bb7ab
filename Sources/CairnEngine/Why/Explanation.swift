// Why stages would run: verdicts, and the few root causes behind them. Values that text and JSON are made of.
package import CairnCore
package import CairnLineage

package struct Explanation: Sendable {
  package enum Verdict: String, Sendable { case fresh, stale, frozen, unknown }

  /// What `repro` would do with a stage.
  package enum Action: String, Sendable {
    case run, restore, skip
    /// A stage before it must run first, and may turn out identical.
    case depends
  }

  /// Where a reason's evidence can be looked for.
  package struct Subject: Sendable {
    package var location: Location?
    /// Of a dependency: the hash that the lock has.
    package var lockedHash: ContentHash?
    package var content: Content?
    /// Of a parameter, and of a command that was edited: what stands there.
    package var value: ValuePlace?
    /// Of a command: nothing tells whether its own text or a value in it is another one.
    package var isUnclear = false
    /// The stage of the pipeline that made the dependency as it is now, and the run in which it did.
    package var producer: (stage: StageID, run: RunID?)?
    /// The dependency is what the lock entry of its producer says.
    package var isAsLocked = false
    /// The run behind the lock entry that the reason comes from.
    package var run: RunID?
    /// Between two commits: where the same file lay in the first, when it has another name since.
    package var former: Location?
    /// Between two commits: where it is declared what the reason says was added or taken away.
    package var declaration: Declaration?

    package init() {}
  }

  package struct StageReason: Sendable {
    /// Its path is relative to the project.
    package var reason: Reason
    /// In `causes`.
    package var cause: Int?
    package var subject: Subject
  }

  package struct Cause: Sendable {
    /// Of the first stage that it was found at.
    package var reason: Reason
    package var subject: Subject
    /// Where the cause is the stage's own: its command, its outputs, that it never ran.
    package var stage: StageID?
    /// Sure to run because of it.
    package var must: [StageID] = []
    /// Run if what comes before them differs.
    package var may: [StageID] = []
  }

  package struct StagePart: Sendable {
    package var id: StageID
    package var verdict: Verdict
    package var would: Action
    package var reasons: [StageReason] = []
    /// In `causes`, the nearest first: all of its own, and at most `causeLimit()` that come through others.
    package var causes: [Int] = []
    /// There are more than `causes` has.
    package var hasMoreCauses = false
    /// The stage through which the first cause arrives.
    package var via: StageID?
    /// The stages through which the first cause arrived, in runs that have been: the one that has it first.
    package var way: [StageID] = []
    package var notes: [StageNote] = []
    package var unknown: Diagnostic?
    /// What it fails for want of, when nothing before it brings that: an input or a parameter, of a frozen stage an
    /// output.
    package var lacks: StageReason?
    /// Keyed variables whose old value nothing tells.
    package var unknownVariables: [String] = []
    package var history: StageHistory?
    /// The newest that did what its lock entry says; of a stale stage, where there is none, the newest of all.
    package var lastRun: RunID?
    /// The newest that left its lock entry: `lastRun`, or one that took its outputs from the cache.
    package var leftBy: RunID?
    /// A later run of the stage did other work: something without a record, or another work tree, left the entry so.
    package var didOtherWorkSince = false
    /// Between two commits: the stage that made its outputs in the first, under another name.
    package var renamedFrom: StageAddress?
    /// `would` is `restore`: the run that made what is in the cache, where a record knows it.
    package var restoredFrom: RunID?
    /// What was compared and is as it was: dependencies, parameters.
    package var unchangedDependencies = 0
    package var unchangedParameters = 0
    package var isCommandUnchanged = false
  }

  /// So many causes are followed through each of `stages` stages: more than anybody reads, and no quadratic growth.
  static func causeLimit(_ stages: Int) -> Int { max(24, 100_000 / max(1, stages)) }

  /// Those asked for, each after all that it needs.
  package var stages: [StagePart]
  /// Those that were looked at to explain them.
  package var all: [StageID: StagePart]
  package var causes: [Cause]
  /// What the stages that would run are known to take, one after the other; `nil` when nothing is recorded of any.
  package var estimate: (seconds: Double, samples: Int)?

  /// Only with the causes that explain `stages`, numbered in their order.
  func numbered() -> Explanation {
    var numbers: [Int: Int] = [:]
    var kept: [Cause] = []
    for part in stages {
      for cause in part.causes where numbers[cause] == nil {
        numbers[cause] = kept.count
        var found = causes[cause]
        let must = Set(found.must)
        var seen: Set<StageID> = []
        found.may = found.may.filter { !must.contains($0) && seen.insert($0).inserted }
        kept.append(found)
      }
    }
    func numbered(_ part: StagePart) -> StagePart {
      var part = part
      part.causes = part.causes.compactMap { numbers[$0] }
      for index in part.reasons.indices {
        part.reasons[index].cause = part.reasons[index].cause.flatMap { numbers[$0] }
      }
      return part
    }
    return Explanation(
      stages: stages.map(numbered), all: all.mapValues(numbered), causes: kept, estimate: estimate)
  }

  /// Nothing is to be done for them; frozen ones as long as their outputs and command are as the lock has them.
  package var freshCount: Int {
    stages.count { $0.verdict == .fresh || ($0.verdict == .frozen && $0.reasons.isEmpty) }
  }

  /// Frozen ones with another output or command than the lock has.
  package var differingFrozenCount: Int { stages.count { $0.verdict == .frozen && !$0.reasons.isEmpty } }

  package func count(_ verdict: Verdict) -> Int { stages.count { $0.verdict == verdict } }

  /// The stages from where the first cause is to `part`, for a cause of its own only itself.
  package func chain(to part: StagePart) -> [StageID] {
    var chain = [part.id]
    while let last = chain.last, let via = all[last]?.via, chain.count < 1000 { chain.append(via) }
    return (chain.last.flatMap { all[$0]?.way } ?? []) + chain.reversed()
  }
}
