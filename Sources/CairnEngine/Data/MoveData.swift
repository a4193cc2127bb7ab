// `move`: renames data that was added, with the `.dvc` file that tracks it.
package import CairnCore
internal import CairnFormats
internal import CairnStore
internal import CairnSystem

package struct MoveData {
  private let project: OpenProject
  private let source: String
  private let loaded: LoadedProject
  private var git: GitTracking

  /// Refuses to take a file of DVC's for data before any is read.
  package init(_ project: OpenProject, _ source: String) throws(Diagnostic) {
    if TargetWords.isStageFile(source) { throw .isStageFile(source) }
    self.project = project
    self.source = source
    loaded = try project.loader.load()
    _ = try loaded.graph()
    git = GitTracking(project)
  }

  /// Returns what is to be said: of a source that is missing, then of git.
  package mutating func run(to target: String) throws(Diagnostic) -> (warnings: [String], git: [String]) {
    do throws(Diagnostic) {
      let warnings = try move(to: target)
      return (warnings, git.finish())
    } catch {
      git.takeBack()
      throw error
    }
  }

  private mutating func move(to target: String) throws(Diagnostic) -> [String] {
    let from = Repository.normalized(project.absolute(source))
    guard let path = project.repository.repoPath(of: from), let (id, index) = holder(of: path) else {
      throw Diagnostic(.stageFile, "Unable to find DVC file with output '\(source)'")
    }
    var stage = loaded.pipeline[id]
    guard stage.kind == .tracked, stage.commands.isEmpty else { throw .isNoDataSource(stage, project) }
    let shownTarget = Files.isDirectory(project.absolute(target)) ? Repository.join(target, path.name) : target
    let to = Repository.normalized(project.absolute(shownTarget))
    guard let destination = project.repository.repoPath(of: to) else {
      throw Diagnostic(.stageFile, "file path '\(Repository.parent(to))' is outside of DVC repo")
    }
    let oldFile = stage.address.file
    // A `.dvc` file that is called like its data moves along; another one only learns the new path.
    let movesFile = oldFile.name.hasSuffix(".dvc") && String(oldFile.name.dropLast(4)).hasSameBytes(as: path.name)
    if movesFile {
      if shownTarget.hasSuffix("/") { throw Diagnostic(.stageFile, "stage working dir '\(to)' does not exist") }
      if !Files.isDirectory(Repository.parent(to)) {
        throw Diagnostic(.stageFile, "stage working dir '\(Repository.parent(to))' does not exist")
      }
      if TargetWords.isStageFile(destination.name) { throw .isStageFile(destination.name) }
      let file = RepoPath(unchecked: destination.text + ".dvc")
      if Files.exists(project.repository.absolute(file)) {
        throw Diagnostic(.stageFile, "'\(shownTarget).dvc' already exists")
      }
      try project.refuseIgnored(stageFile: file)
      stage.address = StageAddress(file: file, name: nil)
      stage.wdir = .local(destination.parent)
      stage.outputs[index].declared = destination.name
    } else if let wdir = stage.wdir.local {
      let declared = destination.relative(to: wdir)
      if TargetWords.isStageFile(declared) { throw .isStageFile(declared) }
      stage.outputs[index].declared = declared
    }
    stage.outputs[index].location = .local(destination)
    try checkGraph(with: stage, inPlaceOf: id)

    var warnings: [String] = []
    let exists = Files.exists(from, followLinks: false)
    if exists {
      try Files.rename(from, to: to)
    } else {
      warnings.append("'\(from)' missing")
    }
    if stage.outputs[index].isCached { try git.unignore(from) }
    var files = stage.tracked?.outputs ?? []
    if exists, stage.outputs[index].isCached {
      // The cache takes the data as it is; the file goes on saying what was added, as DVC's does.
      let content = try project.writer.save(destination, relink: true)
      if case .unknown(let error) = content { throw error }
      project.snapshotter.index.flush()
      // It may have to go with its `.dvc` file when another commit is checked out.
      if let hash = content.hash { try LinkBook(project).record([(path: destination, hash: hash)]) }
    }
    if files.indices.contains(index) { files[index].path = stage.outputs[index].declared }
    if stage.outputs[index].isCached { try git.ignore(to) }
    let file = project.repository.absolute(stage.address.file)
    try DataFileWriter.write(
      stage, outputs: files, previous: movesFile ? nil : stage.tracked?.document,
      dependencies: dependencies(of: stage), to: file)
    git.track(file)
    if movesFile {
      let old = project.repository.absolute(oldFile)
      _ = try Files.remove(old)
      git.track(old)
    }
    return warnings
  }

  /// The moved data may lie inside another output, or be one: nothing has been touched yet.
  private func checkGraph(with stage: Stage, inPlaceOf id: StageID) throws(Diagnostic) {
    let stages = loaded.pipeline.ids.map { $0 == id ? stage : loaded.pipeline[$0] }
    _ = try StageGraph(
      Pipeline(stages: stages, files: loaded.pipeline.files), root: loaded.root, from: loaded.folder)
  }

  /// What an import reads, as a file in the stage's folder names it; files here are reached from there.
  private func dependencies(of stage: Stage) -> [Value] {
    let items = stage.tracked?.document["deps"]?.value.list ?? []
    guard let folder = stage.wdir.local else { return items }
    let paths = project.repository.paths
    return zip(items, stage.dependencies).map { item, dependency in
      guard case .map(var map) = item, map["repo"] == nil, let written = map.removeValue(forKey: "path") else { return item }
      switch dependency.location {
      case .local(let path): map["path"] = .string(path.relative(to: folder))
      case .external(let path) where written.string?.hasPrefix("/") == false:
        map["path"] = .string(paths.relative(path.absolute, to: folder))
      case .external, .url: map["path"] = written
      }
      return .map(map)
    }
  }

  private func holder(of path: RepoPath) -> (StageID, Int)? {
    for id in loaded.pipeline.ids {
      if let index = loaded.pipeline[id].outputs.firstIndex(where: { $0.location.local == path }) { return (id, index) }
    }
    return nil
  }
}

extension Diagnostic {
  fileprivate static func isNoDataSource(_ stage: Stage, _ project: OpenProject) -> Diagnostic {
    let name = stage.address.text(from: project.repository.workingFolder ?? .root)
    return Diagnostic(
      .stageFile,
      "move is not permitted for stages that are not data sources. You need to either move '\(name)' to a new location "
        + "and edit it by hand, or remove '\(name)' and create a new one at the desired location.")
  }
}
