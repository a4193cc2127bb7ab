// Gives a resolved stage of a dvc.yaml its meaning: commands, dependencies, parameters, outputs, settings.
import OrderedCollections

package struct StageBuilder: Sendable {
  /// The dvc.yaml.
  package let file: RepoPath
  /// Where names in messages start.
  package let folder: RepoPath
  package let paths: PathResolver

  package init(file: RepoPath, folder: RepoPath, paths: PathResolver) {
    self.file = file
    self.folder = folder
    self.paths = paths
  }

  package func stage(_ resolved: ResolvedStage) throws(Diagnostic) -> Stage {
    let fields = resolved.fields
    var stage = Stage(address: StageAddress(file: file, name: resolved.name), kind: .pipeline)
    stage.mark = resolved.mark
    stage.group = resolved.group
    stage.isParametrized = resolved.isParametrized
    stage.uses = resolved.uses
    stage.commandTemplate = resolved.command
    if let wdir = fields["wdir"], !wdir.isNull {
      guard let text = wdir.string else {
        throw unexpected(
          "join() argument must be str, bytes, or os.PathLike object, not '\(PythonText.typeName(wdir.value))'", wdir,
          stage, hint: "its wdir must be text")
      }
      stage.wdir = paths.location(of: text, in: .local(file.parent))
    }
    try setCommand(&stage, fields["cmd"])
    for item in fields["deps"]?.items ?? [] { stage.dependencies.append(try dependency(item, of: stage)) }
    stage.parameters = try parameters(fields["params"], of: stage)
    for (key, role) in [("outs", Output.Role.out), ("metrics", .metric), ("plots", .plot)] {
      stage.outputs += try outputs(fields[key], role, of: stage)
    }
    stage.isFrozen = fields["frozen"]?.bool ?? false
    stage.isAlwaysChanged = fields["always_changed"]?.bool ?? false
    stage.description = fields["desc"]?.string
    if let meta = fields["meta"], !meta.isNull { stage.meta = meta }
    stage.settings = try StageSettings.parse(stage.meta, ofStage: stage.address.text(from: folder))
    stage.settings.rewrites = try rewrites(of: stage)
    stage.settings.contexts = try contexts(of: stage)
    try checkNondeterministic(of: stage)
    return stage
  }

  /// Names outputs, or what lies inside one.
  private func checkNondeterministic(of stage: Stage) throws(Diagnostic) {
    for (index, name) in stage.settings.nondeterministic.enumerated() {
      let location = StagePaths.resolve(name, in: stage.wdir, paths).location
      let isOutput = stage.outputs.contains { output in
        if output.location == location { return true }
        guard let path = location.local, let folder = output.location.local else { return false }
        return path.isInside(folder)
      }
      if !isOutput { throw misnamed(name, "nondeterministic", index, "output", stage.outputs.map(\.declared), stage) }
    }
  }

  private func misnamed(
    _ name: String, _ setting: String, _ index: Int, _ kind: String, _ known: [String], _ stage: Stage
  ) -> Diagnostic {
    let names = stage.meta?["cairn"]?[setting]
    return Diagnostic(
      .badSetting,
      "stage '\(stage.address.text(from: folder))': meta.cairn.\(setting) names '\(name)', which is no \(kind) of it",
      at: names?.items?[index].mark ?? names?.mark, hint: Suggestion.hint(for: name, among: known))
  }

  /// As the dependencies are declared that `meta.cairn.rewrites` names, however it spells them.
  private func rewrites(of stage: Stage) throws(Diagnostic) -> [String] {
    var declared: [String] = []
    for (index, name) in stage.settings.rewrites.enumerated() {
      let location = StagePaths.resolve(name, in: stage.wdir, paths).location
      guard let dependency = stage.dependencies.first(where: { $0.location == location }) else {
        throw misnamed(name, "rewrites", index, "dependency", stage.dependencies.map(\.declared), stage)
      }
      declared.append(dependency.declared)
    }
    return declared
  }

  /// By the dependencies as they are declared.
  private func contexts(of stage: Stage) throws(Diagnostic) -> [String: String] {
    var contexts: [String: String] = [:]
    for (name, context) in stage.settings.contexts {
      let location = StagePaths.resolve(name, in: stage.wdir, paths).location
      guard let dependency = stage.dependencies.first(where: { $0.location == location }) else {
        let entries = stage.meta?["cairn"]?["context"]?.entries
        let mark = entries?.first { PythonText.str($0.key.value).hasSameBytes(as: name) }?.key.mark
        throw Diagnostic(
          .badSetting,
          "stage '\(stage.address.text(from: folder))': meta.cairn.context names '\(name)', which is no dependency of it",
          at: mark, hint: Suggestion.hint(for: name, among: stage.dependencies.map(\.declared)))
      }
      contexts[dependency.declared] = context
    }
    return contexts
  }

  private func setCommand(_ stage: inout Stage, _ command: MarkedValue?) throws(Diagnostic) {
    stage.commandMark = command?.mark
    switch command?.node {
    case .list(let items):
      stage.commandIsList = true
      for item in items { stage.commands.append(try text(item, "a command", of: stage)) }
      stage.commandMarks = items.map(\.mark)
    // A template may leave nothing: there is no command then.
    case .scalar(let value)? where value.isNull: break
    case .scalar(let value)?: stage.commands = [PythonText.str(value)]
    case .map?:
      throw Diagnostic(
        .template, "a map alone is no command: stage '\(stage.address.text(from: folder))'", at: command?.mark,
        hint: "write what takes the options in front of it")
    case nil: break
    }
  }

  private func text(_ value: MarkedValue, _ what: String, of stage: Stage) throws(Diagnostic) -> String {
    guard let scalar = value.scalar, !scalar.isNull else {
      throw Diagnostic(
        .schema,
        "stage '\(stage.address.text(from: folder))': expected \(what), got \(PythonText.typeName(value.value))",
        at: value.mark)
    }
    return PythonText.str(scalar)
  }

  /// A path that a template gave another type stops DVC's own code.
  private func path(_ value: MarkedValue, of stage: Stage) throws(Diagnostic) -> String {
    if let text = value.string { return text }
    let type = PythonText.typeName(value.value)
    throw unexpected(
      value.isNull ? "'\(type)' not supported." : "'\(type)' object has no attribute 'decode'", value, stage,
      hint: "a path must be text; quotes around it and what it names make it so")
  }

  private func unexpected(_ words: String, _ value: MarkedValue, _ stage: Stage, hint: String) -> Diagnostic {
    Diagnostic.unexpected(
      .schema, words, at: value.mark,
      hint: "stage '\(stage.address.text(from: folder))': \(hint)")
  }

  // MARK: Dependencies

  private func dependency(_ item: MarkedValue, of stage: Stage) throws(Diagnostic) -> Dependency {
    let path = try path(item, of: stage)
    try StagePaths.check(path, "a dependency", item.mark)
    let (declared, location) = StagePaths.resolve(path, in: stage.wdir, paths)
    var dependency = Dependency(declared: declared, location: location, mark: item.mark)
    dependency.isWrittenAbsolute = path.utf8.first == UInt8(ascii: "/")
    return dependency
  }

  /// One set a file, in the order of first mention; a file without keys, mentioned anywhere, is taken whole.
  private func parameters(_ value: MarkedValue?, of stage: Stage) throws(Diagnostic) -> [ParameterSet] {
    guard let items = value?.items else { return [] }
    // By bytes: two names may be one to Unicode.
    let standard = RepoPath(unchecked: "params.yaml")
    var whole: Set<RepoPath> = []
    for item in items {
      for entry in item.entries ?? [] where !entry.value.value.isTruthy {
        whole.insert(RepoPath(unchecked: PythonText.str(entry.key.value)))
      }
    }
    var sets: OrderedDictionary<RepoPath, ParameterSet> = [:]
    func open(_ file: RepoPath, _ mark: SourceMark?) throws(Diagnostic) {
      if sets[file] != nil { return }
      try StagePaths.check(file.text, "a dependency", mark)
      let (declared, location) = StagePaths.resolve(file.text, in: stage.wdir, paths)
      sets[file] = ParameterSet(declared: declared, location: location, keys: [], mark: mark)
      sets[file]?.isWrittenAbsolute = file.text.utf8.first == UInt8(ascii: "/")
    }
    for item in items {
      guard let entries = item.entries else {
        if whole.contains(standard) { continue }
        try open(standard, item.mark)
        sets[standard]?.add(try text(item, "the name of a parameter", of: stage), item.mark)
        continue
      }
      for entry in entries {
        let file = RepoPath(unchecked: PythonText.str(entry.key.value))
        try open(file, entry.key.mark)
        if whole.contains(file) { continue }
        guard let keys = entry.value.items else {
          throw Diagnostic.unexpected(
            .schema,
            "Expected list of params for custom params file '\(file.text)', got '\(PythonText.typeName(entry.value.value))'.",
            at: entry.value.mark)
        }
        for key in keys { sets[file]?.add(try text(key, "the name of a parameter", of: stage), key.mark) }
      }
    }
    return Array(sets.values)
  }

  // MARK: Outputs

  /// An output that is named twice in a list is one, with the flags of both.
  private func outputs(_ value: MarkedValue?, _ role: Output.Role, of stage: Stage) throws(Diagnostic) -> [Output] {
    guard let items = value?.items else { return [] }
    // By bytes: two names may be one to Unicode.
    var flags: OrderedDictionary<RepoPath, (mark: SourceMark?, flags: ValueMap)> = [:]
    for item in items {
      guard let entries = item.entries else {
        let path = RepoPath(unchecked: try path(item, of: stage))
        if flags[path] == nil { flags[path] = (item.mark, [:]) }
        continue
      }
      for entry in entries {
        let path = PythonText.str(entry.key.value)
        guard case .map(let map) = entry.value.value else {
          throw Diagnostic.unexpected(
            .schema, "Expected dict for '\(path)', got: '\(PythonText.typeName(entry.value.value))'",
            at: entry.value.mark)
        }
        flags[RepoPath(unchecked: path), default: (entry.key.mark, [:])].flags.merge(map) { $1 }
      }
    }
    var outputs: [Output] = []
    for (key, (mark, flags)) in flags {
      let path = key.text
      try StagePaths.check(path, "an output", mark)
      let (declared, location) = StagePaths.resolve(path, in: stage.wdir, paths)
      var output = Output(declared: declared, location: location, role: role, mark: mark)
      output.isWrittenAbsolute = path.utf8.first == UInt8(ascii: "/")
      output.apply(flags)
      outputs.append(output)
    }
    return outputs
  }
}

extension ParameterSet {
  fileprivate mutating func add(_ key: String, _ mark: SourceMark?) {
    keys.append(key)
    if let mark, keyMarks[key] == nil { keyMarks[key] = mark }
  }
}

extension Output {
  /// The fields that say how an output is treated and described.
  mutating func apply(_ flags: ValueMap) {
    for (key, value) in flags {
      guard let key = key.string else { continue }
      switch key {
      case "cache": isCached = value.isTruthy
      case "persist": isPersistent = value.isTruthy
      case "push": isPushed = value.isTruthy
      case "remote": remote = value.string
      case "desc", "type", "labels", "meta": annotations[.string(key)] = value
      case _ where role == .plot && PipelineSchema.plotProperties.contains(key):
        plotProperties[.string(key)] = value
      default: if role == .metric { metricProperties[.string(key)] = value }
      }
    }
  }
}

/// How paths in stages are read.
enum StagePaths {
  /// What the lock calls the path, and where it lies. An absolute path inside the project is written relative to
  /// `wdir`.
  static func resolve(_ path: String, in wdir: Location, _ paths: PathResolver) -> (declared: String, location: Location) {
    let location = paths.location(of: path, in: wdir)
    guard path.utf8.first == UInt8(ascii: "/"), case .local(let inside) = location, !inside.isRoot else {
      return (path, location)
    }
    switch wdir {
    case .local(let folder): return (inside.relative(to: folder), location)
    case .external(let folder):
      let from = RepoPath(unchecked: String(folder.absolute.drop { $0 == "/" }))
      return (RepoPath(unchecked: String(paths.absolute(inside).drop { $0 == "/" })).relative(to: from), location)
    case .url: return (path, location)
    }
  }

  static func check(_ path: String, _ role: String, _ mark: SourceMark?) throws(Diagnostic) {
    if let scheme = PathResolver.unsupportedScheme(of: path) { throw .unsupportedURL(scheme, at: mark) }
    if isStageFile(path) { throw Diagnostic(.stageFile, "DVC file '\(path)' cannot be \(role).", at: mark) }
  }

  /// `dvc.yaml`, or ending in `.dvc`.
  static func isStageFile(_ path: String) -> Bool {
    path.hasSuffix(".dvc") || path == "dvc.yaml" || path.hasSuffix("/dvc.yaml")
  }
}

extension Diagnostic {
  /// A path whose beginning is a URL's that DVC does not read from.
  package static func unsupportedURL(_ scheme: String, at mark: SourceMark? = nil) -> Diagnostic {
    Diagnostic(.configuration, "config file error: Unsupported URL type \(scheme)://", at: mark)
  }
}

extension Diagnostic.Code {
  /// A setting that is wrong. Where no command has an exit code of its own for it, the process ends with 251.
  package static let configuration = Diagnostic.Code("configuration")
  /// A `dvc.yaml` or `.dvc` file where data is meant, or the other way round.
  package static let stageFile = Diagnostic.Code("stage-file")
}
