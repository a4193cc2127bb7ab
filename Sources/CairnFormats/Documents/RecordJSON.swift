// The bytes of run and invocation records (`cairn.run/v1`, `cairn.invocation/v1`): writing.
// Reading them: `RecordJSON+Decode.swift`.
package import CairnCore

/// Canonical JSON. All keys are always there, null where nothing is known; `reconstructed` stands only for a record of
/// that kind, `inputs[].dataset` only for a dataset, `inputs[].context` where the stage says one, `inputs[].appeared` and
/// `inputs[].after` only where something did appear or change. Written in one pass,
/// each object's keys in their order, since a cold run of 10,000 stages writes as many records.
package enum RecordJSON {
  package static let runSchema = "cairn.run/v1"
  package static let invocationSchema = "cairn.invocation/v1"

  package static func encode(_ record: RunRecord) -> [UInt8] {
    var out = CanonicalWriter()
    out.reserve(2048)
    out.raw("{\"accepts\":")
    out.digest(record.accepts?.digest)
    out.raw(",\"actor\":")
    out.actor(record.actor)
    out.raw(",\"claims\":")
    out.map(record.claims)
    out.raw(",\"environment\":")
    out.digest(record.environment)
    out.raw(",\"error\":")
    out.failure(record.error)
    out.raw(",\"execution\":")
    out.execution(record.execution)
    out.raw(",\"inputs\":")
    out.list(record.inputs) { $0.input($1) }
    out.raw(",\"invocation\":")
    out.string(record.invocation)
    out.raw(",\"log\":")
    out.log(record.log)
    out.raw(",\"metrics\":")
    out.map(record.metrics.map { ($0, $1) }) { $0.value($1) }
    out.raw(",\"outputs\":")
    out.list(record.outputs) { $0.output($1) }
    out.raw(",\"params\":")
    out.map(record.params.map { ($0, $1) }) { out, keys in out.map(keys.map { ($0, $1) }) { $0.value($1) } }
    out.raw(",\"reasons\":")
    out.list(record.reasons) { $0.value($1) }
    if let source = record.reconstructed {
      out.raw(",\"reconstructed\":{\"commit\":")
      out.string(source.commit)
      out.raw(",\"lock\":")
      out.string(source.lock)
      out.raw("}")
    }
    out.raw(",\"restored_from\":")
    out.digest(record.restoredFrom?.digest)
    out.raw(",\"result\":")
    out.string(record.result.rawValue)
    out.raw(",\"schema\":\"cairn.run/v1\",\"source\":")
    out.source(record.source)
    out.raw(",\"stage\":")
    out.stage(record.stage)
    out.raw("}\n")
    return record.unknown.isEmpty ? out.bytes : merge(record.unknown, into: out.bytes)
  }

  package static func encode(_ record: InvocationRecord) -> [UInt8] {
    var out = CanonicalWriter()
    out.raw("{\"actor\":")
    out.actor(record.actor)
    out.raw(",\"arguments\":")
    out.list(record.arguments) { $0.string($1) }
    out.raw(",\"commit\":")
    out.string(record.commit)
    out.raw(",\"exit\":")
    out.integer(record.exit)
    out.raw(",\"finished\":")
    out.timestamp(record.finished)
    out.raw(",\"invocation\":")
    out.string(record.invocation)
    out.raw(",\"previous\":")
    out.list(record.previous) { $0.digest($1) }
    out.raw(",\"schema\":\"cairn.invocation/v1\",\"stages\":")
    out.list(record.stages) { out, stage in
      out.raw("{\"run\":")
      out.digest(stage.run?.digest)
      out.raw(",\"stage\":")
      out.string(stage.stage)
      out.raw(",\"state\":")
      out.string(stage.state.rawValue)
      out.raw("}")
    }
    out.raw(",\"started\":")
    out.timestamp(record.started)
    out.raw(",\"store\":")
    out.string(record.store)
    out.raw("}\n")
    return out.bytes
  }

  /// Keys of a later version among ours; those that v1 names win.
  private static func merge(_ unknown: ValueMap, into bytes: [UInt8]) -> [UInt8] {
    guard let known = try? CanonicalJSON.decode(bytes, name: runSchema).map else { return bytes }
    return CanonicalJSON.encode(.map(unknown.merging(known) { $1 }))
  }
}

extension CanonicalWriter {
  fileprivate mutating func timestamp(_ moment: Nanoseconds?) {
    // A plain text without anything to escape.
    string(moment.map(Timestamp.text))
  }

  fileprivate mutating func actor(_ actor: RunRecord.Actor) {
    raw("{\"host\":")
    string(actor.host)
    raw(",\"name\":")
    string(actor.name)
    raw("}")
  }

  fileprivate mutating func failure(_ failure: RunRecord.Failure?) {
    guard let failure else { return raw("null") }
    raw("{\"code\":")
    string(failure.code)
    raw(",\"message\":")
    string(failure.message)
    raw("}")
  }

  fileprivate mutating func log(_ log: RunRecord.Log?) {
    guard let log else { return raw("null") }
    raw("{\"dropped\":")
    integer(log.dropped)
    raw(",\"sha256\":")
    digest(log.sha256)
    raw(",\"size\":")
    integer(log.size)
    raw("}")
  }

  fileprivate mutating func execution(_ execution: RunRecord.Execution) {
    raw("{\"attempt\":")
    integer(execution.attempt)
    raw(",\"cairn\":")
    string(execution.cairn)
    raw(",\"env\":")
    map(execution.env.map { ($0, $1) }) { $0.string($1) }
    raw(",\"executor\":")
    string(execution.executor)
    raw(",\"exit\":")
    integer(execution.exit)
    raw(",\"finished\":")
    timestamp(execution.finished)
    raw(",\"job\":")
    string(execution.job)
    raw(",\"os\":")
    string(execution.os)
    raw(",\"previous_attempt\":")
    digest(execution.previousAttempt?.digest)
    raw(",\"resources\":")
    map(execution.resources)
    raw(",\"started\":")
    timestamp(execution.started)
    raw(",\"usage\":{\"cpu_seconds\":")
    if let seconds = execution.cpuSeconds { float(seconds) } else { raw("null") }
    raw(",\"peak_rss\":")
    integer(execution.peakMemory)
    raw("}}")
  }

  fileprivate mutating func input(_ input: RunRecord.Input) {
    raw("{")
    if let after = input.after {
      raw("\"after\":{\"md5\":")
      string(after.md5)
      raw(",\"sha256\":")
      digest(after.sha256)
      raw(",\"size\":")
      integer(after.size)
      raw("},")
    }
    if !input.appeared.isEmpty {
      raw("\"appeared\":")
      list(input.appeared) { $0.string($1) }
      raw(",")
    }
    if let context = input.context {
      raw("\"context\":")
      string(context)
      raw(",")
    }
    if let dataset = input.dataset {
      raw("\"dataset\":")
      map(dataset)
      raw(",")
    }
    raw("\"md5\":")
    string(input.md5)
    raw(",\"origin\":{\"kind\":")
    string(input.origin.kind.rawValue)
    raw(",\"repository\":")
    string(input.origin.repository)
    raw(",\"rev\":")
    string(input.origin.rev)
    raw(",\"url\":")
    string(input.origin.url)
    raw("},\"path\":")
    string(input.path)
    raw(",\"producer\":")
    digest(input.producer?.digest)
    raw(",\"role\":")
    string(input.role)
    raw(",\"sha256\":")
    digest(input.sha256)
    raw(",\"size\":")
    integer(input.size)
    raw("}")
  }

  fileprivate mutating func output(_ output: RunRecord.OutputPart) {
    raw("{\"annotations\":")
    map(output.annotations)
    raw(",\"md5\":")
    string(output.md5)
    raw(",\"path\":")
    string(output.path)
    raw(",\"role\":")
    string(output.role)
    raw(",\"sha256\":")
    digest(output.sha256)
    raw(",\"size\":")
    integer(output.size)
    raw("}")
  }

  fileprivate mutating func source(_ source: RunRecord.Source) {
    raw("{\"branch\":")
    string(source.branch)
    raw(",\"changed\":")
    map(source.changed.map { ($0, $1) }) { $0.digest($1) }
    raw(",\"commit\":")
    string(source.commit)
    raw(",\"dirty\":")
    if let isDirty = source.isDirty { bool(isDirty) } else { raw("null") }
    raw(",\"patch\":")
    digest(source.patch)
    raw(",\"repository\":")
    string(source.repository)
    raw("}")
  }

  fileprivate mutating func stage(_ stage: RunRecord.StagePart) {
    raw("{\"address\":")
    string(stage.address)
    raw(",\"cmd\":")
    list(stage.cmd) { $0.string($1) }
    raw(",\"file\":")
    string(stage.file)
    raw(",\"wdir\":")
    string(stage.wdir)
    raw("}")
  }
}
