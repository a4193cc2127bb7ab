// `cairn push`: data from the cache to a remote.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct PushCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "push", abstract: "Upload tracked files or directories to remote storage",
    discussion: """
      Sends what the remote lacks of the outputs that dvc.lock and .dvc files name. The list of a folder goes last, \
      and only when all of its files are there: what a remote lists, it has. Run records go along, whatever the \
      targets are.

      cairn push
      cairn push -r backup data/raw.csv
      cairn push --all-commits --run-cache
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var options: TransferOptions
  @Flag(name: .long, help: "Allows targets containing shell-style wildcards.") var glob = false

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let screen = TransferScreen(invocation.console)
    return try screen.run("failed to push data to the cloud", waitsForLock: invocation.waitsForLock) { project in
      let targets = glob ? try FileGlob.expand(options.targets, in: project) : options.targets
      let transfer = DataTransfer(project, options.request(targets), progress: screen.progress)
      let outcome = try screen.transfer("Pushing") { (outcome) throws(Diagnostic) in try transfer.push(&outcome) }
      if outcome.failed > 0 { throw Diagnostic.uploadFailed(outcome.failed) }
      screen.summary([(outcome.transferred, "pushed")], remote: options.remote, project)
    }
  }
}
