// All stages of a project with the graph between them.

/// Dense number of a stage: state for each stage is an array, not a dictionary.
package struct StageID: Hashable, Comparable, Sendable {
  package let index: Int
  package init(_ index: Int) { self.index = index }
  package static func < (a: StageID, b: StageID) -> Bool { a.index < b.index }
}

package struct Pipeline: Sendable {
  /// In the order of DVC's: files in the order of the walk, stages in the order of each file.
  package var stages: [Stage]
  package var files: [PipelineFile]
  package var byAddress: [StageAddress: StageID]

  package init(stages: [Stage], files: [PipelineFile]) {
    self.stages = stages
    self.files = files
    byAddress = Dictionary(
      stages.enumerated().map { ($1.address, StageID($0)) }, uniquingKeysWith: { first, _ in first })
  }

  package subscript(id: StageID) -> Stage {
    // A stage has dozens of fields: whoever asks for its name must not copy them all.
    _read { yield stages[id.index] }
  }
  package var ids: [StageID] { stages.indices.map(StageID.init) }
}

/// A `dvc.yaml` beyond its stages: the top-level declarations, resolved.
package struct PipelineFile: Sendable {
  package var path: RepoPath
  package var document: MarkedValue
  /// Top-level `params:` (paths as declared).
  package var params: [String] = []
  /// Top-level `metrics:`.
  package var metrics: [String] = []
  /// Top-level `plots:`, as read.
  package var plots: Value = .null
  /// Top-level `artifacts:` by name.
  package var artifacts: ValueMap = [:]
  /// Top-level `datasets:`.
  package var datasets: [Value] = []
  /// Files, as messages show them, without which its stages cannot be known; empty unless that was asked for.
  package var neededFiles: [String] = []

  package init(path: RepoPath, document: MarkedValue) {
    self.path = path
    self.document = document
  }
}

extension PipelineFile {
  /// The files that the top level's `plots` show, as declared: each names one, or those under its axes.
  package var plotFiles: [String] {
    (plots.list ?? []).flatMap { plot -> [String] in
      if let path = plot.string { return [path] }
      return (plot.map ?? [:]).flatMap { key, properties -> [String] in
        guard let y = properties["y"]?.map else { return [key.string].compactMap { $0 } }
        return (Array(y.keys) + Array(properties["x"]?.map?.keys ?? [])).compactMap(\.string)
      }
    }
  }
}
