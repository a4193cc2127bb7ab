// `cairn list`, `cairn ls`: what a repository has, files and data, there or not.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine

struct ListCommand: CairnCommand, OptionalValues {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the files and the data of a repository",
    discussion: """
      Data is listed too where it is not checked out: by what dvc.lock and .dvc files record. A repository is a folder \
      of this machine, or anything that git can clone; with --rev, as it was in that commit.

      Examples:
        cairn list . --dvc-only --size
        cairn list . data -R --rev v1
      """, aliases: ["ls"])

  static let optionalValues: [String: String?] = ["--rev": nil, "--remote-config": nil]

  @OptionGroup var global: GlobalOptions
  @Flag(name: [.customShort("R"), .long], help: "Recursively list files.") var recursive = false
  @Flag(name: [.customShort("T"), .long], help: "Recurse into directories as a tree.") var tree = false
  @Option(
    name: [.customShort("L"), .long], help: ArgumentHelp("Limit the depth of recursion.", valueName: "depth"))
  var level: Int?
  @Flag(name: .long, help: "Show only DVC outputs.") var dvcOnly = false
  @Flag(name: .long, help: "Show output in JSON format.") var json = false
  @Option(
    name: .long, help: ArgumentHelp("Git revision (e.g. SHA, branch, tag).", valueName: "commit"),
    completion: Completions.revisions)
  var rev: String?
  @Option(
    name: .long,
    help: "Path to a config file that will be merged with the config in the target repository.",
    completion: Completions.files)
  var config: String?
  @Option(
    name: .long, help: "Remote name to set as a default in the target repository.", completion: Completions.remotes)
  var remote: String?
  @Option(
    name: .long, parsing: .upToNextOption,
    help: ArgumentHelp(
      "Remote config options to merge with a remote's config (default or one specified by '--remote') in the target "
        + "repository.", valueName: "name=value"))
  var remoteConfig: [String] = []
  @Flag(name: .long, help: "Show sizes.") var size = false
  @Flag(name: .long, help: "Display hash value for each item.") var showHash = false
  @Argument(help: "Location of DVC repository to list.", completion: Completions.folders) var url: String
  @Argument(
    help: "Path to directory within the repository to list outputs for.", completion: Completions.folders)
  var path: String?

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    if tree, json { throw Diagnostic(.usage, "Cannot use --tree and --json options together.") }
    let opener = RepositoryOpener(try overrides())
    defer { opener.removeClone() }
    do throws(Diagnostic) {
      try list(try opener.open(url, revision: rev.flatMap { $0.isEmpty ? nil : $0 }), invocation.console)
    } catch {
      var error = error
      // Of settings that are another repository's, too, it only says that it failed.
      if error.code == .configuration { error.exitCode = nil }
      throw (error.code == .noFile ? error : error.framed("failed to list '\(url)'")).exiting(.no)
    }
    return .success
  }

  private func list(_ repository: ListedRepository, _ console: Console) throws(Diagnostic) {
    let listing = RepositoryListing(repository, dataOnly: dvcOnly)
    let table = ListingTable(showsSize: size, showsHash: showHash, colors: console.colorsOutput ? LsColors() : nil)
    if tree {
      console.writeTable(table.text(try listing.tree(at: path ?? "", depth: level)))
      return
    }
    let entries = try listing.entries(at: path ?? "", recursive: recursive, depth: level)
    if json {
      console.write(ListingTable.json(entries))
    } else if table.hasColumns {
      if !entries.isEmpty { console.writeTable(table.text(entries)) }
    } else if !entries.isEmpty {
      console.write(table.text(entries))
    }
  }

  private func overrides() throws(Diagnostic) -> RepositoryOpener.Overrides {
    var overrides = RepositoryOpener.Overrides()
    overrides.file = config
    overrides.remote = remote
    for option in remoteConfig {
      let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2 else {
        throw .unexpected(.usage, "not enough values to unpack (expected 2, got \(parts.count))")
      }
      overrides.options[.string(parts[0])] = .string(parts[1])
    }
    return overrides
  }
}
