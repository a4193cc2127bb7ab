// What the words mean that a user names stages with. Knows a loaded project; looks at the disk only to tell folders,
// and to say why a file is not there.
package import CairnCore
internal import CairnSystem

/// A stage, perhaps narrowed to one of its outputs or a path inside it.
package struct StageSelection: Sendable, Hashable {
  package var stage: StageID
  /// The path that the user named.
  package var path: Location?

  package init(stage: StageID, path: Location? = nil) {
    self.stage = stage
    self.path = path
  }
}

package struct TargetResolution: Sendable {
  package let project: LoadedProject
  private let loader: PipelineLoader
  private let paths: PathResolver
  private let stagesByFile: [RepoPath: [StageID]]

  /// `project` may have failures: they are thrown only where a target meets them.
  package init(_ project: LoadedProject, loader: PipelineLoader) {
    self.project = project
    self.loader = loader
    paths = PathResolver(ofProject: loader.root)
    stagesByFile = Dictionary(grouping: project.pipeline.ids) { project.pipeline[$0].address.file }
  }

  /// DVC's `collect`: what `repro`, `stage list` and `freeze` take: stages, groups, stage files, folders
  /// (`recursive`), patterns of stage names (`glob`). `nil`: every stage.
  package func stages(
    _ target: String?, withDependencies: Bool = false, recursive: Bool = false, glob: Bool = false
  ) throws(Diagnostic) -> [StageID] {
    guard let target, !target.isEmpty else { return project.pipeline.ids }
    if recursive, let folder = folder(target) { return try stages(inside: folder) }
    let words = try TargetWords(target, isPattern: glob)
    let found = try load(file: words.file, name: words.name, isPattern: glob)
    return withDependencies ? try withAncestry(found) : found
  }

  /// Several targets of `stages(_:)`, each stage once, in the order of first mention.
  package func stages(
    _ targets: [String], withDependencies: Bool = false, recursive: Bool = false, glob: Bool = false
  ) throws(Diagnostic) -> [StageID] {
    var all: [StageID] = []
    var seen: Set<StageID> = []
    for target in targets {
      for id in try stages(target, withDependencies: withDependencies, recursive: recursive, glob: glob)
      where seen.insert(id).inserted {
        all.append(id)
      }
    }
    return all
  }

  /// DVC's `collect_granular`: what `status`, `commit`, `checkout` and `dag` take: the above (but patterns), and
  /// paths of outputs or inside them. Stage names win over paths.
  package func selections(
    _ target: String?, withDependencies: Bool = false, recursive: Bool = false
  ) throws(Diagnostic) -> [StageSelection] {
    guard let target, !target.isEmpty else { return project.pipeline.ids.map { StageSelection(stage: $0) } }
    let words = try TargetWords(target, isPattern: false)
    let isFolder = recursive && folder(target) != nil
    if let file = words.file {
      if !withDependencies, TargetWords.isStageFile(file) {
        return try load(file: file, name: words.name, isPattern: false).map { StageSelection(stage: $0) }
      }
    } else if !isFolder, let here = pipelineFileHere {
      let found = try stagesNamed(target, in: here)
      if !found.isEmpty {
        return try (withDependencies ? withAncestry(found) : found).map { StageSelection(stage: $0) }
      }
    }
    if !isFolder, let selection = try output(target) { return [selection] }
    do throws(Diagnostic) {
      return try stages(target, withDependencies: withDependencies, recursive: recursive).map {
        StageSelection(stage: $0)
      }
    } catch {
      guard error.code == .noSuchStage || (error.code == .noSuchFile && words.file == nil) else { throw error }
      let file = words.file ?? "dvc.yaml"
      throw Diagnostic(
        .noOutputOrStage,
        "'\(target)' does not exist as an output or a stage name in '\(file)'", hint: hint(for: target)
      ).because(of: error)
    }
  }

  /// Several targets of `selections(_:)`; none: every stage.
  package func selections(
    _ targets: [String], withDependencies: Bool = false, recursive: Bool = false
  ) throws(Diagnostic) -> [StageSelection] {
    if targets.isEmpty { return try selections(nil) }
    var all: [StageSelection] = []
    for target in targets {
      all += try selections(target, withDependencies: withDependencies, recursive: recursive)
    }
    return all
  }

  /// DVC's `get_target`: one stage by name or file; a group is none.
  package func stage(_ target: String) throws(Diagnostic) -> StageID {
    let words = try TargetWords(target, isPattern: false)
    let file = try file(words.file ?? "dvc.yaml", isNamed: words.file != nil)
    if file.text.hasSuffix(".dvc") { return try allStages(of: file)[0] }
    guard let name = words.name else {
      throw Diagnostic(
        .noSuchStage,
        "Stage name not provided.Please specify the name as: `\(file.relative(to: project.folder)):stage_name`")
    }
    return try one(name, in: file)
  }

  // MARK: Files

  private func load(file: String?, name: String?, isPattern: Bool) throws(Diagnostic) -> [StageID] {
    let path = try self.file(file ?? "dvc.yaml", isNamed: file != nil)
    if path.text.hasSuffix(".dvc") { return try allStages(of: path) }
    guard let name else { return try allStages(of: path) }
    if isGroup(name, in: path) { return try stagesNamed(name, in: path) }
    if isPattern {
      if let failure = wholeFailure(of: path) { throw failure }
      let ids = stagesByFile[path] ?? []
      let matching = Set(NameGlob.filter(ids.compactMap { project.pipeline[$0].address.name }, name))
      for failure in project.failures where failure.file == path {
        if let stage = failure.stage, !NameGlob.filter([stage], name).isEmpty { throw failure.diagnostic }
      }
      return ids.filter { project.pipeline[$0].address.name.map(matching.contains) ?? false }
    }
    return [try one(name, in: path)]
  }

  /// The stages of a group, or the stage of that name; empty when there is none.
  private func stagesNamed(_ name: String, in file: RepoPath) throws(Diagnostic) -> [StageID] {
    if let failure = wholeFailure(of: file) ?? failure(of: name, in: file) { throw failure }
    if isGroup(name, in: file) { return (stagesByFile[file] ?? []).filter { project.pipeline[$0].group == name } }
    return project.pipeline.byAddress[StageAddress(file: file, name: name)].map { [$0] } ?? []
  }

  /// Written with `foreach` or `matrix`, perhaps over nothing.
  private func isGroup(_ name: String, in file: RepoPath) -> Bool {
    guard let document = project.pipeline.files.first(where: { $0.path == file })?.document else { return false }
    let definition = document["stages"]?[name]
    return definition?["foreach"] != nil || definition?["matrix"] != nil
  }

  private func one(_ name: String, in file: RepoPath) throws(Diagnostic) -> StageID {
    if let failure = wholeFailure(of: file) ?? failure(of: name, in: file) { throw failure }
    if let id = project.pipeline.byAddress[StageAddress(file: file, name: name)] { return id }
    let names = (stagesByFile[file] ?? []).compactMap { project.pipeline[$0].address.name }
    throw Diagnostic(
      .noSuchStage, "Stage '\(name)' not found inside '\(file.relative(to: project.folder))' file",
      hint: Suggestion.hint(for: name, among: names))
  }

  private func allStages(of file: RepoPath) throws(Diagnostic) -> [StageID] {
    if let failure = project.failures.first(where: { $0.file == file && $0.stage != "" }) { throw failure.diagnostic }
    return stagesByFile[file] ?? []
  }

  private func wholeFailure(of file: RepoPath) -> Diagnostic? {
    project.failures.first { $0.file == file && $0.stage == nil }?.diagnostic
  }

  private func failure(of name: String, in file: RepoPath) -> Diagnostic? {
    if project.failures.isEmpty { return nil }
    let isGroup = isGroup(name, in: file)
    return project.failures.first {
      guard $0.file == file, let stage = $0.stage else { return false }
      return stage == name || isGroup && stage.hasPrefix(name + "@")
    }?.diagnostic
  }

  /// The stage file that `text` names, which must be one that DVC would read.
  private func file(_ text: String, isNamed: Bool) throws(Diagnostic) -> RepoPath {
    let location = paths.location(of: text, in: .local(project.folder))
    let absolute = paths.absolute(location) ?? text
    let shown = isNamed ? absolute : text
    guard case .local(let path) = location else {
      throw Diagnostic(.noSuchFile, "'\(shown)' does not exist")
    }
    if stagesByFile[path] != nil || project.pipeline.files.contains(where: { $0.path == path })
      || project.failures.contains(where: { $0.file == path })
    {
      return path
    }
    let isHidden = loader.ignore.isIgnored(path, isDirectory: false)
    guard !isHidden, loader.files.exists(path), let stat = (try? FileStat.of(absolute)) ?? nil else {
      throw Diagnostic(.noSuchFile, "'\(shown)' \(isHidden ? "is dvc-ignored" : "does not exist")")
    }
    if !TargetWords.isStageFile(text) {
      throw Diagnostic(
        .badFileName,
        "bad DVC file name '\(path.relative(to: project.folder))'. DVC files should be named 'dvc.yaml' or have a "
          + "'.dvc' suffix (e.g. '\(path.name).dvc').")
    }
    if !stat.isFile {
      let beside = Files.exists(absolute + ".dvc") ? ". Do you mean '\(shown).dvc'?" : ""
      throw Diagnostic(.noSuchFile, "'\(shown)' is not a .dvc file\(beside)")
    }
    // There, but not found by the walk: git hides it, or it lies inside an output.
    throw Diagnostic(.gitIgnored, "bad DVC file name '\(path.relative(to: project.folder))' is git-ignored.")
  }

  /// The `dvc.yaml` of the folder where the user stands.
  private var pipelineFileHere: RepoPath? {
    let path = project.folder.appending("dvc.yaml")
    let isKnown =
      project.pipeline.files.contains { $0.path == path } || project.failures.contains { $0.file == path }
    return isKnown ? path : nil
  }

  // MARK: Paths

  private func folder(_ target: String) -> RepoPath? {
    let location = paths.location(of: target, in: .local(project.folder))
    guard let absolute = paths.absolute(location), Files.isDirectory(absolute) else { return nil }
    return location.local
  }

  private func stages(inside folder: RepoPath) throws(Diagnostic) -> [StageID] {
    try project.graph().wholeOrder.filter { project.pipeline[$0].address.file.isInside(folder) }
  }

  private func output(_ target: String) throws(Diagnostic) -> StageSelection? {
    let location = paths.location(of: target, in: .local(project.folder))
    _ = try project.graph()
    for id in project.pipeline.ids {
      for output in project.pipeline[id].outputs {
        if !location.isURL, location.isInside(output.location) { return StageSelection(stage: id, path: location) }
      }
    }
    return nil
  }

  /// The stages with all that stand before them in the pipeline, each once.
  package func withAncestry(_ stages: [StageID]) throws(Diagnostic) -> [StageID] {
    let graph = try project.graph()
    var all: [StageID] = []
    var seen: Set<StageID> = []
    for stage in stages { for id in graph.ancestry(of: stage) where seen.insert(id).inserted { all.append(id) } }
    return all
  }

  private func hint(for target: String) -> String? {
    var names: [String] = []
    for id in project.pipeline.ids {
      let stage = project.pipeline[id]
      names.append(stage.address.text(from: project.folder))
      names += stage.outputs.map { $0.text(from: project.folder) }
    }
    return Suggestion.hint(for: target, among: names)
  }
}

extension Diagnostic.Code {
  package static let noSuchStage = Diagnostic.Code("no-such-stage")
  package static let noSuchFile = Diagnostic.Code("no-such-file")
  package static let noOutputOrStage = Diagnostic.Code("no-output-or-stage")
  package static let badFileName = Diagnostic.Code("bad-file-name")
}
