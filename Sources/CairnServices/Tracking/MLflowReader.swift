// What an MLflow server says of runs and models, held against what Cairn would have told it. Changes nothing there.
import CairnCore
import CairnEngine
import CairnFormats
import CairnLineage
import OrderedCollections

struct MLflowReader: TrackingReader {
  private let project: TrackedProject
  private let client: MLflowClient

  init(_ project: TrackedProject, _ client: MLflowClient) {
    self.project = project
    self.client = client
  }

  var place: String { client.server.place }

  private func asking<Answer>(_ what: String, _ body: () throws(MLflowFailure) -> Answer) throws(Diagnostic) -> Answer {
    do throws(MLflowFailure) { return try body() } catch {
      throw Diagnostic(.tracking, "cannot ask for \(what)").because(of: Diagnostic(.tracking, error.words))
    }
  }

  // MARK: Runs

  func compare(_ run: RunID, _ record: RunRecord) throws(Diagnostic) -> TrackingAnswer {
    try asking("run \(run.hex.prefix(12))") { () throws(MLflowFailure) in
      let runs = MLflowRuns(client)
      let found = try runs.findEverywhere("cairn.run", run.hex)
      guard let first = found.first else { return .absent }
      if found.count > 1 { return .differs(["\(found.count) runs have its record"]) }
      let differences = try differences(first, run, record)
      return differences.isEmpty ? .same : .differs(differences)
    }
  }

  private func differences(_ shown: Value, _ run: RunID, _ record: RunRecord) throws(MLflowFailure) -> [String] {
    let attempt = AttemptName.uuid(
      invocation: record.invocation, address: record.stage.address, attempt: record.execution.attempt)
    let wanted = MLflowRun(record, run: run, attempt: attempt, project)
    let info = shown["info"]
    let data = shown["data"]
    var differences = MLflowDifferences()
    differences.compare("its status", info?["status"]?.string, MLflowRun.status(record.result))
    differences.compare("its name", info?["run_name"]?.string, record.stage.address)
    let tags = MLflowDifferences.pairs(data?["tags"])
    // Whose name is shown, and how, are settings that change.
    for tag in wanted.firstTags + wanted.lastTags where tag.key != "mlflow.user" && tag.key != "cairn.notes" {
      differences.compare("the tag \(tag.key)", tags[tag.key], tag.value)
    }
    if let words = try parent(tags["mlflow.parentRunId"], of: record) { differences.add(words) }
    let refused = tags["cairn.refused"] ?? ""
    differences.parameters(wanted.parameters, data?["params"], refused: refused)
    differences.metrics(wanted.metrics, data?["metrics"], refused: refused, longKeys: wanted.longKeys)
    differences.datasets(wanted.datasets, shown["inputs"]?["dataset_inputs"])
    if let root = info?["artifact_uri"]?.string, root.hasPrefix("mlflow-artifacts:") {
      let bytes = try client.artifact("cairn/record.json", below: root)
      if bytes.map({ PayloadHash.sha256($0) }) != run.hex {
        differences.add("its cairn/record.json \(bytes == nil ? "is missing" : "has other bytes than the record")")
      }
    }
    return differences.words
  }

  /// What is wrong with the run above it, in words: that is the one of its invocation.
  private func parent(_ id: String?, of record: RunRecord) throws(MLflowFailure) -> String? {
    guard let id else { return "the tag mlflow.parentRunId is missing" }
    guard let parent = try MLflowRuns(client).everything(id) else {
      return "the tag mlflow.parentRunId is '\(id.prefix(80))', and there is no such run"
    }
    let attempt = MLflowDifferences.pairs(parent["data"]?["tags"])["cairn.attempt"]
    if attempt == AttemptName.uuid(invocation: record.invocation) { return nil }
    return "the tag mlflow.parentRunId is '\(id.prefix(80))', which is not the run of its invocation \(record.invocation)"
  }

  // MARK: Models

  func model(_ text: String) throws(Diagnostic) -> RegisteredModel { try ModelLookup(client).find(text) }

  func models(_ name: String, of run: RunID, path: String) throws(Diagnostic) -> [RegisteredModel] {
    let name = ModelRegistration.modelName(name)
    let versions = try asking("versions of the model '\(name)'") { () throws(MLflowFailure) in
      try MLflowRegistry(client).versions(of: name, run: run.hex, path: path)
    }
    var models: [RegisteredModel] = []
    for version in versions { models.append(try model("models:/\(name)/\(version)")) }
    return models
  }

  func models(of outputs: [(run: RunID, path: String)]) throws(Diagnostic) -> [RegisteredModel] {
    var found: [RegisteredModel] = []
    let runs = Set(outputs.map(\.run))
    let paths = OrderedSet(outputs.map(\.path))
    func add(_ filter: String) throws(MLflowFailure) {
      for version in try MLflowRegistry(client).versions(where: filter) {
        guard let run = version.tags["cairn.run"].flatMap({ RunID(hex: $0) }), let path = version.tags["cairn.path"],
          outputs.contains(where: { $0.run == run && $0.path.hasSameBytes(as: path) })
        else { continue }
        let model = version.model(of: run, path, place)
        if !found.contains(where: { $0.id == model.id }) { found.append(model) }
      }
    }
    try asking("versions of models") { () throws(MLflowFailure) in
      // One question for each run, or for each path of theirs: whatever are fewer.
      let isSayable = paths.allSatisfy { !$0.contains("'") && !$0.contains("\"") && !$0.contains("\\") }
      if isSayable, paths.count < runs.count {
        for path in paths { try add("tags.`cairn.path`='\(path)'") }
      } else {
        for run in runs { try add("tags.`cairn.run`='\(run.hex)'") }
      }
      // A search tells no aliases.
      for name in OrderedSet(found.map(\.name)) {
        let aliases = try MLflowRegistry(client).aliases(of: name)
        for place in found.indices where found[place].name == name { found[place].aliases = aliases[found[place].version] ?? [] }
      }
    }
    return found.sorted { ($0.name, Int($0.version) ?? 0) < ($1.name, Int($1.version) ?? 0) }
  }

  func models(naming files: [(path: String, md5: String)]) throws(Diagnostic) -> [RegisteredModel] {
    var found: [RegisteredModel] = []
    try asking("versions of models") { () throws(MLflowFailure) in
      for (path, md5) in files where md5.utf8.allSatisfy({ "0123456789abcdef.dir".utf8.contains($0) }) {
        for key in ["cairn.md5", MLflowText.key("cairn.data." + path)] {
          for version in try MLflowRegistry(client).versions(where: "tags.`\(key)`='\(md5)'") {
            guard let run = version.tags["cairn.run"].flatMap({ RunID(hex: $0) }), let made = version.tags["cairn.path"],
              key != "cairn.md5" || made.hasSameBytes(as: path)
            else { continue }
            let model = version.model(of: run, made, place)
            if !found.contains(where: { $0.id == model.id }) { found.append(model) }
          }
        }
      }
    }
    return found.sorted { ($0.name, Int($0.version) ?? 0) < ($1.name, Int($1.version) ?? 0) }
  }

  func compare(_ model: RegisteredModel, _ record: RunRecord) throws(Diagnostic) -> TrackingAnswer {
    let ancestry = try RunAncestry(of: model.run, record, project)
    return try asking(model.text) { () throws(MLflowFailure) in
      guard let version = try MLflowRegistry(client).version(model.version, of: model.name) else { return .absent }
      guard let output = record.outputs.first(where: { $0.path.hasSameBytes(as: model.path) }) else {
        return .differs(["its run made no '\(model.path)'"])
      }
      var differences = MLflowDifferences()
      let address = project.objects.object(of: output).flatMap { project.objects.address(of: $0, at: output.path) }
      differences.tags(
        ModelRegistration.tags(of: model.run, record, output, at: address, ancestry), ofVersion: version.tags,
        isWhole: ancestry.isWhole)
      if let address, address.scheme != "local" { differences.compare("its source", version.source, address.text) }
      // The registry takes any name of a run for one.
      if let run = try MLflowRuns(client).everything(version.run) {
        let tags = MLflowDifferences.pairs(run["data"]?["tags"])
        differences.compare("the record of its run", tags["cairn.run"], model.run.hex)
      } else {
        differences.add("its run '\(version.run)' is not on the server")
      }
      return differences.words.isEmpty ? .same : .differs(differences.words)
    }
  }
}
