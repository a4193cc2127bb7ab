// `cairn install`: git asks Cairn before commits and pushes, and brings the data after a checkout.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnSystem

struct InstallCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "install", abstract: "Install DVC git hooks into the repository",
    discussion: """
      Before a commit git shows `cairn status` and asks `cairn verify` whether the commit brings a fault that the one \
      before does not have; before a push it asks whether what is pushed is reproducible, and pushes the data; after \
      a checkout it brings the data. A no stops the commit (but a repository's first) or the push, with the way around \
      it. What could not be told is said, and stops a push. Hooks that are there already, DVC's or others', keep all \
      that they do: Cairn adds a marked part.

      cairn install
      cairn install --use-pre-commit-tool
      cairn install --uninstall
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(help: "Install DVC hooks using pre-commit (https://pre-commit.com) if it is installed.")
  var usePreCommitTool = false
  @Flag(help: "Take out what Cairn has added; all else stays.") var uninstall = false

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let repository = try Repository.findRoot()
    // As with DVC there is nothing to be done without git.
    guard try !Settings.load(repository).hasNoSCM, let git = try GitRepository.find(from: repository.root) else {
      return .success
    }
    do {
      if usePreCommitTool {
        try changeConfiguration(git, repository, invocation.console)
      } else {
        let installer = try HookInstaller(git, project: repository.root)
        for change in try uninstall ? installer.uninstall() : installer.install() {
          tell(change, repository, invocation.console)
        }
        if uninstall, try PreCommitConfig(workTree: git.workTree, project: repository.root).uninstall() {
          invocation.console.info("Took Cairn's hooks out of .pre-commit-config.yaml")
        }
      }
    } catch {
      throw error.framed("failed to install DVC Git hooks").exiting(.no)
    }
    return .success
  }

  private func changeConfiguration(
    _ git: GitRepository, _ repository: Repository, _ console: Console
  ) throws(Diagnostic) {
    let configuration = PreCommitConfig(workTree: git.workTree, project: repository.root)
    if uninstall {
      let isGone = try configuration.uninstall()
      if !isGone { console.info("Nothing of Cairn's stands in .pre-commit-config.yaml.") }
    } else {
      try HookInstaller.nameMergeDriver(git)
      _ = try configuration.install()
    }
  }

  /// A hook that was not there is written without a word, as by DVC.
  private func tell(_ change: HookInstaller.Change, _ repository: Repository, _ console: Console) {
    let path = PrintableText.line(Repository.relative(change.path, to: repository.workingDirectory))
    switch change.outcome {
    case .added: console.info("Added Cairn's part to the hook that is there: \(path)")
    case .removed: console.info("Took Cairn's part out: \(path)")
    case .written, .kept: break
    }
  }
}
