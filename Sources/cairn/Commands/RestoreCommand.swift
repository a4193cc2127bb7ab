// `cairn restore`: outputs as they were before a failure, or a whole run in a folder of its own.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnLineage
internal import CairnServices
internal import CairnSystem

struct RestoreCommand: OwnCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Bring back a run's data and code, or what a failed stage replaced",
    discussion: """
      With --into, the moment of a run in a folder of its own: the code of its commit with what was edited since, its \
      inputs, parameters and outputs, from git, the cache and the remote, each held against its recorded hashes. The \
      folder's cairn-restore.json says of each what became of it. A model (models:/NAME/VERSION) brings the data behind \
      the runs before it, too. Exits with 1 when something could not be restored.

      With --previous: before a command starts, its previous outputs are taken away; those that the cache does not hold \
      (`cache: false`, or edited by hand) are kept aside until the stage succeeds. When it failed, this brings all of \
      them back. What was changed by hand since then is not overwritten: it has to be moved away first.

      cairn restore 7f3a --into /tmp/then
      cairn restore models:/churn/3 --into /tmp/audit
      cairn restore train --rev v1.0 --into /tmp/v1
      cairn restore --previous train
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(help: "The outputs as they were before the last try failed.") var previous = false
  @Option(help: ArgumentHelp("Restore the whole run into this folder, which must not exist.", valueName: "folder"), completion: .directory)
  var into: String?
  @Option(help: ArgumentHelp("The stage as this commit has it.", valueName: "revision")) var rev: String?
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to look for what the cache lacks (default: the default remote).", valueName: "name"))
  var remote: String?
  @Flag(inversion: .prefixedNo, help: "Also what the runs before it read (default for a model).") var ancestors: Bool?
  @Flag(help: "Print one JSON document.") var json = false
  @Argument(help: ArgumentHelp("A run, a stage or a model's version.", valueName: "run|stage|model"), completion: Completions.stages)
  var targets: [String]

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    if let into {
      if previous { throw Diagnostic.wrongUsage("argument --previous: not allowed with argument --into") }
      guard targets.count == 1 else { throw Diagnostic.wrongUsage("one run, stage or model is restored into a folder, got \(targets.count)") }
      return try restore(targets[0], into: into, invocation)
    }
    guard previous else { throw Diagnostic.wrongUsage("say where to: --into FOLDER; or --previous") }
    if rev != nil { throw Diagnostic.wrongUsage("argument --rev: needs --into") }
    return try restorePrevious(invocation)
  }

  // MARK: A run elsewhere

  private func restore(_ word: String, into: String, _ invocation: Invocation) throws -> ExitStatus {
    let console = invocation.console
    if json { console.keepOutputForResults() }
    let context = try HistoryContext()
    let isModel = word.hasPrefix("models:/")
    let run = try find(word, context)
    guard let record = try context.history.store.record(run) else {
      throw Diagnostic(.noSuchRun, "the record of run \(run.hex.prefix(12)) is not in the store").hinting("`cairn fetch` brings the team's records")
    }
    let folder = Repository.normalized(
      into.hasPrefix("/") ? into : Repository.join(context.repository.workingDirectory, into))
    let restoration = try SnapshotRestoration(context.repository, context.settings, context.history.store, remote: remote)
    let line = ProgressWords(console)
    defer { line.clear() }
    let manifest = try restoration.restore(
      run, record, into: folder, withAncestors: ancestors ?? isModel) { line.show("Restoring " + PrintableText.line($0)) }
    line.clear()
    if json {
      console.write(json: manifest.value)
      return manifest.isWhole ? .success : .no
    }
    for item in manifest.items where item.state != .restored {
      let words = item.detail.map { ": " + $0 } ?? ""
      console.write(PrintableText.line("\(item.state.rawValue)  \(item.kind.rawValue) \(item.path)\(words)"))
    }
    let restored = manifest.items.count { $0.state == .restored }
    let subject = "run \(context.history.store.shortName(of: run)) of \(record.stage.address)"
    console.write(
      PrintableText.line(
        manifest.isWhole
          ? "\(subject) is restored in \(into): \(HumanText.count(restored, "item")), each with its recorded hash"
          : "\(subject) is not wholly restored in \(into): \(restored) of \(manifest.items.count) items; see \(SnapshotManifest.fileName)"))
    return manifest.isWhole ? .success : .no
  }

  /// A stage's name counts before the digits of a run.
  private func find(_ word: String, _ context: HistoryContext) throws -> RunID {
    if word.hasPrefix("models:/") {
      return try RunSubject.model(word, context.settings, context.repository).run
    }
    let index = try context.history.index()
    if !word.hasPrefix("run:"), let run = try stage(word, context, index) { return run }
    if rev != nil { throw Diagnostic(.noSuchRun, "'\(rev ?? "")' has no stage '\(word)'") }
    return try index.resolve(word, from: context.repository.workingFolder ?? .root)
  }

  /// The run behind the lock entry of a stage; `nil` where no stage is called so.
  private func stage(_ word: String, _ context: HistoryContext, _ index: LineageIndex) throws -> RunID? {
    let project: LoadedProject
    if let rev { project = try CommittedProject.open(rev, context.repository).project } else {
      project = PipelineLoader(context.repository, context.settings).loadKeepingFailures()
    }
    let folder = context.repository.workingFolder ?? .root
    guard let stage = project.pipeline.stages.first(where: {
      $0.kind == .pipeline && ($0.address.text(from: folder) == word || $0.address.text() == word)
    }) else { return nil }
    let place = rev.map { " in '\($0)'" } ?? ""
    guard let lock = project.lockEntry(of: stage) else {
      throw Diagnostic(.noSuchRun, "the stage '\(word)' was never run\(place): dvc.lock has no entry of it")
    }
    guard let run = try index.run(behind: WorkKey(stage, lock), of: stage.address.text()) else {
      throw Diagnostic(.noSuchRun, "no record stands behind the lock entry of '\(word)'\(place): DVC may have run it, or another clone")
        .hinting("`cairn fetch` brings the team's records, `cairn runs import` makes some of git's history")
    }
    return run
  }

  // MARK: Before the last failure

  private func restorePrevious(_ invocation: Invocation) throws -> ExitStatus {
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
