// Versions of registered models: an output of a run, once all that it came from is on the remote.
// Knows records and MLflow's registry; knows nothing of when it is done.
import CairnCore
import CairnEngine
import CairnLineage
import CairnSystem
import OrderedCollections

struct ModelRegistration {
  private let project: TrackedProject
  private let client: MLflowClient
  private let experiment: String

  init(_ project: TrackedProject, _ client: MLflowClient, _ experiment: String) {
    self.project = project
    self.client = client
    self.experiment = experiment
  }

  /// The registry takes neither `/` nor `:`.
  static func modelName(_ name: String) -> String {
    MLflowText.cut(name.replacing("/", with: "_").replacing(":", with: "_"), to: 256)
  }

  /// What the remote lacks of the output and of all that it came from.
  static func missing(
    of run: RunID, _ record: RunRecord, _ path: String, _ project: TrackedProject
  ) throws(Diagnostic) -> [ContentHash] {
    try project.objects.missing(objects(of: run, record, path, project))
  }

  /// The output and all that it came from, as far as remotes keep it.
  static func objects(
    of run: RunID, _ record: RunRecord, _ path: String, _ project: TrackedProject
  ) throws(Diagnostic) -> [(hash: ContentHash, path: String)] {
    var objects = try RunAncestry(of: run, record, project).objects
    let output = record.outputs.first { $0.path.hasSameBytes(as: path) }
    if let own = output.flatMap({ project.objects.object(of: $0) }) { objects.append((own, path)) }
    return objects
  }

  func register(_ entry: Outbox.Entry, _ say: (String) -> Void) throws(MLflowFailure) -> MLflowDelivery.Outcome {
    guard let digest = entry.document, let path = entry.path, let declared = entry.name else { return .arrived }
    let run = RunID(digest)
    let ancestry: RunAncestry
    let missing: [ContentHash]
    let output: RunRecord.OutputPart
    let record: RunRecord
    do throws(Diagnostic) {
      guard let found = try project.records.record(run), let made = found.outputs.first(where: { $0.path.hasSameBytes(as: path) })
      else { return .arrived }
      (record, output) = (found, made)
      ancestry = try RunAncestry(of: run, record, project)
      missing = try Self.missing(of: run, record, path, project)
    } catch {
      // No remote, or one that does not answer: where the bytes are cannot be told.
      return .waits(error.fullMessage)
    }
    if !missing.isEmpty { return .waitsForPush(missing.count) }
    let name = Self.modelName(declared)
    if name != declared { say("the model '\(declared)' is called '\(name)' in the registry") }
    let registry = MLflowRegistry(client)
    guard let hash = project.objects.object(of: output), let address = project.objects.address(of: hash, at: path) else {
      say("the model '\(declared)' is no object of a remote: it has no version in the registry")
      return .arrived
    }
    let runs = MLflowRuns(client)
    guard let remoteRun = try runs.find("cairn.run", run.hex, in: experiment).first else {
      return .waits("its run is not on the server")
    }
    // A server takes no paths of this machine, for fear of being asked for its own.
    let source = address.scheme == "local" ? "runs:/\(remoteRun)/\(MLflowText.key(path))" : address.text
    let tags = Self.tags(of: run, record, output, at: address, ancestry)
    let version = try registry.makeVersion(of: name, source: source, run: remoteRun, record: run.hex, path: path, tags: tags)
    say("\(path) is version \(version) of the model '\(name)'")
    return .arrived
  }

  /// What a version says of itself.
  ///
  /// - Parameter address: of the output; `nil` where nobody here knows its remote.
  static func tags(
    of run: RunID, _ record: RunRecord, _ output: RunRecord.OutputPart, at address: ProjectObjects.Address?,
    _ ancestry: RunAncestry
  ) -> [MLflowRun.Pair] {
    var tags = [
      MLflowRun.Pair(key: "cairn.run", value: run.hex), MLflowRun.Pair(key: "cairn.path", value: output.path),
      MLflowRun.Pair(key: "cairn.md5", value: output.md5 ?? ""),
    ]
    if let address { tags.append(MLflowRun.Pair(key: "cairn.uri", value: address.text)) }
    if let sha256 = output.sha256 { tags.append(MLflowRun.Pair(key: "cairn.sha256", value: sha256.hex)) }
    if let commit = record.source.commit { tags.append(MLflowRun.Pair(key: "cairn.commit", value: commit)) }
    return tags + sourceTags(ancestry.sources)
  }

  /// So many fit; the rest is named in one tag.
  private static let mostSources = 100
  /// By these tags the models of one version of a file are found.
  static let sourcePrefix = "cairn.data."
  static let moreSources = sourcePrefix + "more"

  private static func sourceTags(_ sources: OrderedDictionary<String, String>) -> [MLflowRun.Pair] {
    var keys = MLflowKeys()
    var tags = sources.prefix(mostSources).map { path, md5 in
      MLflowRun.Pair(key: keys.key(sourcePrefix + path), value: md5)
    }
    if sources.count > mostSources {
      let rest = sources.dropFirst(mostSources).map { "\($0.key) \($0.value)" }.joined(separator: "\n")
      tags.append(MLflowRun.Pair(key: moreSources, value: MLflowText.cut(rest, to: MLflowText.registryTagLimit)))
    }
    return tags
  }
}

/// What stands behind a run, as its records say it.
struct RunAncestry {
  /// What a remote keeps of it, each with a path.
  private(set) var objects: [(hash: ContentHash, path: String)] = []
  /// What no run made, by path, with its MD5.
  private(set) var sources: OrderedDictionary<String, String> = [:]
  private(set) var runs: [RunID] = []
  /// The records of all of them are here.
  private(set) var isWhole = true

  init(of run: RunID, _ record: RunRecord, _ project: TrackedProject) throws(Diagnostic) {
    var seen: Set<RunID> = [run]
    var objects: OrderedSet<ContentHash> = []
    var paths: [ContentHash: String] = [:]
    var waiting: [(RunID, RunRecord)] = [(run, record)]
    func add(_ run: RunID, _ record: RunRecord?) {
      if let record { waiting.append((run, record)) } else { isWhole = false }
    }
    while let (run, record) = waiting.popLast() {
      runs.append(run)
      for input in record.inputs {
        if let hash = project.objects.object(of: input), objects.append(hash).inserted { paths[hash] = input.path }
        if let producer = input.producer {
          if seen.insert(producer).inserted { add(producer, try project.records.record(producer)) }
        } else if let md5 = input.md5 {
          sources[input.path] = md5
        }
      }
      for other in [record.restoredFrom, record.accepts].compactMap({ $0 }) where seen.insert(other).inserted {
        add(other, try project.records.record(other))
      }
    }
    sources.sort { $0.key < $1.key }
    self.objects = objects.map { ($0, paths[$0] ?? "") }
  }
}

/// MLflow's model registry.
struct MLflowRegistry {
  private let client: MLflowClient

  init(_ client: MLflowClient) { self.client = client }

  struct Version: Sendable {
    var number: String
    var source: String
    var run: String
    var tags: [String: String]
    var name: String
    var aliases: [String]

    func model(of run: RunID, _ path: String, _ server: String) -> RegisteredModel {
      RegisteredModel(
        name: name, version: number, run: run, path: path, md5: tags["cairn.md5"], commit: tags["cairn.commit"],
        source: source, aliases: aliases, server: server)
    }
  }

  /// Versions that were made from this output of this record, the oldest first.
  func versions(of name: String, run: String, path: String) throws(MLflowFailure) -> [String] {
    let all: [Version]
    let named = "name='\(name.replacing("'", with: "''"))' AND tags.`cairn.run`='\(run)'"
    do throws(MLflowFailure) { all = try versions(where: named) } catch where error.kind == .refused {
      // A name that its language cannot say.
      return []
    }
    return all.filter { $0.tags["cairn.run"] == run && $0.tags["cairn.path"] == path }.map(\.number)
      .sorted { (Int($0) ?? 0) < (Int($1) ?? 0) }
  }

  /// - Parameter filter: in MLflow's language.
  func versions(where filter: String) throws(MLflowFailure) -> [Version] {
    var found: [Version] = []
    var token: String?
    repeat {
      var query = [HTTPTarget.Item("filter", filter), .init("max_results", "200")]
      if let token { query.append(.init("page_token", token)) }
      let answer = try client.get("model-versions/search", query)
      found += (answer["model_versions"]?.list ?? []).compactMap(Self.version)
      token = answer["next_page_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    } while token != nil
    return found
  }

  private static func version(_ value: Value) -> Version? {
    guard let number = value["version"]?.string else { return nil }
    var tags: [String: String] = [:]
    for tag in value["tags"]?.list ?? [] {
      if let key = tag["key"]?.string { tags[key] = tag["value"]?.string ?? "" }
    }
    return Version(
      number: number, source: value["source"]?.string ?? "", run: value["run_id"]?.string ?? "", tags: tags,
      name: value["name"]?.string ?? "", aliases: (value["aliases"]?.list ?? []).compactMap(\.string).sorted())
  }

  /// `nil` where there is no such version.
  func version(_ number: String, of name: String) throws(MLflowFailure) -> Version? {
    do throws(MLflowFailure) {
      return try version(of: "model-versions/get", [.init("name", name), .init("version", number)])
    } catch where error.code == "RESOURCE_DOES_NOT_EXIST" || error.code == "INVALID_PARAMETER_VALUE" {
      return nil
    }
  }

  private func version(of call: String, _ query: [HTTPTarget.Item]) throws(MLflowFailure) -> Version {
    guard let version = try client.get(call, query)["model_version"].flatMap(Self.version) else {
      throw MLflowFailure(.server, words: "'\(client.server.place)' answers \(call) with something else")
    }
    return version
  }

  /// Those of each version, by its number.
  func aliases(of name: String) throws(MLflowFailure) -> [String: [String]] {
    let answer = try client.get("registered-models/get", [.init("name", name)])["registered_model"]
    var aliases: [String: [String]] = [:]
    for item in answer?["aliases"]?.list ?? [] {
      if let alias = item["alias"]?.string, let version = item["version"]?.string { aliases[version, default: []].append(alias) }
    }
    return aliases.mapValues { $0.sorted() }
  }

  /// The version that an alias stands for; `nil` where there is none.
  func version(alias: String, of name: String) throws(MLflowFailure) -> Version? {
    do throws(MLflowFailure) {
      return try version(of: "registered-models/alias", [.init("name", name), .init("alias", alias)])
    } catch where error.code == "RESOURCE_DOES_NOT_EXIST" || error.code == "INVALID_PARAMETER_VALUE" {
      return nil
    }
  }

  /// The version made from this output of this record; a second one is never made.
  func makeVersion(
    of name: String, source: String, run: String, record: String, path: String, tags: [MLflowRun.Pair]
  ) throws(MLflowFailure) -> String {
    do throws(MLflowFailure) {
      _ = try client.post("registered-models/create", ["name": .string(name)], repeats: false)
    } catch where error.code == "RESOURCE_ALREADY_EXISTS" || error.isInDoubt {}
    var failure = MLflowFailure(.server, words: "no version could be made")
    for number in 0..<4 {
      if let found = try versions(of: name, run: record, path: path).first { return found }
      if number == 3 { break }
      do throws(MLflowFailure) {
        let made = try client.post(
          "model-versions/create",
          ["name": .string(name), "source": .string(source), "run_id": .string(run), "tags": MLflowRuns.list(tags)], repeats: false)
        if let version = made["model_version"].flatMap(Self.version) { return version.number }
        failure = MLflowFailure(.server, words: "'\(client.server.place)' answers model-versions/create with something else")
      } catch where error.isInDoubt {
        failure = error
        Pause.seconds(0.2 * Double(number + 1))
      }
    }
    throw failure
  }
}
