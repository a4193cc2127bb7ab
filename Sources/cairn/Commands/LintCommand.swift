// `cairn lint`: what deserves a warning in a pipeline, before it is run.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnVerify

struct LintCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint", abstract: "Find faults and oversights in a pipeline, before it is run",
    discussion: """
      The checks of `verify` that need no lock (files that cannot be understood, dependencies that exist on one machine \
      only, outputs that git has too, absolute paths, parameter files taken whole), and what else deserves a warning: \
      parameters and variables that nothing uses, stages without an effect, outputs that nobody reads, scripts that are \
      not among a stage's dependencies. Runs nothing and changes nothing. Ends with 1 for an error, 2 when it cannot \
      tell, 0 for warnings alone. `[verify.severity]` in .cairn/config.toml sets how grave each is, or turns it off.

      Examples:
        cairn lint
        cairn lint train --json
      """)

  @OptionGroup var global: GlobalOptions
  @Option(
    name: .long, help: ArgumentHelp("Look at a commit instead of the work tree.", valueName: "rev"),
    completion: Completions.revisions)
  var rev: String?
  @Flag(name: .long, help: "Print one JSON document.") var json = false
  @Argument(help: "Stages, or paths of what they make; none: all.", completion: Completions.stages)
  var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    var request = LintRequest(today: VerifyCommand.today)
    request.targets = targets
    request.revision = rev
    let outcome = try request.run(in: try Repository.findRoot())
    for warning in outcome.subject?.settings.warnings ?? [] { console.warning(warning) }
    if json {
      console.write(json: VerifyJSON.lint(outcome.verification))
    } else {
      let text = VerifyText(
        verification: outcome.verification, usesColor: console.colorsOutput, showsNames: console.isVerbose,
        command: "lint")
      for line in text.lines() { console.write(line) }
    }
    return ExitStatus(outcome.verification.verdict.exitCode)
  }
}
