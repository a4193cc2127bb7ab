// `cairn pull`: data from a remote into the cache and the workspace.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct PullCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull", abstract: "Download tracked files or directories from remote storage",
    discussion: """
      `cairn fetch`, then `cairn checkout`: the outputs in the workspace become those that dvc.lock and .dvc files name.

      cairn pull
      cairn pull data/raw.csv
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: TransferOptions
  @Flag(name: .shortAndLong, help: "Do not prompt when removing working directory files.") var force = false
  @Flag(name: .long, help: .hidden) var glob = false
  @Flag(name: .long, help: "Ignore errors if some of the files or directories are missing.") var allowMissing = false

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let screen = TransferScreen(invocation.console)
    return try screen.run("failed to pull data from the cloud", waitsForLock: invocation.waitsForLock) { project in
      let targets = glob ? try FileGlob.expand(options.targets, in: project) : options.targets
      let transfer = DataTransfer(project, options.request(targets), progress: screen.progress)
      let outcome = try screen.transfer("Fetching") { (outcome) throws(Diagnostic) in try transfer.fetch(&outcome) }
      if outcome.failed > 0 { throw Diagnostic.downloadFailed(outcome.failed) }
      var checkout = CheckoutData.Options()
      checkout.withDependencies = options.withDeps
      checkout.recursive = options.recursive
      checkout.force = force
      let change = try CheckoutData(project, options: checkout).run(targets)
      for warning in change.warnings { invocation.console.warning(warning) }
      CheckoutText(invocation.console).show(change)
      screen.summary(
        [(outcome.transferred, "fetched")] + CheckoutText.counts(change.counts), remote: options.remote, project)
      if !change.failed.isEmpty, !allowMissing { throw Diagnostic.checkoutFailed(change.failed) }
    }
  }
}
