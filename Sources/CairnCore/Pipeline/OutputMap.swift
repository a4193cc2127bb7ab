// All outputs of a pipeline by where they lie; refuses those that are one another's or contain one another.

struct OutputMap: Sendable {
  struct Entry: Sendable {
    var stage: StageID
    /// In the stage's outputs.
    var index: Int
  }

  private var local = PathTrie<Entry>()
  /// Outside the project: absolute paths without their first `/`, and URLs.
  private var elsewhere = PathTrie<Entry>()
  private let rootKey: RepoPath

  init(_ pipeline: Pipeline, root: String, from folder: RepoPath) throws(Diagnostic) {
    rootKey = Self.key(root)
    for (number, stage) in pipeline.stages.enumerated() {
      for (index, output) in stage.outputs.enumerated() {
        let entry = Entry(stage: StageID(number), index: index)
        if let fault = add(entry, output.location, pipeline, folder) { throw fault }
      }
    }
  }

  private mutating func add(
    _ entry: Entry, _ location: Location, _ pipeline: Pipeline, _ folder: RepoPath
  ) -> Diagnostic? {
    switch location {
    case .local(let path): Self.add(entry, path, to: &local, pipeline, folder)
    case .external(let path): Self.add(entry, Self.key(path.absolute), to: &elsewhere, pipeline, folder)
    case .url(let url): Self.add(entry, RepoPath(unchecked: url), to: &elsewhere, pipeline, folder)
    }
  }

  private static func add(
    _ entry: Entry, _ path: RepoPath, to trie: inout PathTrie<Entry>, _ pipeline: Pipeline, _ folder: RepoPath
  ) -> Diagnostic? {
    if let first = trie[path] { return .duplicate(first, entry, in: pipeline, from: folder) }
    if let inner = trie.valuesBelow(path).first { return .overlap(entry, inner, in: pipeline, from: folder) }
    if let outer = trie.firstAbove(path) { return .overlap(outer, entry, in: pipeline, from: folder) }
    trie.insert(entry, at: path)
    return nil
  }

  /// No stage file may lie inside an output.
  func checkStageFiles(of pipeline: Pipeline, from folder: RepoPath) throws(Diagnostic) {
    for stage in pipeline.stages {
      guard let entry = local.firstAbove(stage.address.file) ?? elsewhere.firstAbove(rootKey) else { continue }
      let output = pipeline[entry.stage].outputs[entry.index]
      // The project's own folder is shown whole.
      let shown = output.location == .local(.root) ? "/" + rootKey.text : output.text(from: folder)
      throw Diagnostic(
        .stageInOutput,
        "stage: '\(stage.address.text(from: folder))' is within an output \(PythonText.quoted(shown))"
          + " of another stage", at: output.mark)
    }
  }

  /// Calls `body` for outputs at or above `location`, outermost first, then for those below it.
  func forEachOverlap(with location: Location, _ body: (Entry) -> Void) {
    switch location {
    case .local(let path):
      elsewhere.valuesAbove(rootKey).forEach(body)
      local.valuesAbove(path).forEach(body)
      local.valuesBelow(path).forEach(body)
    case .external(let path):
      let key = Self.key(path.absolute)
      elsewhere.valuesAbove(key).forEach(body)
      elsewhere.valuesBelow(key).forEach(body)
      if rootKey.isInside(key) { local.valuesBelow(.root).forEach(body) }
    case .url(let url):
      elsewhere.valuesAbove(RepoPath(unchecked: url)).forEach(body)
      elsewhere.valuesBelow(RepoPath(unchecked: url)).forEach(body)
    }
  }

  /// The dependency by which `stage` needs `producer`.
  func link(from stage: Stage, to producer: StageID) -> (declared: String, mark: SourceMark?)? {
    let links = stage.dependencies.map { ($0.location, $0.declared, $0.mark) }
      + stage.parameters.map { ($0.location, $0.declared, $0.mark) }
    for (location, declared, mark) in links {
      var found = false
      forEachOverlap(with: location) { if $0.stage == producer { found = true } }
      if found { return (declared, mark) }
    }
    return nil
  }

  private static func key(_ absolute: String) -> RepoPath {
    RepoPath(unchecked: String(absolute.drop { $0 == "/" }))
  }
}

extension Output {
  /// How DVC shows it to somebody who stands in `folder`.
  package func text(from folder: RepoPath) -> String { location.text(declared: declared, from: folder) }
}

extension Dependency {
  package func text(from folder: RepoPath) -> String {
    if let url = source?.repository?[.string("url")]?.string { return "\(declared) (\(url))" }
    return location.text(declared: declared, from: folder)
  }
}

extension ParameterSet {
  package func text(from folder: RepoPath) -> String { location.text(declared: declared, from: folder) }
}

extension Location {
  /// As DVC shows a path that was written `declared`: relative to `folder` inside the project, else absolute.
  package func text(declared: String, from folder: RepoPath) -> String {
    switch self {
    case .local(let path): path.relative(to: folder)
    case .external(let path): declared.hasPrefix("/") ? declared : path.absolute
    case .url: declared
    }
  }
}

extension Diagnostic.Code {
  package static let outputDuplicate = Diagnostic.Code("output-duplicate")
  package static let outputOverlap = Diagnostic.Code("output-overlap")
  package static let stageInOutput = Diagnostic.Code("stage-in-output")
}

extension Diagnostic {
  fileprivate static func duplicate(
    _ first: OutputMap.Entry, _ second: OutputMap.Entry, in pipeline: Pipeline, from folder: RepoPath
  ) -> Diagnostic {
    let one = pipeline[first.stage]
    let two = pipeline[second.stage]
    let output = two.outputs[second.index]
    let name = output.text(from: folder)
    var message: String
    if first.stage == second.stage {
      let address = two.address.text(from: folder)
      message =
        "output '\(name)' is already specified in stage: '\(address)'."
        + "\nUse `dvc remove \(address)` to stop tracking the overlapping output."
    } else {
      message = "output '\(name)' is specified in:"
      for stage in [two, one] { message += "\n\t- \(stage.address.text(from: folder))" }
      message +=
        "\nUse `dvc remove` with any of the above targets to stop tracking the overlapping output."
    }
    return Diagnostic(.outputDuplicate, message, at: output.mark)
      .noting("first declared here", at: one.outputs[first.index].mark)
  }

  fileprivate static func overlap(
    _ outer: OutputMap.Entry, _ inner: OutputMap.Entry, in pipeline: Pipeline, from folder: RepoPath
  ) -> Diagnostic {
    let parent = pipeline[outer.stage].outputs[outer.index]
    let child = pipeline[inner.stage].outputs[inner.index]
    let message =
      "The output paths:\n'\(parent.text(from: folder))'('\(pipeline[outer.stage].address.text(from: folder))')\n"
      + "'\(child.text(from: folder))'('\(pipeline[inner.stage].address.text(from: folder))')\n"
      + "overlap and are thus in the same tracked directory.\n"
      + "To keep reproducibility, outputs should be in separate tracked directories or tracked individually."
    return Diagnostic(.outputOverlap, message, at: child.mark).noting("inside this output", at: parent.mark)
  }
}
