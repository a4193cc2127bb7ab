// `cairn repro`: run what is stale.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnSystem
internal import Dispatch
internal import Glibc

struct ReproCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "repro",
    abstract: "Reproduce complete or partial pipelines by executing their stages",
    discussion: """
      Stages whose command, dependencies, parameters or outputs changed since `dvc.lock` was written are run, as many \
      at once as there are processors; all others are left alone. Every execution becomes a run record (`cairn runs`).

      Examples:
        cairn repro                  everything in the dvc.yaml of this folder
        cairn repro train -j 1       what train needs, and train, one after the other
      """)

  @OptionGroup var global: GlobalOptions

  @Flag(name: .shortAndLong, help: "Reproduce even if dependencies were not changed.")
  var force = false

  @Flag(name: .shortAndLong, help: "Ask for confirmation before reproducing each stage.")
  var interactive = false

  @Flag(name: .shortAndLong, help: "Reproduce only single data item without recursive dependencies check.")
  var singleItem = false

  @Flag(name: .shortAndLong, help: "Reproduce the whole pipeline that the specified targets belong to.")
  var pipeline = false

  @Flag(name: [.customShort("P"), .long], help: "Reproduce all pipelines in the repo.")
  var allPipelines = false

  @Flag(name: [.customShort("R"), .long], help: "Reproduce all stages in the specified directory.")
  var recursive = false

  @Flag(name: .long, help: "Start from the specified stages when reproducing pipelines.")
  var downstream = false

  @Flag(
    name: .long,
    help: "Reproduce all descendants of a changed stage even if their direct dependencies didn't change.")
  var forceDownstream = false

  @Flag(name: .long, help: "Try automatically pulling missing data.")
  var pull = false

  @Flag(name: .long, help: "Skip stages with missing data but no other changes.")
  var allowMissing = false

  @Flag(name: .long, help: "Only print the commands that would be executed without actually executing.")
  var dry = false

  @Flag(name: .shortAndLong, help: "Continue executing, skipping stages having dependencies on the failed stages.")
  var keepGoing = false

  @Flag(name: .long, help: "Ignore errors from stages.")
  var ignoreErrors = false

  @Flag(name: .long, help: "Allows targets containing shell-style wildcards.")
  var glob = false

  @Flag(name: .long, help: "Don't put files/directories into cache.")
  var noCommit = false

  @Flag(
    name: .long,
    help:
      "Execute stage commands even if they have already been run with the same command/dependencies/outputs/etc before."
  )
  var noRunCache = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Stages to run at once (default: the processors that this process may use; 1 is DVC's serial order).",
      valueName: "number"))
  var jobs: Int?

  @Flag(name: .long, help: "After a failure, stop the stages that are running too.")
  var failFast = false

  @Flag(name: .long, help: "Print one JSON event a line; what stages print goes to standard error.")
  var json = false

  @Argument(
    help: """
      Stages to reproduce. 'dvc.yaml' by default. The targets can be path to a dvc.yaml file or `.dvc` file, or a \
      stage name from dvc.yaml file from current working directory. To run a stage from dvc.yaml from other \
      directories, the target must be a path followed by colon `:` and then the stage name.
      """, completion: Completions.stages)
  var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    guard json else { return try reproduce(invocation) }
    invocation.console.keepOutputForResults()
    do {
      return try reproduce(invocation)
    } catch {
      // Who reads the events waits for the last one.
      ReproEventLines.endOfNothing(ExitStatus(Program.framed(error)), on: invocation.console)
      throw error
    }
  }

  /// Throws only what keeps everything from running: later faults are told here.
  private func reproduce(_ invocation: Invocation) throws -> ExitStatus {
    if let jobs, jobs < 1 {
      throw Diagnostic.wrongUsage("argument -j/--jobs: at least one stage must run, got \(jobs)")
    }
    let console = invocation.console
    let repository = try Repository.findRoot()
    if let words = wordsOfFreshProject(repository) {
      if !console.isQuiet { console.writeRaw(words) }
      return .success
    }
    let settings = try Settings.load(repository)
    for warning in settings.warnings { console.warning(warning) }
    // DVC rewrites files in place: what is read without the lock may be half of one.
    let lock =
      dry
      ? nil
      : try ProjectLock.take(repository, waitsForEver: invocation.waitsForLock) { pid in
        console.warning("waiting for the repository's lock\(pid.map { ", held by process \($0)" } ?? "")")
        console.flush()
      }
    let workspace = try Workspace.open(repository, settings, asksGit: true)
    let (request, hint) = try request(settings, invocation, workspace)
    let reproduction = try Reproduction(workspace, request)
    if !dry { try reproduction.recover() }
    lock?.release()
    for warning in workspace.project.warnings { console.warning(warning) }
    if let fault = reproduction.trackingFault { console.warning("nothing is tracked: \(fault.fullMessage)") }
    if let fault = reproduction.lineageFault { console.warning("no lineage events are sent: \(fault.fullMessage)") }

    let isTerminal = !json && Terminal.isTerminal(STDOUT_FILENO)
    let printer: any ReproPrinter
    if json {
      printer = ReproEventLines(console: console, reproduction: reproduction)
    } else if isTerminal, request.jobs > 1, !console.isQuiet, Terminal.allowsMovement(STDOUT_FILENO) {
      printer = ReproScreen(console: console, reproduction: reproduction)
    } else {
      printer = ReproConsole(
        console: console, reproduction: reproduction, isTerminal: isTerminal, hint: isTerminal ? hint : nil)
    }
    var watch: SignalWatch?
    let summary = try reproduction.run(
      terminal: .ofThisProcess(output: isTerminal, mayRead: request.jobs == 1),
      emit: { printer.take($0) },
      handle: { interrupt in
        if !request.dry { watch = SignalWatch(on: DispatchQueue(label: "cairn.signals")) { interrupt($0) } }
      })
    withExtendedLifetime(watch) {}
    printer.settle(summary)
    let status = finish(summary, printer, workspace, console)
    track(reproduction, status, invocation)
    sendEvents(reproduction, invocation.console)
    return status
  }

  /// Sends what is left to the tracking server. Whatever comes of it, the stages have run: it is told, and no more.
  private func track(_ reproduction: Reproduction, _ status: ExitStatus, _ invocation: Invocation) {
    guard let tracker = reproduction.tracker, let tracked = reproduction.tracked else { return }
    let console = invocation.console
    console.flush()
    if tracked.settings.pushes, status == .success { push(reproduction.workspace, console) }
    let line = ProgressWords(console)
    let summary = tracker.finish { line.show("Sending to the tracking server  \($0) left") }
    if summary.sent + summary.left > 0 { line.clear() }
    for note in summary.notes { console.note(PrintableText.line("tracking: " + note)) }
    if summary.waitingForPush > 0 {
      console.note(
        "a model waits for push: \(HumanText.count(summary.waitingForPush, "object")); `cairn track sync --push` sends them, too")
    } else if summary.left > 0 {
      console.warning("\(summary.left) for '\(tracked.settings.place)' wait in the outbox: `cairn track sync` sends them")
    }
  }

  /// Sends what is left to the collector of lineage events; what comes of it is told, and no more.
  private func sendEvents(_ reproduction: Reproduction, _ console: Console) {
    guard let sender = reproduction.lineageSender else { return }
    console.flush()
    let line = ProgressWords(console)
    let summary = sender.finish { line.show("Sending to the lineage collector  \($0) left") }
    if summary.sent + summary.left > 0 { line.clear() }
    for note in summary.notes { console.note(PrintableText.line("lineage events: " + note)) }
    if summary.left > 0 {
      console.warning(
        "\(HumanText.count(summary.left, "lineage event")) for '\(sender.address)' wait in the outbox: `cairn track sync` sends them")
    }
  }

  /// `tracking.push`.
  private func push(_ workspace: Workspace, _ console: Console) {
    do throws(Diagnostic) {
      let project = try OpenProject.open()
      var outcome = DataTransfer.Outcome()
      try DataTransfer(project, TransferRequest()).push(&outcome)
      for error in outcome.errors { console.warning(error) }
      if outcome.failed > 0 { console.warning(Diagnostic.uploadFailed(outcome.failed).fullMessage) }
      if outcome.transferred > 0 { console.note("\(HumanText.count(outcome.transferred, "file")) pushed") }
    } catch {
      console.warning("the data was not pushed: \(error.fullMessage)")
    }
  }

  /// What to say when stamps alone prove that there is nothing to do: no file is parsed then.
  private func wordsOfFreshProject(_ repository: Repository) -> [UInt8]? {
    guard !json, !interactive, global.verbose == 0 else { return nil }
    guard let key = FreshnessIndex.key(plainRequest, workingDirectory: repository.workingDirectory) else { return nil }
    return FreshnessIndex.answer(root: repository.root, key: key)
  }

  /// What the command line alone says.
  private var plainRequest: ReproRequest {
    var request = ReproRequest()
    request.targets = targets
    request.recursive = recursive
    request.glob = glob
    request.pipeline = pipeline
    request.allPipelines = allPipelines
    request.downstream = downstream && !pipeline && !allPipelines
    request.singleItem = singleItem && !pipeline && !allPipelines
    request.force = force
    request.forceDownstream = forceDownstream
    request.dry = dry
    request.usesRunCache = !noRunCache
    request.commits = !noCommit
    request.pulls = pull
    request.allowsMissing = allowMissing
    request.policy = ignoreErrors ? .ignore : keepGoing ? .keepGoing : .stop
    request.failFast = failFast
    return request
  }

  private func request(
    _ settings: Settings, _ invocation: Invocation, _ workspace: Workspace
  ) throws -> (ReproRequest, hint: String?) {
    var request = plainRequest
    request.arguments = invocation.arguments
    request.isStrict = settings.cairn("strict")?.bool ?? false
    request.grace = settings.cairn("grace")?.number ?? 10
    if let limit = settings.cairn("runs", "log_limit")?.int, limit > 0 { request.logLimit = limit }
    let asks = interactive || settings.flag("core", "interactive")
    var hint: String?
    if asks {
      request.jobs = 1
    } else if let number = jobs ?? settings.cairn("jobs")?.int {
      request.jobs = max(1, number)
    } else if hasUndeclaredGPUs(workspace) {
      // Two trainings on one GPU are slower than one after the other, if they fit at all.
      request.jobs = 1
      hint = "declare meta.cairn.resources: {gpu: 1}, or pass -j N"
    } else {
      request.jobs = Machine.processorCount()
    }
    // A dry run tells DVC's order; and single items know nothing of each other, so that only the order keeps a
    // reader behind its writer.
    if dry || request.singleItem { request.jobs = 1 }
    if asks { request.confirm = { question in invocation.console.confirm(question) } }
    return (request, hint)
  }

  /// There are GPUs, and no stage says that it wants one: any of them may.
  private func hasUndeclaredGPUs(_ workspace: Workspace) -> Bool {
    let stages = workspace.project.pipeline.stages
    return !stages.contains { $0.settings.resources["gpu"] != nil } && !GraphicsProcessors.visible().isEmpty
  }

  private func finish(
    _ summary: RunSummary, _ printer: any ReproPrinter, _ workspace: Workspace, _ console: Console
  ) -> ExitStatus {
    var status = ExitStatus.success
    let failures = summary.failures
    if !failures.isEmpty {
      printer.fail(summary)
      status = ignoreErrors ? .success : .failure
    }
    for change in summary.undeclaredChanges {
      if ignoreErrors {
        console.warning(change.fullMessage + " (ignored)")
      } else {
        console.report(change)
        status = .failure
      }
    }
    // Beside a stage's failure, not in its place: both may have one cause, a full disk.
    for error in [summary.error, summary.afterwards].compactMap({ $0 }) {
      console.report(error)
      status = .failure
    }
    if let signal = summary.signal {
      status = ExitStatus(128 + signal)
    }
    if status == .success {
      do {
        try tellGit(summary, workspace, console)
      } catch {
        console.report(error)
        status = ExitStatus(error)
      }
    }
    if status == .success {
      let didAnything = summary.outcomes.contains { $0.outcome.result != .fresh && $0.outcome.result != .failed }
      if !json {
        console.write(
          didAnything
            ? "Use `dvc push` to send your updates to remote storage." : "Data and pipelines are up to date.")
      }
    }
    printer.end(summary, status)
    return status
  }

  /// As DVC does after a change: adds the files to git, or tells how.
  private func tellGit(_ summary: RunSummary, _ workspace: Workspace, _ console: Console) throws {
    guard let git = workspace.git, !summary.changedFiles.isEmpty else { return }
    let paths = summary.changedFiles.map { workspace.repository.absolute($0) }
    if workspace.settings.stagesAutomatically {
      do {
        return try git.add(paths.map { Repository.relative($0, to: git.workTree) })
      } catch {
        // The stages have run; that git does not answer takes nothing from them.
        console.warning("\(error.fullMessage)")
      }
    }
    let names = paths.map { Repository.relative($0, to: workspace.repository.workingDirectory) }
    console.info("\nTo track the changes with git, run:\n\n\tgit add \(names.map(ShellQuoting.quote).joined(separator: " "))")
    console.info("\nTo enable auto staging, run:\n\n\tdvc config core.autostage true")
  }
}

extension Diagnostic {
  static func wrongUsage(_ message: String) -> Diagnostic {
    var diagnostic = Diagnostic(.usage, message)
    diagnostic.exitCode = ExitStatus.usage.rawValue
    return diagnostic
  }
}
