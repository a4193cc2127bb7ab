// `cairn verify`: is what is committed what the pipeline makes?
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnFormats
internal import CairnServices
internal import CairnSystem
internal import CairnVerify

struct VerifyCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check that what is committed is what the pipeline makes",
    discussion: """
      Holds dvc.yaml, dvc.lock, .dvc files and parameter files against each other and against git, without any data, \
      without the network and in milliseconds: the check for every pull request. With --data it looks, too, whether \
      every object that they name is in the cache or on its remote, and with --deep reads and hashes them. With \
      --lineage it holds run records, git, the remote and the tracking server against each other: of the pipeline, \
      of stages and paths with all that comes before them, or of a run or a model (models:/NAME/VERSION) with all that \
      stands behind it. Runs nothing of the repository, takes no lock and changes nothing. Ends with 0 when all is \
      well, 1 when something is not reproducible, 2 when it cannot \
      tell: what could not be checked never passes. docs/checks.md tells what each check means and how to mend it.

      Reports are written whatever the verdict is; `-` writes one to standard output in place of the text.

      Examples:
        cairn verify
        cairn verify --rev HEAD --base origin/main --new-only --junit verify.xml
        cairn verify --rev HEAD --data
        cairn verify --lineage models:/churn/3
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .customLong("static"), help: "Look at files and git alone (the default).") var isStatic = false
  @Flag(name: .long, help: "Look, too, whether all data is in the cache or on its remote.") var data = false
  @Flag(name: .long, help: "Hold records, git, the remote and the tracking server against each other.") var lineage = false
  @Flag(name: .long, help: "With --data or --lineage: read and hash all of the data.") var deep = false
  @Option(
    name: .long, help: ArgumentHelp("Look at a commit instead of the work tree.", valueName: "rev"),
    completion: Completions.revisions)
  var rev: String?
  @Option(
    name: .long, help: ArgumentHelp("Compare with this commit, as with a pull request's base.", valueName: "rev"),
    completion: Completions.revisions)
  var base: String?
  @Flag(name: .long, help: "Fail only on what the base does not have.") var newOnly = false
  @Flag(name: .long, help: "Count a missing run record as unknown.") var requireRecords = false
  @Flag(name: .long, help: "Print one JSON document.") var json = false
  @Option(name: .long, help: "Write a JUnit report.", completion: .file()) var junit: String?
  @Option(name: .long, help: "Write a SARIF report, as code scanning reads it.", completion: .file()) var sarif: String?
  @Option(name: .long, help: "Write a code quality report, as GitLab reads it.", completion: .file())
  var codeQuality: String?
  @Option(
    name: .long, help: "Write a page for a pull request: verdict, what would run, values beside the base's, graph.",
    completion: .file())
  var markdown: String?
  @Flag(name: .long, help: "Print annotations as GitHub Actions reads them.") var github = false
  @Flag(name: .long, help: .hidden) var rerun = false
  @Option(name: .long, help: .hidden) var attest: String?
  @Argument(help: "Stages, or paths of what they make; none: all.", completion: Completions.stages)
  var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    if let later = [
      rerun ? "rerun" : nil, attest.map { _ in "attest" },
    ].compactMap({ $0 }).first {
      var missing = Diagnostic(.notInThisVersion, "'--\(later)' of verify is not in this version of Cairn")
        .hinting("without it, files and git are checked against each other")
      missing.exitCode = ExitStatus.usage.rawValue
      throw missing
    }
    if deep, !data, !lineage { throw Diagnostic.wrongUsage("argument --deep: needs --data or --lineage") }
    if lineage, rev != nil || base != nil {
      throw Diagnostic.wrongUsage("argument --lineage: looks at the present; a run or a model names its own commit")
    }
    if newOnly, base == nil {
      throw Diagnostic.wrongUsage("argument --new-only: needs --base")
    }
    let printed =
      [json ? "json" : nil, github ? "github" : nil].compactMap { $0 } + files.filter { $0.1 == "-" }.map(\.0)
    if printed.count > 1 {
      throw Diagnostic.wrongUsage(
        "argument --\(printed[1]): not allowed with argument --\(printed[0]): both are printed")
    }
    let places = files.map(\.1).filter { $0 != "-" }
    if Set(places).count < places.count {
      throw Diagnostic.wrongUsage("two reports cannot be written to one file")
    }
    let repository = try Repository.findRoot()
    let index =
      // No stamp tells what is on a remote.
      files.isEmpty && !console.isQuiet && base == nil && rev == nil && !data && !lineage
      ? VerifyIndex(repository, invocation.arguments + [console.colorsOutput ? "colour" : ""], today: Self.today) : nil
    if let (output, code) = index?.answer() {
      console.writeRaw(output)
      return ExitStatus(code)
    }
    let began = WallClock.fileTime()
    var request = VerifyRequest(today: Self.today)
    request.targets = targets
    request.revision = rev
    request.base = base
    request.newOnly = newOnly
    request.requiresRecords = requireRecords
    request.level = lineage ? .lineage : data ? .data : .static
    request.isDeep = deep
    let line = (data || lineage) && !console.isQuiet ? TransferLine("Verifying", request.progress) : nil
    let outcome: VerifyOutcome
    do {
      defer { line?.end() }
      outcome = try look(&request, in: repository)
    }
    let warnings = outcome.subject?.settings.warnings ?? []
    for warning in warnings + outcome.notes { console.warning(warning) }
    let isEmpty = outcome.verification.checks.isEmpty
    if isEmpty {
      let place = rev.map { "'\($0)' has" } ?? "there is"
      console.warning("nothing was looked at: \(place) no stage and no .dvc file here")
    }
    try ReportPlaces.check(places, in: repository, outcome.subject)
    // What cannot be written is no verdict: it is told before one is.
    for (format, path) in files where path != "-" { try write(format, outcome, to: path) }
    let output = output(outcome, console)
    if !console.isQuiet { console.writeRaw(output) }
    let code = outcome.verification.verdict.exitCode
    // What is said beside the answer is not kept with it.
    if warnings.isEmpty, !isEmpty {
      console.flush()
      index?.remember(output, exitCode: code, of: outcome, began: began)
    }
    // The process ends: taking apart what was loaded would cost a twentieth of the whole.
    _ = Unmanaged.passRetained(Kept(outcome))
    return ExitStatus(code)
  }

  private func look(_ request: inout VerifyRequest, in repository: Repository) throws -> VerifyOutcome {
    guard lineage else { return try request.run(in: repository) }
    let workspace = try Workspace.open(repository, try Settings.load(repository))
    let checks = LineageChecks(workspace, isDeep: deep)
    request.lineage = checks
    var runs: [(run: RunID, model: RegisteredModel?)] = []
    var lost: [Check] = []
    for word in targets {
      guard word.hasPrefix("models:/") else {
        if let found = try RunSubject.find(word, workspace) { runs.append(found) }
        continue
      }
      switch try RunSubject.lookup(word, workspace.settings, repository).look(word) {
      case .found(let model): runs.append((model.run, model))
      case .none(let why): lost.append(LineageChecks.lost(word, .failed, why))
      case .unknown(let why): lost.append(LineageChecks.lost(word, .unknown, why))
      }
    }
    if runs.isEmpty, lost.isEmpty { return try request.run(in: repository) }
    guard runs.count + lost.count == targets.count else {
      throw Diagnostic.wrongUsage("stages are looked at as they are now, runs and models as they were: name one kind")
    }
    return try request.run(runs, beside: lost, in: repository)
  }

  private final class Kept {
    let outcome: VerifyOutcome
    init(_ outcome: VerifyOutcome) { self.outcome = outcome }
  }

  private func output(_ outcome: VerifyOutcome, _ console: Console) -> [UInt8] {
    let verification = outcome.verification
    if json { return JSONWriter.bytes(VerifyJSON.value(verification)) + [0x0A] }
    if let (format, _) = files.first(where: { $0.1 == "-" }) { return bytes(format, outcome) }
    var lines = VerifyText(
      verification: verification, usesColor: console.colorsOutput, showsNames: console.isVerbose
    ).lines()
    if github {
      // An old form of GitHub's commands is found anywhere in a line.
      lines = lines.map { $0.replacing("##[", with: "## [") } + GitHubAnnotations.lines(verification)
    }
    return lines.reduce(into: [UInt8]()) { $0 += FileName.bytes($1) + [0x0A] }
  }

  /// The reports that are wanted, by their options' names, and where.
  private var files: [(String, String)] {
    [("junit", junit), ("sarif", sarif), ("code-quality", codeQuality), ("markdown", markdown)].compactMap {
      name, path in
      path.map { (name, $0) }
    }
  }

  private func write(_ format: String, _ outcome: VerifyOutcome, to path: String) throws(Diagnostic) {
    if format == "markdown" {
      let text = String(decoding: bytes(format, outcome), as: UTF8.self)
      try ReportFile.write(markdown: text, to: path, summary: Environment.value("GITHUB_STEP_SUMMARY"))
    } else {
      try ReportFile.write(bytes(format, outcome), to: path)
    }
  }

  private func bytes(_ format: String, _ outcome: VerifyOutcome) -> [UInt8] {
    switch format {
    case "junit": JUnitReport.bytes(outcome.verification)
    case "sarif": SARIFReport.bytes(outcome.verification)
    case "code-quality": CodeQualityReport.bytes(outcome.verification)
    default: Array(MarkdownReport.text(outcome.verification, story: PullRequestStory(outcome, base: base)).utf8)
    }
  }

  /// `2026-12-31`, by this machine's clock and zone.
  static var today: String {
    let now = WallClock.local(WallClock.now())
    func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
    return "\(now.year)-" + two(now.month) + "-" + two(now.day)
  }
}
