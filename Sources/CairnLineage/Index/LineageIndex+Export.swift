// What exports ask beyond the graph: invocations, the outputs that a stage has, and who measured a model.
package import CairnCore

extension LineageIndex {
  /// The records of these invocations, by their names; what cannot be read is left out.
  package func invocations(_ names: Set<String>) throws(Diagnostic) -> [String: InvocationRecord] {
    var found: [String: InvocationRecord] = [:]
    for digest in try documents(ofSchema: "cairn.invocation/v1") {
      guard let record = (try? store.invocation(digest)) ?? nil, names.contains(record.invocation) else { continue }
      found[record.invocation] = record
    }
    return found
  }

  /// The outputs' paths of the stage's newest run that has any, for a run that left none behind.
  package func declaredOutputs(of stage: String) throws(Diagnostic) -> [String] {
    for run in try runs(Filter(stage: stage)) {
      guard let record = (try? store.record(run)) ?? nil, !record.outputs.isEmpty else { continue }
      return record.outputs.map(\.path)
    }
    return []
  }

  /// The runs that read this artifact and wrote metrics: of each stage the newest that can be trusted.
  package func measurements(of artifact: LineageArtifact) throws(Diagnostic) -> [(id: RunID, record: RunRecord)] {
    var newest: [String: (id: RunID, record: RunRecord)] = [:]
    for run in try consumers(of: artifact) {
      guard let record = (try? store.record(run)) ?? nil, !record.metrics.isEmpty,
        record.result == .succeeded || record.result == .accepted
      else { continue }
      let known = newest[record.stage.address]?.record.execution.started
      if known.map({ $0 <= record.execution.started }) ?? true { newest[record.stage.address] = (run, record) }
    }
    return newest.values.sorted { ($0.record.execution.started, $0.id.hex) < ($1.record.execution.started, $1.id.hex) }
  }
}
