// Runs that have been as the document `cairn.why/v1`: what `why` would have said before each of them.
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnSystem

struct PastRunJSON {
  private struct Cause {
    var reason: Reason
    var stage: String
    var must: [String] = []
    var may: [String] = []
  }

  private struct Key: Hashable {
    var reason: Reason
    /// Of what is about a file or a value no stage: it is one for all that see it.
    var stage: String?
  }

  private var causes: [Cause] = []
  private var places: [Key: Int] = [:]
  private var stages: [Value] = []
  private var skipped = 0

  init(_ runs: [PastRun]) {
    for run in runs { add(run) }
  }

  var value: Value {
    .map([
      "schema": "cairn.why/v1",
      "summary": .map([
        "fresh": .int(skipped), "stale": .int(stages.count - skipped), "frozen": 0, "unknown": 0,
        "causes": .int(causes.count), "estimate": .null,
      ]),
      "causes": .list(
        causes.enumerated().map { number, cause in
          var map: ValueMap = ["id": .string(Self.id(number))]
          for (key, value) in ReasonJSON.value(cause.reason).map ?? [:] { map[key] = value }
          map["stage"] = .string(cause.stage)
          // Where it stood then may be another place by now.
          map["at"] = .null
          map["affects"] = .map([
            "must": .list(cause.must.map { .string($0) }), "may": .list(cause.may.map { .string($0) }),
          ])
          return .map(map)
        }), "stages": .list(stages),
    ])
  }

  private mutating func add(_ run: PastRun) {
    var numbers: [Int] = []
    for cause in run.causes {
      let key = Key(reason: cause.reason, stage: cause.reason.kind.isOfStage ? cause.stage : nil)
      let number = places[key] ?? causes.count
      if number == causes.count {
        causes.append(Cause(reason: cause.reason, stage: cause.stage))
        places[key] = number
      }
      if cause.through.isEmpty { causes[number].must.append(run.stage) } else { causes[number].may.append(run.stage) }
      numbers.append(number)
    }
    if run.skipped != nil { skipped += 1 }
    var map: ValueMap = [
      "stage": .string(run.stage), "verdict": run.skipped == nil ? "stale" : "fresh",
      "would": run.skipped != nil ? "skip" : run.record.result == .restored ? "restore" : "run",
      "last_run": .string(run.id.hex), "causes": .list(numbers.map { .string(Self.id($0)) }),
      "chain": .list(Self.chain(run).map { .string($0) }),
      "reasons": .list(run.record.reasons.map { reason($0, numbers) }),
      "notes": .list([]), "run": .string(run.id.hex), "result": .string(run.record.result.rawValue),
      "started": .string(WallClock.text(run.record.execution.started)),
      "skipped": run.skipped.map { .string(WallClock.text($0)) } ?? .null, "outdated": .bool(run.isOutdated),
    ]
    if run.hasMoreCauses { map["more_causes"] = true }
    stages.append(.map(map))
  }

  /// As the record has it, with the cause that it is.
  private func reason(_ recorded: Value, _ numbers: [Int]) -> Value {
    guard case .map(var map) = recorded, let reason = ReasonJSON.reason(recorded),
      let number = numbers.first(where: { causes[$0].reason == reason })
    else { return recorded }
    map["cause"] = .string(Self.id(number))
    return .map(map)
  }

  /// From the file or stage that the first cause is about to the stage.
  private static func chain(_ run: PastRun) -> [String] {
    guard let first = run.causes.first else { return [] }
    let root = first.reason.kind.isOfStage ? nil : first.reason.path ?? first.reason.key
    return (root.map { [$0] } ?? []) + first.through + [run.stage]
  }

  private static func id(_ number: Int) -> String { "c\(number + 1)" }
}
