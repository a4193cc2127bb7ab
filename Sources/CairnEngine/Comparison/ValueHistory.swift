// The states of a project that a command compares: the workspace and the commits that the user names.
package import CairnCore
import CairnStore
package import CairnSystem
package import OrderedCollections

/// Works in a git repository without DVC too, as DVC's `params` and `metrics` do.
package struct ValueHistory: Sendable {
  package let repository: Repository
  private let settings: Settings?
  /// `nil` without git, or with `core.no_scm`.
  package let git: GitRepository?
  private let cache: DataCache

  package static func open() throws(Diagnostic) -> ValueHistory {
    do throws(Diagnostic) {
      let repository = try Repository.findRoot()
      return try ValueHistory(repository, try Settings.load(repository))
    } catch {
      guard error.code == .notARepository else { throw error }
      let here = try Repository.currentDirectory()
      let git = try GitRepository.find(from: here)
      return try ValueHistory(Repository(root: git?.workTree ?? here, workingDirectory: here), nil, git: git)
    }
  }

  package init(_ repository: Repository, _ settings: Settings) throws(Diagnostic) {
    let git = settings.hasNoSCM ? nil : try GitRepository.find(from: repository.root)
    try self.init(repository, settings, git: git)
  }

  private init(_ repository: Repository, _ settings: Settings?, git: GitRepository?) throws(Diagnostic) {
    self.repository = repository
    self.settings = settings
    self.git = git
    cache = DataCache(folder: settings?.cacheFolder ?? Repository.join(repository.dvcFolder, "cache"))
  }

  package var folder: RepoPath { repository.workingFolder ?? .root }

  package var workspace: ProjectState { state(nil) }

  private func state(_ files: CommitFiles?, _ revision: String? = nil) -> ProjectState {
    let loader: PipelineLoader
    if let settings {
      loader = PipelineLoader(repository, settings, files: files, notesUses: true)
    } else {
      loader = PipelineLoader(
        root: repository.root, folder: folder, gitRoot: files == nil ? git?.workTree : nil, files: files, notesUses: true)
    }
    return ProjectState(
      files: files ?? DiskFiles(root: repository.root), loader: loader, cache: cache, revision: revision,
      remotes: settings.map { OpenRemotes($0, repository) })
  }

  /// True before the first commit: there is nothing to compare with then.
  ///
  /// - Throws: DVC's words where there is no git.
  package func hasNoCommits() throws(Diagnostic) -> Bool { try requireGit().headCommit() == nil }

  package struct Selection: Sendable {
    package var branches = false
    package var tags = false
    package var commits = false
    package init() {}
    package var isEmpty: Bool { !branches && !tags && !commits }
  }

  /// The workspace first, then each commit, once, under all the names by which it was asked for; an empty name is
  /// HEAD's.
  ///
  /// - Throws: DVC's words for a revision that does not exist.
  package func states(
    of revisions: [String], and selection: Selection = Selection()
  ) throws(Diagnostic) -> OrderedDictionary<String, ProjectState> {
    // Without git there are no branches, no tags and no commits.
    if git == nil, revisions.isEmpty { return ["workspace": workspace] }
    let git = try requireGit()
    var names = revisions
    // The workspace once; a second one would have to be a branch of that name.
    if let place = names.firstIndex(of: "workspace") { names.remove(at: place) }
    if selection.commits {
      names += try git.allCommits()
    } else {
      if selection.branches { names += try git.references("refs/heads/") }
      if selection.tags { names += try git.references("refs/tags/") }
    }
    var commits: OrderedDictionary<String, [String]> = [:]
    for name in names {
      var found = try git.revision(name.isEmpty ? "HEAD" : name)
      if found == nil { found = try git.remoteBranch(name) }
      guard let commit = found else {
        throw Diagnostic(.unknownRevision, "unknown Git revision '\(name)'")
      }
      if commits[commit]?.contains(name) != true { commits[commit, default: []].append(name) }
    }
    var states: OrderedDictionary<String, ProjectState> = ["workspace": workspace]
    for (commit, names) in commits {
      guard let state = try state(ofCommit: commit, git) else {
        // A commit from before the project began has nothing to say; one that is lost is another matter.
        if try git.revision(commit) == nil {
          throw Diagnostic(.unknownRevision, "unknown Git revision '\(names[0])'")
        }
        continue
      }
      states[names.joined(separator: ",")] = state
    }
    return states
  }

  /// `nil` when the commit does not have the project's folder.
  func state(ofCommit commit: String, _ git: GitRepository) throws(Diagnostic) -> ProjectState? {
    let inside = Repository.relative(repository.root, to: git.workTree)
    return try CommitFiles(commit, git, prefix: inside == "." ? "" : inside + "/").map { state($0, commit) }
  }

  package func branch() -> String? { (try? git?.branch()) ?? nil }

  private func requireGit() throws(Diagnostic) -> GitRepository {
    guard let git else {
      throw Diagnostic(
        .noGit,
        "Only supported for Git repositories. If you're seeing this error in a Git repo, try updating the DVC "
          + "configuration with `dvc config core.no_scm false`.")
    }
    return git
  }
}

extension Diagnostic.Code {
  package static let unknownRevision = Diagnostic.Code("unknown-revision")
  package static let noGit = Diagnostic.Code("no-git")
}
