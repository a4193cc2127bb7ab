// A root cause in words, with its evidence: how much differs, where it stands, who committed it when.
internal import CairnCore
internal import CairnEngine
internal import CairnLineage
internal import CairnSystem

struct CauseWords {
  let project: LoadedProject
  private let records: RecordStore?
  let evidence: any CauseEvidence

  /// - Parameter records: `nil` where none are asked.
  init(_ project: LoadedProject, _ records: RecordStore?, _ evidence: any CauseEvidence) {
    self.project = project
    self.records = records
    self.evidence = evidence
  }

  private func name(_ stage: Stage) -> String { stage.address.text(from: project.folder) }

  /// Behind "because", on the first line of stage `id`.
  func because(_ cause: Explanation.Cause, of id: StageID) -> String {
    guard let owner = cause.stage, owner != id else {
      return Self.isEdit(cause) ? "its command was edited" : short(cause)
    }
    let name = name(project.pipeline[owner])
    switch cause.reason.kind {
    case .neverRun: return "\(name) has never run"
    case .noRecord: return "dvc.lock has no entry for \(name)"
    case .commandChanged where cause.reason.removedDeclarations != nil: return "\(name): \(short(cause.reason))"
    case .commandChanged: return "the command of \(name) \(Self.isEdit(cause) ? "was edited" : "changed")"
    case .alwaysChanged: return "\(name) is declared always changed"
    case .forced: return "\(name) was forced"
    default: return short(cause)
    }
  }

  /// The reason with its path as seen from the working directory.
  func short(_ reason: Reason) -> String { ReasonText.short(shown(reason)) }

  /// Of data its `.dvc` file has what it should be.
  private func short(_ cause: Explanation.Cause) -> String {
    let text = short(cause.reason)
    guard cause.reason.kind == .outputChanged, let stage = cause.stage.map({ project.pipeline[$0] }),
      stage.kind == .tracked
    else { return text }
    return "\(path(cause.reason)) is not what \(name(stage)) has"
  }

  /// Of what a reason is about, as seen from the working directory.
  func path(_ reason: Reason) -> String { shown(reason).path ?? "" }

  /// In the overview: `params.yaml: train.lr 0.01 → 0.003`, `src/plots.py +3 lines`, `never run`.
  func label(_ cause: Explanation.Cause) -> String {
    let reason = shown(cause.reason)
    let path = reason.path ?? ""
    switch reason.kind {
    case .neverRun: return "never run"
    case .noRecord: return "no entry in dvc.lock"
    case .commandChanged:
      if reason.removedDeclarations != nil { return short(cause.reason) }
      return Self.isEdit(cause) ? "command edited" : "command changed"
    case .alwaysChanged: return "always changed"
    case .forced: return "forced"
    case .parameterChanged:
      return "\(path): \(reason.key ?? "") \(ReasonText.change(reason))"
    case .dependencyChanged, .outputChanged:
      return path + (amount(cause.reason, cause.subject).map { " " + $0 } ?? " changed")
    case .environmentChanged: return "variable \(reason.key ?? "")"
    default: return ReasonText.short(reason)
    }
  }

  /// The rows below the first line.
  func evidence(
    _ cause: Explanation.Cause, of id: StageID, isFirst: Bool
  ) -> [(label: String, text: String)] {
    let reason = shown(cause.reason)
    switch reason.kind {
    case .dependencyChanged, .outputChanged:
      let parts = [dataset(reason) ?? amount(cause.reason, cause.subject), origin(cause)].compactMap { $0 }
      return [(reason.path ?? "", parts.isEmpty ? "changed" : parts.joined(separator: "; "))]
    case .parameterChanged, .parameterAdded, .parameterMissing:
      let place = evidence.place(of: cause.reason, cause.subject)
      var parts = isFirst ? [] : [ReasonText.short(reason)]
      if let place { parts.append(contentsOf: when(place)) }
      if parts.isEmpty { return [] }
      let line = place?.line.map { ":\($0)" } ?? ""
      return [((reason.path ?? "") + line, parts.joined(separator: "; "))]
    case .commandChanged:
      guard reason.now != nil else { return [] }
      if reason.removedDeclarations != nil { return isFirst ? [] : [("also", short(cause.reason))] }
      var rows = commands(reason)
      if let place = evidence.place(of: cause.reason, cause.subject), let file = place.file {
        let line = place.line.map { ":\($0)" } ?? ""
        rows.insert((project.shown(file) + line, when(place).joined(separator: "; ")), at: 0)
      }
      return rows
    case .environmentChanged:
      return [(reason.key ?? "", "\(variable(reason.was)) → \(variable(reason.now))")]
    case .dependencyMissing:
      if let location = cause.subject.location, let tracked = tracked(location) {
        return [(reason.path ?? "", "tracked by \(tracked)")]
      }
      if let place = evidence.place(of: cause.reason, cause.subject), place.commit != nil {
        return [(reason.path ?? "", "removed in " + when(place).joined(separator: "; "))]
      }
      if isFirst { return [] }
      return [(reason.path ?? "", reason.path?.hasPrefix("ds://") ?? false ? "not in sync" : "missing")]
    case .outputMissing: return isFirst ? [] : [(reason.path ?? "", reason.isOfCache ? "not in the cache" : "missing")]
    case .outputAdded: return isFirst ? [] : [(reason.path ?? "", "a new output")]
    case .dependencyAdded: return isFirst ? [] : [(reason.path ?? "", "a new dependency")]
    default: return isFirst ? [] : [(reason.path ?? "also", because(cause, of: id))]
    }
  }

  /// A changed command whose own text nobody edited, below the value that made it another one.
  func command(
    through cause: Int, _ reason: Reason, of part: Explanation.StagePart
  ) -> [(label: String, text: String)] {
    guard reason.kind != .commandChanged,
      let found = part.reasons.first(where: { $0.reason.kind == .commandChanged }), found.cause == cause
    else { return [] }
    return commands(found.reason)
  }

  private func commands(_ reason: Reason) -> [(label: String, text: String)] {
    [("was", Self.command(reason.was)), ("now", Self.command(reason.now))]
  }

  /// A command whose own text was changed, by all that can be told.
  static func isEdit(_ cause: Explanation.Cause) -> Bool {
    cause.reason.kind == .commandChanged && cause.reason.removedDeclarations == nil && !cause.subject.isUnclear
  }

  /// On one line; the end of a long one is cut.
  private static func command(_ evidence: Reason.Evidence?) -> String {
    guard case .value(let value)? = evidence else { return "?" }
    let text = (value.list?.compactMap(\.string) ?? [value.string ?? ""]).joined(separator: " ⏎ ")
      .replacing("\n", with: " ⏎ ")
    return text.count > 140 ? text.prefix(139) + "…" : text
  }

  /// What its lock says differently now: `rev_lock 4e1c9d2 → 77d0a1b`; `nil` for what is no dataset.
  func dataset(_ reason: Reason) -> String? {
    guard case .value(.map(let was))? = reason.was, case .value(.map(let now))? = reason.now else { return nil }
    let keys = Array(was.keys) + now.keys.filter { was[$0] == nil }
    let parts = keys.compactMap { key -> String? in
      let (old, new) = (was[key] ?? .null, now[key] ?? .null)
      if old.isEqualInPython(to: new) { return nil }
      return "\(key.string ?? "") \(Self.short(old)) → \(Self.short(new))"
    }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// A commit as people name it.
  private static func short(_ value: Value) -> String {
    let text = ReasonText.value(.value(value))
    return GitRepository.isObjectName(text) ? String(text.prefix(7)) : text
  }

  /// `+312 −4 lines, 18.2 → 18.3 MB`, `2 files added, 1 changed`; `nil` where nothing can be counted.
  func amount(_ reason: Reason, _ subject: Explanation.Subject) -> String? {
    var parts: [String] = []
    if let lines = evidence.lines(reason, subject) {
      var signs: [String] = []
      if lines.added > 0 { signs.append("+\(lines.added)") }
      if lines.removed > 0 { signs.append("−\(lines.removed)") }
      if !signs.isEmpty { parts.append(signs.joined(separator: " ") + (lines.added + lines.removed == 1 ? " line" : " lines")) }
    }
    if let files = evidence.files(reason, subject) {
      var kinds: [String] = []
      if files.added > 0 { kinds.append("\(files.added) added") }
      if files.removed > 0 { kinds.append("\(files.removed) removed") }
      if files.changed > 0 { kinds.append("\(files.changed) changed") }
      if !kinds.isEmpty { parts.append("files: " + kinds.joined(separator: ", ")) }
    }
    if case .content(_, let was?)? = reason.was, case .content(_, let now?)? = reason.now, let sizes = Self.sizes(was, now) {
      parts.append(sizes)
    }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// `18.2 → 18.3 MB`; `nil` where both look the same.
  private static func sizes(_ was: UInt64, _ now: UInt64) -> String? {
    guard let a = HumanText.size(was), let b = HumanText.size(now), a != b else { return nil }
    let units = (a.split(separator: " ").last, b.split(separator: " ").last)
    return units.0 == units.1 ? "\(a.split(separator: " ")[0]) → \(b)" : "\(a) → \(b)"
  }

  private func origin(_ cause: Explanation.Cause) -> String? {
    if let producer = cause.subject.producer, producer.run != nil || cause.subject.isAsLocked,
      project.pipeline[producer.stage].kind == .pipeline
    {
      let name = name(project.pipeline[producer.stage])
      let record = producer.run.flatMap { (try? records?.record($0)) ?? nil }
      guard let record else { return "made by \(name)" }
      return "made by \(name) \(HumanText.ago(record.execution.started))"
    }
    let parts = evidence.place(of: cause.reason, cause.subject).map(when) ?? []
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// `commit 4e1c9d2 "june batch" by ann, 2 days ago`, `not committed, saved 4 minutes ago`.
  func when(_ place: CausePlace) -> [String] {
    if let commit = place.commit {
      let subject = commit.subject.count > 50 ? commit.subject.prefix(49) + "…" : commit.subject[...]
      return ["commit \(commit.name.prefix(7)) \"\(subject)\" by \(commit.author), \(HumanText.ago(commit.date))"]
    }
    guard let date = place.date else { return [] }
    return [(place.isDirty == true ? "not committed, " : "") + "saved \(HumanText.ago(date))"]
  }

  private func variable(_ value: Reason.Evidence?) -> String {
    guard case .value(let value)? = value, !value.isNull else { return "(not set)" }
    let text = value.string ?? ""
    // A secret is known by its seal alone.
    return text.hasPrefix("hmac-sha256:") ? "(secret)" : HumanText.value(value)
  }

  private func tracked(_ location: Location) -> String? {
    project.pipeline.stages.first { stage in
      stage.kind == .tracked && stage.outputs.contains { $0.location == location }
    }?.address.text(from: project.folder)
  }

  func shown(_ reason: Reason) -> Reason {
    var reason = reason
    reason.path = reason.path.map(project.shown)
    return reason
  }
}
