// Which output is made from which: the graph of stages, seen by their outputs.

/// Nodes are all outputs of a pipeline, in the order in which DVC lists them: by where they lie.
package struct OutputGraph: Sendable {
  package struct Node: Hashable, Sendable {
    package var stage: StageID
    /// In the stage's outputs.
    package var index: Int
  }

  package let nodes: [Node]
  /// For each node the nodes that it is made from.
  package let needs: [[Int]]

  /// `pipeline` must have a graph (`StageGraph`) without faults.
  package init(_ pipeline: Pipeline, root: String) throws(Diagnostic) {
    let outputs = try OutputMap(pipeline, root: root, from: .root)
    let paths = PathResolver(root: root, workTree: nil)
    var trie = PathTrie<Node>()
    for (number, stage) in pipeline.stages.enumerated() {
      for (index, output) in stage.outputs.enumerated() {
        let absolute = paths.absolute(output.location) ?? output.declared
        trie.insert(
          Node(stage: StageID(number), index: index), at: RepoPath(unchecked: String(absolute.drop { $0 == "/" })))
      }
    }
    let nodes = trie.valuesAbove(.root) + trie.valuesBelow(.root)
    var place: [Node: Int] = [:]
    for (index, node) in nodes.enumerated() { place[node] = index }
    var needs: [[Int]] = Array(repeating: [], count: nodes.count)
    for (number, stage) in pipeline.stages.enumerated() where !stage.outputs.isEmpty {
      var sources: [Int] = []
      var seen: Set<Int> = []
      for location in stage.graphLocations {
        outputs.forEachOverlap(with: location) { entry in
          guard let source = place[Node(stage: entry.stage, index: entry.index)], seen.insert(source).inserted else {
            return
          }
          sources.append(source)
        }
      }
      for index in stage.outputs.indices {
        if let node = place[Node(stage: StageID(number), index: index)] { needs[node] = sources }
      }
    }
    self.nodes = nodes
    self.needs = needs
  }
}
