// `cairn check-ignore`: which paths `.dvcignore` hides.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnSystem

struct CheckIgnoreCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-ignore", abstract: "Check whether paths are excluded due to .dvcignore",
    discussion: """
      Prints the paths that are; exits with 1 when none is.

      cairn check-ignore data/tmp.csv
      cairn check-ignore --details data/*
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .shortAndLong, help: "Show the exclude patterns along with each target path.") var details = false
  @Flag(name: .shortAndLong, help: .hidden) var all = false
  @Flag(
    name: .shortAndLong,
    help: "Include the target paths which don't match any pattern in the --details list.")
  var nonMatching = false
  @Flag(name: .long, help: "Read paths from standard input instead of providing targets.") var stdin = false
  @Argument(help: "File or directory paths to check.", completion: Completions.files) var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let repository = try Repository.findRoot()
    // Nothing of them counts here; broken ones are told of by every command.
    _ = try Settings.load(repository)
    try check()
    let tree = IgnoreTree(root: repository.root)
    let paths = repository.paths
    let here = paths.location(ofAbsolute: repository.workingDirectory)
    var hasMatch = false
    func show(_ target: String) {
      var found: (isIgnored: Bool, patterns: [IgnorePattern]) = (false, [])
      if case .local(let path) = paths.location(of: target, in: here) {
        found = tree.check(path, isDirectory: Files.isDirectory(paths.absolute(path)))
      }
      guard details else {
        if found.isIgnored {
          invocation.console.write(target)
          hasMatch = hasMatch || !found.patterns.isEmpty
        }
        return
      }
      var lines = found.patterns.map(\.shown)
      if lines.isEmpty, nonMatching { lines = ["::"] }
      if !all { lines = lines.suffix(1) }
      for line in lines { invocation.console.write(line + "\t" + target) }
      hasMatch = hasMatch || !found.patterns.isEmpty
    }
    if stdin {
      while let target = readLine(), !target.isEmpty { show(target) }
    } else {
      targets.forEach(show)
    }
    return hasMatch ? .success : .no
  }

  private func check() throws(Diagnostic) {
    if !stdin, targets.isEmpty { throw Diagnostic(.usage, "`targets` or `--stdin` needed") }
    if stdin, !targets.isEmpty { throw Diagnostic(.usage, "cannot have both `targets` and `--stdin`") }
    if nonMatching, !details { throw Diagnostic(.usage, "`--non-matching` is only valid with `--details`") }
    if all, !details { throw Diagnostic(.usage, "`--all` is only valid with `--details`") }
    if global.quiet > 0, details { throw Diagnostic(.usage, "cannot use both `--details` and `--quiet`") }
  }
}
