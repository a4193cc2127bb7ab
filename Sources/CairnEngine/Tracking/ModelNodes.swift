// Which versions of registered models a lineage reaches: what the registry says, put into the graph. Reads nothing but
// what it is given; the registry is behind `TrackingReader`.
package import CairnCore

package struct ModelNodes {
  /// By path: what `dvc.yaml` calls a model now.
  private let declared: Set<String>

  package init(declared: Set<String>) { self.declared = declared }

  /// Adds the versions that were made from what the graph's runs left behind.
  ///
  /// A version belongs to one run. Where another run made the same bytes, it is not that one's: it may come from data
  /// that the version never saw.
  ///
  /// - Parameters:
  ///   - makers: of the graph's roots, where they are not in it.
  ///   - isUnrecorded: whether a version is this project's, and the record of its run is missing: it is added too, and
  ///     said so. `nil`: the registry is not asked for such.
  ///   - reader: throws where no registry is to be reached: then what it knows is `unknown` in the graph.
  package func add(
    to graph: inout LineageGraph, makers: [(run: RunID, record: RunRecord)] = [],
    isUnrecorded: ((RegisteredModel) -> Bool)? = nil, reader: () throws(Diagnostic) -> any TrackingReader
  ) {
    var outputs = outputs(of: graph)
    for maker in makers { outputs += self.outputs(of: maker.run, maker.record).filter { graph.nodes[$0.artifact.id] != nil } }
    let files = isUnrecorded == nil ? [] : unrecorded(of: graph)
    guard let root = graph.roots.first, !outputs.isEmpty || !files.isEmpty else { return }
    let models: [RegisteredModel]
    var others: [RegisteredModel] = []
    do throws(Diagnostic) {
      let reader = try reader()
      models = outputs.isEmpty ? [] : try reader.models(of: outputs.map { ($0.run, $0.path) })
      if !files.isEmpty { others = try reader.models(naming: files.map { ($0.path, $0.md5 ?? "") }) }
    } catch {
      return graph.addUnknown(root, .registry, why: error.fullMessage)
    }
    for model in models {
      let made = outputs.first { $0.run == model.run && $0.path.hasSameBytes(as: model.path) }
      guard let made else { continue }
      graph.add(model, of: made.artifact.id)
      if let maker = makers.first(where: { $0.run == model.run }) { graph.add(.run(maker.run), .run(maker.record)) }
      if let md5 = model.md5, md5 != made.artifact.md5 {
        graph.addUnknown(model.id, .registry, why: "it names \(md5), and its run made \(made.artifact.md5 ?? "nothing")")
      }
    }
    for model in others where graph.nodes[model.id] == nil && isUnrecorded?(model) ?? false {
      let itself = files.first { $0.path.hasSameBytes(as: model.path) && $0.md5 == model.md5 }
      if let itself {
        graph.add(model, of: itself.id)
      } else {
        graph.add(model.id, .model(model))
        graph.connect(root, model.id, .tagged)
      }
      graph.addUnknown(.run(model.run), .missing, why: "\(model.text) names it")
    }
  }

  /// What was asked for, and what a lock alone says was made of it: versions may name them whose records are not here.
  private func unrecorded(of graph: LineageGraph) -> [LineageArtifact] {
    var ids = graph.roots
    for edge in graph.edges where edge.kind == .locked && !ids.contains(edge.to) { ids.append(edge.to) }
    return ids.prefix(Self.mostAsked).compactMap { id in
      if case .artifact(let artifact) = graph.nodes[id], artifact.md5 != nil { artifact } else { nil }
    }
  }

  /// Each is a question or two to the registry.
  private static let mostAsked = 16

  private struct Output {
    var run: RunID
    var path: String
    var artifact: LineageArtifact
  }

  private func outputs(of graph: LineageGraph) -> [Output] {
    graph.nodes.flatMap { id, node -> [Output] in
      guard case .run(let record) = node, case .run(let run) = id else { return [] }
      return outputs(of: run, record)
    }
  }

  private func outputs(of run: RunID, _ record: RunRecord) -> [Output] {
    record.outputs.filter { $0.isModel || declared.contains($0.path) }.map { output in
      let artifact = LineageArtifact(output, repository: record.source.repository ?? "")
      // What came from the cache was registered by the run that first made it.
      return Output(run: record.restoredFrom ?? run, path: output.path, artifact: artifact)
    }
  }
}
