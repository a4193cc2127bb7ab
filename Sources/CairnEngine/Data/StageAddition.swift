// `stage add`: builds a stage from a command line, checks it against the project, writes it into `dvc.yaml`.
package import CairnCore
internal import CairnStore
internal import CairnSystem

/// What the command line says of a new stage.
package struct NewStage: Sendable {
  package var name: String
  package var command: String
  package var deps: [String] = []
  /// `lr,seed`, `file.yaml:a,b`, `file.yaml:`.
  package var params: [String] = []
  package var outs: [String] = []
  package var outsNoCache: [String] = []
  package var outsPersist: [String] = []
  package var outsPersistNoCache: [String] = []
  package var metrics: [String] = []
  package var metricsNoCache: [String] = []
  package var plots: [String] = []
  package var plotsNoCache: [String] = []
  package var wdir: String?
  package var isAlwaysChanged = false
  package var description: String?

  package init(name: String, command: String) {
    self.name = name
    self.command = command
  }
}

package struct StageAddition {
  private let project: OpenProject
  private let loaded: LoadedProject
  private var git: GitTracking
  /// Where `.gitignore` could not be written, in DVC's words.
  package private(set) var warnings: [String] = []

  package init(_ project: OpenProject) {
    self.project = project
    loaded = project.loader.loadKeepingFailures()
    git = GitTracking(project)
  }

  /// The `dvc.yaml` of the working directory.
  private var file: RepoPath { (project.repository.workingFolder ?? .root).appending("dvc.yaml") }

  /// Writes the stage. Returns its address.
  package mutating func run(_ new: NewStage, force: Bool) throws(Diagnostic) -> StageAddress {
    do throws(Diagnostic) {
      let file = file
      // What the command line says is looked at before the file is.
      var stage = try stage(new)
      if let failure = loaded.failures.first(where: { $0.file == file && $0.stage == nil }) { throw failure.diagnostic }
      let known = loaded.pipeline.byAddress[stage.address]
      if known != nil || loaded.failures.contains(where: { $0.file == file && $0.stage == new.name }), !force {
        throw Diagnostic(
          .stageFile, "Stage '\(new.name)' already exists in '\(project.shown(file))'. Use '--force' to overwrite.")
      }
      try checkGraph(stage)
      if let known { restore(&stage, from: loaded.pipeline[known]) }
      _ = try PipelineFileWriter(project: project, file: file).put(stage)
      git.track(project.repository.absolute(file))
      try ignoreOutputs(of: stage)
      return stage.address
    } catch {
      git.takeBack()
      throw error
    }
  }

  /// The stage's first run has changed these files as well.
  package mutating func track(_ paths: [RepoPath]) {
    for path in paths { git.track(project.repository.absolute(path)) }
  }

  /// The stage's first run failed: its outputs' lines leave the `.gitignore` files, the stage stays.
  package mutating func takeBack() { git.takeBack() }

  /// What is to be said of git, once all has ended well.
  package mutating func finish() -> [String] { git.finish() }

  // MARK: - The stage

  private func stage(_ new: NewStage) throws(Diagnostic) -> Stage {
    if new.command.isEmpty { throw Diagnostic(.usage, "command is not specified") }
    if !StageName.isValid(new.name) {
      throw Diagnostic(.stageFile, "Stage name cannot contain punctuation characters.")
    }
    try project.refuseIgnored(stageFile: file)
    var stage = Stage(address: StageAddress(file: file, name: new.name), kind: .pipeline)
    stage.commands = [new.command]
    stage.wdir = try workingFolder(new.wdir)
    stage.isAlwaysChanged = new.isAlwaysChanged
    stage.description = new.description
    let groups: [([String], Output.Role, Bool, Bool)] = [
      (new.outsPersist, .out, true, true), (new.outsPersistNoCache, .out, false, true),
      (new.metrics, .metric, true, false), (new.metricsNoCache, .metric, false, false),
      (new.plots, .plot, true, false), (new.plotsNoCache, .plot, false, false),
      (new.outsNoCache, .out, false, false), (new.outs, .out, true, false),
    ]
    for (paths, role, isCached, isPersistent) in groups {
      for path in paths {
        var output = Output(declared: declared(path, stage), location: location(path, stage), role: role)
        output.isCached = isCached
        output.isPersistent = isPersistent
        try refuseUnknownURL(path)
        if TargetWords.isStageFile(path) { throw .isStageFile(path) }
        if let inside = output.location.local, let pattern = project.loader.ignore.refusal(ofOutput: inside) {
          throw .isIgnored(project.repository.absolute(inside), pattern.shown)
        }
        stage.outputs.append(output)
      }
    }
    try checkExternals(stage)
    for path in new.deps { try refuseUnknownURL(path) }
    stage.dependencies = new.deps.map { Dependency(declared: declared($0, stage), location: location($0, stage)) }
    stage.parameters = parameters(new.params, stage)
    for set in stage.parameters { try refuseUnknownURL(set.declared) }
    try checkDuplicates(stage)
    return stage
  }

  private func workingFolder(_ wdir: String?) throws(Diagnostic) -> Location {
    let absolute = Repository.normalized(project.absolute(wdir ?? "."))
    let words = "\(wdir == nil ? "file path" : "stage working dir") '\(absolute)'"
    guard Files.exists(absolute) else { throw Diagnostic(.stageFile, "\(words) does not exist") }
    guard Files.isDirectory(absolute) else { throw Diagnostic(.stageFile, "\(words) is not directory") }
    guard let path = project.repository.repoPath(of: absolute) else {
      throw Diagnostic(.stageFile, "\(words) is outside of DVC repo")
    }
    return .local(path)
  }

  private func refuseUnknownURL(_ path: String) throws(Diagnostic) {
    if let scheme = PathResolver.unsupportedScheme(of: path) { throw .unsupportedURL(scheme) }
    if let fault = RemoteFolders(project.settings).unknownRemote(in: path) { throw fault }
  }

  private func location(_ path: String, _ stage: Stage) -> Location {
    project.repository.paths.location(of: path, in: stage.wdir)
  }

  /// An absolute path inside the project is written relative to the stage's folder, any other as it was typed.
  private func declared(_ path: String, _ stage: Stage) -> String {
    guard path.hasPrefix("/"), let inside = project.repository.repoPath(of: path), let wdir = stage.wdir.local else {
      return path
    }
    return inside.relative(to: wdir)
  }

  /// `file:a,b` words gathered by file, in the order in which files are first named.
  private func parameters(_ words: [String], _ stage: Stage) -> [ParameterSet] {
    var sets: [ParameterSet] = []
    for word in words {
      let colon = word.lastIndex(of: ":")
      let file = colon.map { String(word[..<$0]) } ?? ""
      let keys = (colon.map { word[word.index(after: $0)...] } ?? word[...]).split(separator: ",").map(String.init)
      let name = file.isEmpty ? "params.yaml" : file
      if let index = sets.firstIndex(where: { $0.declared.hasSameBytes(as: name) }) {
        sets[index].keys += keys
      } else {
        sets.append(ParameterSet(declared: name, location: location(name, stage), keys: keys))
      }
    }
    return sets
  }

  /// What a stage that is overwritten keeps: its description, meta, and the annotations of outputs that stay.
  private func restore(_ stage: inout Stage, from old: Stage) {
    stage.meta = old.meta
    stage.description = old.description
    for index in stage.outputs.indices {
      guard let same = old.outputs.first(where: { $0.declared.hasSameBytes(as: stage.outputs[index].declared) }) else {
        continue
      }
      stage.outputs[index].annotations = same.annotations
      stage.outputs[index].remote = same.remote
      stage.outputs[index].isPushed = same.isPushed
    }
  }

  // MARK: - Checks

  private func checkExternals(_ stage: Stage) throws(Diagnostic) {
    let outside = stage.outputs.filter { $0.isCached && $0.location.local == nil }.map { absolute($0.location) }
    if outside.isEmpty { return }
    throw Diagnostic(
      .stageFile,
      "Cached output(s) outside of DVC project: \(outside.joined(separator: ", ")). See "
        + "<https://dvc.org/doc/user-guide/pipelines/external-dependencies-and-outputs> for more info.")
  }

  private func checkDuplicates(_ stage: Stage) throws(Diagnostic) {
    let outputs = stage.outputs.map(\.location)
    let inputs = stage.dependencies.map(\.location) + stage.parameters.map(\.location)
    if let both = outputs.first(where: inputs.contains) {
      throw Diagnostic(.stageFile, "'\(absolute(both))' is specified as an output and as a dependency.")
    }
    var seen: Set<Location> = []
    for location in inputs + outputs where !seen.insert(location).inserted {
      throw Diagnostic(.stageFile, "file '\(absolute(location))' is specified more than once.")
    }
  }

  private func absolute(_ location: Location) -> String {
    project.repository.paths.absolute(location) ?? project.shown(location)
  }

  private func checkGraph(_ stage: Stage) throws(Diagnostic) {
    if let failure = loaded.failures.first(where: { !($0.file == file && $0.stage == stage.address.name) }) {
      throw failure.diagnostic
    }
    let others = loaded.pipeline.stages.filter { $0.address != stage.address }
    let folder = project.repository.workingFolder ?? .root
    for output in stage.outputs {
      let holders = others.filter { $0.outputs.contains { $0.location == output.location } }
      if holders.isEmpty { continue }
      throw .outputIsTaken(project.shown(output.location), holders.map { $0.address.text(from: folder) })
    }
    let pipeline = Pipeline(stages: others + [stage], files: loaded.pipeline.files)
    _ = try StageGraph(pipeline, root: project.repository.root, from: folder)
  }

  private mutating func ignoreOutputs(of stage: Stage) throws(Diagnostic) {
    let paths = stage.outputs.filter(\.isCached).compactMap(\.location.local)
    let tracked = try git.tracked(paths.map(project.repository.absolute))
    for path in paths {
      let absolute = project.repository.absolute(path)
      if tracked.contains(absolute) { throw .isInGit(project.shown(path)) }
      let folder = Repository.parent(absolute)
      guard Files.isDirectory(folder) else {
        // DVC stops at the first such output: the stage's run writes the lines.
        warnings.append(
          "Could not create .gitignore entry in \(Repository.join(folder, ".gitignore")). DVC will attempt to create "
            + ".gitignore entry again when the stage is run.")
        return
      }
      try git.ignore(absolute)
    }
  }
}

extension Diagnostic {
  /// The output belongs to other stages already.
  static func outputIsTaken(_ output: String, _ stages: [String]) -> Diagnostic {
    if stages.count == 1 {
      return Diagnostic(
        Code("output-duplicate"),
        "output '\(output)' is already specified in stage: '\(stages[0])'.\nUse `dvc remove \(stages[0])` to stop "
          + "tracking the overlapping output.")
    }
    let list = stages.map { "\n\t- \($0)" }.joined()
    return Diagnostic(
      Code("output-duplicate"),
      "output '\(output)' is specified in:\(list)\nUse `dvc remove` with any of the above targets to stop tracking the "
        + "overlapping output.")
  }
}
