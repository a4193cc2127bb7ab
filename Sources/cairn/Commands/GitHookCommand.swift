// `cairn git-hook`: what git's hooks call. Not for people: not in `--help`, as with DVC.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnSystem

struct GitHookCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "git-hook", abstract: "Run GIT hook", shouldDisplay: false,
    subcommands: [PreCommitHook.self, PostCheckoutHook.self, PrePushHook.self])
}

struct HookOptions: ParsableArguments {
  @Option(help: "The project's folder, from the top of git's work tree.") var project = "."
  @Flag(help: "Leave out what DVC's own hook does.") var verifyOnly = false
  @Argument(help: "Arguments passed by GIT or pre-commit tool.") var args: [String] = []

  /// Goes into the project; false where the commit that is checked out has none, and the hook has nothing to do.
  func enterProject() throws -> Bool {
    guard Files.isDirectory(project) else { return false }
    try Files.changeDirectory(project)
    return (try? Repository.findRoot()) != nil
  }
}

struct PreCommitHook: CairnCommand {
  static let configuration = CommandConfiguration(commandName: "pre-commit", abstract: "Run pre-commit GIT hook")
  @OptionGroup var global: GlobalOptions
  @OptionGroup var hook: HookOptions

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    guard try hook.enterProject() else { return .success }
    if !hook.verifyOnly {
      let status = Program.run(["status"])
      guard status == .success else { return status }
    }
    guard let git = try GitRepository.find(from: Repository.currentDirectory()) else { return .success }
    // A new project's first commit may well come before its first run.
    let isFirst = try git.headCommit() == nil
    let status: ExitStatus
    do {
      // Not the work tree: a dvc.lock that nobody has added would hide the fault. And old faults are not this commit's.
      let commit = try git.commitOfIndex()
      let words = ["--rev", commit] + (isFirst ? [] : ["--base", "HEAD", "--new-only"])
      status = HookVerification.run(words, about: nil, invocation.console)
    } catch {
      invocation.console.report(error)
      status = .unknown
    }
    switch status {
    case .success: return .success
    case .no where isFirst:
      invocation.console.note("cairn: the first commit goes on; `cairn repro` before the next one mends this")
      return .success
    case .no:
      invocation.console.note(
        "cairn: not committed, for the result could not be made again. Mend it, or leave it for later: "
          + "git commit --no-verify")
      return .no
    default:
      invocation.console.note("cairn: could not tell whether this commit is reproducible; it goes on")
      return .success
    }
  }
}

struct PrePushHook: CairnCommand {
  static let configuration = CommandConfiguration(commandName: "pre-push", abstract: "Run pre-push GIT hook")
  @OptionGroup var global: GlobalOptions
  @OptionGroup var hook: HookOptions

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    // Before the folder is left: standard input is git's.
    let pushed = Self.pushedReferences()
    guard try hook.enterProject() else { return .success }
    let console = invocation.console
    var worst = ExitStatus.success
    for reference in pushed where try hasProject(reference.object) {
      switch HookVerification.run(["--rev", reference.object], about: "cairn: of \(reference.name)", console) {
      case .success: break
      case .no: worst = .no
      default: if worst == .success { worst = .unknown }
      }
    }
    if worst != .success {
      let why = worst == .no ? "its results could not be made again" : "it could not be told whether it is reproducible"
      console.note("cairn: not pushed, for \(why). Push it all the same: git push --no-verify")
    }
    guard worst == .success, !hook.verifyOnly else { return worst }
    return try pushData(console)
  }

  /// The data belongs to what is pushed.
  private func pushData(_ console: Console) throws -> ExitStatus {
    // A project that keeps its data here alone may be pushed all the same.
    let settings = try Settings.load(try Repository.findRoot())
    guard settings.defaultRemote == nil, settings.remoteNames.isEmpty else { return Program.run(["push"]) }
    console.note("cairn: the data was not pushed: no remote is configured")
    return .success
  }

  /// Whether there is something to look at: notes, pages and what is older than the project are pushed, too.
  private func hasProject(_ object: String) throws -> Bool {
    guard let git = try GitRepository.find(from: Repository.currentDirectory()),
      let commit = try git.revision(object)
    else { return false }
    return try git.tree(commit, path: hook.project == "." ? ".dvc" : hook.project + "/.dvc")?.isEmpty == false
  }

  private struct Reference {
    /// As git calls it here: `refs/heads/main`, or `(delete)`.
    var name: String
    var object: String
  }

  private static func variable(_ name: String) -> String? { Environment.value(name).flatMap { $0.isEmpty ? nil : $0 } }

  /// What git is about to push, each object once: as it says on standard input, one reference a line (`LOCAL-REF
  /// LOCAL-OBJECT REMOTE-REF REMOTE-OBJECT`), or the pre-commit tool by variables.
  private static func pushedReferences() -> [Reference] {
    var found: [Reference] = []
    if !Terminal.isTerminal(0) {
      while let line = readLine() {
        let fields = line.split(separator: " ").map(String.init)
        // Nothing but zeros: a reference is deleted.
        guard fields.count == 4, !fields[1].allSatisfy({ $0 == "0" }),
          !found.contains(where: { $0.object == fields[1] })
        else { continue }
        found.append(Reference(name: fields[0], object: fields[1]))
      }
    }
    guard found.isEmpty else { return found }
    // A branch that the remote has never seen has no range: then the tool names the branch alone.
    let branch = variable("PRE_COMMIT_LOCAL_BRANCH")
    guard let tip = variable("PRE_COMMIT_TO_REF") ?? branch ?? variable("PRE_COMMIT").map({ _ in "HEAD" }) else { return [] }
    return [Reference(name: branch ?? tip, object: tip)]
  }
}

struct PostCheckoutHook: CairnCommand {
  static let configuration = CommandConfiguration(commandName: "post-checkout", abstract: "Run post-checkout GIT hook")
  @OptionGroup var global: GlobalOptions
  @OptionGroup var hook: HookOptions

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    guard try hook.enterProject() else { return .success }
    // A branch is checked out, not single files. The pre-commit tool says so by a variable.
    let kind = Environment.value("PRE_COMMIT_CHECKOUT_TYPE") ?? (hook.args.count >= 3 ? hook.args[2] : "")
    guard kind == "1" else { return .success }
    // In the middle of a rebase a checkout that fails would break it.
    if let git = try GitRepository.find(from: Repository.currentDirectory()),
      Files.isDirectory(git.gitDirectory + "/rebase-merge")
    {
      return .success
    }
    return Program.run(["checkout"])
  }
}

enum HookVerification {
  /// Asks `cairn verify`; says nothing when all is well, and all that it says when not.
  ///
  /// - Parameter heading: what the answer is about.
  static func run(_ words: [String], about heading: String?, _ console: Console) -> ExitStatus {
    let words = ["verify", "--static"] + words
    let status = Program.run(words + ["--quiet"])
    if status == .success { return status }
    if let heading { console.note(heading + ":") }
    return Program.run(words)
  }
}
