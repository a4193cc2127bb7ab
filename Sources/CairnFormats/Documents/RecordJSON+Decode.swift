// Reading run and invocation records back. Unknown keys are kept where the record has a place for them.
package import CairnCore
import OrderedCollections

extension RecordJSON {
  /// Reads a `cairn.run/v1` document, canonical or not; a missing key counts as null.
  package static func decode(_ bytes: [UInt8]) throws(Diagnostic) -> RunRecord {
    let document = try Fields(CanonicalJSON.decode(bytes, name: "run record"), of: runSchema)
    let stage = try document.part("stage")
    let source = document.optionalPart("source")
    var record = RunRecord(
      stage: RunRecord.StagePart(
        address: try stage.text("address"), file: try stage.text("file"), wdir: stage.string("wdir") ?? ".",
        cmd: stage.texts("cmd")),
      invocation: try document.text("invocation"),
      actor: document.actor,
      source: RunRecord.Source(
        commit: source.string("commit"), branch: source.string("branch"), repository: source.string("repository"),
        dirty: source["dirty"].map(\.bool) ?? false, changed: source.digests("changed"), patch: source.digest("patch")),
      execution: try execution(document.part("execution")),
      result: try result(document.text("result")))
    record.reasons = document["reasons"]?.list ?? []
    record.inputs = try document.parts("inputs").map { (input) throws(Diagnostic) in try self.input(input) }
    record.outputs = try document.parts("outputs").map { (output) throws(Diagnostic) in
      RunRecord.OutputPart(
        path: try output.text("path"), role: output.string("role") ?? "out", md5: output.string("md5"),
        sha256: output.digest("sha256"), size: output.size("size"), annotations: output["annotations"]?.map ?? [:])
    }
    for (file, keys) in document["params"]?.map ?? [:] {
      record.params[JSONWriter.keyText(file)] = Fields(keys).values
    }
    record.metrics = document.optionalPart("metrics").values
    record.environment = document.digest("environment")
    if let log = document["log"]?.map.map({ Fields(.map($0)) }), let sha256 = log.digest("sha256") {
      record.log = RunRecord.Log(sha256: sha256, size: log.size("size") ?? 0, dropped: log.size("dropped") ?? 0)
    }
    record.claims = document["claims"]?.map ?? [:]
    if let error = document["error"]?.map.map({ Fields(.map($0)) }) {
      record.error = RunRecord.Failure(code: error.string("code") ?? "", message: error.string("message") ?? "")
    }
    record.restoredFrom = document.run("restored_from")
    record.accepts = document.run("accepts")
    if let source = document["reconstructed"]?.map.map({ Fields(.map($0)) }) {
      record.reconstructed = .init(commit: try source.text("commit"), lock: try source.text("lock"))
    }
    record.unknown = document.map.filter { key, _ in !Self.knownKeys.contains(key) }
    return record
  }

  package static func decodeInvocation(_ bytes: [UInt8]) throws(Diagnostic) -> InvocationRecord {
    let document = try Fields(CanonicalJSON.decode(bytes, name: "invocation record"), of: invocationSchema)
    return InvocationRecord(
      invocation: try document.text("invocation"), actor: document.actor, started: try document.moment("started"),
      finished: try document.moment("finished"), arguments: document.texts("arguments"),
      commit: document.string("commit"),
      stages: try document.parts("stages").map { (stage) throws(Diagnostic) in
        guard let state = InvocationRecord.Considered.State(rawValue: try stage.text("state")) else {
          throw Diagnostic.corruptRecord("'state' has no meaning")
        }
        return InvocationRecord.Considered(stage: try stage.text("stage"), state: state, run: stage.run("run"))
      },
      store: document.string("store") ?? "", previous: document.texts("previous").compactMap { Digest32(hex: $0) },
      exit: document["exit"]?.int ?? 0)
  }

  private static let knownKeys: Set<Value> = [
    "accepts", "actor", "claims", "environment", "error", "execution", "inputs", "invocation", "log", "metrics",
    "outputs", "params", "reasons", "reconstructed", "restored_from", "result", "schema", "source", "stage",
  ]

  private static func result(_ text: String) throws(Diagnostic) -> RunResult {
    guard let result = RunResult(rawValue: text) else { throw Diagnostic.corruptRecord("'result' has no meaning") }
    return result
  }

  private static func execution(_ fields: Fields) throws(Diagnostic) -> RunRecord.Execution {
    var execution = RunRecord.Execution(
      started: try fields.moment("started"), cairn: fields.string("cairn") ?? "", os: fields.string("os") ?? "")
    execution.executor = fields.string("executor") ?? "local"
    execution.job = fields.string("job")
    execution.attempt = fields["attempt"]?.int ?? 1
    execution.previousAttempt = fields.run("previous_attempt")
    if fields.string("finished") != nil { execution.finished = try fields.moment("finished") }
    execution.exit = fields["exit"]?.int
    for (name, value) in fields.optionalPart("env").values { execution.env.updateValue(value.string, forKey: name) }
    execution.resources = fields["resources"]?.map ?? [:]
    let usage = fields.optionalPart("usage")
    execution.cpuSeconds = usage["cpu_seconds"]?.number
    execution.peakMemory = usage.size("peak_rss")
    return execution
  }

  private static func input(_ fields: Fields) throws(Diagnostic) -> RunRecord.Input {
    let origin = fields.optionalPart("origin")
    var input = RunRecord.Input(
      path: try fields.text("path"), role: fields.string("role") ?? "dep", md5: fields.string("md5"),
      sha256: fields.digest("sha256"), size: fields.size("size"), producer: fields.run("producer"),
      origin: RunRecord.Origin(
        origin.string("kind").flatMap(RunRecord.Origin.Kind.init(rawValue:)) ?? .none,
        repository: origin.string("repository"), rev: origin.string("rev"), url: origin.string("url")))
    input.dataset = fields["dataset"]?.map
    input.context = fields.string("context")
    input.appeared = fields.texts("appeared")
    if let after = fields["after"]?.map.map({ Fields(.map($0)) }) {
      input.after = (try after.text("md5"), after.digest("sha256"), after.size("size") ?? 0)
    }
    return input
  }
}

/// The keys of one object of a document.
private struct Fields {
  let map: ValueMap

  init(_ value: Value) { map = value.map ?? [:] }

  init(_ value: Value, of schema: String) throws(Diagnostic) {
    guard value["schema"]?.string == schema else { throw Diagnostic.corruptRecord("not \(schema)") }
    self.init(value)
  }

  subscript(key: String) -> Value? { map[.string(key)] }

  var actor: RunRecord.Actor {
    let actor = optionalPart("actor")
    return RunRecord.Actor(name: actor.string("name") ?? "", host: actor.string("host") ?? "")
  }

  /// Its keys as text.
  var values: OrderedDictionary<String, Value> {
    OrderedDictionary(map.map { (JSONWriter.keyText($0), $1) }, uniquingKeysWith: { $1 })
  }

  func string(_ key: String) -> String? { self[key]?.string }
  func texts(_ key: String) -> [String] { (self[key]?.list ?? []).compactMap(\.string) }
  func digest(_ key: String) -> Digest32? { string(key).flatMap { Digest32(hex: $0) } }
  func run(_ key: String) -> RunID? { digest(key).map(RunID.init) }
  func optionalPart(_ key: String) -> Fields { Fields(self[key] ?? .null) }
  func parts(_ key: String) -> [Fields] { (self[key]?.list ?? []).map { Fields($0) } }

  func size(_ key: String) -> UInt64? {
    switch self[key] {
    case .int(let number): UInt64(exactly: number)
    case .bigInt(let digits): UInt64(digits)
    default: nil
    }
  }

  func digests(_ key: String) -> OrderedDictionary<String, Digest32?> {
    var digests: OrderedDictionary<String, Digest32?> = [:]
    for (name, value) in optionalPart(key).values {
      digests.updateValue(value.string.flatMap { Digest32(hex: $0) }, forKey: name)
    }
    return digests
  }

  func text(_ key: String) throws(Diagnostic) -> String {
    guard let text = string(key) else { throw Diagnostic.corruptRecord("it lacks '\(key)'") }
    return text
  }

  func part(_ key: String) throws(Diagnostic) -> Fields {
    guard let value = self[key], value.map != nil else { throw Diagnostic.corruptRecord("it lacks '\(key)'") }
    return Fields(value)
  }

  func moment(_ key: String) throws(Diagnostic) -> Nanoseconds {
    guard let moment = Timestamp.parse(try text(key)) else { throw Diagnostic.corruptRecord("'\(key)' is no time") }
    return moment
  }
}

extension Diagnostic.Code {
  package static let corruptRecord = Self("corrupt-record")
}

extension Diagnostic {
  fileprivate static func corruptRecord(_ why: String) -> Diagnostic {
    Diagnostic(.corruptRecord, "record is corrupted: \(why)")
  }
}
