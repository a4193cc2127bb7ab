// A lineage as a tree for people: the root, below it what it was made of (or what was made of it), and what is unknown.
internal import CairnCore
internal import CairnEngine
internal import CairnLineage

struct LineageTree {
  let graph: LineageGraph
  let isDown: Bool
  /// What has the same bytes at another place was walked, too.
  let followsEqualBytes: Bool
  let names: ShortNames
  let sources: SourceHistory
  let remote: DataOnRemote?

  /// A name with what is said of it.
  private struct Line {
    var indent: String
    var name: String
    var text: String

    init(indent: String, name: String, text: String) {
      self.indent = indent
      self.name = PrintableText.line(name)
      self.text = PrintableText.line(text)
    }
  }

  func lines() -> [String] {
    var lines: [Line] = []
    var shown: Set<Place> = []
    for root in graph.roots {
      shown.insert(Place(id: root))
      lines.append(Line(indent: "", name: name(root), text: rootText(root)))
      add(children(of: Place(id: root)), below: "", to: &lines, &shown)
    }
    // What is said begins in one column, unless a deep or long name would push it off the screen.
    let column = min(lines.filter { !$0.indent.isEmpty }.map { $0.indent.count + $0.name.count }.max() ?? 0, 48)
    let texts = lines.map { line in
      if line.text.isEmpty { return line.indent + line.name }
      let used = line.indent.count + line.name.count
      let space = line.indent.isEmpty ? 2 : max(2, column - used + 2)
      return line.indent + line.name + String(repeating: " ", count: space) + line.text
    }
    return texts + unknownLines(graph.unknown.elements)
  }

  /// - Parameter place: where it is unknown, if that has to be said.
  func unknownLines(_ unknown: [LineageGraph.Unknown], of place: String? = nil) -> [String] {
    var seen: Set<String> = []
    return unknown.map(unknownText).filter { seen.insert($0).inserted }
      .map { PrintableText.line("unknown" + (place.map { " of " + $0 } ?? "") + ": " + $0) }
  }

  // MARK: Structure

  /// An artifact as one run read it: what another run made of the same bytes has another story.
  private struct Place: Hashable {
    var id: LineageNodeID
    /// `nil`: whoever made it.
    var maker: RunID?
  }

  private struct Child {
    var id: LineageNodeID?
    var maker: RunID?
    var name: String
    var text: String
    /// Whose children stand below it.
    var leads: Bool
  }

  private func add(
    _ children: [Child], below indent: String, to lines: inout [Line], _ shown: inout Set<Place>
  ) {
    for (number, child) in children.enumerated() {
      let isLast = number == children.count - 1
      let line = indent + (isLast ? "└─ " : "├─ ")
      guard let id = child.id, child.leads else {
        lines.append(Line(indent: line, name: child.name, text: child.text))
        continue
      }
      let place = Place(id: id, maker: child.maker)
      let below = self.children(of: place)
      let isRepeated = !shown.insert(place).inserted && !below.isEmpty
      lines.append(Line(indent: line, name: child.name, text: child.text + (isRepeated ? " · see above" : "")))
      if !isRepeated { add(below, below: indent + (isLast ? "   " : "│  "), to: &lines, &shown) }
    }
  }

  private func children(of place: Place) -> [Child] {
    switch place.id {
    case .artifact: isDown ? consumers(of: place.id) : producers(of: place)
    case .run(let run): isDown ? outputs(of: run) : inputs(of: run)
    case .model: isDown ? [] : registered(place.id)
    case .commit, .external: []
    }
  }

  private func record(_ id: LineageNodeID) -> RunRecord? {
    if case .run(let record) = graph.nodes[id] { record } else { nil }
  }

  /// Up from an artifact: the inputs of the run that made it.
  private func producers(of place: Place) -> [Child] {
    var children: [Child] = []
    for edge in graph.edges(into: place.id) {
      switch edge.kind {
      case .generated:
        guard case .run(let run) = edge.from, record(edge.from)?.result != .restored else { continue }
        if place.maker == nil || place.maker == run { children += inputs(of: run) }
      case .sameBytes:
        // With a place of its own in the story it is told there.
        let isElsewhere = graph.edges(outOf: edge.from).contains { $0.kind == .used }
        children.append(
          Child(
            id: edge.from, name: name(edge.from), text: "the same bytes" + made(edge.from),
            leads: followsEqualBytes || !isElsewhere))
      case .imported:
        // From a repository whose records are at hand its story goes on.
        let isArtifact = if case .artifact = graph.nodes[edge.from] { true } else { false }
        children.append(
          Child(
            id: edge.from, name: name(edge.from), text: "imported" + (isArtifact ? made(edge.from) : ""),
            leads: isArtifact))
      case .used, .restored, .registered, .locked, .tagged: break
      }
    }
    return children
  }

  /// Up from a version of a registered model: what it is.
  private func registered(_ id: LineageNodeID) -> [Child] {
    graph.edges(into: id).filter { $0.kind == .registered }.map { edge in
      Child(id: edge.from, name: name(edge.from), text: rootText(edge.from), leads: true)
    }
  }

  private func inputs(of run: RunID) -> [Child] {
    guard let record = record(.run(run)) else { return [] }
    let repository = record.source.repository ?? ""
    var children = record.params.map { file, values in
      let leaves = RunRecord.leaves(of: values)
      let shown = leaves.prefix(6).map { "\($0.0) \(HumanText.value($0.1))" }.joined(separator: ", ")
        + (leaves.count > 6 ? ", …" : "")
      // A file that was made goes on with its own story.
      guard let input = record.inputs.first(where: { $0.role == "params" && $0.path.hasSameBytes(as: file) }) else {
        return Child(id: nil, name: file, text: shown, leads: false)
      }
      let id = LineageArtifact(input, repository: repository).id
      let text = [shown, inputText(input, id, record)].filter { !$0.isEmpty }.joined(separator: " · ")
      return Child(id: id, maker: maker(of: input, id), name: file, text: text, leads: true)
    }
    children += record.inputs.filter { $0.role != "params" }.map { input in
      let id = LineageArtifact(input, repository: repository).id
      return Child(
        id: id, maker: maker(of: input, id), name: input.path, text: inputText(input, id, record), leads: true)
    }
    // Sources first: what was made is followed by its own story.
    let isMade = { (child: Child) in child.id.map { !graph.edges(into: $0).isEmpty } ?? false }
    return children.filter { !isMade($0) } + children.filter(isMade)
  }

  /// The run that the input says it is of, where several made the same; `nil` where one did.
  private func maker(of input: RunRecord.Input, _ id: LineageNodeID) -> RunID? {
    let makers = graph.edges(into: id).filter { $0.kind == .generated && record($0.from)?.result != .restored }
    guard makers.count > 1, let producer = input.producer else { return nil }
    return makers.contains { $0.from == .run(producer) } ? producer : nil
  }

  private func consumers(of id: LineageNodeID) -> [Child] {
    var children: [Child] = []
    var seen: Set<LineageNodeID> = []
    for edge in graph.edges(outOf: id) {
      switch edge.kind {
      case .used:
        guard case .run(let run) = edge.to, let record = record(edge.to) else { continue }
        if record.made.isEmpty {
          children.append(
            Child(id: nil, name: record.stage.address, text: RunsTable.word(record) + " · " + when(record), leads: false))
        }
        for child in outputs(of: run) where child.id.map({ seen.insert($0).inserted }) ?? true { children.append(child) }
      case .sameBytes:
        let isElsewhere = graph.edges(into: edge.to).contains { $0.kind == .generated }
        children.append(
          Child(id: edge.to, name: name(edge.to), text: "the same bytes", leads: followsEqualBytes || !isElsewhere))
      case .registered, .tagged: children.append(Child(id: edge.to, name: name(edge.to), text: rootText(edge.to), leads: false))
      case .locked where seen.insert(edge.to).inserted:
        let why = graph.unknown.first { $0.node == edge.to && $0.what == .record }?.why
        children.append(
          Child(id: edge.to, name: name(edge.to), text: "without a record" + (why.map { ": " + $0 } ?? ""), leads: true))
      case .generated, .imported, .restored, .locked: break
      }
    }
    return children
  }

  private func outputs(of run: RunID) -> [Child] {
    guard let record = record(.run(run)) else { return [] }
    return record.made.map { Child(id: $0.id, name: $0.path, text: story(run, record), leads: true) }
  }

  // MARK: Words

  private func name(_ id: LineageNodeID) -> String {
    switch graph.nodes[id] {
    case .artifact(let artifact): artifact.path
    case .run(let record): record.stage.address
    case .model(let model): model.text
    case .commit, .external, nil: id.bare
    }
  }

  private func rootText(_ id: LineageNodeID) -> String {
    switch graph.nodes[id] {
    case .artifact(let artifact):
      let size = HumanText.size(artifact.size)
      var story = generator(of: id).map { self.story($0.run, $0.record, withCommit: true) }
      if story == nil, sources.isData(artifact.path) { return dataText(artifact.path, artifact.md5, artifact.size) }
      if story == nil, let commit = artifact.md5.flatMap({ sources.commit(of: artifact.path, md5: $0) }) {
        story = "commit \(commit)"
      }
      let reused = generator(of: id).flatMap { self.reused($0.run) }
      return [size, story, reused].compactMap { $0 }.joined(separator: " · ")
    case .run(let record):
      guard case .run(let run) = id else { return "" }
      let text = names.name(run) + " · " + RunsTable.word(record) + " · " + when(record) + commit(record)
      return text + (reused(run).map { " · " + $0 } ?? "")
    case .model(let model):
      return (["registered at \(model.server)"] + model.aliases.map { "@" + $0 }).joined(separator: " · ")
    case .commit, .external, nil: return ""
    }
  }

  private func inputText(_ input: RunRecord.Input, _ id: LineageNodeID, _ record: RunRecord) -> String {
    if let several = makersOfParts(id) { return several }
    let maker = maker(of: input, id)
    if let maker, let made = self.record(.run(maker)) { return story(maker, made) }
    if let made = generator(of: id) { return story(made.run, made.record) }
    var parts: [String] = []
    switch input.origin.kind {
    case .git:
      guard let file = sources.gitPath(input.path) else { break }
      let inside = record.source.changed.keys.count { $0.utf8.starts(with: (file + "/").utf8) }
      if inside > 0 { return HumanText.count(inside, "file") + " of it uncommitted when it ran" }
      if record.source.changed.keys.contains(file) {
        let since = sources.firstCommit(of: input, after: record)
        return "uncommitted when it ran" + (since.map { "; committed since in \($0)" } ?? "")
      }
      // A folder may hold what is not in git, and a link leads to it.
      guard let commit = record.source.commit, sources.holds(commit, input) else { break }
      return "commit \(commit.prefix(7))"
    case .dvcFile:
      parts.append(dataText(input.path, input.md5, input.size, readBy: record))
    case .import, .importURL:
      parts.append("imported from \(input.origin.url ?? input.origin.repository ?? "elsewhere")")
      if let rev = input.origin.rev { parts.append("at \(rev.prefix(7))") }
    case .stage:
      parts.append(input.producer.map { "made by run \(names.name($0))" } ?? "made by a stage, without a record")
    case .none: parts.append(HumanText.size(input.size) ?? "")
    }
    return parts.filter { !$0.isEmpty }.joined(separator: " · ")
  }

  /// `DVC data, 18.3 MB · commit 1a2b3c4 "june batch" · on remote: yes`.
  ///
  /// - Parameter record: of the run that read it: what a later commit says of it is another story.
  private func dataText(_ path: String, _ md5: String?, _ size: UInt64?, readBy record: RunRecord? = nil) -> String {
    let data = "DVC data" + (HumanText.size(size).map { ", " + $0 } ?? "")
    let commit = md5.flatMap { sources.commit(ofData: path, md5: $0, readBy: record) }
    let onRemote = remote.map { " · on remote: " + $0.answer(md5: md5).rawValue } ?? ""
    return data + (commit.map { " · commit " + $0 } ?? "") + onRemote
  }

  private func generator(of id: LineageNodeID) -> (run: RunID, record: RunRecord)? {
    let runs = graph.edges(into: id).filter { $0.kind == .generated }.compactMap { edge -> (RunID, RunRecord)? in
      guard case .run(let run) = edge.from, let record = record(edge.from) else { return nil }
      return (run, record)
    }
    // The restored one is the nearer: its story names the run that first made it.
    return runs.first { $0.1.result == .restored } ?? runs.first
  }

  /// Of a folder whose parts more than one stage made: those stages.
  private func makersOfParts(_ id: LineageNodeID) -> String? {
    let records = graph.edges(into: id).filter { $0.kind == .generated }.compactMap { record($0.from) }
    if records.contains(where: { $0.result == .restored }) { return nil }
    var stages: [String] = []
    for record in records.sorted(by: { $0.execution.started < $1.execution.started })
    where !stages.contains(record.stage.address) { stages.append(record.stage.address) }
    if stages.count < 2 { return nil }
    return stages.prefix(4).joined(separator: ", ") + (stages.count > 4 ? " and \(stages.count - 4) more" : "")
  }

  private func made(_ id: LineageNodeID) -> String {
    generator(of: id).map { " · " + story($0.run, $0.record) } ?? ""
  }

  /// `train · 12 May 14:02 · ann`, or `features · from cache, first made 3 May by bob`.
  private func story(_ run: RunID, _ record: RunRecord, withCommit: Bool = false) -> String {
    var text = record.stage.address
    if record.result == .restored {
      text += " · from cache"
      if let source = record.restoredFrom, let first = self.record(.run(source)) {
        text += ", first made \(HumanText.moment(first.execution.started)) by \(first.actor.name)"
      }
    } else {
      if record.reconstructed != nil { text += " · reconstructed" }
      text += " · " + when(record)
      if record.result == .accepted { text += " · accepted by a person" }
      if !record.result.isTrusted { text += " · " + RunsTable.word(record) }
    }
    return withCommit ? text + commit(record) : text
  }

  /// `fresh 3 times since, last 4 May by bob`.
  private func reused(_ run: RunID) -> String? {
    let reuses = graph.reuses[.run(run)] ?? []
    guard let last = reuses.max(by: { $0.started < $1.started }) else { return nil }
    let times = reuses.reduce(0) { $0 + $1.times }
    return "fresh \(HumanText.count(times, "time")) since, last \(HumanText.moment(last.started)) by \(last.actor)"
  }

  private func when(_ record: RunRecord) -> String {
    HumanText.moment(record.execution.started, withTime: true) + " · " + record.actor.name
  }

  private func commit(_ record: RunRecord) -> String {
    guard let commit = record.source.commit else { return "" }
    if record.reconstructed != nil { return " · committed in \(commit.prefix(7))" }
    let count = record.source.changed.count
    let dirty = count == 0 ? (record.source.dirty ? " + uncommitted changes" : "")
      : " + \(count) uncommitted file" + (count == 1 ? "" : "s")
    return " · commit \(commit.prefix(7))" + dirty
  }

  private func unknownText(_ unknown: LineageGraph.Unknown) -> String {
    let name = name(unknown.node)
    switch unknown.what {
    case .origin: return "where \(name) came from before it was " + (isData(unknown.node) ? "added" : "here")
    case .record: return "which run made \(name): there is no record, DVC may have run it"
    case .missing: return "run \(name.prefix(12)): its record is missing" + (unknown.why.map { ": " + $0 } ?? "")
    case .erased: return "run \(name.prefix(12)): its record was erased"
    case .altered: return "run \(name.prefix(12)): its record was altered, so it is not used"
    case .unreadable: return "run \(name.prefix(12)): its record is of a version that this Cairn cannot read"
    case .foreign: return "which run made \(name): the only record of it is another project's"
    case .reader: return "which run read \(name): there is no record, DVC may have run it" + (unknown.why.map { ": " + $0 } ?? "")
    case .registry:
      let what = if case .model = unknown.node { "whether \(name) is what its run made" } else { "which models were registered" }
      return what + (unknown.why.map { ": " + $0 } ?? "")
    case .repository: return "what made \(name) where it was imported from" + (unknown.why.map { ": " + $0 } ?? "")
    }
  }

  private func isData(_ id: LineageNodeID) -> Bool {
    if case .artifact(let artifact) = graph.nodes[id], sources.isData(artifact.path) { return true }
    for edge in graph.edges(outOf: id) where edge.kind == .used {
      guard let record = record(edge.to), case .artifact(let artifact) = graph.nodes[id] else { continue }
      if record.inputs.contains(where: { $0.path == artifact.path && $0.origin.kind == .dvcFile }) { return true }
    }
    return false
  }
}
