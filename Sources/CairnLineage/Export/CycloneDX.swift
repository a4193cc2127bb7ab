// A model's bill of materials as CycloneDX 1.6 has it: the model, the files that went into it, the runs that made them,
// and what was measured of it. Knows a walked graph and records; asks nobody.
package import CairnCore
import CairnFormats
import CairnSystem
import OrderedCollections

/// Every id that is used is defined, once: no validator looks, tests of ours do.
///
/// - Source: https://cyclonedx.org/schema/bom-1.6.schema.json
package struct CycloneDX: Sendable {
  private let model: LineageArtifact
  private let made: (id: RunID, record: RunRecord)
  private let graph: LineageGraph
  private let version: String
  private var components: OrderedDictionary<LineageNodeID, Component> = [:]
  /// Output → inputs of the runs that made it.
  private var inputs: OrderedDictionary<LineageNodeID, OrderedSet<LineageNodeID>> = [:]
  private var tasks: [Task] = []
  private let measurements: [(id: RunID, record: RunRecord)]

  private struct Component {
    var artifact: LineageArtifact
    var kind: Kind
    var origin: RunRecord.Origin?
    enum Kind: String { case model = "machine-learning-model", data, file }
  }

  private struct Task {
    var id: RunID
    var record: RunRecord
    var inputs: OrderedSet<LineageNodeID>
    var outputs: OrderedSet<LineageNodeID>
  }

  /// - Parameters:
  ///   - root: an artifact of `graph`, which was walked up from it.
  ///   - measurements: runs that read the model and wrote metrics.
  ///   - version: of the Cairn that writes it.
  /// - Throws: `export`, exit code 2, where no run is known that made it.
  package init(
    _ root: LineageNodeID, in graph: LineageGraph, measurements: [(id: RunID, record: RunRecord)],
    version: String = CairnVersion.current
  ) throws(Diagnostic) {
    let root = graph.artifact(behind: root)
    guard case .artifact(let artifact) = graph.nodes[root] else { throw .noArtifact() }
    let links = Links(graph)
    guard let maker = links.makers(of: root).last else { throw .nobodyMade(artifact.path) }
    model = artifact
    made = maker
    self.graph = graph
    self.version = version
    self.measurements = measurements
    collect(root, links)
  }

  private mutating func collect(_ root: LineageNodeID, _ links: Links) {
    let output = made.record.outputs.first { $0.path.hasSameBytes(as: model.path) }
    components[root] = Component(artifact: model, kind: Self.kind(output, isSubject: true), origin: nil)
    for run in links.executed {
      var task = Task(id: run.id, record: run.record, inputs: [], outputs: [])
      let repository = run.record.source.repository ?? ""
      for input in run.record.inputs {
        let artifact = LineageArtifact(input, repository: repository)
        task.inputs.append(artifact.id)
        add(artifact, Self.kind(input), input.origin)
      }
      for id in links.outputs[run.id] ?? [] {
        guard case .artifact(let artifact) = graph.nodes[id] else { continue }
        task.outputs.append(id)
        let output = run.record.outputs.first { $0.path.hasSameBytes(as: artifact.path) }
        add(artifact, Self.kind(output, isSubject: false), nil)
        inputs[id, default: []].formUnion(task.inputs.subtracting([id]))
      }
      tasks.append(task)
    }
    for run in measurements where !tasks.contains(where: { $0.id == run.id }) {
      var task = Task(id: run.id, record: run.record, inputs: [], outputs: [])
      let repository = run.record.source.repository ?? ""
      for input in run.record.inputs {
        // It may have been read under another name of the repository.
        let isModel = input.path.hasSameBytes(as: model.path) && input.md5 == model.md5
        let artifact = isModel ? model : LineageArtifact(input, repository: repository)
        task.inputs.append(artifact.id)
        add(artifact, Self.kind(input), input.origin)
      }
      for output in run.record.outputs {
        let artifact = LineageArtifact(output, repository: repository)
        task.outputs.append(artifact.id)
        add(artifact, Self.kind(output, isSubject: false), nil)
        inputs[artifact.id, default: []].formUnion(task.inputs.subtracting([artifact.id]))
      }
      tasks.append(task)
    }
  }

  private mutating func add(_ artifact: LineageArtifact, _ kind: Component.Kind, _ origin: RunRecord.Origin?) {
    guard var known = components[artifact.id] else {
      return components[artifact.id] = Component(artifact: artifact, kind: kind, origin: origin)
    }
    // What made it knows better than who read it.
    if origin == nil, known.kind == .file || known.kind == .data, artifact.id != model.id { known.kind = kind }
    if known.origin == nil { known.origin = origin }
    components[artifact.id] = known
  }

  /// Which runs made which artifacts, those that took them from the cache left out.
  private struct Links {
    /// Oldest first.
    var executed: [(id: RunID, record: RunRecord)] = []
    var outputs: [RunID: [LineageNodeID]] = [:]
    private var makers: [LineageNodeID: [RunID]] = [:]
    private var records: [RunID: RunRecord] = [:]

    init(_ graph: LineageGraph) {
      for (id, node) in graph.nodes {
        guard case .run(let run) = id, case .run(let record) = node, record.result != .restored else { continue }
        executed.append((run, record))
        records[run] = record
      }
      executed.sort { ($0.record.execution.started, $0.id.hex) < ($1.record.execution.started, $1.id.hex) }
      for edge in graph.edges where edge.kind == .generated {
        guard case .run(let run) = edge.from, records[run] != nil else { continue }
        outputs[run, default: []].append(edge.to)
        makers[edge.to, default: []].append(run)
      }
    }

    /// Oldest first.
    func makers(of id: LineageNodeID) -> [(id: RunID, record: RunRecord)] {
      (makers[id] ?? []).compactMap { run in records[run].map { (run, $0) } }
        .sorted { $0.1.execution.started < $1.1.execution.started }
    }
  }

  // MARK: What things are

  private static func kind(_ output: RunRecord.OutputPart?, isSubject: Bool) -> Component.Kind {
    guard let output else { return isSubject ? .model : .data }
    if let type = output.annotations["type"]?.string { return type == "model" ? .model : .data }
    return isSubject && output.role == "out" ? .model : .data
  }

  private static func kind(_ input: RunRecord.Input) -> Component.Kind {
    if input.role == "params" { return .file }
    guard input.producer == nil, input.origin.kind == .git || input.origin.kind == .none else { return .data }
    let name = input.path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: ".") else { return input.md5?.hasSuffix(".dir") == true ? .data : .file }
    return dataSuffixes.contains(name[name.index(after: dot)...].lowercased()) || input.md5?.hasSuffix(".dir") == true
      ? .data : .file
  }

  /// Of what lies in git or nobody knows the origin of, data is what is called so; the rest is code.
  private static let dataSuffixes: Set<String> = [
    "arrow", "avro", "bin", "csv", "dat", "data", "db", "feather", "gz", "h5", "hdf5", "jpeg", "jpg", "json", "jsonl", "mat",
    "ndjson", "npy", "npz", "orc", "parquet", "pickle", "pkl", "png", "rds", "sqlite", "tar", "tiff", "tsv", "txt", "wav",
    "xlsx", "xml", "zip", "zst",
  ]

  // MARK: The document

  package var bytes: [UInt8] { ExportJSON.document(value) }

  package var value: Value {
    let root = model.id
    var metadata: ValueMap = [
      "timestamp": .string(Timestamp.text(made.record.execution.finished ?? made.record.execution.started)),
      "tools": .map(["components": .list([
        .map(["type": "application", "name": "cairn", "version": .string(ExportText.text(version))])
      ])]),
      "component": .map(subject),
    ]
    metadata.set("properties", unknownProperties)
    var document: ValueMap = [
      "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6",
      "serialNumber": .string("urn:uuid:" + serial), "version": 1, "metadata": .map(metadata),
    ]
    document.set("components", components.filter { $0.key != root }.map { .map(component($0.value)) })
    document.set("dependencies", inputs.filter { !$0.value.isEmpty }.map { id, inputs in
      .map(["ref": reference(id), "dependsOn": .list(inputs.map(reference))])
    })
    document.set("compositions", compositions)
    document.set("formulation", [.map(["bom-ref": "formulation", "workflows": .list(workflows)])])
    return .map(document)
  }

  /// The same for the same story of the same model; another once there is something new to tell.
  private var serial: String {
    let name = "bom/" + ([model.id.description] + tasks.map(\.id.hex).sorted()).joined(separator: "/")
    return Identifier.uuid(namespace: AttemptName.namespace, name: name) ?? ""
  }

  private var subject: ValueMap {
    guard let component = components[model.id] else { return [:] }
    var subject = self.component(component)
    let record = made.record
    if let repository = RepositoryAddress(record.source.repository), repository.uri.hasPrefix("http") {
      subject.set("externalReferences", [.map(["type": "vcs", "url": .string(repository.uri)])])
    }
    if component.kind == .model { subject["modelCard"] = .map(card) }
    var properties = subject["properties"]?.list ?? []
    properties.append(property("cairn:run", made.id.hex))
    properties.append(property("cairn:stage", record.stage.address))
    if let commit = record.source.commit { properties.append(property("cairn:commit", commit)) }
    if let isDirty = record.source.isDirty { properties.append(property("cairn:dirty", isDirty ? "true" : "false")) }
    if component.kind != .model { properties += parameters }
    subject.set("properties", properties)
    return subject
  }

  private var card: ValueMap {
    var card: ValueMap = [:]
    let repository = made.record.source.repository ?? ""
    let data = made.record.inputs.map { LineageArtifact($0, repository: repository).id }
      .filter { components[$0].map { $0.kind != .file } ?? false }
    if !data.isEmpty {
      card["modelParameters"] = .map(["datasets": .list(OrderedSet(data).map { .map(["ref": reference($0)]) })])
    }
    let metrics = metrics
    if !metrics.isEmpty { card["quantitativeAnalysis"] = .map(["performanceMetrics": .list(metrics)]) }
    card.set("properties", parameters)
    return card
  }

  /// Of the run that made it and of those that measured it; the stage stands before a name that two have.
  private var metrics: [Value] {
    var leaves: [(stage: String, name: String, value: Value)] = []
    for run in [made] + measurements.filter({ $0.id != made.id }) {
      for (name, value) in run.record.metricLeaves { leaves.append((run.record.stage.address, name, value)) }
    }
    let counts = Dictionary(leaves.map { ($0.name, 1) }, uniquingKeysWith: +)
    return leaves.compactMap { stage, name, value in
      switch value {
      case .list, .map, .null: return nil
      default: break
      }
      let type = (counts[name] ?? 0) > 1 ? stage + ":" + name : name
      // Texts, whatever they were.
      return .map(["type": .string(ExportText.text(type)), "value": .string(ExportText.value(value))])
    }
  }

  private var parameters: [Value] {
    made.record.params.flatMap { file, values in
      RunRecord.leaves(of: values).map { property("cairn:param:" + file + ":" + $0, ExportText.value($1)) }
    }
  }

  private func component(_ component: Component) -> ValueMap {
    let artifact = component.artifact
    var map: ValueMap = [
      "type": .string(component.kind.rawValue), "bom-ref": reference(artifact.id),
      "name": .string(ExportText.text(artifact.path)),
    ]
    let isFolder = artifact.md5?.hasSuffix(".dir") ?? false
    if component.kind != .file || isFolder { map.set("version", artifact.md5.map { "md5:" + $0 }) }
    // What names a folder is the hash of a list, and no file's.
    if !isFolder {
      var hashes: [Value] = []
      if let md5 = artifact.md5, Digest16(hex: md5) != nil { hashes.append(.map(["alg": "MD5", "content": .string(md5)])) }
      if let sha256 = artifact.sha256 { hashes.append(.map(["alg": "SHA-256", "content": .string(sha256.hex)])) }
      map.set("hashes", hashes)
    }
    if let url = component.origin?.url ?? component.origin?.repository,
      component.origin?.kind == .import || component.origin?.kind == .importURL, url.contains("://")
    {
      var source: ValueMap = [
        "type": "distribution", "url": .string(ExportText.uri(GitRepository.withoutCredentials(url))),
      ]
      source.set("comment", component.origin?.rev)
      map.set("externalReferences", [.map(source)])
    }
    if component.kind == .data {
      map["data"] = .list([.map(["type": "dataset", "name": .string(ExportText.text(artifact.path))])])
    }
    if let size = artifact.size { map.set("properties", [property("cairn:size", String(size))]) }
    return map
  }

  // MARK: Runs

  /// One for each invocation: a reader sees what was made together.
  private var workflows: [Value] {
    OrderedDictionary(grouping: tasks.sorted { started($0) < started($1) }, by: \.record.invocation).map { invocation, tasks in
      .map([
        "bom-ref": .string("w:" + ExportText.text(invocation)), "uid": .string(ExportText.text(invocation)),
        "name": .string(ExportText.text(tasks.first?.record.stage.file ?? "dvc.yaml")), "taskTypes": .list(["build"]),
        "tasks": .list(tasks.map(task)),
      ])
    }
  }

  private func started(_ task: Task) -> Nanoseconds { task.record.execution.started }

  private func task(_ task: Task) -> Value {
    let record = task.record
    let isMeasurement = measurements.contains { $0.id == task.id }
    var map: ValueMap = [
      "bom-ref": .string("r:" + task.id.hex), "uid": .string(task.id.hex), "name": .string(ExportText.text(record.stage.address)),
      // Training is a build to CycloneDX.
      "taskTypes": .list([isMeasurement ? "test" : "build"]),
    ]
    map.set("steps", record.stage.cmd.map { line in
      .map(["commands": .list([.map(["executed": .string(ExportText.text(line))])])])
    })
    map.set("timeStart", Timestamp.text(record.execution.started))
    map.set("timeEnd", record.execution.finished.map(Timestamp.text))
    map.set("inputs", task.inputs.map { .map(["resource": .map(["ref": reference($0)])]) })
    map.set("outputs", task.outputs.map { .map(["type": "artifact", "resource": .map(["ref": reference($0)])]) })
    var properties = [property("cairn:result", record.result.rawValue), property("cairn:actor", record.actor.name)]
    if let reconstructed = record.reconstructed { properties.append(property("cairn:reconstructed", reconstructed.commit)) }
    if let commit = record.source.commit { properties.append(property("cairn:commit", commit)) }
    if let log = record.log { properties.append(property("cairn:log-sha256", log.sha256.hex)) }
    map.set("properties", properties)
    return .map(map)
  }

  // MARK: What is not known

  private var unknownProperties: [Value] {
    graph.unknown.compactMap { unknown in
      switch graph.nodes[unknown.node] {
      case .artifact(let artifact): property("cairn:unknown:" + unknown.what.rawValue, artifact.path)
      default: property("cairn:unknown:" + unknown.what.rawValue, unknown.node.description)
      }
    }
  }

  /// Of what is missing above an artifact: that its list of dependencies is not the whole truth.
  private var compositions: [Value] {
    var incomplete: OrderedSet<LineageNodeID> = []
    var unknown: OrderedSet<LineageNodeID> = []
    let made = Dictionary(grouping: graph.edges.filter { $0.kind == .generated }, by: \.from)
    for entry in graph.unknown {
      switch entry.node {
      case .artifact: if components[entry.node] != nil { unknown.append(entry.node) }
      default: incomplete.formUnion((made[entry.node] ?? []).map(\.to).filter { components[$0] != nil })
      }
    }
    return [("unknown", unknown.subtracting(incomplete)), ("incomplete", incomplete)].filter { !$0.1.isEmpty }.map { aggregate, ids in
      .map(["aggregate": .string(aggregate), "dependencies": .list(ids.map(reference))])
    }
  }

  private func reference(_ id: LineageNodeID) -> Value { .string(id.description) }

  private func property(_ name: String, _ value: String) -> Value {
    .map(["name": .string(ExportText.text(name)), "value": .string(ExportText.text(value))])
  }
}

extension Diagnostic.Code {
  /// Something cannot be said in another format.
  package static let export = Diagnostic.Code("export")
}

extension Diagnostic {
  fileprivate static func noArtifact() -> Diagnostic { unknown("a bill of materials is of a file or folder") }

  fileprivate static func nobodyMade(_ path: String) -> Diagnostic {
    unknown("no run is known that made '\(path)', so there is no bill of materials for it")
      .hinting("`cairn lineage '\(path)'` tells what is known")
  }

  private static func unknown(_ words: String) -> Diagnostic {
    var diagnostic = Diagnostic(.export, words)
    diagnostic.exitCode = 2
    return diagnostic
  }
}
