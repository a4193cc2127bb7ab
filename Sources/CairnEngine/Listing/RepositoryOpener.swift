// Opens the repository behind an address: a folder of this machine as it stands, a commit, or a clone of what lies
// elsewhere. Knows nothing of what is done with it.
package import CairnCore
import CairnFormats
import CairnSystem

package struct RepositoryOpener: Sendable {
  /// What is laid over the settings of the repository.
  package struct Overrides: Sendable {
    /// A file of settings.
    package var file: String?
    /// The remote to take for the default one.
    package var remote: String?
    /// Options of that remote.
    package var options: ValueMap = [:]
    /// More settings.
    var settings: ValueMap = [:]
    /// The cache to take for the repository's own, which then is its remote where no other is the default.
    var cacheFolder: String?
    package init() {}
  }

  private let overrides: Overrides
  /// How many imports lead to the repository.
  private let depth: Int
  /// Made when something is cloned; removed by `removeClone`.
  private let scratch: String

  package init(_ overrides: Overrides) { self.init(overrides, depth: 0) }

  init(_ overrides: Overrides, depth: Int) {
    self.overrides = overrides
    self.depth = depth
    let folder = Environment.value("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    scratch = AtomicFile.temporaryName(in: folder) + "dvc-clone"
  }

  /// To be called when the repository is no longer looked at.
  package func removeClone() { try? FileTree.remove(scratch) }

  /// - Parameters:
  ///   - url: a path of this machine, or whatever git can clone.
  ///   - revision: `nil`: the files as they are; of what is cloned the branch that is checked out there.
  package func open(_ url: String, revision: String?) throws(Diagnostic) -> ListedRepository {
    if url.isEmpty { throw .unexpected(.usage, "cannot set empty URL") }
    let extra = try extraSettings()
    if Files.exists(url) {
      let here = try Files.currentDirectory()
      let place = Repository.normalized(url.hasPrefix("/") ? url : Repository.join(here, url))
      if GitRepository.bare(place) == nil {
        try checkRemote(of: place, here)
        return try local(place, here, revision, extra)
      }
    }
    let git = try cloned(url)
    // Neither its settings nor its cache are of this machine; its own, of that commit, count.
    return try commit(revision, of: git, extra, settingsAreCommitted: true)
  }

  /// DVC looks up the default remote of what lies on this machine before anything else, and stumbles over none.
  private func checkRemote(of place: String, _ here: String) throws(Diagnostic) {
    guard Files.isDirectory(place), let project = try? Repository.findRoot(from: place),
      let settings = try? Settings.load(Repository(root: project.root, workingDirectory: here)),
      let name = settings.defaultRemote, settings.remote(name) == nil
    else { return }
    throw .unexpected(.usage, PythonText.repr(.string(name)))
  }

  private func local(
    _ place: String, _ here: String, _ revision: String?, _ extra: ValueMap
  ) throws(Diagnostic) -> ListedRepository {
    if let revision {
      guard let git = try GitRepository.find(from: place) else {
        throw Diagnostic(.noGit, "\(place) is not a git repository")
      }
      return try commit(revision, of: git, extra, settingsAreCommitted: false)
    }
    var root = place
    if Files.isDirectory(place), let project = try? Repository.findRoot(from: place) { root = project.root }
    let top = Repository(root: root, workingDirectory: here)
    return ListedRepository(ListedDisk(root: root), root: root, folder: top.workingFolder ?? .root) {
      (inner) throws(Diagnostic) in
      let project = Repository(root: top.absolute(inner), workingDirectory: here)
      let settings = try Settings.load(project).merging(extra, cacheFolder: overrides.cacheFolder, cacheIsRemote: true)
      return try ListedProject(inner, PipelineLoader(project, settings), DataStorage(settings, depth: depth))
    }
  }

  private func commit(
    _ revision: String?, of git: GitRepository, _ extra: ValueMap, settingsAreCommitted: Bool
  ) throws(Diagnostic) -> ListedRepository {
    let name = revision ?? "HEAD"
    var commit = try git.revision(name)
    if commit == nil { commit = try git.remoteBranch(name) }
    guard let commit, let tree = try git.tree(commit) else {
      throw Diagnostic(.unknownRevision, "unknown Git revision '\(name)'")
    }
    return ListedRepository(ListedCommit(tree), folder: .root) { (inner) throws(Diagnostic) in
      let prefix = inner.isRoot ? "" : inner.text + "/"
      guard let files = try CommitFiles(commit, git, prefix: prefix) else {
        throw Diagnostic(.unknownRevision, "unknown Git revision '\(name)'")
      }
      let root = settingsAreCommitted ? scratch : git.workTree
      let project = Repository(
        root: inner.isRoot ? root : Repository.join(root, inner.text), workingDirectory: root)
      if settingsAreCommitted {
        try Files.makeDirectories(project.dvcFolder)
        let config = RepoPath(unchecked: ".dvc/config")
        if let bytes = try files.read(config) { try Files.write(bytes, to: Repository.join(project.root, config.text)) }
      }
      let settings = try Settings.load(project).merging(
        extra, cacheFolder: overrides.cacheFolder, cacheIsRemote: !settingsAreCommitted)
      do throws(Diagnostic) {
        return try ListedProject(
          inner, PipelineLoader(project, settings, files: files), DataStorage(settings, depth: depth))
      } catch {
        throw error.named(inCommit: commit)
      }
    }
  }

  // MARK: Elsewhere

  /// What lies on this machine is read where it is.
  private func cloned(_ url: String) throws(Diagnostic) -> GitRepository {
    let scheme = "file://"
    let path = url.hasPrefix(scheme) ? String(url.dropFirst(scheme.utf8.count)) : url
    if url.hasPrefix(scheme) || Files.exists(url) {
      let whole = path.hasPrefix("/") ? path : Repository.join(try Files.currentDirectory(), path)
      let folder = Repository.normalized(whole)
      if let git = try GitRepository.at(folder) { return git }
      if let bare = GitRepository.bare(folder) { return bare }
    }
    let isPlace = url.hasPrefix(scheme) || !url.contains(":")
    let cause =
      isPlace ? "No git repository was found at \(path)" : try GitRepository.clone(url, to: scratch + "/.git")
    if let cause {
      throw Diagnostic(.noClone, "SCM error")
        .because(of: Diagnostic(.noClone, "Failed to clone repo '\(url)' to '\(scratch)'"))
        .because(of: Diagnostic(.noClone, cause))
    }
    guard let git = GitRepository.bare(scratch + "/.git") else { throw Diagnostic(.noClone, "SCM error") }
    return git
  }

  private func extraSettings() throws(Diagnostic) -> ValueMap {
    var extra = ValueMap()
    if let file = overrides.file, !file.isEmpty {
      guard let bytes = try Files.read(file) else {
        throw Diagnostic(.noFile, "[Errno 2] No such file or directory: '\(file)'")
      }
      extra = ConfigLevels.values(try ConfigFile(SourceText(path: file, bytes: bytes)), path: file)
    }
    ConfigLevels.merge(overrides.settings, into: &extra)
    if let remote = overrides.remote, !remote.isEmpty {
      ConfigLevels.merge(["core": .map(["remote": .string(remote)])], into: &extra)
    }
    if !overrides.options.isEmpty { extra["remote_options"] = .map(overrides.options) }
    return extra
  }
}

extension Settings {
  /// With others over them; `remote_options` are those of the default remote.
  ///
  /// - Parameters:
  ///   - cacheFolder: what is the cache from then on.
  ///   - cacheIsRemote: where there is no default remote, the cache counts as one.
  fileprivate func merging(
    _ extra: ValueMap, cacheFolder other: String?, cacheIsRemote: Bool
  ) throws(Diagnostic) -> Settings {
    if extra.isEmpty, other == nil { return self }
    var rest = extra
    let options = rest.removeValue(forKey: "remote_options")
    var settings = overlaid(with: rest)
    if options == nil, other == nil { return settings }
    if settings.defaultRemote == nil, cacheIsRemote {
      let name: Value = "auto-generated-upstream"
      settings = settings.overlaid(
        with: ["core": .map(["remote": name]), "remote": .map([name: .map(["url": .string(cacheFolder)])])])
    }
    if let other { settings = settings.overlaid(with: ["cache": .map(["dir": .string(other)])]) }
    guard let options else { return settings }
    guard let remote = settings.defaultRemote else { throw .unexpected(.usage, "Missing remote name") }
    settings = settings.overlaid(with: ["remote": .map([.string(remote): options])])
    var warnings: [String] = []
    try ConfigSchema.validate(settings.config, warnings: &warnings)
    return settings
  }
}

extension Diagnostic.Code {
  fileprivate static let noClone = Diagnostic.Code("no-clone")
}
