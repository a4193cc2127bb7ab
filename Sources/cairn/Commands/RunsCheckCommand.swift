// `cairn runs check` and `cairn runs rebuild`: is the history whole; make the indexes over it anew.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnLineage

struct RunsCheckCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check every record and all that it names",
    discussion: """
      Reads all records and compares each with its name, follows every edge to its other end, and says what is missing \
      between. Exits with 1 when something is altered or missing; what a tombstone explains is no fault. Runs that no \
      remote was seen to have, where one is set, are counted: this machine alone has them until `cairn push`.

      cairn runs check
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(help: "Print one JSON document.") var json = false

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let context = try HistoryContext()
    // Before the store: what leaves a journal is there already.
    let pending = try Journal.records(in: CairnFolder.journals(of: context.repository))
    // Where there is no remote nobody looks for them there.
    let pushed = context.settings.remoteNames.isEmpty ? nil : RemoteNotes.pushedDocuments(in: context.history.remoteNotes)
    let check = try StoreCheck(context.history.store, pending: pending, pushed: pushed)
    if json {
      console.write(json: check.value)
      return check.isWhole ? .success : .no
    }
    for fault in check.faults {
      let name = String(fault.hash.hex.prefix(12))
      if let by = fault.namedBy {
        console.write("\(fault.kind.rawValue)  \(name)  \(fault.role) of \(by.hex.prefix(12))")
      } else {
        console.write("\(fault.kind.rawValue)  \(name)\(fault.role == "head" ? "  the newest invocation" : "")")
      }
    }
    let counts = Dictionary(check.faults.map { ($0.kind, 1) }, uniquingKeysWith: +)
    let unpushed = (check.unpushed ?? 0) > 0 ? " (\(check.unpushed ?? 0) on no remote)" : ""
    var words = [
      count(check.runs, "run") + unpushed, count(check.invocations, "invocation"), count(check.otherDocuments, "other document"),
      count(check.edges, "edge"),
    ]
    for kind in [StoreCheck.Fault.Kind.altered, .unreadable, .missing, .erased] {
      if let number = counts[kind] { words.append("\(number) \(kind.rawValue)") }
    }
    console.write((check.isWhole ? "whole" : "NOT WHOLE") + ": " + words.joined(separator: ", "))
    return check.isWhole ? .success : .no
  }

  private func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
}

struct RunsRebuildCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "rebuild", abstract: "Make the indexes anew from the records",
    discussion: """
      Nothing is lost with an index: it can be deleted at any time. This is for when one is doubted.

      cairn runs rebuild
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(help: "Print one JSON document.") var json = false

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let count = try HistoryContext().history.rebuild()
    if json {
      console.write(json: .map(["schema": "cairn.runs-rebuild/v1", "runs": .int(count)]))
      return .success
    }
    console.write("\(count) run\(count == 1 ? "" : "s") indexed")
    return .success
  }
}
