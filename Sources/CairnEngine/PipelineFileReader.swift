// Reads one dvc.yaml with its lock, or one .dvc file, into stages. Knows nothing of the other files.
package import CairnCore
internal import CairnFormats
internal import CairnStore
internal import CairnSystem

struct PipelineFileReader: Sendable {
  struct Result: Sendable {
    var stages: [Stage] = []
    var file: PipelineFile?
    var lock: (path: RepoPath, content: LockFile)?
    var failures: [LoadedProject.Failure] = []
    var warnings: [String] = []
    var sources = ProjectSources()
  }

  let paths: PathResolver
  let files: any ProjectFiles
  let folder: RepoPath
  let unpacking: UnpackingOptions
  let ignore: IgnoreTree
  let git: GitIgnoreTree?
  let parameters: ParameterFiles
  /// `nil`: what they lead to is not asked.
  let remotes: RemoteFolders?
  let notesUses: Bool

  /// In the order given; many files are read side by side.
  func read(_ files: [RepoPath]) -> [Result] {
    files.count < 8 ? files.map(read) : Parallel.map(files.count, chunk: 1) { read(files[$0]) }
  }

  func read(_ path: RepoPath) -> Result {
    var result = Result()
    result.sources.files.append(path)
    do throws(Diagnostic) {
      if path.text.hasSuffix(".dvc") {
        result.stages = [try tracked(path)]
      } else {
        try pipeline(path, into: &result)
      }
    } catch {
      result.failures.append(LoadedProject.Failure(file: path, stage: nil, diagnostic: error))
    }
    for index in result.failures.indices {
      result.failures[index].diagnostic = result.failures[index].diagnostic.namingFile(from: folder)
    }
    return result
  }

  private func document(_ path: RepoPath) throws(Diagnostic) -> MarkedValue? {
    guard let bytes = try files.read(path) else { return nil }
    return try YAMLReader.parse(SourceText(path: path.text, bytes: bytes))
  }

  private func tracked(_ path: RepoPath) throws(Diagnostic) -> Stage {
    guard let document = try document(path) else { throw .missing(paths.absolute(path)) }
    try PipelineSchema.validateTracked(document, shown: path.relative(to: folder))
    var stage = try TrackedFile.stage(document, at: path, from: folder, paths: paths)
    if let outputs = stage.tracked?.outputs { stage.tracked?.outputs = outputs.map(\.withHashOfFiles) }
    // Data needs no checksum of its file: one that is there is another one than DVC's, which is none.
    if let tracked = stage.tracked, stage.isImport || tracked.md5 != nil && stage.commands.isEmpty {
      let isEdited = tracked.md5 != StageChecksum.md5(of: stage, tracked)
      stage.tracked?.isEdited = isEdited
    }
    try checkRemotes(of: stage)
    try checkOutputs(of: stage)
    return stage
  }

  private func pipeline(_ path: RepoPath, into result: inout Result) throws(Diagnostic) {
    let shown = path.relative(to: folder)
    // A long lock is read beside the pipeline: each takes about as long as the other.
    let lock = Prefetch { [self] in Lock(of: path, self) }
    guard let bytes = try files.read(path) else { throw .missing(paths.absolute(path)) }
    if bytes.count > Self.longFile { lock.begin() }
    let document = try YAMLReader.parse(SourceText(path: path.text, bytes: bytes))
    try PipelineSchema.validatePipeline(document, shown: shown)
    try lock.value.take(into: &result)
    var place = TemplatePlace(file: path, folder: folder, paths: paths, unpacking: unpacking)
    place.notesUses = notesUses
    let template = try PipelineTemplate(document, at: place, source: parameters)
    defer { result.warnings += template.warnings }
    let builder = StageBuilder(file: path, folder: folder, paths: paths)
    // Each stage's fault is its own: a target beside it may still be wanted.
    let names = try template.names()
    let stages = Parallel.map(names.count, chunk: 64) { number -> Swift.Result<Stage, Diagnostic> in
      do throws(Diagnostic) {
        guard let resolved = try template.resolve(names[number]) else { throw .noStage(names[number], in: shown) }
        let stage = try builder.stage(resolved)
        try checkRemotes(of: stage)
        try checkOutputs(of: stage)
        return .success(stage)
      } catch {
        return .failure(error)
      }
    }
    for (name, stage) in zip(names, stages) {
      switch stage {
      case .success(let stage): result.stages.append(stage)
      case .failure(let fault):
        result.failures.append(LoadedProject.Failure(file: path, stage: name, diagnostic: fault))
      }
    }
    do throws(Diagnostic) {
      result.file = try topLevel(of: document, at: path, template)
    } catch {
      result.file = PipelineFile(path: path, document: document)
      result.failures.append(LoadedProject.Failure(file: path, stage: "", diagnostic: error))
    }
    result.file?.neededFiles = template.neededFiles
  }

  private func topLevel(
    of document: MarkedValue, at path: RepoPath, _ template: PipelineTemplate
  ) throws(Diagnostic) -> PipelineFile {
    var file = PipelineFile(path: path, document: document)
    file.metrics = try template.section("metrics").map { PythonText.str($0.value) }
    let plots = try template.section("plots")
    if !plots.isEmpty { file.plots = .list(plots.map(\.value)) }
    file.params = try template.section("params").map { PythonText.str($0.value) }
    for artifact in try template.artifacts() { file.artifacts[.string(artifact.name)] = artifact.value.value }
    file.datasets = try template.section("datasets").map(\.value)
    return file
  }

  /// Bytes from which on a second thread pays.
  private static let longFile = 128 << 10

  /// What became of the lock beside a dvc.yaml.
  private struct Lock: Sendable {
    let path: RepoPath
    /// `nil`: there is none, or DVC does not see it.
    private let content: Swift.Result<LockFile?, Diagnostic>

    init(of file: RepoPath, _ reader: PipelineFileReader) {
      let path = PipelineLoader.lockPath(of: file)
      self.path = path
      do throws(Diagnostic) { content = .success(try Self.read(path, reader)) } catch { content = .failure(error) }
    }

    private static func read(_ path: RepoPath, _ reader: PipelineFileReader) throws(Diagnostic) -> LockFile? {
      if reader.git?.isIgnored(path, isDirectory: false) ?? false {
        throw Diagnostic(.gitIgnored, "'\(reader.paths.absolute(path))' is git-ignored.")
      }
      guard !reader.ignore.isIgnored(path, isDirectory: false), let bytes = try reader.files.read(path) else { return nil }
      return try LockYAML.read(SourceText(path: path.text, bytes: bytes)).withHashesOfFiles
    }

    func take(into result: inout Result) throws(Diagnostic) {
      if case .success(nil) = content { return result.sources.absent.append(path) }
      // What cannot be understood was looked at, too.
      result.sources.files.append(path)
      if let lock = try content.get() { result.lock = (path, lock) }
    }
  }

  /// A `remote://` that no setting knows is refused, whoever asks for the stage.
  private func checkRemotes(of stage: Stage) throws(Diagnostic) {
    guard let remotes else { return }
    func check(_ location: Location, _ mark: SourceMark?) throws(Diagnostic) {
      if case .url(let url) = location, let fault = remotes.unknownRemote(in: url) { throw fault.located(at: mark) }
    }
    for dependency in stage.dependencies { try check(dependency.location, dependency.mark) }
    for output in stage.outputs { try check(output.location, output.mark) }
  }

  /// An output where DVC does not look is refused.
  private func checkOutputs(of stage: Stage) throws(Diagnostic) {
    for output in stage.outputs {
      guard let path = output.location.local, let pattern = ignore.refusal(ofOutput: path) else { continue }
      let wdir = paths.absolute(stage.wdir) ?? ""
      throw Diagnostic(
        .outputIgnored, "Path \(PythonText.quoted(wdir + "/" + output.declared)) is ignored by \(pattern.shown)",
        at: output.mark)
    }
  }
}

extension Diagnostic.Code {
  /// A `dvc.lock` or stage file that git does not see.
  package static let gitIgnored = Diagnostic.Code("git-ignored")
  /// An output that `.dvcignore` hides.
  package static let outputIgnored = Diagnostic.Code("output-ignored")
  /// A stage, file or output that does not exist.
  package static let notFound = Diagnostic.Code("not-found")
}

extension Diagnostic {
  static func missing(_ path: String) -> Diagnostic { Diagnostic(.notFound, "'\(path)' does not exist") }

  static func noStage(_ name: String, in file: String) -> Diagnostic {
    Diagnostic(.notFound, "Stage '\(name)' not found inside '\(file)' file")
  }
}

extension Diagnostic {
  /// With the broken file named as it is seen from `folder`, as DVC names it; the mark stays as it is.
  fileprivate func namingFile(from folder: RepoPath) -> Diagnostic {
    guard !folder.isRoot, let path = mark?.source.path, !path.hasPrefix("/") else { return self }
    let shown = RepoPath(unchecked: path).relative(to: folder)
    let dot = shown.hasPrefix("..") ? "" : "./"
    var error = self
    let names = [("'./\(path)'", "'\(dot)\(shown)'"), ("unable to read: '\(path)'", "unable to read: '\(shown)'")]
    for (old, new) in names where message.hasPrefix(old) { error.message = new + message.dropFirst(old.count) }
    return error
  }
}
