// `cairn restore`: outputs as they were.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct RestoreCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Bring back the outputs that a failed stage replaced",
    discussion: """
      Before a command starts, its previous outputs are taken away; those that the cache does not hold (`cache: false`, \
      or edited by hand) are kept aside until the stage succeeds. When it failed, this brings all of them back. What \
      was changed by hand since then is not overwritten: it has to be moved away first.

      cairn restore --previous train
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(help: "The outputs as they were before the last try failed.") var previous = false
  @Option(help: ArgumentHelp("Restore a whole run elsewhere (not in this version).", valueName: "folder"))
  var into: String?
  @Option(help: ArgumentHelp("Of another commit (not in this version).", valueName: "revision")) var rev: String?
  @Flag(help: "Print one JSON document.") var json = false
  @Argument(help: ArgumentHelp("Stages.", valueName: "stage"), completion: Completions.stages) var targets: [String]

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    guard previous, into == nil, rev == nil else { throw Diagnostic.onlyPrevious() }
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let repository = try Repository.findRoot()
    let settings = try Settings.load(repository)
    for warning in settings.warnings { console.warning(warning) }
    let workspace = try Workspace.open(repository, settings)
    let stages = try TargetResolution(workspace.project, loader: workspace.loader).stages(targets)
    var status = ExitStatus.success
    var found: [Value] = []
    for id in stages {
      let restored = try workspace.restorePrevious(id, arguments: invocation.arguments)
      found.append(
        .map([
          "stage": .string(workspace.project.pipeline[id].address.text()), "kept": .bool(restored != nil),
          "restored": .list((restored ?? []).map { .string($0.text) }),
        ]))
      let name = workspace.project.pipeline[id].address.text(from: workspace.folder)
      if let restored {
        for path in restored { console.info(PrintableText.line("\(path.relative(to: workspace.folder))  restored")) }
        if restored.isEmpty { console.info("The outputs of '\(name)' are as they were.") }
      } else {
        console.note("nothing is kept for '\(name)': its last try did not fail, or had nothing to replace")
        status = .no
      }
    }
    if json { console.write(json: .map(["schema": "cairn.restore/v1", "stages": .list(found)])) }
    return status
  }
}

extension Diagnostic {
  fileprivate static func onlyPrevious() -> Diagnostic {
    var diagnostic = Diagnostic(
      .notInThisVersion, "this form of 'restore' is not in this version",
      hint: "`cairn restore --previous STAGE` brings back what a failed try replaced; `cairn runs apply RUN` puts a "
        + "run's parameters and outputs into the workspace")
    diagnostic.exitCode = ExitStatus.usage.rawValue
    return diagnostic
  }
}
