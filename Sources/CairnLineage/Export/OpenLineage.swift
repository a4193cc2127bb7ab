// What executions are to OpenLineage 2-0-2: the events of their starts and ends. Knows records; knows nothing of files
// and servers, and nothing of the order of many events, which is `OpenLineageSequence`'s.
package import CairnCore
import CairnFormats

/// Makes events as values. `start` is made of what is known before the command runs, `end` of the finished record: a live
/// `repro` and a later export say the same.
///
/// - Source: https://openlineage.io/spec/2-0-2/OpenLineage.json and the facets' own schemas.
package struct OpenLineage: Sendable {
  private let project: ExportProject
  private let producer: String

  /// - Parameter version: of the Cairn that makes the events.
  package init(_ project: ExportProject, version: String = CairnVersion.current) {
    self.project = project
    // A URI, as the schema wants it: a bare word is none.
    producer = "urn:cairn:version:" + ExportText.uri(version)
  }

  package enum EventType: String, Sendable { case start = "START", complete = "COMPLETE", fail = "FAIL", abort = "ABORT" }

  // MARK: Runs

  /// The event of a start.
  ///
  /// - Parameters:
  ///   - record: a draft will do; of its outputs the paths count alone.
  ///   - declared: the outputs' paths, where the record has none. An event without outputs would make readers forget
  ///     those that the job has.
  package func start(_ record: RunRecord, declared: [String]) -> Value {
    event(.start, at: record.execution.started, record, runFacets: [:], outputs: names(record, declared))
  }

  /// The event of an end; `nil` where no command ran: what came from the cache, and what a person accepted.
  package func end(_ record: RunRecord, run: RunID, declared: [String]) -> Value? {
    guard let type = Self.end(of: record.result) else { return nil }
    var facets: ValueMap = [:]
    facets.set("tags", facet("TagsRunFacet", "1-0-0", [
      "tags": .list([.map(["key": "cairn.run", "value": .string(run.hex), "source": "CAIRN"])])
    ]))
    if type != .complete {
      let exit = record.execution.exit.map { "the command exited with \($0)" }
      let message = record.error?.message ?? exit ?? (record.result == .lost ? "it ended with Cairn itself" : "it was ended")
      facets.set("errorMessage", facet("ErrorMessageRunFacet", "1-0-1", [
        "message": .string(ExportText.text(message)), "programmingLanguage": "SHELL",
      ]))
    }
    // What a failed command left behind is taken for nobody's output.
    let outputs = type == .complete ? record.outputs.map { dataset($0, record) } : names(record, declared)
    return event(type, at: record.execution.finished ?? record.execution.started, record, runFacets: facets, outputs: outputs)
  }

  /// How a run ended; `nil` where none ran.
  package static func end(of result: RunResult) -> EventType? {
    switch result {
    case .succeeded: .complete
    case .failed, .inputChanged: .fail
    case .aborted, .lost: .abort
    case .restored, .accepted: nil
    }
  }

  private func event(
    _ type: EventType, at time: Nanoseconds, _ record: RunRecord, runFacets: ValueMap, outputs: [Value]
  ) -> Value {
    let parent: ValueMap = [
      "run": .map(["runId": .string(AttemptName.uuid(invocation: record.invocation))]), "job": invocationJob,
    ]
    var facets: ValueMap = [:]
    facets.set("parent", facet("ParentRunFacet", "1-2-0", parent.merging(["root": .map(parent)]) { $1 }))
    facets.set("processing_engine", engine(record.execution.cairn))
    let parameters = record.params.flatMap { file, values in
      RunRecord.leaves(of: values).map { name, value in
        // The value is a text whatever it was, and no other keys are allowed.
        Value.map(["key": .string(ExportText.text(file + ":" + name)), "value": .string(ExportText.value(value))])
      }
    }
    if !parameters.isEmpty {
      facets.set("executionParameters", facet("ExecutionParametersRunFacet", "1-0-0", ["parameters": .list(parameters)]))
    }
    let name = AttemptName.uuid(
      invocation: record.invocation, address: record.stage.address, attempt: record.execution.attempt)
    return self.event(
      type, at: time, run: name, runFacets: facets.merging(runFacets) { $1 }, job: record.stage.address,
      jobFacets: jobFacets(record), inputs: record.inputs.map { dataset($0, record) }, outputs: outputs)
  }

  // MARK: Invocations

  /// Sent before its runs: a reader makes an unknown parent in the state of its child, which may have ended.
  package func start(invocation: String, at time: Nanoseconds, cairn version: String) -> Value {
    event(.start, at: time, invocation: invocation, cairn: version)
  }

  package func end(_ record: InvocationRecord, cairn version: String) -> Value {
    event(Self.end(ofExit: record.exit), at: record.finished, invocation: record.invocation, cairn: version)
  }

  /// Of one that died: nobody wrote down how it ended.
  package func abort(invocation: String, at time: Nanoseconds, cairn version: String) -> Value {
    event(.abort, at: time, invocation: invocation, cairn: version)
  }

  package static func end(ofExit exit: Int) -> EventType {
    // 128 and a signal's number.
    exit == 0 ? .complete : 129...192 ~= exit ? .abort : .fail
  }

  private func event(_ type: EventType, at time: Nanoseconds, invocation: String, cairn version: String) -> Value {
    event(
      type, at: time, run: AttemptName.uuid(invocation: invocation), runFacets: ["processing_engine": engine(version)],
      job: Self.invocationName, jobFacets: ["jobType": jobType("PIPELINE")], inputs: [], outputs: [])
  }

  private static let invocationName = "repro"

  private var invocationJob: Value {
    .map(["namespace": .string(project.jobNamespace), "name": .string(Self.invocationName)])
  }

  // MARK: Parts

  private func event(
    _ type: EventType, at time: Nanoseconds, run: String, runFacets: ValueMap, job: String, jobFacets: ValueMap,
    inputs: [Value], outputs: [Value]
  ) -> Value {
    .map([
      "eventType": .string(type.rawValue), "eventTime": .string(Timestamp.text(time)),
      "run": .map(["runId": .string(run), "facets": .map(runFacets)]),
      "job": .map([
        "namespace": .string(project.jobNamespace), "name": .string(ExportText.text(job)), "facets": .map(jobFacets),
      ]),
      "inputs": .list(inputs), "outputs": .list(outputs), "producer": .string(producer),
      // Marquez picks the kind by what follows the last slash.
      "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    ])
  }

  private func facet(_ name: String, _ version: String, _ content: ValueMap) -> Value {
    let facet: ValueMap = [
      "_producer": .string(producer),
      "_schemaURL": .string("https://openlineage.io/spec/facets/\(version)/\(name).json#/$defs/\(name)"),
    ]
    return .map(facet.merging(content) { $1 })
  }

  private func engine(_ version: String) -> Value {
    facet("ProcessingEngineRunFacet", "1-1-1", ["version": .string(ExportText.text(version)), "name": "cairn"])
  }

  private func jobType(_ type: String) -> Value {
    facet("JobTypeJobFacet", "2-0-4", ["processingType": "BATCH", "integration": "CAIRN", "jobType": .string(type)])
  }

  private func jobFacets(_ record: RunRecord) -> ValueMap {
    var facets: ValueMap = ["jobType": jobType("TASK")]
    guard let repository = RepositoryAddress(record.source.repository) else { return facets }
    let path = project.pathInRepository(record.stage.file) ?? record.stage.file
    var location: ValueMap = ["type": "git", "url": .string(repository.page(of: path, in: record.source.commit))]
    location.set("repoUrl", repository.url)
    location.set("path", path)
    location.set("version", record.source.commit)
    facets.set("sourceCodeLocation", facet("SourceCodeLocationJobFacet", "1-1-0", location))
    return facets
  }

  private func dataset(_ input: RunRecord.Input, _ record: RunRecord) -> Value {
    var facets = facets(md5: input.md5, isModel: false)
    if input.origin.kind == .dvcFile || input.origin.kind == .stage { facets.set("symlinks", symlinks(input.md5)) }
    var dataset = name(input.path, record)
    dataset["facets"] = .map(facets)
    if let statistics = statistics(input.size, md5: input.md5) {
      dataset["inputFacets"] = .map([
        "inputStatistics": facet("InputStatisticsInputDatasetFacet", "1-0-0", statistics)
      ])
    }
    return .map(dataset)
  }

  private func dataset(_ output: RunRecord.OutputPart, _ record: RunRecord) -> Value {
    var facets = facets(md5: output.md5, isModel: output.isModel)
    // Metrics and plots lie in git more often than not.
    if output.role == "out" { facets.set("symlinks", symlinks(output.md5)) }
    var dataset = name(output.path, record)
    dataset["facets"] = .map(facets)
    if let statistics = statistics(output.size, md5: output.md5) {
      dataset["outputFacets"] = .map([
        "outputStatistics": facet("OutputStatisticsOutputDatasetFacet", "1-0-2", statistics)
      ])
    }
    return .map(dataset)
  }

  /// Outputs of which nothing is known but where they will be.
  private func names(_ record: RunRecord, _ declared: [String]) -> [Value] {
    let paths = record.outputs.isEmpty ? declared : record.outputs.map(\.path)
    return paths.map { .map(name($0, record).merging(["facets": .map(facets(md5: nil, isModel: isModel($0, record)))]) { $1 }) }
  }

  private func isModel(_ path: String, _ record: RunRecord) -> Bool {
    record.outputs.contains { $0.isModel && $0.path.hasSameBytes(as: path) }
  }

  private func name(_ path: String, _ record: RunRecord) -> ValueMap {
    let (namespace, name) = project.dataset(path, in: record)
    return ["namespace": .string(namespace), "name": .string(name)]
  }

  private func facets(md5: String?, isModel: Bool) -> ValueMap {
    var facets: ValueMap = [:]
    // The key is `version`: under another it would be valid, and mean nothing.
    if let md5 {
      facets.set("version", facet("DatasetVersionDatasetFacet", "1-0-1", ["datasetVersion": .string("md5:" + md5)]))
    }
    facets.set(
      "datasetType", facet("DatasetTypeDatasetFacet", "1-0-1", ["datasetType": .string(isModel ? "MODEL" : "FILE")]))
    return facets
  }

  private func symlinks(_ md5: String?) -> Value? {
    guard let md5, let object = project.object(md5: md5) else { return nil }
    return facet("SymlinksDatasetFacet", "1-0-1", [
      "identifiers": .list([
        .map(["namespace": .string(object.namespace), "name": .string(object.name), "type": "LOCATION"])
      ])
    ])
  }

  private func statistics(_ size: UInt64?, md5: String?) -> ValueMap? {
    guard let size else { return nil }
    var statistics: ValueMap = ["size": .int(Int(clamping: size))]
    // Of a folder it is not in the record.
    if let md5, !md5.hasSuffix(".dir") { statistics["fileCount"] = 1 }
    return statistics
  }
}
