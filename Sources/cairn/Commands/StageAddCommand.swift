// `cairn stage add`: writes a stage into dvc.yaml.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnSystem
internal import Glibc

struct StageAddCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Create stage",
    discussion: """
      Options come first; from the first word of the command on, everything belongs to the command.

      cairn stage add -n train -d train.py -d features.csv -p train.lr -o model.pkl python train.py
      """)

  @OptionGroup var global: GlobalOptions
  @Option(name: .shortAndLong, help: "Name of the stage to add") var name: String
  @Flag(name: .shortAndLong, help: "Overwrite existing stage") var force = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Declare dependencies for reproducible cmd.", valueName: "path"))
  var deps: [String] = []
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Declare parameter to use as additional dependency.", valueName: "[filename:]params_list"))
  var params: [String] = []
  @Option(name: .shortAndLong, help: ArgumentHelp("Declare output file or directory.", valueName: "filename"))
  var outs: [String] = []
  @Option(
    name: [.customShort("O"), .long],
    help: ArgumentHelp("Declare output file or directory (do not put into DVC cache).", valueName: "filename"))
  var outsNoCache: [String] = []
  @Option(
    name: .long,
    help: ArgumentHelp("Declare output file or directory that will not be removed upon repro.", valueName: "filename"))
  var outsPersist: [String] = []
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Declare output file or directory that will not be removed upon repro (do not put into DVC cache).",
      valueName: "filename"))
  var outsPersistNoCache: [String] = []
  @Option(name: .shortAndLong, help: ArgumentHelp("Declare output metrics file.", valueName: "path"))
  var metrics: [String] = []
  @Option(
    name: [.customShort("M"), .long],
    help: ArgumentHelp("Declare output metrics file (do not put into DVC cache).", valueName: "path"))
  var metricsNoCache: [String] = []
  @Option(name: .long, help: ArgumentHelp("Declare output plot file.", valueName: "path"))
  var plots: [String] = []
  @Option(
    name: .long, help: ArgumentHelp("Declare output plot file (do not put into DVC cache).", valueName: "path"))
  var plotsNoCache: [String] = []
  @Option(
    name: .shortAndLong, help: ArgumentHelp("Directory within your repo to run your command in.", valueName: "path"))
  var wdir: String?
  @Flag(name: .long, help: "Always consider this DVC-file as changed.") var alwaysChanged = false
  @Option(
    name: .long,
    help: ArgumentHelp(
      "User description of the stage (optional). This doesn't affect any DVC operations.", valueName: "text"))
  var desc: String?
  @Flag(name: .long, help: "Execute the stage after generating it.") var run = false
  @Argument(parsing: .captureForPassthrough, help: "Command to execute.") var command: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    var new = NewStage(name: name, command: Self.line(command))
    new.deps = deps
    new.params = params
    new.outs = outs
    new.outsNoCache = outsNoCache
    new.outsPersist = outsPersist
    new.outsPersistNoCache = outsPersistNoCache
    new.metrics = metrics
    new.metricsNoCache = metricsNoCache
    new.plots = plots
    new.plotsNoCache = plotsNoCache
    new.wdir = wdir
    new.isAlwaysChanged = alwaysChanged
    new.description = desc
    let project = try OpenProject.open()
    let lock = try project.lock(waitsForEver: invocation.waitsForLock)
    var addition = StageAddition(project)
    let address = try addition.run(new, force: force)
    for warning in addition.warnings { invocation.console.note(warning) }
    let folder = project.repository.workingFolder ?? .root
    invocation.console.info("Added stage '\(address.text(from: folder))' in '\(project.shown(address.file))'")
    lock.release()
    if run, let failure = try execute(address, &addition, invocation) { return failure }
    for line in addition.finish() { invocation.console.info(line) }
    return .success
  }

  /// `--run`: executes the new stage alone; `nil` when it ended well.
  private func execute(_ address: StageAddress, _ addition: inout StageAddition, _ invocation: Invocation) throws -> ExitStatus? {
    let repository = try Repository.findRoot()
    let workspace = try Workspace.open(repository, try Settings.load(repository))
    var request = ReproRequest()
    request.targets = [address.text(from: workspace.folder)]
    request.singleItem = true
    request.runsFresh = true
    request.jobs = 1
    request.arguments = invocation.arguments
    let reproduction = try Reproduction(workspace, request)
    let printer = ReproConsole(console: invocation.console, reproduction: reproduction)
    let summary = try reproduction.run(
      terminal: .ofThisProcess(output: Terminal.isTerminal(STDOUT_FILENO), mayRead: true),
      emit: { printer.take($0) }, handle: { _ in })
    let error = summary.error ?? summary.failures.first?.error
    if let error {
      addition.takeBack()
      invocation.console.report(error)
      return .failure
    }
    addition.track(summary.changedFiles)
    return nil
  }

  /// One word is a shell's line as it stands; several are joined, those with spaces quoted.
  private static func line(_ words: [String]) -> String {
    if words.count < 2 { return words.first ?? "" }
    return words.map { $0.isEmpty ? "\"\"" : $0.contains(" ") && !$0.contains("\"") ? "\"\($0)\"" : $0 }
      .joined(separator: " ")
  }
}
