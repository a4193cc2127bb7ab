// Which stage needs which, from what they declare; refuses pipelines that contradict themselves.
// Knows nothing of files, nor of what is stale.

/// The graph of a pipeline. Nodes and edges stand in DVC's order, so that walks give DVC's order of stages.
package struct StageGraph: Sendable {
  private let needs: [[StageID]]
  private let neededBy: [[StageID]]
  private let isFrozen: [Bool]

  package var count: Int { needs.count }

  /// Refuses two stages with one output, outputs inside one another, a stage file inside an output, and cycles.
  ///
  /// `root` is the project's absolute path (what lies above it contains all outputs); `folder` is where
  /// names in messages start.
  package init(_ pipeline: Pipeline, root: String, from folder: RepoPath = .root) throws(Diagnostic) {
    let outputs = try OutputMap(pipeline, root: root, from: folder)
    try outputs.checkStageFiles(of: pipeline, from: folder)

    var needs: [[StageID]] = []
    needs.reserveCapacity(pipeline.stages.count)
    var neededBy: [[StageID]] = Array(repeating: [], count: pipeline.stages.count)
    var lastSeenBy = Array(repeating: -1, count: pipeline.stages.count)
    for (index, stage) in pipeline.stages.enumerated() {
      var producers: [StageID] = []
      for dependency in stage.graphLocations {
        outputs.forEachOverlap(with: dependency) { output in
          let producer = output.stage
          if lastSeenBy[producer.index] == index { return }
          lastSeenBy[producer.index] = index
          producers.append(producer)
          neededBy[producer.index].append(StageID(index))
        }
      }
      needs.append(producers)
    }
    self.needs = needs
    self.neededBy = neededBy
    isFrozen = pipeline.stages.map(\.isFrozen)
    if let cycle = Self.cycle(in: needs) {
      throw .cycle(cycle, in: pipeline, outputs, from: folder)
    }
  }

  /// The stages whose outputs it depends on, in the order of its dependencies.
  package func producers(of id: StageID) -> [StageID] { needs[id.index] }

  /// The stages that depend on its outputs, in the order of the pipeline.
  package func consumers(of id: StageID) -> [StageID] { neededBy[id.index] }

  /// As `producers(of:)`, but nothing for a frozen stage: what counts when stages are run.
  package func activeProducers(of id: StageID) -> [StageID] { isFrozen[id.index] ? [] : needs[id.index] }

  /// What `activeProducers(of:)` leaves out: a frozen stage looks at these outputs all the same, when it is recorded.
  package func cutProducers(of id: StageID) -> [StageID] { isFrozen[id.index] ? needs[id.index] : [] }

  package func activeConsumers(of id: StageID) -> [StageID] {
    neededBy[id.index].filter { !isFrozen[$0.index] }
  }

  /// Every stage after all that it needs (frozen stages need nothing): DVC's serial order of the whole pipeline.
  package var order: [StageID] {
    walk(from: (0..<count).map { StageID($0) }, keeping: nil) { activeProducers(of: $0) }
  }

  /// The stages that `repro` considers for `targets`, in DVC's serial order.
  ///
  /// Without targets: all. DVC's own order hangs on a hash seed where under half of the stages are wanted;
  /// the order of the whole pipeline is taken there.
  package func reproduction(of targets: [StageID], pipeline: Bool = false, downstream: Bool = false) -> [StageID] {
    if targets.isEmpty { return order }
    var wanted = Array(repeating: false, count: count)
    if pipeline {
      // One part after the other, in the order in which the targets name them.
      let component = components { activeProducers(of: $0) }
      var parts: [Int: [StageID]] = [:]
      for id in order { parts[component[id.index], default: []].append(id) }
      return targets.flatMap { parts.removeValue(forKey: component[$0.index]) ?? [] }
    }
    let reached =
      downstream
      ? walk(from: targets, keeping: nil) { activeConsumers(of: $0) }
      : walk(from: targets, keeping: nil) { activeProducers(of: $0) }
    for id in reached { wanted[id.index] = true }
    let size = wanted.count { $0 }
    if 2 * size < count { return order.filter { wanted[$0.index] } }
    return walk(from: (0..<count).map { StageID($0) }, keeping: wanted) { activeProducers(of: $0) }
  }

  /// All that `target` needs, then itself; frozen stages are looked through (`--with-deps`).
  package func ancestry(of target: StageID) -> [StageID] {
    walk(from: [target], keeping: nil) { producers(of: $0) }
  }

  /// Every stage after all that it needs, frozen or not (`-R`).
  package var wholeOrder: [StageID] {
    walk(from: (0..<count).map { StageID($0) }, keeping: nil) { producers(of: $0) }
  }

  /// The weakly connected parts, each in the order of the pipeline.
  package var pipelines: [[StageID]] {
    var parts: [[StageID]] = []
    var place: [Int: Int] = [:]
    for (index, part) in components({ producers(of: $0) }).enumerated() {
      if let at = place[part] {
        parts[at].append(StageID(index))
      } else {
        place[part] = parts.count
        parts.append([StageID(index)])
      }
    }
    return parts
  }

  /// For each stage the smallest index in its weakly connected part.
  private func components(_ edges: (StageID) -> [StageID]) -> [Int] {
    var parent = Array(0..<count)
    func top(_ start: Int) -> Int {
      var index = start
      while parent[index] != index {
        parent[index] = parent[parent[index]]
        index = parent[index]
      }
      return index
    }
    for index in 0..<count {
      for other in edges(StageID(index)) {
        let a = top(index)
        let b = top(other.index)
        if a != b { parent[max(a, b)] = min(a, b) }
      }
    }
    return (0..<count).map(top)
  }

  /// Depth first, each stage after those that `edges` gives for it. `keeping`: stages that count; `nil`: all.
  private func walk(
    from starts: [StageID], keeping wanted: [Bool]?, _ edges: (StageID) -> [StageID]
  ) -> [StageID] {
    var seen = wanted.map { $0.map { !$0 } } ?? Array(repeating: false, count: count)
    var result: [StageID] = []
    var stack: [(id: StageID, edges: [StageID], next: Int)] = []
    for start in starts where !seen[start.index] {
      seen[start.index] = true
      stack.append((start, edges(start), 0))
      while let top = stack.last {
        if top.next == top.edges.count {
          result.append(top.id)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].next += 1
        let other = top.edges[top.next]
        if seen[other.index] { continue }
        seen[other.index] = true
        stack.append((other, edges(other), 0))
      }
    }
    return result
  }

  /// One cycle, each stage needing the next and the last the first; `nil` when there is none.
  private static func cycle(in needs: [[StageID]]) -> [StageID]? {
    var state = Array(repeating: UInt8(0), count: needs.count)  // 0 new, 1 on the path, 2 done
    var path: [(index: Int, next: Int)] = []
    for start in needs.indices where state[start] == 0 {
      state[start] = 1
      path.append((start, 0))
      while let (index, next) = path.last {
        if next == needs[index].count {
          state[index] = 2
          path.removeLast()
          continue
        }
        path[path.count - 1].next += 1
        let other = needs[index][next].index
        if state[other] == 1, let from = path.firstIndex(where: { $0.index == other }) {
          return path[from...].map { StageID($0.index) }
        }
        if state[other] == 0 {
          state[other] = 1
          path.append((other, 0))
        }
      }
    }
    return nil
  }
}

extension Stage {
  /// Where the dependencies lie that make edges, parameter files too; an import of another repository has none.
  var graphLocations: [Location] {
    if isImport, dependencies.contains(where: { $0.source?.isElsewhere ?? false }) { return [] }
    return dependencies.filter { !$0.isDataset }.map(\.location) + parameters.map(\.location)
  }
}

extension Dependency {
  /// `ds://name`: an entry of `datasets:`, not a path.
  package var isDataset: Bool {
    if case .url(let url) = location { url.hasPrefix("ds://") } else { false }
  }
}

extension ImportSource {
  /// From another repository or a database: its path is not one of this project's.
  package var isElsewhere: Bool { repository != nil || other[.string("db")] != nil }
}

extension Diagnostic.Code {
  package static let cycle = Diagnostic.Code("cycle")
}

extension Diagnostic {
  fileprivate static func cycle(
    _ cycle: [StageID], in pipeline: Pipeline, _ outputs: OutputMap, from folder: RepoPath
  ) -> Diagnostic {
    let names = cycle.map { pipeline[$0].address.text(from: folder) }
    var diagnostic = Diagnostic(
      .cycle,
      "Same item(s) are defined as both a dependency and an output in stage\(names.count == 1 ? "" : "s"): "
        + names.joined(separator: ", ") + ".", at: pipeline[cycle[0]].mark)
    for (index, id) in cycle.enumerated() {
      let next = cycle[(index + 1) % cycle.count]
      guard let link = outputs.link(from: pipeline[id], to: next) else { continue }
      diagnostic = diagnostic.noting(
        "'\(names[index])' depends on '\(link.declared)', which '\(names[(index + 1) % names.count])' makes",
        at: link.mark)
    }
    return diagnostic
  }
}
