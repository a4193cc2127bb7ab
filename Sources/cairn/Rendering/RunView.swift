// One run in full, for people.
internal import CairnCore
internal import CairnFormats
internal import CairnLineage

struct RunView {
  let id: RunID
  let record: RunRecord
  let store: RecordStore
  let names: ShortNames

  func lines() throws(Diagnostic) -> [String] {
    var lines = ["run \(id.hex)"]
    func row(_ title: String, _ text: String?) {
      guard let text, !text.isEmpty else { return }
      lines.append("  " + title + String(repeating: " ", count: max(2, 13 - title.count)) + PrintableText.line(text))
    }
    func rows(_ title: String, _ texts: [String]) {
      for (number, text) in texts.enumerated() { row(number == 0 ? title : "", text) }
    }
    row("stage", record.stage.address + (record.stage.wdir == "." ? "" : "  in \(record.stage.wdir)"))
    rows("command", record.stage.cmd.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: true).map(String.init) })
    row("result", result())
    if let error = record.error {
      rows("", "\(error.code): \(error.message)".split(whereSeparator: \.isNewline).map(String.init))
    }
    if let from = record.reconstructed {
      row("", "reconstructed from \(from.lock) of commit \(from.commit.prefix(7)): nobody watched the run")
      row("committed", HumanText.moment(record.execution.started, withTime: true))
      row("by", record.actor.text)
      row("code", "commit \(from.commit.prefix(7)), if nothing else was there when it ran")
    } else {
      row("started", HumanText.moment(record.execution.started, withTime: true) + ", took " + duration())
      row("by", "\(record.actor.text)  cairn \(record.execution.cairn)  \(record.execution.os)")
      row("code", source())
    }
    rows("", record.source.changed.map { $1 == nil ? "\($0)  deleted" : "\($0)  not committed" })
    rows("why", record.reasons.map(reason))
    rows("params", record.parameterLeaves.map { "\($0.0)  \(HumanText.value($0.1))" })
    rows("inputs", record.inputs.filter { $0.role != "params" }.map(input))
    rows("outputs", record.outputs.map { line($0.path, $0.md5, $0.size, "") })
    rows("metrics", record.metricLeaves.map { "\($0.0)  \(HumanText.value($0.1))" })
    rows("variables", record.execution.env.map { name, value in value.map { "\(name)=\($0)" } ?? "\(name) is not set" })
    rows("resources", record.execution.resources.map { "\($0.scalarText)  \($1.scalarText)" })
    row("used", usage())
    row("environment", try held(record.environment))
    if let log = record.log {
      let dropped = log.dropped > 0 ? ", \(HumanText.size(log.dropped) ?? "") left out" : ""
      row("log", (HumanText.size(log.size) ?? "") + dropped + (try absence(log.sha256).map { "  (\($0))" } ?? ""))
    }
    // A change without bytes, as of a mode alone, has its patch too: none is kept where it is too long.
    let isLeftOut = record.source.patch == nil && !record.source.changed.isEmpty
    row("patch", isLeftOut ? "left out: above 10 MB" : try held(record.source.patch))
    rows("said by the command, not observed", record.claims.map { "\($0.scalarText)  \(HumanText.value($1))" })
    return lines
  }

  private func result() -> String {
    var text = record.result.rawValue
    if let exit = record.execution.exit { text += ", exit \(exit)" }
    if let source = record.restoredFrom { text += ", from the cache: made by \(names.name(source))" }
    if let accepted = record.accepts { text += ": \(names.name(accepted))" }
    if record.execution.attempt > 1 { text += ", attempt \(record.execution.attempt)" }
    return text
  }

  private func duration() -> String { record.seconds.map { HumanText.duration($0) } ?? "unknown" }

  private func source() -> String? {
    guard let commit = record.source.commit else { return record.source.repository }
    let branch = record.source.branch.map { " (\($0))" } ?? ""
    let dirty = record.source.changed.count
    let words =
      switch record.source.isDirty {
      case true?: ", with uncommitted changes"
      case false?: ""
      case nil: ", perhaps with uncommitted changes: git did not answer"
      }
    let state = dirty == 0 ? words : " + \(files(dirty))"
    return "commit \(commit.prefix(7))\(branch)\(state)"
  }

  private func files(_ count: Int) -> String { "\(count) uncommitted file" + (count == 1 ? "" : "s") }

  private func reason(_ reason: Value) -> String {
    var parts = [reason["kind"]?.string ?? ""]
    if let path = reason["path"]?.string { parts.append(path) }
    if let key = reason["key"]?.string { parts.append(key) }
    if let stage = reason["stage"]?.string { parts.append(stage) }
    if let was = reason["was"], let now = reason["now"], was.map == nil, now.map == nil {
      parts.append("\(HumanText.value(was)) → \(HumanText.value(now))")
    }
    return parts.joined(separator: "  ")
  }

  private func input(_ input: RunRecord.Input) -> String {
    var from = ""
    if let producer = input.producer {
      let stage = ((try? store.record(producer)) ?? nil)?.stage.address
      from = "from \(stage.map { $0 + " " } ?? "")\(names.name(producer))"
    } else if input.origin.kind != .none {
      from = input.origin.kind.rawValue
    }
    if !input.appeared.isEmpty { from += "  (\(input.appeared.count) files appeared meanwhile)" }
    return line(input.path, input.md5, input.size, from)
  }

  private func line(_ path: String, _ md5: String?, _ size: UInt64?, _ rest: String) -> String {
    [path, HumanText.size(size), md5.map { "md5 " + $0.prefix(8) }, rest.isEmpty ? nil : rest]
      .compactMap { $0 }.joined(separator: "  ")
  }

  private func usage() -> String? {
    var parts: [String] = []
    if let seconds = record.execution.cpuSeconds { parts.append(HumanText.duration(seconds) + " of processor") }
    if let peak = record.execution.peakMemory { parts.append("\(HumanText.size(peak) ?? "") of memory") }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  private func held(_ digest: Digest32?) throws(Diagnostic) -> String? {
    guard let digest else { return nil }
    let word = try absence(digest)
    return digest.hex.prefix(12) + (word.map { "  (\($0))" } ?? "")
  }

  /// `missing`, `erased` or `altered`; `nil` for what is there.
  private func absence(_ digest: Digest32) throws(Diagnostic) -> String? {
    let presence = try store.presence(of: digest)
    return presence == .present ? nil : presence.word
  }
}
