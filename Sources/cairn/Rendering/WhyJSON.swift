// An explanation as the document `cairn.why/v1`.
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnLineage
internal import CairnSystem

struct WhyJSON {
  private let explanation: Explanation
  private let pipeline: Pipeline
  private let records: RecordStore?
  private let evidence: any CauseEvidence
  /// Fresh stages are counted, and not listed.
  private let omitsFresh: Bool

  /// - Parameter records: `nil` where none are asked.
  init(
    _ explanation: Explanation, of pipeline: Pipeline, _ records: RecordStore?, _ evidence: any CauseEvidence,
    omitsFresh: Bool
  ) {
    self.omitsFresh = omitsFresh
    self.explanation = explanation
    self.pipeline = pipeline
    self.records = records
    self.evidence = evidence
  }

  var value: Value {
    .map([
      "schema": "cairn.why/v1",
      "summary": .map([
        "fresh": .int(explanation.freshCount),
        "stale": .int(explanation.count(.stale)), "frozen": .int(explanation.differingFrozenCount),
        "unknown": .int(explanation.count(.unknown)), "causes": .int(explanation.causes.count),
        "estimate": explanation.estimate.map {
          .map(["seconds": Self.seconds($0.seconds), "samples": .int($0.samples)])
        } ?? .null,
      ]),
      "causes": .list(explanation.causes.indices.map(cause)),
      "stages": .list(explanation.stages.filter { !omitsFresh || $0.verdict != .fresh }.map(stage)),
    ])
  }

  private func cause(_ index: Int) -> Value {
    let cause = explanation.causes[index]
    var map: ValueMap = ["id": .string(Self.id(index))]
    for (key, value) in ReasonJSON.value(cause.reason).map ?? [:] { map[key] = value }
    if let former = cause.subject.former { map["renamed_from"] = .string(former.recordPath) }
    if let stage = cause.stage { map["stage"] = .string(address(stage)) }
    counts(cause.reason, cause.subject, into: &map)
    map["at"] = evidence.place(of: cause.reason, cause.subject).map(at) ?? .null
    map["affects"] = .map([
      "must": .list(cause.must.map { .string(address($0)) }), "may": .list(cause.may.map { .string(address($0)) }),
    ])
    return .map(map)
  }

  private func at(_ place: CausePlace) -> Value {
    .map([
      "file": place.file.map { .string($0) } ?? .null,
      "line": place.line.map { .int($0) } ?? .null,
      "commit": place.commit.map { .string($0.name) } ?? .null,
      "author": place.commit.map { .string($0.author) } ?? .null,
      "date": place.date.map { .string(WallClock.text($0)) } ?? .null,
      "dirty": place.isDirty.map { .bool($0) } ?? .null,
    ])
  }

  private func stage(_ part: Explanation.StagePart) -> Value {
    var map: ValueMap = [
      "stage": .string(address(part.id)), "verdict": .string(part.verdict.rawValue),
      "would": .string(part.would.rawValue), "last_run": part.lastRun.map { .string($0.hex) } ?? .null,
      "causes": .list(part.causes.map { .string(Self.id($0)) }), "chain": .list(chain(part).map { .string($0) }),
      "reasons": .list(part.reasons.map(reason)), "notes": .list(part.notes.map { note($0, part) }),
    ]
    if part.hasMoreCauses { map["more_causes"] = true }
    if let former = part.renamedFrom { map["renamed_from"] = .string(former.text()) }
    if part.would == .restore { map["restores"] = part.restoredFrom.map { .string($0.hex) } ?? .null }
    if !part.unknownVariables.isEmpty {
      map["unknown_variables"] = .list(part.unknownVariables.map { .string($0) })
    }
    if let unknown = part.unknown {
      map["error"] = .map(["code": .string(unknown.code.rawValue), "message": .string(unknown.fullMessage)])
    }
    return .map(map)
  }

  /// From the root cause to the stage.
  private func chain(_ part: Explanation.StagePart) -> [String] {
    guard let first = part.causes.first else { return [] }
    let cause = explanation.causes[first]
    var chain = explanation.chain(to: part).map(address)
    if cause.stage == nil, let root = cause.reason.path ?? cause.reason.key { chain.insert(root, at: 0) }
    return chain
  }

  private func reason(_ found: Explanation.StageReason) -> Value {
    var map = ReasonJSON.value(found.reason).map ?? [:]
    if let cause = found.cause { map.updateValue(.string(Self.id(cause)), forKey: "cause", insertingAt: min(1, map.count)) }
    if found.reason.kind == .dependencyChanged {
      let producer = found.subject.producer.flatMap { producer -> Value? in
        // Of a folder that outputs lie in nobody made the whole.
        let stage = pipeline[producer.stage]
        guard stage.kind == .pipeline, let location = found.subject.location,
          stage.outputs.contains(where: { location == $0.location || location.isInside($0.location) })
        else { return nil }
        return .map([
          "stage": .string(address(producer.stage)), "run": producer.run.map { .string($0.hex) } ?? .null,
        ])
      }
      map["producer"] = producer ?? .null
    }
    counts(found.reason, found.subject, into: &map)
    return .map(map)
  }

  private func counts(_ reason: Reason, _ subject: Explanation.Subject, into map: inout ValueMap) {
    if let lines = evidence.lines(reason, subject) {
      map["lines"] = .map(["added": .int(lines.added), "removed": .int(lines.removed), "changed": 0])
    }
    if let files = evidence.files(reason, subject) {
      map["files"] = .map([
        "added": .int(files.added), "removed": .int(files.removed), "changed": .int(files.changed),
      ])
    }
  }

  private func note(_ note: StageNote, _ part: Explanation.StagePart) -> Value {
    var map: ValueMap = ["kind": .string(note.kind.rawValue)]
    switch note.kind {
    case .declarationDiffers: map["removed"] = .list(note.removed.map { .string($0) })
    case .lockOutdated: map["differs"] = .list(note.differs.map { .string($0) })
    case .undeclaredChanged: break
    case .lastAttemptFailed:
      guard let run = part.history?.lastRun else { break }
      let record = (try? records?.record(run)) ?? nil
      map["run"] = .string(run.hex)
      map["result"] = .string(part.history?.lastResult.rawValue ?? "")
      map["error"] = record?.error.map { .map(["code": .string($0.code), "message": .string($0.message)]) } ?? .null
    }
    return .map(map)
  }

  private func address(_ id: StageID) -> String { pipeline[id].address.text() }

  private static func id(_ index: Int) -> String { "c\(index + 1)" }

  private static func seconds(_ seconds: Double) -> Value {
    let rounded = (seconds * 1000).rounded() / 1000
    return Int(exactly: rounded).map { .int($0) } ?? .float(rounded)
  }
}
