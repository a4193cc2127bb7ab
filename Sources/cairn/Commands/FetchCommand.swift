// `cairn fetch`: data from a remote into the cache.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct FetchCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "fetch", abstract: "Download files or directories from remote storage to the cache",
    discussion: """
      Brings what the cache lacks of the outputs that dvc.lock and .dvc files name; each object is held against its \
      hash before the cache takes it. The workspace stays as it is: `cairn pull` changes that, too. Run records of this \
      repository come along.

      cairn fetch
      cairn fetch --all-branches
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: TransferOptions
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Fetch data files/directories that are each below specified size (bytes).", valueName: "max_size"))
  var maxSize: Int?
  @Option(
    name: .customLong("type"), parsing: .singleValue,
    help: "Only fetch data files/directories that are of a particular type (metrics, plots).")
  var types: [TransferRequest.OutputKind] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let screen = TransferScreen(invocation.console)
    return try screen.run("failed to fetch data from the cloud", waitsForLock: invocation.waitsForLock) { project in
      var request = options.request(options.targets)
      request.sizeLimit = maxSize
      request.kinds = types
      let transfer = DataTransfer(project, request, progress: screen.progress)
      let outcome = try screen.transfer("Fetching") { (outcome) throws(Diagnostic) in try transfer.fetch(&outcome) }
      if outcome.failed > 0 { throw Diagnostic.downloadFailed(outcome.failed) }
      screen.summary([(outcome.transferred, "fetched")], remote: options.remote, project)
    }
  }
}

extension TransferRequest.OutputKind: ExpressibleByArgument {}
