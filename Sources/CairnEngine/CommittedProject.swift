// A project as one commit has it, opened by any name that git understands. Makes no checkout, looks at no work tree.
package import CairnCore
package import CairnSystem

package struct CommittedProject: Sendable {
  package let repository: Repository
  package let git: GitRepository
  package let tree: CommitTree
  package let files: CommitFiles
  /// Those of the commit.
  package let settings: Settings
  package let loader: PipelineLoader
  /// Files that cannot be understood are in `failures`.
  package let project: LoadedProject

  /// The full name of the commit.
  package var revision: String { tree.commit }
  /// As people name the commit.
  package var shortName: String { String(revision.prefix(7)) }

  /// - Throws: when there is no git, no such commit, or when the project was not there yet.
  package static func open(_ name: String, _ repository: Repository) throws(Diagnostic) -> CommittedProject {
    guard let git = try GitRepository.find(from: repository.root) else { throw .noGit(name) }
    guard let commit = try git.revision(name) else { throw .noRevision(name, git) }
    guard let tree = try CommitTree(commit, git) else { throw .noRevision(name, git) }
    let inside = Repository.relative(repository.root, to: git.workTree)
    guard let files = CommitFiles(tree, prefix: inside == "." ? "" : inside + "/") else {
      throw Diagnostic(.noProject, "'\(name)' does not have the project's folder '\(inside)'")
    }
    guard files.isDirectory(RepoPath(unchecked: ".dvc")) else {
      throw Diagnostic(.noProject, "'\(name)' has no project: there is no .dvc folder in it")
    }
    let settings = try Settings.load(repository, at: files)
    let loader = PipelineLoader(repository, settings, files: files, notesUses: true, ignoredBy: tree)
    return CommittedProject(
      repository: repository, git: git, tree: tree, files: files, settings: settings, loader: loader,
      project: loader.loadKeepingFailures())
  }
}

extension Diagnostic.Code {
  /// A commit from before the project began.
  package static let noProject = Diagnostic.Code("no-project")
}

extension Diagnostic {
  fileprivate static func noGit(_ name: String) -> Diagnostic {
    Diagnostic(.noGit, "cannot look at '\(name)': the project is in no git repository")
  }

  fileprivate static func noRevision(_ name: String, _ git: GitRepository) -> Diagnostic {
    if ((try? git.headCommit()) ?? nil) == nil {
      return Diagnostic(.unknownRevision, "cannot look at '\(name)': there is no commit yet")
        .hinting("commit first; `cairn verify` and `cairn why` look at the work tree where no commit is named")
    }
    let isShallow = !git.shallowCommits().isEmpty
    // No remote knows `HEAD~1`.
    let isReckoned = name.contains { "~^@{:".contains($0) } || name.hasPrefix("HEAD")
    let branch = name.hasPrefix("origin/") ? String(name.dropFirst(7)) : name
    let fetch = isReckoned ? "git fetch --unshallow" : "git fetch origin \(ShellQuoting.quote(branch))"
    return Diagnostic(.unknownRevision, "unknown Git revision '\(name)'")
      .hinting(
        isShallow
          ? "this clone has a part of the history only: fetch the commit first, as with `\(fetch)`"
          : "`git log --all` names the commits, `git branch --all` the branches; a clone may need `git fetch` first")
  }
}
