// Reads a `.dvc` file: the stage that it stands for and the hashes that it holds.

extension TrackedFile {
  private static let hashNames = ["md5", "etag", "checksum"]
  /// Of an output: how it is treated; of a dependency: where it comes from. The rest is what was observed.
  private static let declarations: Set<String> = [
    "path", "cache", "persist", "remote", "push", "desc", "type", "labels", "meta", "repo", "db", "fs_config",
    "dataset", "metric", "plot",
  ]

  /// `document` must have passed the schema. `folder`: where names in messages start.
  package static func stage(
    _ document: MarkedValue, at path: RepoPath, from folder: RepoPath, paths: PathResolver
  ) throws(Diagnostic) -> Stage {
    var stage = Stage(address: StageAddress(file: path, name: nil), kind: .tracked)
    if let wdir = document["wdir"]?.string, !wdir.isEmpty {
      stage.wdir = paths.location(of: wdir, in: .local(path.parent))
    }
    var dependencies: [LockedFile] = []
    for item in document["deps"]?.items ?? [] {
      stage.dependencies.append(try dependency(item, of: stage, paths))
      dependencies.append(lockedFile(item))
    }
    var outputs: [LockedFile] = []
    for item in document["outs"]?.items ?? [] {
      guard let declared = item["path"]?.string else {
        throw Diagnostic.unexpected(
          .schema, "'path'", at: item.mark,
          hint: "an output of '\(path.relative(to: folder))' names no path")
      }
      let mark = item.entry("path")?.value.mark
      try StagePaths.check(declared, "an output", mark)
      let (name, location) = StagePaths.resolve(declared, in: stage.wdir, paths)
      var output = Output(declared: name, location: location, mark: mark)
      if case .map(let flags) = item.value { output.apply(flags) }
      stage.outputs.append(output)
      outputs.append(lockedFile(item))
    }
    stage.isFrozen = document["frozen"]?.bool ?? document["locked"]?.bool ?? false
    if document["locked"]?.bool == true { stage.isFrozen = true }
    stage.isAlwaysChanged = document["always_changed"]?.bool ?? false
    stage.description = document["desc"]?.string
    if let meta = document["meta"], !meta.isNull { stage.meta = meta }
    stage.mark = document.mark
    stage.settings = try StageSettings.parse(stage.meta, ofStage: stage.address.text(from: folder))
    stage.tracked = TrackedFile(
      path: path, document: document, md5: document["md5"].flatMap { hashText($0.value) }, dependencies: dependencies,
      outputs: outputs)
    return stage
  }

  private static func dependency(
    _ item: MarkedValue, of stage: Stage, _ paths: PathResolver
  ) throws(Diagnostic) -> Dependency {
    let declared = item["path"]?.string ?? ""
    let mark = item.entry("path")?.value.mark ?? item.mark
    try StagePaths.check(declared, "a dependency", mark)
    let repository = item["repo"]?.value.map
    var other: ValueMap = [:]
    for entry in item.entries ?? [] {
      guard let key = entry.key.string, ["db", "dataset", "fs_config"].contains(key) else { continue }
      other[.string(key)] = entry.value.value
    }
    let source = repository == nil && other.isEmpty ? nil : ImportSource(repository: repository, other: other)
    if let repository {
      // In another repository, where nothing of this project lies.
      let url = repository[.string("url")]?.string ?? ""
      return Dependency(declared: declared, location: .url("\(url)#\(declared)"), mark: mark, source: source)
    }
    if let database = other[.string("db")] {
      let what = database["query"]?.string ?? database["table"]?.string ?? ""
      return Dependency(
        declared: declared.isEmpty ? what : declared, location: .url("db://\(what)"), mark: mark, source: source)
    }
    let (name, location) = StagePaths.resolve(declared, in: stage.wdir, paths)
    return Dependency(declared: name, location: location, mark: mark, source: source)
  }

  /// The hash and size beside a path, as `.dvc` files have them.
  package static func lockedFile(_ item: MarkedValue) -> LockedFile {
    var file = LockedFile(path: item["path"]?.string ?? "", hasHashField: false)
    for entry in item.entries ?? [] {
      guard let key = entry.key.string else { continue }
      let value = entry.value.value
      switch key {
      case "hash": file.readHashField(value)
      case "size": file.size = value.int.flatMap { UInt64(exactly: $0) }
      case "nfiles": file.fileCount = value.int
      case "isexec": file.isExecutable = value.isTruthy
      case _ where hashNames.contains(key) && file.hashName == nil:
        if let text = hashText(value) {
          file.hashName = key
          file.hashText = text
        }
      case _ where declarations.contains(key): break
      default: file.other[.string(key)] = value
      }
    }
    return file
  }

  private static func hashText(_ value: Value) -> String? {
    switch value {
    case .string(let text): text.isEmpty ? nil : text
    case .int, .bigInt: PythonText.str(value)
    default: nil
    }
  }
}
