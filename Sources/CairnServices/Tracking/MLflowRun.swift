// What a run of MLflow shows of an execution: its record in MLflow's words. Pure: asks nobody.
import CairnCore
import CairnEngine
import CairnFormats
import CairnLineage
import OrderedCollections

/// The mapping that docs/tracking.md promises.
struct MLflowRun {
  struct Pair: Hashable {
    var key: String
    var value: String
  }

  struct Metric: Hashable {
    var key: String
    var value: Double
    var step: Int
  }

  struct Dataset {
    var name: String
    var digest: String
    var sourceType: String
    var source: String
    var tags: [Pair]
  }

  /// Known when the command is about to start.
  var firstTags: [Pair]
  /// Known when it has ended.
  var lastTags: [Pair] = []
  var parameters: [Pair] = []
  var metrics: [Metric] = []
  /// By key, the one with the name of its file: what it is called where a plot has the name, too, whose bytes are not
  /// here. Empty where all are.
  private(set) var longKeys: [String: String] = [:]
  var datasets: [Dataset] = []
  /// What could not be shown as it is.
  var notes: [String] = []

  /// Rows of a plot's file beyond these are left out.
  static let rowLimit = 10_000

  // MARK: Tags

  static func firstTags(of record: RunRecord, attempt: String, user: TrackingSettings.UserNaming) -> [Pair] {
    var tags = [
      Pair(key: "cairn.attempt", value: attempt), Pair(key: "cairn.stage", value: record.stage.address),
      Pair(key: "cairn.invocation", value: record.invocation),
    ]
    let kinds = record.reasons.compactMap { $0["kind"]?.string }
    tags.append(Pair(key: "cairn.reasons", value: OrderedSet(kinds).joined(separator: ",")))
    tags += sourceTags(record.source)
    tags.append(Pair(key: "mlflow.source.name", value: record.stage.file))
    tags.append(Pair(key: "mlflow.source.type", value: "JOB"))
    if let name = name(of: record.actor, user) { tags.append(Pair(key: "mlflow.user", value: name)) }
    return tags.map { Pair(key: $0.key, value: MLflowText.cut($0.value, to: MLflowText.tagLimit)) }
  }

  static func sourceTags(_ source: RunRecord.Source) -> [Pair] {
    var tags: [Pair] = []
    if let commit = source.commit {
      tags.append(Pair(key: "cairn.commit", value: commit))
      tags.append(Pair(key: "mlflow.source.git.commit", value: commit))
    }
    if source.commit != nil || source.isDirty == true {
      tags.append(Pair(key: "cairn.dirty", value: source.isDirty.map { $0 ? "true" : "false" } ?? "unknown"))
    }
    if let repository = source.repository, repository.hasPrefix("http://") || repository.hasPrefix("https://") {
      tags.append(Pair(key: "mlflow.source.git.repoURL", value: TrackingSettings.withoutUser(repository)))
    }
    return tags
  }

  static func name(of actor: RunRecord.Actor, _ naming: TrackingSettings.UserNaming) -> String? {
    switch naming {
    case .name: actor.name
    case .hash: String(PayloadHash.sha256(Array(actor.name.utf8)).prefix(16))
    case .none: nil
    }
  }

  /// The server's word for how it ended.
  static func status(_ result: RunResult) -> String {
    switch result {
    case .succeeded, .restored, .accepted: "FINISHED"
    case .failed, .inputChanged: "FAILED"
    case .aborted, .lost: "KILLED"
    }
  }

  // MARK: Everything

  /// - Parameters:
  ///   - run: the record's name.
  ///   - project: for the places of objects, and the bytes of plots.
  init(_ record: RunRecord, run: RunID, attempt: String, _ project: TrackedProject) {
    firstTags = Self.firstTags(of: record, attempt: attempt, user: project.settings.user)
    parameters(of: record)
    metrics(of: record, project)
    datasets(of: record, project)
    lastTags = [Pair(key: "cairn.run", value: run.hex), Pair(key: "cairn.result", value: record.result.rawValue)]
    if let error = record.error {
      lastTags.append(Pair(key: "cairn.error", value: MLflowText.cut("\(error.code): \(error.message)", to: MLflowText.tagLimit)))
    }
    if !notes.isEmpty {
      lastTags.append(Pair(key: "cairn.notes", value: MLflowText.cut(notes.joined(separator: "\n"), to: MLflowText.tagLimit)))
    }
  }

  private mutating func note(changed keys: MLflowKeys, _ what: String) {
    for (name, key) in keys.changed.prefix(20) { notes.append("\(what) '\(name)' is called '\(key)' here") }
    if keys.changed.count > 20 { notes.append("and \(keys.changed.count - 20) more are called otherwise") }
  }

  private mutating func parameters(of record: RunRecord) {
    var keys = MLflowKeys()
    for (file, values) in record.params {
      let prefix = file == "params.yaml" ? "" : file + ":"
      for (name, value) in values {
        for (leaf, scalar) in Self.leaves(of: value, named: prefix + name) {
          let text = PythonText.str(scalar)
          if text.unicodeScalars.count > MLflowText.parameterLimit {
            notes.append("the parameter '\(leaf)' is cut: the record has all of it")
          }
          parameters.append(Pair(key: keys.key(leaf), value: MLflowText.cut(text, to: MLflowText.parameterLimit)))
        }
      }
    }
    note(changed: keys, "the parameter")
  }

  /// Leaves of a tree by their dotted names; a list's by their numbers. What is empty is a leaf.
  static func leaves(of value: Value, named name: String) -> [(String, Value)] {
    switch value {
    case .map(let map) where !map.isEmpty:
      map.flatMap { leaves(of: $1, named: name.isEmpty ? PythonText.str($0) : name + "." + PythonText.str($0)) }
    case .list(let items) where !items.isEmpty:
      items.enumerated().flatMap { leaves(of: $1, named: name.isEmpty ? String($0) : name + "." + String($0)) }
    default: [(name, value)]
    }
  }

  // MARK: Metrics

  private mutating func metrics(of record: RunRecord, _ project: TrackedProject) {
    var files: [(path: String, points: [(name: String, value: Double, step: Int)])] = []
    var isWhole = true
    for (path, value) in record.metrics {
      let points = Self.leaves(of: value, named: "").compactMap { name, value in
        MLflowText.metric(value).map { (name.isEmpty ? path : name, $0, 0) }
      }
      files.append((path, points))
    }
    for output in record.outputs where output.role == "plot" {
      guard let hash = output.md5.flatMap({ ContentHash($0) }), !hash.isDirectory else { continue }
      guard PlotSeries.isReadable(output.path) else { continue }
      guard let bytes = project.content(of: output.path, hash, limit: PlotSeries.byteLimit) else {
        notes.append("the series of '\(output.path)' are not here: the file is gone, or larger than \(PlotSeries.byteLimit >> 20) MiB")
        isWhole = false
        continue
      }
      let series = PlotSeries(bytes, path: output.path, limit: Self.rowLimit)
      if series.isCut { notes.append("of '\(output.path)' only the first \(Self.rowLimit) rows are here") }
      files.append((output.path, series.points))
    }
    // A name that two files have says which it is of.
    var owners: [String: Set<String>] = [:]
    for file in files { for point in file.points { owners[point.name, default: []].insert(file.path) } }
    var keys = MLflowKeys()
    var known: [String: String] = [:]
    var infinite = 0
    for file in files {
      for point in file.points {
        let name = (owners[point.name]?.count ?? 0) > 1 ? file.path + ":" + point.name : point.name
        let key: String
        if let before = known[name] { key = before } else {
          key = keys.key(name)
          known[name] = key
          if !isWhole { longKeys[key] = MLflowText.key(file.path + ":" + point.name) }
        }
        if point.value.isInfinite { infinite += 1 }
        metrics.append(Metric(key: key, value: point.value, step: point.step))
      }
    }
    if infinite > 0 { notes.append("\(infinite) infinite value\(infinite == 1 ? " is" : "s are") shown as the largest number there is") }
    note(changed: keys, "the metric")
  }

  // MARK: Datasets

  private mutating func datasets(of record: RunRecord, _ project: TrackedProject) {
    for input in record.inputs where input.role == "dep" {
      guard let digest = input.md5, digest.unicodeScalars.count <= MLflowText.digestLimit, !digest.isEmpty else {
        notes.append("the input '\(input.path)' is no dataset here: it has no MD5")
        continue
      }
      let address = project.objects.object(of: input).flatMap { project.objects.address(of: $0, at: input.path) }
        ?? ProjectObjects.Address(scheme: "local", text: project.objects.place(of: input.path))
      var tags = [Pair(key: "mlflow.data.context", value: input.context ?? "training")]
      if let sha256 = input.sha256 { tags.append(Pair(key: "cairn.sha256", value: sha256.hex)) }
      if let size = input.size { tags.append(Pair(key: "cairn.size", value: String(size))) }
      if let producer = input.producer { tags.append(Pair(key: "cairn.producer", value: producer.hex)) }
      datasets.append(
        Dataset(
          name: MLflowText.cut(input.path, to: MLflowText.datasetNameLimit), digest: digest, sourceType: address.scheme,
          source: JSONWriter.text(.map(["uri": .string(address.text)]), ensureASCII: false), tags: tags))
    }
  }
}
