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
  /// - Parameter reader: throws where no registry is to be reached: then what it knows is `unknown` in the graph.
  package func add(to graph: inout LineageGraph, reader: () throws(Diagnostic) -> any TrackingReader) {
    let outputs = outputs(of: graph)
    guard let root = graph.roots.first, !outputs.isEmpty else { return }
    let models: [RegisteredModel]
    do throws(Diagnostic) {
      models = try reader().models(of: outputs.map { ($0.run, $0.path) })
    } catch {
      return graph.addUnknown(root, .registry, why: error.fullMessage)
    }
    for model in models {
      let made = outputs.first { $0.run == model.run && $0.path.hasSameBytes(as: model.path) }
      guard let made else { continue }
      graph.add(model, of: made.artifact.id)
      if let md5 = model.md5, md5 != made.artifact.md5 {
        graph.addUnknown(model.id, .registry, why: "it names \(md5), and its run made \(made.artifact.md5 ?? "nothing")")
      }
    }
  }

  private struct Output {
    var run: RunID
    var path: String
    var artifact: LineageArtifact
  }

  private func outputs(of graph: LineageGraph) -> [Output] {
    var found: [Output] = []
    for (id, node) in graph.nodes {
      guard case .run(let record) = node, case .run(let run) = id else { continue }
      for output in record.outputs where output.isModel || declared.contains(output.path) {
        let artifact = LineageArtifact(output, repository: record.source.repository ?? "")
        // What came from the cache was registered by the run that first made it.
        found.append(Output(run: record.restoredFrom ?? run, path: output.path, artifact: artifact))
      }
    }
    return found
  }
}
