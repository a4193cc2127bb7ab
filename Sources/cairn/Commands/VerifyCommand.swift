// `cairn verify`: is what is committed what the pipeline makes?
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnSystem
internal import CairnVerify

struct VerifyCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check that what is committed is what the pipeline makes",
    discussion: """
      Holds dvc.yaml, dvc.lock, .dvc files and parameter files against each other and against git, without any data, \
      without the network and in milliseconds: the check for every pull request. Runs nothing of the repository, takes \
      no lock and changes nothing. Ends with 0 when all is well, 1 when something is not reproducible, 2 when it cannot \
      tell: what could not be checked never passes. docs/checks.md tells what each check means and how to mend it.

      Examples:
        cairn verify
        cairn verify --rev HEAD --base origin/main --new-only
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .customLong("static"), help: "Look at files and git alone (the default).") var isStatic = false
  @Option(name: .long, help: ArgumentHelp("Look at a commit instead of the work tree.", valueName: "rev"))
  var rev: String?
  @Option(name: .long, help: ArgumentHelp("Compare with this commit, as with a pull request's base.", valueName: "rev"))
  var base: String?
  @Flag(name: .long, help: "Fail only on what the base does not have.") var newOnly = false
  @Flag(name: .long, help: "Count a missing run record as unknown.") var requireRecords = false
  @Flag(name: .long, help: "Print one JSON document.") var json = false
  @Argument(help: "Stages, or paths of what they make; none: all.", completion: Completions.stages)
  var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    if newOnly, base == nil {
      throw Diagnostic.wrongUsage("argument --new-only: needs --base")
    }
    let repository = try Repository.findRoot()
    var request = VerifyRequest(today: Self.today)
    request.targets = targets
    request.revision = rev
    request.base = base
    request.newOnly = newOnly
    request.requiresRecords = requireRecords
    let outcome = try request.run(in: repository)
    for warning in outcome.subject?.settings.warnings ?? [] { console.warning(warning) }
    let verification = outcome.verification
    if !json {
      for line in VerifyText(verification: verification, usesColor: console.colorsOutput).lines() { console.write(line) }
    }
    return ExitStatus(verification.verdict.exitCode)
  }

  private static var today: String {
    let now = WallClock.local(WallClock.now())
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    return "\(now.year)-" + two(now.month) + "-" + two(now.day)
  }
}
