// What differs between two commits in words that a colleague would use: the verdict and the root cause first, evidence
// indented below.
internal import CairnCore
internal import CairnEngine
internal import CairnSystem

struct BetweenText {
  private let answer: BetweenExplanation
  private let query: BetweenCommits
  private let words: BetweenWords

  /// A stage has no more lines than this.
  private static let lineLimit = 12

  private var explanation: Explanation { answer.explanation }
  private var from: String { query.from.shortName }
  private var to: String { query.to.shortName }

  init(_ answer: BetweenExplanation, _ query: BetweenCommits, _ evidence: any CauseEvidence) {
    self.answer = answer
    self.query = query
    words = BetweenWords(query, answer.explanation, evidence)
  }

  // MARK: The whole project

  func overview() -> [String] {
    let total = explanation.stages.count
    let differ = explanation.count(.stale)
    let rows = causeRows()
    let verb = differ > 1 ? "differ" : "differs"
    let count = differ == 0 ? "none" : String(differ)
    var first = ["\(count) of \(HumanText.count(total, "stage")) \(verb) between \(from) and \(to)"]
    if differ > 0 { first.append(HumanText.count(rows.count, "cause")) }
    if !answer.gone.isEmpty { first.append("\(answer.gone.count) gone") }
    let unknown = explanation.count(.unknown)
    if unknown > 0 { first.append("\(unknown) unknown") }
    return [first.joined(separator: " · ")] + lines(of: rows) + goneLines() + unknownLines() + noteLines()
  }

  private typealias Row = (label: String, stages: [StageID], origin: String?)

  private func causeRows() -> [Row] {
    var rows: [Row] = []
    var places: [String: Int] = [:]
    for cause in explanation.causes {
      let label = words.label(cause)
      let must = Set(cause.must)
      let stages = cause.must + cause.may.filter { !must.contains($0) }
      // Causes of one kind that stages have each for themselves are one line.
      if let place = places[label] {
        var seen = Set(rows[place].stages)
        rows[place].stages += stages.filter { seen.insert($0).inserted }
        if rows[place].origin != words.origin(cause) { rows[place].origin = nil }
      } else {
        places[label] = rows.count
        rows.append((label, stages, words.origin(cause)))
      }
    }
    return rows
  }

  private func lines(of rows: [Row]) -> [String] {
    let shown = rows.prefix(Self.lineLimit)
    let width = shown.map { TextWidth.of($0.label) }.max() ?? 0
    let effects = shown.map { FoldedNames.text($0.stages, of: query.to.project) }
    let space = effects.map { TextWidth.of($0) }.max() ?? 0
    var lines = zip(shown, effects).map { row, effect in
      let line = "  \(row.label)\(Self.padding(width, row.label))   → \(effect)"
      return row.origin.map { "\(line)\(Self.padding(space, effect))   \($0)" } ?? line
    }
    if rows.count > shown.count {
      lines.append("  and \(HumanText.count(rows.count - shown.count, "more cause")): cairn why --between --json")
    }
    return lines
  }

  private static func padding(_ width: Int, _ text: String) -> String {
    String(repeating: " ", count: max(0, width - TextWidth.of(text)))
  }

  private func goneLines() -> [String] {
    if answer.gone.isEmpty { return [] }
    let shown = answer.gone.prefix(6).map(words.name).joined(separator: ", ")
    let more = answer.gone.count > 6 ? " and \(answer.gone.count - 6) more" : ""
    return ["  gone: \(shown)\(more)"]
  }

  private func unknownLines() -> [String] {
    explanation.stages.filter { $0.verdict == .unknown }.prefix(3).map {
      "  \(words.name($0.id))  cannot tell: \($0.unknown?.fullMessage ?? "")"
    }
  }

  /// What is to be said of several stages is one line.
  private func noteLines() -> [String] {
    var rows: [(text: String, stages: [StageID])] = []
    for part in explanation.stages {
      // What the lock still has is little beside that it is outdated.
      let isOutdated = part.notes.contains { $0.kind == .lockOutdated }
      for note in part.notes where !isOutdated || note.kind == .lockOutdated {
        guard let (label, text) = noteRow(note) else { continue }
        let line = "\(label): \(text)"
        if let place = rows.firstIndex(where: { $0.text == line }) {
          rows[place].stages.append(part.id)
        } else {
          rows.append((line, [part.id]))
        }
      }
    }
    return rows.prefix(5).map { "  \(FoldedNames.text($0.stages, of: query.to.project))  \($0.text)" }
  }

  // MARK: Stage by stage

  func details() -> [String] {
    let groups = Set(explanation.stages.map { query.to.project.pipeline[$0.id].group })
    if explanation.stages.count > 3, groups.count == 1, case let group?? = groups.first {
      return folded(group)
    }
    return explanation.stages.flatMap(detail) + answer.gone.map { "\(words.name($0))  GONE  not there at \(to)" }
  }

  /// `train@* (48: 45 same, 3 differ)`, and the causes below.
  private func folded(_ group: String) -> [String] {
    let same = explanation.count(.fresh) + explanation.count(.frozen)
    let counts = [(same, "same"), (explanation.count(.stale), "differ"), (explanation.count(.unknown), "unknown")]
      .filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    return ["\(group)@* (\(explanation.stages.count): \(counts.joined(separator: ", "))) between \(from) and \(to)"]
      + lines(of: causeRows()) + goneLines() + unknownLines() + noteLines()
  }

  private func detail(_ part: Explanation.StagePart) -> [String] {
    let name = words.name(part.id)
    var rows: [(label: String, text: String)] = []
    let first: String
    let own = part.causes.first.map { explanation.causes[$0] }
    switch part.verdict {
    case .fresh: first = "\(name)  SAME  at \(from) and \(to)"
    case .frozen: first = "\(name)  SAME  at \(from) and \(to); frozen"
    case .unknown: first = "\(name)  UNKNOWN  cannot tell: \(part.unknown?.fullMessage ?? "")"
    case .stale where own?.reason.kind == .neverRun && own?.stage == part.id:
      first = "\(name)  NEW  not there at \(from)"
      if let own { rows = words.evidence(own, of: part.id, isFirst: true) }
    case .stale:
      let more = part.causes.count - 1
      let root = own.map { words.because($0, of: part.id) } ?? "a stage before it differs"
      let others = HumanText.count(more, part.hasMoreCauses ? "or more other cause" : "other cause")
      first = "\(name)  DIFFERS  because \(root)" + (more > 0 ? " and \(others)" : "")
      let behind = chain(part) + results(part) + unchanged(part)
      // As many causes as there is room for beside what is said in any case.
      let room = max(3, Self.lineLimit - 1 - behind.count - part.notes.count)
      for (number, index) in part.causes.enumerated() where rows.count < room {
        let cause = explanation.causes[index]
        rows += words.evidence(cause, of: part.id, isFirst: number == 0)
        if rows.count < room { rows += words.words.command(through: index, cause.reason, of: part) }
      }
      rows = rows.prefix(room) + behind
    }
    if let former = part.renamedFrom { rows.append(("renamed", "from \(words.name(former))")) }
    for note in part.notes { if let row = noteRow(note) { rows.append(row) } }
    rows = Array(rows.prefix(Self.lineLimit - 1))
    let width = rows.map { TextWidth.of($0.label) }.max() ?? 0
    return [first]
      + rows.map { row in
        row.text.isEmpty ? "  " + row.label : "  \(row.label)\(Self.padding(width, row.label))   \(row.text)"
      }
  }

  /// The way from the root cause.
  private func chain(_ part: Explanation.StagePart) -> [(label: String, text: String)] {
    guard part.via != nil, let first = part.causes.first else { return [] }
    var chain = explanation.chain(to: part).map(words.name)
    if explanation.causes[first].stage == nil, let path = explanation.causes[first].reason.path {
      chain.insert(String(path.split(separator: "/").last ?? ""), at: 0)
    }
    if chain.count > 10 { chain = chain.prefix(4) + ["…"] + chain.suffix(5) }
    return [("chain", chain.joined(separator: " → "))]
  }

  private func results(_ part: Explanation.StagePart) -> [(label: String, text: String)] {
    guard !query.to.project.pipeline[part.id].isPlainFile, let results = answer.results[part.id],
      !results.changed.isEmpty || !results.same.isEmpty
    else { return [] }
    func some(_ paths: [String]) -> String {
      paths.prefix(4).map(query.to.project.shown).joined(separator: ", ")
        + (paths.count > 4 ? " and \(paths.count - 4) more" : "")
    }
    let parts = [
      results.changed.isEmpty ? nil : some(results.changed) + (results.changed.count == 1 ? " differs" : " differ"),
      results.same.isEmpty ? nil : results.changed.isEmpty ? "the same" : some(results.same) + " the same",
    ]
    return [("results", parts.compactMap { $0 }.joined(separator: "; "))]
  }

  private func unchanged(_ part: Explanation.StagePart) -> [(label: String, text: String)] {
    guard part.via == nil else { return [] }
    var same: [String] = []
    if part.unchangedDependencies > 0 {
      same.append("\(part.unchangedDependencies) \(part.unchangedDependencies == 1 ? "dependency" : "dependencies")")
    }
    if part.unchangedParameters > 0 { same.append(HumanText.count(part.unchangedParameters, "parameter")) }
    if part.isCommandUnchanged { same.append("command") }
    return same.isEmpty ? [] : [("unchanged", same.joined(separator: ", "))]
  }

  private func noteRow(_ note: StageNote) -> (label: String, text: String)? {
    func some(_ names: [String]) -> String {
      names.prefix(4).map { $0 == "cmd" ? "its command" : $0 }.joined(separator: ", ")
        + (names.count > 4 ? " and \(names.count - 4) more" : "")
    }
    switch note.kind {
    case .lockOutdated: return ("stale at \(to)", "its lock does not follow from what is there: \(some(note.differs))")
    case .declarationDiffers: return ("no longer declared", "\(some(note.removed)): the lock of \(to) still has it")
    case .undeclaredChanged, .lastAttemptFailed: return nil
    }
  }
}
