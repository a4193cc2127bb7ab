// What differs between the ancestries of two things, as values: two upward walks beside each other.
// Knows graphs; knows nothing of records on disk or of how it is shown.

package struct LineageComparison: Sendable {
  package enum Section: String, Sendable, CaseIterable {
    case params
    /// Files that no run made.
    case sources
    /// Commands, by stage.
    case commands
    /// Files that runs made.
    case made
    /// Runs, by stage.
    case runs
    /// Commits and what was not committed, by stage.
    case code
    /// By stage.
    case environment
    /// By file.
    case metrics
  }

  package var a: LineageNodeID?
  package var b: LineageNodeID?
  package var differences: [(section: Section, items: [RunComparison.Difference])]
  /// How many sources and made files are the same in both.
  package var common: Int
  /// What hides a part of either ancestry.
  package var unseen: (a: [LineageGraph.Unknown], b: [LineageGraph.Unknown])

  /// Of graphs that were walked up.
  ///
  /// - Parameter environment: the document that a record names; `nil` where it cannot be read.
  package init(
    _ a: LineageGraph, _ b: LineageGraph, environment: (Digest32) -> Value? = { _ in nil }
  ) {
    self.a = a.roots.first
    self.b = b.roots.first
    unseen = (a.unseen, b.unseen)
    let (old, new) = (Ancestry(a, environment), Ancestry(b, environment))
    differences = [
      (.params, RunComparison.differences(old.params, new.params)),
      (.sources, RunComparison.differences(old.sources, new.sources)),
      (.commands, RunComparison.differences(old.commands, new.commands)),
      (.made, RunComparison.differences(old.made, new.made)),
      (.runs, RunComparison.differences(old.runs, new.runs)),
      (.code, RunComparison.differences(old.code, new.code)),
      (.environment, Self.environments(old, new)),
      (.metrics, RunComparison.differences(old.metrics, new.metrics)),
    ]
    let files = Dictionary(old.sources + old.made, uniquingKeysWith: { first, _ in first })
    common = (new.sources + new.made).count { name, value in files[name].map { $0.isEqualInPython(to: value) } ?? false }
  }

  /// Of a stage whose environment one side does not know, that is what differs.
  private static func environments(_ a: Ancestry, _ b: Ancestry) -> [RunComparison.Difference] {
    func state(_ stage: String, in ancestry: Ancestry) -> Value? {
      if ancestry.withoutEnvironment.contains(stage) { return "unknown" }
      return ancestry.environment.contains { $0.stage == stage } ? "known" : nil
    }
    let unknown = a.withoutEnvironment.union(b.withoutEnvironment)
    let told = unknown.sorted { $0.precedesInBytes($1) }.compactMap { stage -> RunComparison.Difference? in
      guard let was = state(stage, in: a), let now = state(stage, in: b), was != now else { return nil }
      return .init(name: stage + ": environment", was: was, now: now)
    }
    func leaves(_ ancestry: Ancestry) -> [(String, Value)] {
      ancestry.environment.filter { !unknown.contains($0.stage) }.map { ($0.stage + ": " + $0.name, $0.value) }
    }
    return told + RunComparison.differences(leaves(a), leaves(b))
  }

  package var isEmpty: Bool { differences.allSatisfy(\.items.isEmpty) }
  /// Both ancestries are seen to their sources.
  package var isComplete: Bool { unseen.a.isEmpty && unseen.b.isEmpty }

  /// The document of `cairn lineage A B --json`.
  package var value: Value {
    var map: ValueMap = [
      "schema": "cairn.lineage-diff/v1", "a": a.map { .string($0.description) } ?? .null,
      "b": b.map { .string($0.description) } ?? .null, "common": .int(common),
    ]
    for (section, items) in differences { map[.string(section.rawValue)] = RunComparison.value(items) }
    map["unknown"] = .list([("a", unseen.a), ("b", unseen.b)].flatMap { side, unknown in
      unknown.map { unknown -> Value in
        guard case .map(var entry) = unknown.value else { return unknown.value }
        entry["side"] = .string(side)
        return .map(entry)
      }
    })
    return .map(map)
  }
}

extension LineageGraph {
  /// Where its walk upwards ended for want of a record. Where a source came from before it was here is no part of what
  /// is compared, unless it is what was asked for.
  fileprivate var unseen: [Unknown] {
    unknown.filter { $0.what != .origin || roots.contains($0.node) }
  }
}

/// What stands in one graph, by names that both graphs may have. Of several versions, the one nearest to the root.
private struct Ancestry {
  var params: [(String, Value)] = []
  var sources: [(String, Value)] = []
  var commands: [(String, Value)] = []
  var made: [(String, Value)] = []
  var runs: [(String, Value)] = []
  var code: [(String, Value)] = []
  var environment: [(stage: String, name: String, value: Value)] = []
  /// Stages whose environment nobody wrote down.
  var withoutEnvironment: Set<String> = []
  var metrics: [(String, Value)] = []

  init(_ graph: LineageGraph, _ document: (Digest32) -> Value?) {
    var made: Set<LineageNodeID> = []
    // What merely has the same bytes is no ancestor.
    var related = Set(graph.roots)
    for edge in graph.edges where edge.kind == .generated || edge.kind == .used || edge.kind == .imported {
      related.formUnion([edge.from, edge.to])
      if edge.kind == .generated { made.insert(edge.to) }
    }
    for (id, node) in graph.nodes where related.contains(id) {
      switch node {
      case .artifact(let artifact):
        // The two things themselves are compared by what made them.
        if graph.roots.contains(id), made.contains(id) { continue }
        let file = (artifact.path, RunComparison.file(artifact.md5, artifact.size))
        if made.contains(id) { self.made.append(file) } else { sources.append(file) }
      case .run(let record):
        params += record.parameterLeaves
        commands.append((record.stage.address, .list(record.stage.cmd.map { .string($0) })))
        if case .run(let run) = id { runs.append((record.stage.address, .string(run.hex))) }
        // What took its outputs from the cache made nothing there.
        if record.result == .restored { continue }
        let stage = record.stage.address
        // The command has its own section; what the run declared to read is among the files.
        let told = Set(record.inputs.map(\.path) + record.params.keys + ["command"])
        code += RunComparison.code(record).filter { !told.contains($0.0) }.map { (stage + ": " + $0.0, $0.1) }
        metrics += record.metrics.flatMap { file, value in value.leaves().map { (file + ":" + $0.0, $0.1) } }
        if record.reconstructed != nil {
          withoutEnvironment.insert(stage)
        } else {
          environment += RunComparison.environment(record, record.environment.flatMap(document)).map { (stage, $0.0, $0.1) }
        }
      case .commit, .external, .model: break
      }
    }
  }
}
