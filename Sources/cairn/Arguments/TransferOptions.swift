// What push, fetch and pull have in common on the command line.
internal import ArgumentParser
internal import CairnEngine

struct TransferOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Number of jobs to run simultaneously. The default value is 4 * cpu_count().", valueName: "number"))
  var jobs: Int?
  @Option(
    name: .shortAndLong, help: ArgumentHelp("Remote storage to talk to", valueName: "name"),
    completion: Completions.remotes)
  var remote: String?
  @Flag(name: .shortAndLong, help: "Take the data of all branches.") var allBranches = false
  @Flag(name: [.customShort("T"), .long], help: "Take the data of all tags.") var allTags = false
  @Flag(name: [.customShort("A"), .long], help: "Take the data of all commits.") var allCommits = false
  @Flag(name: [.customShort("d"), .long], help: "Take the data of all dependencies of the specified target.")
  var withDeps = false
  @Flag(name: [.customShort("R"), .long], help: "Take the data of subdirectories of the specified directory.")
  var recursive = false
  @Flag(name: .long, inversion: .prefixedNo, help: "Take the run history of all stages along.") var runCache = false
  @Argument(
    help: "Limit command scope to these tracked files/directories, .dvc files and stage names.",
    completion: Completions.stages)
  var targets: [String] = []

  /// - Parameter targets: those given, patterns expanded.
  func request(_ targets: [String]) -> TransferRequest {
    var request = TransferRequest()
    request.targets = targets
    request.remote = remote
    request.jobs = jobs
    request.withDependencies = withDeps
    request.recursive = recursive
    request.revisions.branches = allBranches
    request.revisions.tags = allTags
    request.revisions.commits = allCommits
    request.withRunCache = runCache
    return request
  }
}
