// Makes the story of a pull request from what `verify` looked at: what would run, which values changed, the graph.
import CairnCore
import CairnEngine
import CairnFormats

extension PullRequestStory {
  /// - Parameter base: as the user named it; `nil` when there is nothing to compare with.
  package init(_ outcome: VerifyOutcome, base name: String?) {
    self.init(base: name)
    guard let subject = outcome.subject else { return }
    addStages(outcome.verification, subject)
    if let base = outcome.base { compare(base, subject) }
  }

  // MARK: Stages

  /// What would run it again.
  private static let staleness: Set<CheckID> = [
    .lockMissing, .lockCommand, .lockDeps, .lockOuts, .lockParams, .lockChain, .depContent,
  ]

  private mutating func addStages(_ verification: Verification, _ subject: VerifySubject) {
    let pipeline = subject.project.pipeline
    guard let graph = try? subject.project.graph() else { return }
    var reasons: [String: [String]] = [:]
    var open: Set<String> = []
    var faulty: Set<String> = []
    for check in verification.checks {
      guard let stage = check.stage else { continue }
      if check.isOpen { open.insert(stage) }
      if check.isFault { faulty.insert(stage) }
      let isOld = check.status == .accepted && Self.staleness.contains(check.id)
      if isOld || check.status == .failed && check.severity == .error && Self.staleness.contains(check.id) {
        reasons[stage, default: []].append(check.message)
      }
    }
    var states: [State] = pipeline.stages.map { stage in
      let address = stage.address.text()
      if reasons[address] != nil { return .stale }
      return faulty.contains(address) ? .faulty : open.contains(address) ? .unknown : .sound
    }
    // What stands behind a stage that would run may run too.
    var behind: [StageID: String] = [:]
    var queue = pipeline.ids.filter { states[$0.index] == .stale }
    while let id = queue.popLast() {
      for next in graph.activeConsumers(of: id) where states[next.index] != .stale && behind[next] == nil {
        if states[next.index] != .faulty { states[next.index] = .may }
        behind[next] = pipeline[id].address.text()
        queue.append(next)
      }
    }
    for id in pipeline.ids {
      let address = pipeline[id].address.text()
      if let found = reasons[address], let first = found.first {
        let more = found.count > 1 ? " (and \(found.count - 1) more)" : ""
        wouldRun.append(Rerun(address, because: first + more, isSure: true))
      } else if let before = behind[id] {
        wouldRun.append(Rerun(address, because: "it needs what `\(before)` makes", isSure: false))
      }
    }
    // Data that nothing needs says nothing in a graph.
    for id in pipeline.ids where pipeline[id].kind == .pipeline || !graph.consumers(of: id).isEmpty {
      nodes.append(Node(pipeline[id].address.text(), states[id.index]))
      for producer in graph.producers(of: id) {
        edges.append(Edge(from: pipeline[producer].address.text(), to: pipeline[id].address.text()))
      }
    }
  }

  // MARK: Values

  private mutating func compare(_ base: VerifySubject, _ head: VerifySubject) {
    let old = Self.state(base)
    let new = Self.state(head)
    params = rows(
      "parameters", old.parameters([], dependenciesOnly: false), new.parameters([], dependenciesOnly: false), head.prefix)
    metrics = rows("metrics", old.metrics([]), new.metrics([]), head.prefix)
  }

  private static func state(_ subject: VerifySubject) -> ProjectState {
    ProjectState(files: subject.files, loader: subject.loader, cache: subject.cache, revision: subject.revision)
  }

  /// - Parameter prefix: the project's place in git's work tree, from whose top a page's readers count.
  private mutating func rows(
    _ what: String, _ old: StateReading, _ new: StateReading, _ prefix: String
  ) -> [ValueRow] {
    for (side, reading) in [("the base", old), ("this change", new)] {
      switch reading {
      case .failed(let error):
        unknowns.append("The \(what) of \(side) cannot be read: \(CheckWords.short(error.fullMessage))")
      case .files(let files):
        let bad = files.keys.filter { if case .failure? = files[$0] { true } else { false } }
        if !bad.isEmpty { unknowns.append("The \(what) of \(side) in \(CheckWords.list(bad.map { prefix + $0 })) are not here.") }
      }
    }
    let comparison = try? ValueComparison(from: old.values, to: new.values, all: false) { text in
      (try? JSONReader.parse(SourceText(path: "", bytes: Array(text.utf8))))?.value
    }
    return (comparison?.files ?? [:]).flatMap { file, changes in
      changes.map { key, change in
        ValueRow(
          file: prefix + file, key: key, base: change.old.isNull ? nil : CheckWords.text(change.old),
          head: change.new.isNull ? nil : CheckWords.text(change.new), change: change.difference.map(Self.signed))
      }
    }
  }

  private static func signed(_ value: Value) -> String {
    if case .float(let number) = value {
      let rounded = Double(String(number)).map { ($0 * 1e6).rounded() / 1e6 } ?? number
      return (rounded > 0 ? "+" : "") + JSONWriter.text(.float(rounded))
    }
    let text = JSONWriter.text(value)
    return (text.hasPrefix("-") || text == "0" ? "" : "+") + text
  }
}
