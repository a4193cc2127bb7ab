// Reads a project's stages from the disk: finds the files in DVC's order, and has each understood.
package import CairnCore
internal import CairnSystem

package struct PipelineLoader: Sendable {
  /// The project's absolute path.
  package let root: String
  /// Where the user stands: names in messages start there.
  package let folder: RepoPath
  package let ignore: IgnoreTree
  package let parameters: ParameterFiles
  let files: any ProjectFiles
  private let reader: PipelineFileReader
  private let git: GitIgnoreTree?

  /// - Parameters:
  ///   - gitRoot: the top of the git work tree around the project; `nil` without git.
  ///   - files: `nil` for those on the disk.
  ///   - remotes: `nil`: any `remote://` will do.
  ///   - notesUses: whether stages say which values their templates took.
  ///   - commit: whose `.gitignore` files count instead of those on the disk.
  package init(
    root: String, folder: RepoPath, gitRoot: String?, unpacking: UnpackingOptions = UnpackingOptions(),
    files: (any ProjectFiles)? = nil, remotes: RemoteFolders? = nil, notesUses: Bool = false,
    ignoredBy commit: CommitTree? = nil
  ) {
    self.root = root
    self.folder = folder
    let files = files ?? DiskFiles(root: root)
    self.files = files
    ignore = IgnoreTree(root: root, files: files)
    parameters = ParameterFiles(root: root, files: files)
    if let commit, let gitRoot {
      git = GitIgnoreTree(commit, gitRoot: gitRoot, root: root)
    } else {
      git = GitIgnoreTree(gitRoot: gitRoot, root: root)
    }
    reader = PipelineFileReader(
      paths: PathResolver(ofProject: root), files: files, folder: folder, unpacking: unpacking, ignore: ignore,
      git: git, parameters: parameters, remotes: remotes, notesUses: notesUses)
  }

  /// The top of the git work tree that holds `root`; `nil` when there is none.
  package static func gitRoot(around root: String) -> String? {
    var folder = root
    while true {
      if Files.exists(Repository.join(folder, ".git")) { return folder }
      if folder == "/" || folder.isEmpty { return nil }
      folder = Repository.parent(folder)
    }
  }

  package static func lockPath(of file: RepoPath) -> RepoPath {
    let text = file.text
    guard let dot = text.utf8.lastIndex(of: UInt8(ascii: ".")) else { return file }
    return RepoPath(unchecked: String(text[..<dot]) + ".lock")
  }

  /// All stages; throws the first fault in the order of the walk.
  package func load() throws(Diagnostic) -> LoadedProject {
    let project = loadKeepingFailures()
    if let failure = project.failures.first { throw failure.diagnostic }
    return project
  }

  /// All stages that can be understood, and what could not.
  package func loadKeepingFailures() -> LoadedProject {
    var walk = Walk()
    visit(.root, listing: nil, &walk)
    var sources = walk.sources
    sources.add(ignore.sources)
    sources.add(parameters.sources)
    for path in git?.files ?? [] {
      if case .local(let inside) = reader.paths.location(ofAbsolute: path) {
        sources.files.append(inside)
      } else {
        sources.outside.append(path)
      }
    }
    return LoadedProject(
      pipeline: Pipeline(stages: walk.stages, files: walk.files), locks: walk.locks, failures: walk.failures,
      warnings: walk.warnings, sources: sources, root: root, folder: folder)
  }

  private struct Walk {
    var stages: [Stage] = []
    var files: [PipelineFile] = []
    var locks: [RepoPath: LockFile] = [:]
    var failures: [LoadedProject.Failure] = []
    var warnings: [String] = []
    var sources = ProjectSources()
    /// Outputs found so far: a folder that is one is not searched.
    var outputs: Set<RepoPath> = []

    mutating func take(_ read: PipelineFileReader.Result) {
      for stage in read.stages {
        for output in stage.outputs { if let path = output.location.local { outputs.insert(path) } }
      }
      stages += read.stages
      if let file = read.file { files.append(file) }
      if let lock = read.lock { locks[lock.path] = lock.content }
      failures += read.failures
      warnings += read.warnings
      sources.add(read.sources)
    }
  }

  private func list(_ folder: RepoPath, _ walk: inout Walk) -> [DirectoryEntry]? {
    do throws(Diagnostic) { return try files.list(folder) } catch {
      walk.sources.unreadable.append(folder)
      return nil
    }
  }

  /// The files of a folder first, in the order in which the system lists them, then its folders, as `os.walk` goes.
  private func visit(_ place: RepoPath, listing: [DirectoryEntry]?, _ walk: inout Walk) {
    // `os.walk` passes over what it may not list.
    guard let entries = listing ?? list(place, &walk) else { return }
    walk.sources.folders.append(place)
    let hasIgnoreFile = entries.contains { $0.name == ".dvcignore" }
    let rules = ignore.rules(in: place, knownToHaveFile: hasIgnoreFile)

    var candidates: [RepoPath] = []
    var folders: [RepoPath] = []
    for entry in entries {
      let path = place.appending(entry.name)
      switch entry.kind {
      case .directory:
        if rules.isIgnoredItself(path, isDirectory: true) {
          walk.sources.passedOver.append(path)
        } else {
          folders.append(path)
        }
      case .file, .symlink, .other:
        guard entry.name == "dvc.yaml" || entry.name.hasSuffix(".dvc") else { continue }
        if entry.kind == .symlink && files.isDirectory(path) || rules.isIgnoredItself(path, isDirectory: false)
          || git?.isIgnored(path, isDirectory: false) ?? false
        {
          walk.sources.passedOver.append(path)
        } else {
          candidates.append(path)
        }
      }
    }
    for result in reader.read(candidates) { walk.take(result) }
    for folder in folders where !walk.outputs.contains(folder) {
      guard git?.isIgnored(folder, isDirectory: true) != true, let inside = list(folder, &walk),
        // Else a project of its own.
        !inside.contains(where: { $0.name == ".dvc" })
      else {
        walk.sources.passedOver.append(folder)
        continue
      }
      visit(folder, listing: inside, &walk)
    }
  }
}
