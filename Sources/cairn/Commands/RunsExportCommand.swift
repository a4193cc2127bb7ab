// `cairn runs export`: what the records say, in formats that others read, into a file or to a collector.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnLineage
internal import CairnServices
internal import CairnSystem
internal import CairnVerify

/// The formats of others.
enum ExportFormat: String, CaseIterable, ExpressibleByArgument { case openlineage, cyclonedx }

struct RunsExportCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write runs in a format that others read",
    discussion: """
      openlineage: the events of these runs, or of all, in their order, one JSON document a line; what came from the
      cache is no run to OpenLineage. With --to they are sent, one a request; OPENLINEAGE_API_KEY has the key, and
      OPENLINEAGE_ENDPOINT the path where it is not api/v1/lineage. cyclonedx: the bill of materials (ML-BOM, 1.6) of
      the model that one run made.

      cairn runs export --format openlineage -o events.jsonl
      cairn runs export --format cyclonedx @last:train -o model.cdx.json
      cairn runs export --format openlineage --to https://lineage.example.org
      """)

  @OptionGroup var global: GlobalOptions
  @Option(help: ArgumentHelp("openlineage or cyclonedx.", valueName: "format")) var format: ExportFormat
  @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"), completion: Completions.files) var output: String?
  @Option(help: ArgumentHelp("Send the events to this server.", valueName: "url")) var to: String?
  @Option(help: ArgumentHelp("Send all but so many events, the first ones.", valueName: "number")) var skip: Int?
  @Flag(help: "With --to, print one JSON document.") var json = false
  @Argument(help: ArgumentHelp("The runs; of openlineage all where none is named.", valueName: "run")) var runs: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    if to == nil, skip != nil || json { throw Diagnostic.wrongUsage("--skip and --json are for events that are sent: --to") }
    if let skip, skip < 0 { throw Diagnostic.wrongUsage("argument --skip: must not be negative") }
    if to != nil, output != nil { throw Diagnostic.wrongUsage("argument --to: not allowed with argument --output") }
    if to != nil, format != .openlineage { throw Diagnostic.wrongUsage("only openlineage has events to send") }
    if format == .cyclonedx, runs.count != 1 {
      throw Diagnostic.wrongUsage("a bill of materials is of the model that one run made: name that run")
    }
    let console = invocation.console
    console.keepOutputForResults()
    let context = try HistoryContext()
    let index = try context.history.index()
    let exports = Exports(context, index)
    switch format {
    case .cyclonedx:
      let (id, record) = try context.run(runs[0], in: index)
      try Exports.write(try exports.billOfMaterials(of: id, record), to: output, context.repository, console)
    case .openlineage:
      let sequence = try exports.openLineage(of: try chosen(context, index, console))
      guard let to else {
        try Exports.write(sequence.bytes, to: output, context.repository, console)
        break
      }
      try send(sequence, to: to, console)
    }
    return .success
  }

  private func chosen(
    _ context: HistoryContext, _ index: LineageIndex, _ console: Console
  ) throws -> [(id: RunID, record: RunRecord)] {
    if !runs.isEmpty { return try runs.map { try context.run($0, in: index) } }
    return try index.runs().reversed().compactMap { run in try context.listed(run, console).map { (run, $0) } }
  }

  private func send(_ sequence: OpenLineageSequence, to url: String, _ console: Console) throws {
    let client = try OpenLineageClient(
      url: url, endpoint: Environment.value(OpenLineageClient.Variable.endpoint),
      key: Environment.value(OpenLineageClient.Variable.key), transport: CurlTransport())
    let first = skip ?? 0
    if first > sequence.events.count {
      throw Diagnostic.wrongUsage("argument --skip: there are \(sequence.events.count) events")
    }
    for (number, event) in sequence.events.enumerated().dropFirst(first) {
      do throws(Diagnostic) {
        try client.post(Array(ExportJSON.line(event.value).utf8))
      } catch {
        throw Diagnostic.notSent(event.words, number, of: sequence.events.count, error, again: again(number))
      }
    }
    let sent = sequence.events.count - first
    if json {
      console.write(json: .map([
        "schema": "cairn.runs-export/v1", "format": .string(format.rawValue), "to": .string(client.address),
        "runs": .int(sequence.runs), "events": .int(sequence.events.count), "sent": .int(sent),
      ]))
    } else {
      console.write(
        line: "sent \(HumanText.count(sent, "event")) of \(HumanText.count(sequence.runs, "run")) to \(client.address)")
    }
  }

  /// The command that goes on where this one stopped.
  private func again(_ number: Int) -> String {
    let words = ["cairn runs export --format openlineage --to URL --skip \(number)"] + runs
    return words.joined(separator: " ")
  }
}

/// What the commands that export share: subjects into documents, documents into files.
struct Exports {
  private let context: HistoryContext
  private let index: LineageIndex

  init(_ context: HistoryContext, _ index: LineageIndex) {
    self.context = context
    self.index = index
  }

  private func project() throws -> ExportProject {
    try ExportProject(context.repository, context.settings, GitRepository.find(from: context.repository.root))
  }

  func openLineage(of runs: [(id: RunID, record: RunRecord)]) throws -> OpenLineageSequence {
    var declared: [String: [String]] = [:]
    let sequence = try runs.map { run in
      let stage = run.record.stage.address
      if run.record.outputs.isEmpty, declared[stage] == nil { declared[stage] = try index.declaredOutputs(of: stage) }
      return OpenLineageSequence.Run(id: run.id, record: run.record, declared: declared[stage] ?? [])
    }
    let invocations = try index.invocations(Set(runs.map(\.record.invocation)))
    return OpenLineageSequence(sequence, invocations: invocations, OpenLineage(try project()))
  }

  /// Of the runs that a graph holds.
  func openLineage(of graph: LineageGraph) throws -> OpenLineageSequence {
    let runs = graph.nodes.compactMap { id, node -> (id: RunID, record: RunRecord)? in
      guard case .run(let run) = id, case .run(let record) = node else { return nil }
      return (run, record)
    }
    return try openLineage(
      of: runs.sorted { ($0.record.execution.started, $0.id.hex) < ($1.record.execution.started, $1.id.hex) })
  }

  /// - Parameter graph: walked up from the model.
  func billOfMaterials(of graph: LineageGraph) throws -> [UInt8] {
    guard let root = graph.roots.first.map(graph.artifact(behind:)) else { throw Diagnostic(.export, "there is nothing to export") }
    if graph.roots.count > 1 { throw Diagnostic.severalFiles(graph.roots.count) }
    if case .run(let run) = root, case .run(let record) = graph.nodes[root] { return try billOfMaterials(of: run, record) }
    var measurements: [(id: RunID, record: RunRecord)] = []
    if case .artifact(let artifact) = graph.nodes[root] { measurements = try index.measurements(of: artifact) }
    return try CycloneDX(root, in: graph, measurements: measurements).bytes
  }

  /// Of the one model that the run made: what `dvc.yaml` calls so, else its only output that is no metric and no plot.
  func billOfMaterials(of run: RunID, _ record: RunRecord) throws -> [UInt8] {
    let outputs = record.outputs.filter { $0.role == "out" }
    let models = outputs.filter { $0.annotations["type"]?.string == "model" }
    let candidates = models.isEmpty ? outputs : models
    guard let model = candidates.first, candidates.count == 1 else {
      throw Diagnostic.whichModel(record.stage.address, candidates.map(\.path))
    }
    let artifact = LineageArtifact(model, repository: record.source.repository ?? "")
    let folders = CachedFolders(context.settings)
    var options = LineageQuery.Options()
    let sources = SourceHistory(root: context.repository.root, store: index.store)
    options.isInHistory = { artifact in artifact.md5.flatMap { sources.commit(of: artifact.path, md5: $0) } != nil }
    options.cachedFolder = { folders.manifest($0) }
    return try billOfMaterials(of: try LineageQuery.graph(of: [artifact], producer: run, in: index, options))
  }

  /// - Parameter path: `nil` or `-`: standard output.
  static func write(_ bytes: [UInt8], to path: String?, _ repository: Repository, _ console: Console) throws {
    guard let path, path != "-" else { return console.writeRaw(bytes) }
    try ReportPlaces.check([path], in: repository, nil)
    try ReportFile.write(bytes, to: path)
  }
}

extension Diagnostic {
  fileprivate static func notSent(
    _ event: String, _ number: Int, of count: Int, _ cause: Diagnostic, again: String
  ) -> Diagnostic {
    Diagnostic(.openLineage, "\(number) of \(count) events are sent, and the next, \(event), is not").because(of: cause)
      .hinting((cause.hint.map { $0 + "; then go" } ?? "go") + " on with `\(again)`")
  }

  fileprivate static func severalFiles(_ count: Int) -> Diagnostic {
    var diagnostic = Diagnostic(.ambiguousSubject, "\(count) files have this hash, and a bill of materials is of one")
    diagnostic.exitCode = ExitStatus.usage.rawValue
    return diagnostic.hinting("name the file by its path")
  }

  fileprivate static func whichModel(_ stage: String, _ paths: [String]) -> Diagnostic {
    var diagnostic = Diagnostic(
      .export, paths.isEmpty ? "the run of '\(stage)' has no output that could be a model"
        : "the run of '\(stage)' has \(paths.count) outputs, and a bill of materials is of one")
    diagnostic.exitCode = ExitStatus.unknown.rawValue
    for path in paths.prefix(20) { diagnostic = diagnostic.noting(path) }
    return paths.isEmpty ? diagnostic
      : diagnostic.hinting("`cairn lineage PATH --format cyclonedx`, or give one of them `type: model` in dvc.yaml")
  }
}
