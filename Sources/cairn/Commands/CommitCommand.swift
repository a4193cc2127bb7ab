// `cairn commit`: takes the workspace as it is for the result.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnSystem

struct CommitCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "commit", abstract: "Record changes to files or directories tracked by DVC",
    discussion: """
      Stores the current versions in the cache and writes their hashes, without running anything.

      cairn commit -f train
      cairn commit data.csv.dvc
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .shortAndLong, help: "Commit data even if hash values for dependencies or outputs did not change.")
  var force = false
  @Flag(name: [.customShort("d"), .long], help: "Commit all dependencies of the specified target.")
  var withDeps = false
  @Flag(name: [.customShort("R"), .long], help: "Commit cache for subdirectories of the specified directory.")
  var recursive = false
  @Flag(name: .long, help: "Don't recreate links from cache to workspace.") var noRelink = false
  @Argument(help: "Limit command scope to these tracked files/directories, .dvc files and stage names.", completion: Completions.stages)
  var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let project = try OpenProject.open()
    let lock: FileLock
    do {
      lock = try project.lock(waitsForEver: invocation.waitsForLock)
    } catch {
      throw error.framed("failed to commit" + (targets.first.map { " \($0)" } ?? "")).exiting(.no)
    }
    defer { lock.release() }
    var options = CommitData.Options()
    options.withDependencies = withDeps
    options.recursive = recursive
    options.force = force
    options.relinks = !noRelink
    let console = invocation.console
    for target in targets.isEmpty ? [nil] : targets.map(Optional.some) {
      var work = CommitData(project, options: options)
      defer {
        for line in work.warnings { console.warning(line) }
        for line in work.said { console.info(line) }
      }
      do {
        try work.run(target) { console.confirm($0) }
      } catch where error.code == .io {
        throw error
      } catch {
        throw error.framed("failed to commit" + (target.map { " \($0)" } ?? "")).exiting(.no)
      }
    }
    return .success
  }
}
