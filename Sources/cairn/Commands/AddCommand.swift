// `cairn add`: tracks files and folders.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct AddCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Track data files or directories with DVC",
    discussion: """
      The data goes into the cache, a small .dvc file beside it names the version and belongs into git.

      cairn add data/raw.csv
      cairn add images
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .long, help: "Don't put files/directories into cache.") var noCommit = false
  @Flag(name: .long, help: "Allows targets containing shell-style wildcards.") var glob = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Destination path to put files to.", valueName: "path"))
  var out: String?
  @Flag(name: .long, help: "Download it directly to the remote.") var toRemote = false
  @Option(name: .shortAndLong, help: ArgumentHelp("Remote storage to download to.", valueName: "name"))
  var remote: String?
  @Option(name: .long, help: ArgumentHelp("Number of jobs to run simultaneously.", valueName: "number"))
  var remoteJobs: Int?
  @Flag(name: .shortAndLong, help: "Override local file or folder if exists.") var force = false
  @Flag(name: .long, help: "Don't recreate links from cache to workspace.") var noRelink = false
  @Argument(help: "Input files/directories to add.", completion: Completions.files) var targets: [String]

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    if let refusal = refusal { throw Diagnostic.refused(refusal) }
    let project = try OpenProject.open()
    if toRemote { throw MissingCommands.diagnostic("add --to-remote") }
    do {
      let lock = try project.lock(waitsForEver: invocation.waitsForLock)
      defer { lock.release() }
      let targets = glob ? try FileGlob.expand(targets, in: project) : targets
      var options = AddData.Options()
      options.commits = !noCommit
      options.relinks = !noRelink
      options.overwrites = force
      options.out = out
      var work = try AddData(project, options: options)
      for line in try work.run(targets) { invocation.console.info(line) }
    } catch {
      throw error.code == .io && !error.isSystemError(2) ? error : error.exiting(.no)
    }
    return .success
  }

  private var refusal: String? {
    guard toRemote || out != nil else {
      if remote != nil { return "--remote can't be used without --to-remote" }
      if remoteJobs != nil { return "--remote-jobs can't be used without --to-remote" }
      return nil
    }
    let other = toRemote ? "--to-remote" : "--out"
    if targets.count != 1 { return "multiple targets can't be used with \(other)" }
    if glob { return "--glob option can't be used with \(other)" }
    if noCommit { return "--no-commit option can't be used with \(other)" }
    return nil
  }
}
