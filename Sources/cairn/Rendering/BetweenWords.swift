// A root cause between two commits in words: as `why` has them, but for what is there or gone instead of stale.
internal import CairnCore
internal import CairnEngine

struct BetweenWords {
  let words: CauseWords
  private let query: BetweenCommits
  private let explanation: Explanation

  init(_ query: BetweenCommits, _ explanation: Explanation, _ evidence: any CauseEvidence) {
    self.query = query
    self.explanation = explanation
    words = CauseWords(query.to.project, nil, evidence)
  }

  func name(_ id: StageID) -> String { name(query.to.project.pipeline[id].address) }

  func name(_ address: StageAddress) -> String { address.text(from: query.to.project.folder) }

  /// Behind "because", on the first line of stage `id`.
  func because(_ cause: Explanation.Cause, of id: StageID) -> String {
    let who = cause.stage.flatMap { $0 == id ? nil : name($0) }
    return switch cause.reason.kind {
    case .neverRun: "\(who ?? "it") is new"
    case .outputChanged where isStage(cause.stage):
      "\(who ?? "it") gave another \(words.path(cause.reason)) from the same inputs"
    default: changed(cause) ?? words.because(cause, of: id)
    }
  }

  /// In the overview: `params.yaml: train.lr 0.01 → 0.003`, `src/plots.py +3 lines`, `new`.
  func label(_ cause: Explanation.Cause) -> String {
    switch cause.reason.kind {
    case .neverRun: "new"
    case .outputChanged where isStage(cause.stage): "another \(words.path(cause.reason)) from the same inputs"
    case .dependencyChanged where cause.subject.former != nil:
      "\(words.path(cause.reason))\(words.amount(cause.reason, cause.subject).map { " " + $0 } ?? " changed")"
    default: changed(cause) ?? words.label(cause)
    }
  }

  /// What `why` says otherwise, or not at all; `nil` for the rest.
  private func changed(_ cause: Explanation.Cause) -> String? {
    let path = words.path(cause.reason)
    let former = cause.subject.former.map { query.to.project.shown($0.recordPath) }
    switch cause.reason.kind {
    case .dependencyAdded: return former.map { "\($0) is \(path) now" }
    case .dependencyChanged: return former.map { "\(path), which was \($0), changed" }
    case .dependencyMissing: return "\(path) is no longer a dependency"
    case .parameterMissing:
      return cause.reason.key.map { "\(path): \($0) is no longer a parameter" } ?? "\(path) is no longer read"
    case .outputMissing: return "\(path) is no longer an output"
    case .outputChanged: return "\(path) changed"
    default: return nil
    }
  }

  private func isStage(_ id: StageID?) -> Bool { id.map { !query.to.project.pipeline[$0].isPlainFile } ?? false }

  /// `commit 4e1c9d2 "june batch" by ann, 2 days ago`; that only the lock followed; `nil` where git cannot tell.
  func origin(_ cause: Explanation.Cause) -> String? {
    guard let place = words.evidence.place(of: cause.reason, cause.subject) else { return nil }
    return origin(place)
  }

  private func origin(_ place: CausePlace) -> String? {
    if place.commit != nil { return words.when(place).joined() }
    if let commit = place.lacking {
      var there = place
      there.commit = commit
      return "without " + words.when(there).joined()
    }
    return place.isOlder ? "so at \(query.from.shortName) already: the lock did not follow until later" : nil
  }

  /// The rows below the first line.
  func evidence(_ cause: Explanation.Cause, of id: StageID, isFirst: Bool) -> [(label: String, text: String)] {
    let place = words.evidence.place(of: cause.reason, cause.subject)
    let file = place.flatMap { place in
      place.file.map { query.to.project.shown($0) + (place.line.map { ":\($0)" } ?? "") }
    }
    let path = words.path(cause.reason)
    let told = isFirst ? nil : because(cause, of: id)
    switch cause.reason.kind {
    case .commandChanged: return words.evidence(cause, of: id, isFirst: isFirst).filter { !$0.text.isEmpty }
    case .dependencyChanged:
      let amount = words.dataset(words.shown(cause.reason)) ?? words.amount(cause.reason, cause.subject)
      let former = cause.subject.former.map { "renamed from \(query.to.project.shown($0.recordPath))" }
      let parts = [former, amount, maker(cause) ?? place.flatMap(origin)].compactMap { $0 }
      return [(path, parts.isEmpty ? "changed" : parts.joined(separator: "; "))]
    case .outputChanged:
      let parts = [told, words.amount(cause.reason, cause.subject), place.flatMap(origin)].compactMap { $0 }
      return parts.isEmpty ? [] : [(file ?? path, parts.joined(separator: "; "))]
    default:
      let parts = [told, place.flatMap(origin)].compactMap { $0 }
      return parts.isEmpty ? file.map { [($0, "")] } ?? [] : [(file ?? path, parts.joined(separator: "; "))]
    }
  }

  /// Of what a stage made that does not differ: why it is another one all the same.
  private func maker(_ cause: Explanation.Cause) -> String? {
    guard let id = cause.subject.producer?.stage, isStage(id), let part = explanation.all[id] else { return nil }
    let made = "made by \(name(id))"
    return switch part.verdict {
    case .unknown: "\(made), of which nothing can be told"
    case .fresh, .frozen: "\(made), the same at both: the stages after it did not follow at \(query.from.shortName)"
    case .stale: "\(made), in a version that neither commit's lock has of it"
    }
  }
}
