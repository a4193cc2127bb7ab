// `cairn checkout`: brings data from the cache into the workspace.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnStore

struct CheckoutCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkout", abstract: "Checkout data files from cache",
    discussion: """
      Makes the outputs in the workspace those that dvc.lock and .dvc files name, after a git checkout, say.

      cairn checkout
      cairn checkout data/raw.csv
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .long, help: "Show summary of the changes.") var summary = false
  @Flag(name: [.customShort("d"), .long], help: "Checkout all dependencies of the specified target.")
  var withDeps = false
  @Flag(name: [.customShort("R"), .long], help: "Checkout all subdirectories of the specified directory.")
  var recursive = false
  @Flag(name: .shortAndLong, help: "Do not prompt when removing working directory files.") var force = false
  @Flag(name: .long, help: "Recreate links or copies from cache to workspace.") var relink = false
  @Flag(name: .long, help: "Ignore errors if some of the files or directories are missing.") var allowMissing = false
  @Argument(help: "Limit command scope to these tracked files/directories, .dvc files and stage names.", completion: Completions.stages)
  var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let project = try OpenProject.open()
    let lock = try project.lock(waitsForEver: invocation.waitsForLock)
    defer { lock.release() }
    var options = CheckoutData.Options()
    options.withDependencies = withDeps
    options.recursive = recursive
    options.force = force
    options.relink = relink
    let outcome = try CheckoutData(project, options: options).run(targets)
    let console = invocation.console
    for warning in outcome.warnings { console.warning(warning) }
    if summary {
      let words = CheckoutText.summary(CheckoutText.counts(outcome.counts))
      console.write(words.isEmpty ? "No changes." : words)
    } else {
      CheckoutText(console).show(outcome)
    }
    if !outcome.failed.isEmpty, !allowMissing { throw Diagnostic.checkoutFailed(outcome.failed) }
    if relink { console.write("Relinked successfully") }
    return .success
  }
}
