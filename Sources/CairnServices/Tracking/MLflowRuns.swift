// Experiments and runs on an MLflow server: found or made once, filled in portions that it takes, ended.
// Knows MLflow's limits; knows no records.
import CairnCore
import CairnSystem

struct MLflowRuns {
  private let client: MLflowClient

  init(_ client: MLflowClient) { self.client = client }

  // MARK: Found or made

  func experiment(_ name: String) throws(MLflowFailure) -> String {
    // Somebody else may make it between the question and our request.
    for _ in 0..<3 {
      do throws(MLflowFailure) {
        let found = try client.get("experiments/get-by-name", [.init("experiment_name", name)])["experiment"]
        if found?["lifecycle_stage"]?.string == "deleted" {
          throw MLflowFailure(
            .unauthorized, words: "the experiment '\(name)' is deleted on the server: restore it there, or choose another name (tracking.experiment)")
        }
        guard let id = found?["experiment_id"]?.string else { throw garbled("experiments/get-by-name") }
        return id
      } catch where error.code == "RESOURCE_DOES_NOT_EXIST" {
        do throws(MLflowFailure) {
          let made = try client.post("experiments/create", ["name": .string(name)], repeats: false)
          guard let id = made["experiment_id"]?.string else { throw garbled("experiments/create") }
          return id
        } catch where error.code == "RESOURCE_ALREADY_EXISTS" || error.isInDoubt {}
      }
    }
    throw MLflowFailure(.server, words: "the experiment '\(name)' can be neither found nor made")
  }

  /// The run with this attempt's tag, made where there is none.
  ///
  /// The server gives the names, so a request that is sent twice makes two: before each one but the first of a new
  /// attempt it is looked for.
  func make(
    _ attempt: String, in experiment: String, name: String, started: Nanoseconds, tags: [MLflowRun.Pair], isNew: Bool
  ) throws(MLflowFailure) -> String {
    var isNew = isNew
    var failure = MLflowFailure(.server, words: "no run could be made")
    for number in 0..<4 {
      if !isNew, let found = try find("cairn.attempt", attempt, in: experiment).first { return found }
      if number == 3 { break }
      isNew = false
      do throws(MLflowFailure) {
        let body: ValueMap = [
          "experiment_id": .string(experiment), "run_name": .string(MLflowText.cut(name, to: MLflowText.tagLimit)),
          "start_time": .int(Int(started / 1_000_000)), "tags": Self.list(tags),
        ]
        let made = try client.post("runs/create", body, repeats: false)
        guard let id = made["run"]?["info"]?["run_id"]?.string else { throw garbled("runs/create") }
        return id
      } catch where error.isInDoubt {
        failure = error
        if number < 2 { Pause.seconds(0.2 * Double(number + 1)) }
      }
    }
    throw failure
  }

  /// Runs that are not deleted, the oldest first.
  func find(
    _ tag: String, _ value: String, in experiment: String, withoutParent: Bool = false
  ) throws(MLflowFailure) -> [String] {
    let answer = try client.post(
      "runs/search",
      [
        "experiment_ids": .list([.string(experiment)]), "filter": .string("tags.`\(tag)` = '\(value)'"),
        "run_view_type": "ACTIVE_ONLY", "max_results": 100, "order_by": .list(["attributes.start_time ASC"]),
      ])
    return (answer["runs"]?.list ?? []).compactMap { run in
      if withoutParent, (run["data"]?["tags"]?.list ?? []).contains(where: { $0["key"]?.string == "mlflow.parentRunId" }) { return nil }
      return run["info"]?["run_id"]?.string
    }
  }

  /// The same of all experiments, with all that they show.
  func findEverywhere(_ tag: String, _ value: String) throws(MLflowFailure) -> [Value] {
    var experiments: [Value] = []
    var token: String?
    repeat {
      var body: ValueMap = ["max_results": 1000]
      if let token { body["page_token"] = .string(token) }
      let page = try client.post("experiments/search", body)
      experiments += (page["experiments"]?.list ?? []).compactMap { $0["experiment_id"] }
      token = page["next_page_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    } while token != nil
    if experiments.isEmpty { return [] }
    let answer = try client.post(
      "runs/search",
      [
        "experiment_ids": .list(experiments), "filter": .string("tags.`\(tag)` = '\(value)'"),
        "run_view_type": "ACTIVE_ONLY", "max_results": 100,
      ])
    return answer["runs"]?.list ?? []
  }

  /// All that the server shows of a run; `nil` for one that is not there, or was deleted.
  func everything(_ id: String) throws(MLflowFailure) -> Value? {
    do throws(MLflowFailure) {
      let run = try client.get("runs/get", [.init("run_id", id)])["run"]
      return run?["info"]?["lifecycle_stage"]?.string == "deleted" ? nil : run
    } catch where error.code == "RESOURCE_DOES_NOT_EXIST" || error.code == "INVALID_PARAMETER_VALUE" {
      return nil
    }
  }

  struct State {
    var status: String
    var artifactRoot: String
  }

  /// `nil` for one that was deleted.
  func state(_ id: String) throws(MLflowFailure) -> State? {
    do throws(MLflowFailure) {
      let info = try client.get("runs/get", [.init("run_id", id)])["run"]?["info"]
      guard let info, let status = info["status"]?.string else { throw garbled("runs/get") }
      if info["lifecycle_stage"]?.string == "deleted" { return nil }
      return State(status: status, artifactRoot: info["artifact_uri"]?.string ?? "")
    } catch where error.code == "RESOURCE_DOES_NOT_EXIST" {
      return nil
    }
  }

  private func garbled(_ call: String) -> MLflowFailure {
    MLflowFailure(.server, words: "'\(client.server.place)' answers \(call) with something else")
  }

  // MARK: Filled

  /// - Returns: what the server does not take, in words.
  func fill(_ id: String, _ content: MLflowRun, moment: Nanoseconds) throws(MLflowFailure) -> [String] {
    let time = Value.int(Int(moment / 1_000_000))
    var refused = try portions(id, "params", content.parameters.map { .map(["key": .string($0.key), "value": .string($0.value)]) }, most: 100)
    refused += try portions(
      id, "metrics",
      content.metrics.map {
        .map(["key": .string($0.key), "value": MLflowText.json($0.value), "timestamp": time, "step": .int($0.step)])
      }, most: 1000)
    refused += try datasets(id, content.datasets)
    return refused
  }

  /// - Throws: also where one is not taken: without them a run is nobody's.
  func tag(_ id: String, _ tags: [MLflowRun.Pair]) throws(MLflowFailure) {
    let refused = try portions(id, "tags", tags.map { .map(["key": .string($0.key), "value": .string($0.value)]) }, most: 100)
    if let first = refused.first { throw MLflowFailure(.server, words: "'\(client.server.place)' does not take " + first) }
  }

  /// - Parameter moment: `nil`: nobody knows when.
  func end(_ id: String, _ status: String, at moment: Nanoseconds?, name: String?) throws(MLflowFailure) {
    var body: ValueMap = ["run_id": .string(id), "status": .string(status)]
    if let moment { body["end_time"] = .int(Int(moment / 1_000_000)) }
    if let name { body["run_name"] = .string(MLflowText.cut(name, to: MLflowText.tagLimit)) }
    _ = try client.post("runs/update", body)
  }

  /// Bytes of a request: servers and proxies take a million.
  private static let mostBytes = 900_000

  private func portions(_ id: String, _ kind: String, _ items: [Value], most: Int) throws(MLflowFailure) -> [String] {
    var refused: [String] = []
    var portion: [Value] = []
    var bytes = 0
    func flush() throws(MLflowFailure) {
      if !portion.isEmpty { refused += try send(id, kind, portion[...]) }
      portion = []
      bytes = 0
    }
    for item in items {
      let size = Self.size(of: item)
      if portion.count == most || bytes + size > Self.mostBytes { try flush() }
      portion.append(item)
      bytes += size
    }
    try flush()
    return refused
  }

  /// At most: a character may become six of JSON's.
  private static func size(of item: Value) -> Int {
    80 + (item.map ?? [:]).values.reduce(0) { $0 + 6 * ($1.string?.utf8.count ?? 3) }
  }

  /// An answer that says "too large" to fewer bytes is not about their number.
  private static let smallBytes = 16_000

  /// What is refused is halved until the one is found that is not taken: a portion is taken whole or not at all.
  private func send(_ id: String, _ kind: String, _ items: ArraySlice<Value>) throws(MLflowFailure) -> [String] {
    do throws(MLflowFailure) {
      _ = try client.post("runs/log-batch", ["run_id": .string(id), .string(kind): .list(Array(items))])
      return []
    } catch where error.kind == .refused || error.kind == .tooLarge {
      if items.count > 1 {
        let middle = items.startIndex + items.count / 2
        return try send(id, kind, items[..<middle]) + send(id, kind, items[middle...])
      }
      guard let item = items.first else { return [] }
      // So little is too much for nobody: something between refuses us everything.
      if error.kind == .tooLarge, Self.size(of: item) < Self.smallBytes { throw MLflowFailure(.server, status: error.status, words: error.words) }
      return ["\(kind.dropLast()) '\(item["key"]?.string ?? "")': \(error.words)"]
    }
  }

  private func datasets(_ id: String, _ datasets: [MLflowRun.Dataset]) throws(MLflowFailure) -> [String] {
    var refused: [String] = []
    var start = 0
    while start < datasets.count {
      let portion = Array(datasets[start..<min(start + 100, datasets.count)])
      refused += try send(id, portion[...])
      start += portion.count
    }
    return refused
  }

  private func send(_ id: String, _ datasets: ArraySlice<MLflowRun.Dataset>) throws(MLflowFailure) -> [String] {
    let items: [Value] = datasets.map { dataset in
      .map([
        "dataset": .map([
          "name": .string(dataset.name), "digest": .string(dataset.digest), "source_type": .string(dataset.sourceType),
          "source": .string(dataset.source),
        ]),
        "tags": Self.list(dataset.tags),
      ])
    }
    do throws(MLflowFailure) {
      _ = try client.post("runs/log-inputs", ["run_id": .string(id), "datasets": .list(items)])
      return []
    } catch where error.kind == .refused || error.kind == .tooLarge {
      if datasets.count > 1 {
        let middle = datasets.startIndex + datasets.count / 2
        return try send(id, datasets[..<middle]) + send(id, datasets[middle...])
      }
      if error.kind == .tooLarge, (datasets.first?.source.utf8.count ?? 0) < Self.smallBytes {
        throw MLflowFailure(.server, status: error.status, words: error.words)
      }
      return ["the dataset '\(datasets.first?.name ?? "")': \(error.words)"]
    }
  }

  static func list(_ pairs: [MLflowRun.Pair]) -> Value {
    .list(pairs.map { .map(["key": .string($0.key), "value": .string($0.value)]) })
  }
}
