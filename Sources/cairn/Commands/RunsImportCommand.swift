// `cairn runs import`: records of the time before there were any, from git's history of the locks.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnLineage

struct RunsImportCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Reconstruct records from git's history of dvc.lock",
    discussion: """
      Each entry that a dvc.lock had in a commit becomes a record of the run that it tells of, marked as reconstructed:
      nobody watched that run, so it has no log, no environment and no duration, and its time and author are the commit's.
      Entries behind which a record stands need none. Importing again adds nothing, and every clone makes the same
      records; a shallow one makes none, and exits with 2.

      cairn runs import
      cairn runs import --all-branches --json
      cairn runs import v1.0..main
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .shortAndLong, help: "Take the history of all branches.") var allBranches = false
  @Flag(name: [.customShort("T"), .long], help: "Take the history of all tags.") var allTags = false
  @Flag(name: [.customShort("A"), .long], help: "Take all commits of branches, tags and remotes' branches.")
  var allCommits = false
  @Flag(help: "Print one JSON document.") var json = false
  @Argument(help: ArgumentHelp("Commits, or ranges of them (default: HEAD).", valueName: "rev")) var revisions: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let context = try HistoryContext()
    var request = HistoryImport.Request()
    request.revisions = revisions
    request.branches = allBranches
    request.tags = allTags
    request.commits = allCommits
    let result = try HistoryImport.run(request, context.repository, context.history)
    for left in result.leftOut {
      console.warning(
        PrintableText.line("\(left.file) of commit \(left.commit.prefix(7)) is left out: \(Self.reason(left.why))"))
    }
    if result.isShallow {
      let count = result.untold
      let left = count == 0 ? "" : ": \(count) \(count == 1 ? "entry is" : "entries are") left out, since what brought them may not be here"
      console.warning("this clone has a part of the history only\(left); `git fetch --unshallow` brings the rest")
    }
    if json {
      console.write(json: document(result))
    } else {
      for line in lines(result) { console.write(line) }
    }
    return result.untold > 0 ? .unknown : .success
  }

  private func lines(_ result: HistoryImport) -> [String] {
    var words = [
      "\(HumanText.count(result.written.count, "run")) reconstructed from \(HumanText.count(result.commits, "commit")) that changed a dvc.lock"
    ]
    if result.known > 0 { words.append("\(result.known) had been before") }
    if result.observed > 0 { words.append("\(result.observed) with a record of their own") }
    return [words.joined(separator: ", ")]
  }

  /// The first line: a parser's has its place in more.
  private static func reason(_ why: Diagnostic) -> String {
    why.fullMessage.split(whereSeparator: \.isNewline).first.map(String.init) ?? why.code.rawValue
  }

  private func document(_ result: HistoryImport) -> Value {
    .map([
      "schema": "cairn.runs-import/v1", "commits": .int(result.commits),
      "runs": .list(result.written.map { .string($0.hex) }), "known": .int(result.known),
      "observed": .int(result.observed), "shallow": .bool(result.isShallow),
      "untold": .int(result.untold),
      "left_out": .list(
        result.leftOut.map {
          .map(["commit": .string($0.commit), "file": .string($0.file), "why": .string(Self.reason($0.why))])
        }),
    ])
  }
}
