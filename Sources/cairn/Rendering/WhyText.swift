// An explanation in words that a colleague would use: the verdict and the root cause first, evidence indented below.
internal import CairnCore
internal import CairnEngine
internal import CairnLineage
internal import CairnSystem

struct WhyText {
  private let explanation: Explanation
  let workspace: Workspace
  let words: CauseWords
  private let runs: RunNames
  private let past: PastRuns

  /// A stage has no more lines than this.
  private static let lineLimit = 12

  init(_ explanation: Explanation, _ workspace: Workspace, _ past: PastRuns, _ evidence: WhyEvidence) {
    self.explanation = explanation
    self.workspace = workspace
    words = CauseWords(workspace.project, workspace.records, evidence)
    runs = RunNames(workspace)
    self.past = past
  }

  // MARK: The whole project

  func overview() -> [String] {
    let total = explanation.stages.count
    let fresh = explanation.freshCount
    let stale = explanation.count(.stale)
    var first = ["\(fresh) of \(total) stages fresh"]
    if stale > 0 {
      first.append(
        "\(HumanText.count(explanation.causes.count, "cause")), \(HumanText.count(stale, "consequence"))")
      if let estimate = explanation.estimate { first.append(Self.price(estimate.seconds)) }
    }
    let unknown = explanation.count(.unknown)
    if unknown > 0 { first.append("\(unknown) unknown") }
    let frozen = explanation.differingFrozenCount
    if frozen > 0 { first.append("\(frozen) frozen, and not as dvc.lock has \(frozen == 1 ? "it" : "them")") }
    return [first.joined(separator: " · ")] + causeLines() + unknownLines() + frozenLines() + noteLines()
  }

  private func frozenLines() -> [String] {
    explanation.stages.compactMap { part in
      guard part.verdict == .frozen, let reason = part.reasons.first else { return nil }
      return "  \(name(part.id))  frozen: \(words.short(reason.reason))"
    }.prefix(3).map { $0 }
  }

  private func causeLines() -> [String] {
    var rows: [(label: String, must: [StageID], may: [StageID])] = []
    var places: [String: Int] = [:]
    for cause in explanation.causes {
      let label = words.label(cause)
      // Causes of one kind that stages have each for themselves are one line.
      if let place = places[label] {
        rows[place].must += cause.must
        rows[place].may += cause.may
      } else {
        places[label] = rows.count
        rows.append((label, cause.must, cause.may))
      }
    }
    let shown = rows.prefix(Self.lineLimit)
    let width = shown.map { TextWidth.of($0.label) }.max() ?? 0
    var lines = shown.map { row in
      let padding = String(repeating: " ", count: width - TextWidth.of(row.label))
      let must = Set(row.must)
      let may = row.may.filter { !must.contains($0) }
      var effects: [String] = []
      if !row.must.isEmpty { effects.append(names(row.must)) }
      if !may.isEmpty { effects.append(names(may) + " (may stay)") }
      return "  \(row.label)\(padding)   → \(effects.joined(separator: ", "))"
    }
    if rows.count > shown.count { lines.append("  and \(HumanText.count(rows.count - shown.count, "more cause")): cairn why --json") }
    return lines
  }

  private func unknownLines() -> [String] {
    explanation.stages.filter { $0.verdict == .unknown }.prefix(3).map {
      "  \(name($0.id))  cannot tell: \($0.unknown?.fullMessage ?? "")"
    }
  }

  private func noteLines() -> [String] {
    explanation.stages.flatMap { part in part.notes.compactMap { note in noteRow(note, part).map { (part, $0) } } }
      .prefix(5).map { "  \(name($0.id))  \($1.label) \($1.text)" }
  }

  // MARK: Stage by stage

  func details() -> [String] {
    let groups = Set(explanation.stages.map { workspace.project.pipeline[$0.id].group })
    if explanation.stages.count > 3, groups.count == 1, case let group?? = groups.first {
      return folded(group)
    }
    return explanation.stages.flatMap(detail)
  }

  /// `train@* (48: 45 fresh, 3 stale)`, and the causes below.
  private func folded(_ group: String) -> [String] {
    let counts = [Explanation.Verdict.fresh, .stale, .frozen, .unknown]
      .map { ($0, explanation.count($0)) }.filter { $0.1 > 0 }.map { "\($0.1) \($0.0.rawValue)" }
    let estimate = explanation.count(.stale) > 0 ? explanation.estimate : nil
    return [
      "\(group)@* (\(explanation.stages.count): \(counts.joined(separator: ", ")))"
        + (estimate.map { " · " + Self.price($0.seconds) } ?? "")
    ] + causeLines() + unknownLines() + noteLines()
  }

  private func detail(_ part: Explanation.StagePart) -> [String] {
    let name = name(part.id)
    var rows: [(label: String, text: String)] = []
    let first: String
    switch part.verdict {
    case .fresh: first = "\(name)  FRESH  \(lastTime(part))"
    case .frozen:
      let reason = part.reasons.first.map { "; " + words.short($0.reason) } ?? ""
      first = "\(name)  FROZEN  its dependencies do not count\(reason)"
    case .unknown: first = "\(name)  UNKNOWN  cannot tell: \(part.unknown?.fullMessage ?? "")"
    case .stale:
      var causes = part.causes
      // Where there was no run yet, nothing else matters.
      if let first = causes.first, explanation.causes[first].stage == part.id,
        [.neverRun, .noRecord].contains(explanation.causes[first].reason.kind)
      {
        causes = [first]
      }
      let more = causes.count - 1
      let root = causes.first.map { words.because(explanation.causes[$0], of: part.id) } ?? "a stage before it is stale"
      let others = HumanText.count(more, part.hasMoreCauses ? "or more other cause" : "other cause")
      first = "\(name)  STALE  because \(root)" + (more > 0 ? " and \(others)" : "")
      let behind = hindrances(of: staleBefore(part), for: part.id) + consequences(part) + unchanged(part) + known(part)
      // As many causes as there is room for beside what is said in any case.
      let room = max(3, Self.lineLimit - 1 - behind.count - part.notes.count)
      for (number, index) in causes.prefix(room).enumerated() where rows.count < room {
        let cause = explanation.causes[index]
        rows += words.evidence(cause, of: part.id, isFirst: number == 0)
        if rows.count < room { rows += words.command(through: index, cause.reason, of: part) }
      }
      rows = rows.prefix(room) + behind
    }
    for note in part.notes { if let row = noteRow(note, part) { rows.append(row) } }
    if !part.unknownVariables.isEmpty {
      rows.append(
        ("environment", "what \(part.unknownVariables.joined(separator: ", ")) was is not recorded: makes nothing stale"))
    }
    rows = Array(rows.prefix(Self.lineLimit - 1))
    let width = rows.map { TextWidth.of($0.label) }.max() ?? 0
    return [first]
      + rows.map { row in
        "  " + row.label + String(repeating: " ", count: width - TextWidth.of(row.label)) + "   " + row.text
      }
  }

  private func lastTime(_ part: Explanation.StagePart) -> String {
    func record(_ id: RunID?) -> RunRecord? { id.flatMap { (try? workspace.records.record($0)) ?? nil } }
    guard let id = part.leftBy, let left = record(id) else {
      return workspace.project.pipeline[part.id].commands.isEmpty
        ? "data as its .dvc file says" : "as dvc.lock says; no record tells who ran it"
    }
    let sentence = PastRunText(workspace).sentence(past.run(id, left))
    if part.didOtherWorkSince { return "as made \(sentence); a later run did other work" }
    if left.result == .restored, let made = record(left.restoredFrom) {
      return "taken from the cache \(sentence); first made \(HumanText.ago(made.execution.started))"
    }
    return "last ran " + sentence
  }

  /// The way from the root cause, and what runs before this stage is known to be stale or not.
  private func consequences(_ part: Explanation.StagePart) -> [(label: String, text: String)] {
    let before = staleBefore(part)
    guard before.count > 1 || !part.way.isEmpty else { return [] }
    var rows: [(label: String, text: String)] = []
    var chain = explanation.chain(to: part).map(name)
    if let first = part.causes.first, explanation.causes[first].stage == nil,
      let path = explanation.causes[first].reason.path
    {
      chain.insert(String(path.split(separator: "/").last ?? ""), at: 0)
    }
    if chain.count > 10 { chain = chain.prefix(4) + ["…"] + chain.suffix(5) }
    if chain.count > 1 { rows.append(("chain", chain.joined(separator: " → "))) }
    guard before.count > 1 else { return rows }
    let able = before.filter { $0.lacks == nil }
    let sure = able.filter { $0.would != .depends }
    let depends = able.filter { $0.would == .depends }
    // Stale in itself: it runs, or what comes before it leads to a result that the cache has.
    let own = depends.filter { part in part.causes.contains { explanation.causes[$0].must.contains(part.id) } }
    let maybe = depends.filter { part in !own.contains { $0.id == part.id } }
    if !sure.isEmpty {
      let known = sure.allSatisfy { $0.would == .restore } ? "   from the cache" : ""
      rows.append(("sure to run", names(sure.map(\.id)) + (price(sure).map { "   " + $0.text } ?? known)))
    }
    if !own.isEmpty {
      rows.append(("run or restored", names(own.map(\.id)) + (price(own).map { "   " + $0.text } ?? "")))
    }
    if !maybe.isEmpty {
      let price = price(maybe).map { "; then \($0.text) (median of \($0.samples))" } ?? ""
      rows.append(("may run", names(maybe.map(\.id)) + "   if what comes before differs" + price))
    }
    return rows
  }

  /// The stale stages that `part` waits for, in an order that they can run in, then itself.
  private func staleBefore(_ part: Explanation.StagePart) -> [Explanation.StagePart] {
    var order: [Explanation.StagePart] = []
    var seen: Set<StageID> = [part.id]
    var stack: [(part: Explanation.StagePart, isDone: Bool)] = [(part, false)]
    while let (part, isDone) = stack.popLast() {
      if isDone {
        order.append(part)
        continue
      }
      stack.append((part, true))
      for reason in part.reasons.reversed() where reason.reason.kind == .upstreamStale {
        guard let producer = reason.subject.producer?.stage, seen.insert(producer).inserted,
          let before = explanation.all[producer]
        else { continue }
        stack.append((before, false))
      }
    }
    return order
  }

  private func price(_ parts: [Explanation.StagePart]) -> (text: String, samples: Int)? {
    let histories = parts.filter { $0.would != .restore }.compactMap(\.history).filter { $0.seconds != nil }
    guard !histories.isEmpty else { return nil }
    let seconds = histories.reduce(0) { $0 + ($1.seconds ?? 0) }
    return (Self.price(seconds), histories.map(\.samples).min() ?? 1)
  }

  /// `≈ 38 min`, `under 0.1 s`.
  private static func price(_ seconds: Double) -> String {
    seconds < 0.05 ? "under 0.1 s" : "≈ " + HumanText.duration(seconds)
  }

  private func unchanged(_ part: Explanation.StagePart) -> [(label: String, text: String)] {
    guard part.via == nil, part.reasons.contains(where: { Self.isCompared($0.reason.kind) }) else { return [] }
    var same: [String] = []
    func add(_ count: Int, _ one: String, _ many: String, _ kinds: [ReasonKind]) {
      guard count > 0 else { return }
      let other = part.reasons.contains { kinds.contains($0.reason.kind) } ? "other " : ""
      same.append("\(count) \(other)\(count == 1 ? one : many)")
    }
    add(part.unchangedDependencies, "dependency", "dependencies", [.dependencyChanged, .dependencyMissing, .dependencyAdded])
    add(part.unchangedParameters, "parameter", "parameters", [.parameterChanged, .parameterMissing, .parameterAdded])
    if part.isCommandUnchanged { same.append("command") }
    return same.isEmpty ? [] : [("unchanged", same.joined(separator: ", "))]
  }

  private static func isCompared(_ kind: ReasonKind) -> Bool {
    switch kind {
    case .commandChanged, .dependencyChanged, .dependencyMissing, .dependencyAdded, .parameterChanged,
      .parameterAdded, .parameterMissing, .environmentChanged:
      true
    default: false
    }
  }

  private func known(_ part: Explanation.StagePart) -> [(label: String, text: String)] {
    guard part.would == .restore else { return [] }
    let instead = part.history?.seconds.map { ", 0 s instead of " + Self.price($0) } ?? ""
    guard let id = part.restoredFrom, let record = (try? workspace.records.record(id)) ?? nil else {
      return [("already known", "taken from the cache\(instead)")]
    }
    let metric = record.metricLeaves.first.map { ", \($0.0) \(HumanText.value($0.1))" } ?? ""
    let when = (record.reconstructed == nil ? "computed " : "committed ") + HumanText.ago(record.execution.started)
    return [("already known", "\(when) (\(runs.name(id))\(metric)): taken from the cache\(instead)")]
  }

  private func noteRow(_ note: StageNote, _ part: Explanation.StagePart) -> (label: String, text: String)? {
    switch note.kind {
    case .declarationDiffers:
      let some = note.removed.prefix(4).joined(separator: ", ")
      let more = note.removed.count > 4 ? " and \(note.removed.count - 4) more" : ""
      let strict = part.reasons.contains { $0.reason.removedDeclarations != nil }
      let effect = strict ? "`strict` makes the stage stale" : "it makes nothing stale"
      return ("no longer declared", "\(some)\(more): the lock still has it, and \(effect)")
    case .undeclaredChanged, .lockOutdated: return nil
    case .lastAttemptFailed:
      guard let run = part.history?.lastRun else { return nil }
      let record = (try? workspace.records.record(run)) ?? nil
      return ("last try failed", failure(record, run))
    }
  }

  /// `02:14, exit 137: cairn runs log 7f3a`.
  private func failure(_ record: RunRecord?, _ run: RunID) -> String {
    let name = runs.name(run)
    guard let record else { return "cairn runs show \(name)" }
    var parts = [HumanText.moment(record.execution.started, withTime: true)]
    switch record.result {
    case .failed:
      if let exit = record.execution.exit, exit != 0 || record.error == nil {
        parts.append(exit < 0 ? "killed by signal \(-exit)" : "exit \(exit)")
      } else if let error = FailureText.line(record) {
        parts.append(error)
      }
      if let peak = record.execution.peakMemory, (record.execution.exit ?? 0) == 137 || record.execution.exit == -9 {
        parts.append("memory \(HumanText.size(peak) ?? "")")
      }
    case .inputChanged: parts.append(record.error?.message ?? "an input changed meanwhile")
    case .aborted: parts.append("stopped")
    default: parts.append("died with its process")
    }
    var text = parts.joined(separator: ", ")
    if text.hasSuffix(".") { text.removeLast() }
    return text + (record.log == nil ? ": cairn runs show " : ": cairn runs log ") + name
  }

  // MARK: Names

  func name(_ id: StageID) -> String {
    workspace.project.pipeline[id].address.text(from: workspace.folder)
  }

  private func names(_ ids: [StageID]) -> String { FoldedNames.text(ids, of: workspace.project) }
}
