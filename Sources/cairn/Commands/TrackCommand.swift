// `cairn track`: what the tracking server has not received yet, and sending it.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnLineage
internal import CairnServices

struct TrackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "track", abstract: "Show and send what tracking servers have not received yet",
    discussion: """
      Where MLFLOW_TRACKING_URI or the setting tracking.uri names an MLflow server, every execution of a stage becomes a
      run there; where OPENLINEAGE_URL or openlineage.url names a collector, its start and end are OpenLineage events. A
      server that is down fails no stage: what it misses waits here.

      cairn config cairn.tracking.uri http://127.0.0.1:5000
      cairn track status
      cairn track sync
      """,
    subcommands: [TrackStatusCommand.self, TrackSyncCommand.self])
  @OptionGroup var global: GlobalOptions
}

struct TrackStatusCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show what waits to be sent",
    discussion: """
      Asks no tracking server; of a model it asks the remote whether its data is there. Exits with 1 when something waits.

      cairn track status
      """)
  @OptionGroup var global: GlobalOptions
  @Flag(help: "Print one JSON document.") var json = false

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let context = try TrackContext()
    var states: [(Outbox.Entry, TrackingReport.State?)] = []
    for entry in try context.outbox.entries() where entry.kind != .open || entry.maker.map({ $0.liveness() == .dead }) ?? true {
      var state = entry.failure.map { TrackingReport.State.failed($0) }
      if entry.kind == .model, let project = context.project, let objects = try? project.missing(of: entry), objects > 0 {
        state = .waitsForPush(objects)
      }
      states.append((entry, state))
    }
    let events = try context.events.entries()
    let hasLost = context.hasLost
    let isDone = states.isEmpty && events.isEmpty && !hasLost
    if json {
      console.write(
        json: .map([
          "schema": "cairn.track/v1", "server": context.settings.map { .string($0.place) } ?? .null,
          "experiment": context.settings.map { .string($0.experiment) } ?? .null,
          "waiting": .list(states.map { TrackText.value($0, $1) }),
          "events": .list(events.map { .map([
            "event": .string($0.words), "server": .string($0.destination),
            "failure": $0.failure.map { .string($0) } ?? .null,
          ]) }),
          "unrecorded": .bool(hasLost),
        ]))
      return isDone ? .success : .no
    }
    console.write(context.settings.map { "\($0.place), experiment '\($0.experiment)'" } ?? "no tracking server is named")
    if states.isEmpty, events.isEmpty, !hasLost { console.write("nothing waits") }
    if hasLost { console.write("a repro that died has left what nobody was told of") }
    for (entry, state) in states { console.write(TrackText.line(entry, state, context.records)) }
    for entry in events { console.write(TrackText.line(entry)) }
    if states.contains(where: { if case .waitsForPush = $0.1 { true } else { false } }) {
      console.write("`cairn track sync --push` sends the data, and then what waits for it")
    } else if !isDone {
      console.write("`cairn track sync` sends it")
    }
    return isDone ? .success : .no
  }
}

struct TrackSyncCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync", abstract: "Send what waits",
    discussion: """
      Sends each thing exactly once, in the order in which it happened: also after a crash in the middle, and with two of
      these at once. Exits with 1 when something is left, and says why.

      cairn track sync
      cairn track sync --push
      cairn track sync --all
      cairn track sync --uri http://127.0.0.1:5001
      """)
  @OptionGroup var global: GlobalOptions
  @Option(help: ArgumentHelp("Send all of it to this server.", valueName: "uri")) var uri: String?
  @Flag(help: "First send to the remote what waiting models stand on.") var push = false
  @Flag(help: "Also runs from before there was a server: all that the server does not have.") var all = false
  @Flag(help: "Print one JSON document.") var json = false

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    // What a process that died has left is recorded before it is sent.
    if try TrackContext().hasLost { try OpenProject.open().lock(waitsForEver: false).release() }
    let context = try TrackContext()
    let line = ProgressWords(console)
    var report = TrackingReport()
    if let project = context.project(for: uri) {
      if push { try pushData(project, line, console) }
      if all { try project.enqueueAll(HistoryContext().history.index().runs()) }
      report = try TrackingServices().sync(project, to: uri) { line.show("Sending to the tracking server  \($0) of \($1)") }
    } else if try !context.outbox.entries().isEmpty {
      throw Diagnostic.noTracking
    }
    let events = try sendEvents(context, line)
    line.clear()
    let isDone = report.left == 0 && events.left.isEmpty
    if json {
      console.write(json: TrackText.value(report, events))
      return isDone ? .success : .no
    }
    for note in report.notes { console.note(PrintableText.line(note)) }
    for (entry, state) in report.entries where state != .sent { console.write(TrackText.line(entry, state, context.records)) }
    for event in events.left { console.write(PrintableText.line("event \(event.words): \(event.why)")) }
    let (sent, left) = (report.sent + events.sent, report.left + events.left.count)
    console.write(sent + left == 0 ? "nothing waits" : "\(sent) sent" + (left > 0 ? ", \(left) left" : ""))
    return isDone ? .success : .no
  }

  private func pushData(_ project: TrackedProject, _ line: ProgressWords, _ console: Console) throws {
    // Runs that are not on the server yet have models, too: they are known when those are sent.
    _ = try TrackingServices().sync(project, to: uri) { line.show("Sending to the tracking server  \($0) of \($1)") }
    line.show("Sending the data of models")
    let (sent, faults) = try project.pushDataOfModels()
    line.clear()
    for fault in faults { console.warning(PrintableText.line(fault)) }
    if sent > 0 { console.note("\(HumanText.count(sent, "file")) pushed") }
  }

  /// OpenLineage's; `--uri` is not for them.
  private func sendEvents(_ context: TrackContext, _ line: ProgressWords) throws -> EventReport {
    let waiting = try context.events.entries()
    var report = EventReport()
    if waiting.isEmpty { return report }
    guard let collector = OpenLineageSettings(context.workspace.settings) else {
      report.left = waiting.map { ($0.words, "no collector is named: OPENLINEAGE_URL, or openlineage.url") }
      return report
    }
    do throws(Diagnostic) {
      return try OpenLineageServices().sync(collector, context.events) { line.show("Sending to the lineage collector  \($0) of \($1)") }
    } catch {
      report.left = waiting.map { ($0.words, error.fullMessage) }
      return report
    }
  }
}

/// The project, and what waits in it.
private struct TrackContext {
  let workspace: Workspace
  let outbox: Outbox
  let events: EventQueue
  let records: RecordStore
  let settings: TrackingSettings?

  init() throws {
    let repository = try Repository.findRoot()
    let settings = try Settings.load(repository)
    workspace = try Workspace.open(repository, settings)
    records = workspace.records
    outbox = Outbox(beside: records)
    events = EventQueue(beside: records)
    self.settings = TrackingSettings(settings, repository)
  }

  /// A process died and left something in its journal.
  var hasLost: Bool { JournalReplay.isNeeded(journalFolder: CairnFolder.journals(of: workspace.repository)) }

  var project: TrackedProject? { settings.map { TrackedProject(workspace, $0) } }

  /// Entries name their own servers: the settings count for what is sent, and for a user.
  func project(for address: String?) -> TrackedProject? {
    let first = address ?? ((try? outbox.entries()) ?? nil)?.first?.destination
    guard let settings = settings ?? first.flatMap({ TrackingSettings(workspace.settings, workspace.repository, address: $0) })
    else { return nil }
    return TrackedProject(workspace, settings)
  }
}

private enum TrackText {
  static func subject(_ entry: Outbox.Entry, _ records: RecordStore) -> String {
    let name = entry.document.map { String($0.hex.prefix(8)) } ?? entry.invocation
    switch entry.kind {
    case .open: return "repro \(entry.invocation) that was not ended"
    case .invocation: return "repro \(name)"
    case .model: return "model \(entry.name ?? "") (\(entry.path ?? "")) of \(name)"
    case .run:
      let stage = entry.document.flatMap { ((try? records.record(RunID($0))) ?? nil)?.stage.address }
      return "run \(name)" + (stage.map { " of \($0)" } ?? "")
    }
  }

  static func line(_ entry: Outbox.Entry, _ state: TrackingReport.State?, _ records: RecordStore) -> String {
    let words: String
    switch state {
    case nil: words = "waits"
    case .sent: words = "sent"
    case .failed(let why): words = why
    case .waitsForPush(let objects): words = "waiting for push: \(objects) object\(objects == 1 ? "" : "s")"
    }
    return PrintableText.line("\(subject(entry, records)): \(words)")
  }

  static func line(_ entry: EventQueue.Entry) -> String {
    PrintableText.line("event \(entry.words) for \(entry.destination): \(entry.failure ?? "waits")")
  }

  static func value(_ entry: Outbox.Entry, _ state: TrackingReport.State?) -> Value {
    var map: ValueMap = [
      "kind": .string(entry.kind.rawValue), "document": entry.document.map { .string($0.hex) } ?? .null,
      "invocation": .string(entry.invocation), "server": .string(entry.destination),
      "experiment": .string(entry.experiment),
    ]
    if let name = entry.name { map["name"] = .string(name) }
    if let path = entry.path { map["path"] = .string(path) }
    switch state {
    case nil: map["state"] = "waiting"
    case .sent: map["state"] = "sent"
    case .failed(let why):
      map["state"] = "waiting"
      map["failure"] = .string(why)
    case .waitsForPush(let objects):
      map["state"] = "waiting-for-push"
      map["objects"] = .int(objects)
    }
    return .map(map)
  }

  static func value(_ report: TrackingReport, _ events: EventReport) -> Value {
    .map([
      "events": .map([
        "sent": .int(events.sent),
        "left": .list(events.left.map { .map(["event": .string($0.words), "failure": .string($0.why)]) }),
      ]),
      "schema": "cairn.track-sync/v1", "sent": .int(report.sent), "left": .int(report.left),
      "entries": .list(report.entries.map { value($0.entry, $0.state) }), "notes": .list(report.notes.map { .string($0) }),
    ])
  }
}

extension Diagnostic {
  fileprivate static var noTracking: Diagnostic {
    Diagnostic(.tracking, "no tracking server is named")
      .hinting("`cairn config cairn.tracking.uri http://…`, MLFLOW_TRACKING_URI, or `--uri`")
  }
}
