// What stands in a `.dvc` file: the document of a new one, in DVC's order of keys, and the hashes of one that was read.
package import CairnCore

package enum DataFiles {
  /// One output of a `.dvc` file.
  package struct TrackedOutput: Sendable {
    package var file: LockedFile
    package var annotations: ValueMap
    package var isCached: Bool
    package var isPersistent: Bool
    package var remote: String?
    package var isPushed: Bool
    /// DVC 2's kind of entry without a hash: DVC writes its key all the same.
    package var saysNoHash = false

    package init(
      _ file: LockedFile, annotations: ValueMap = [:], isCached: Bool = true, isPersistent: Bool = false,
      remote: String? = nil, isPushed: Bool = true
    ) {
      self.file = file
      self.annotations = annotations
      self.isCached = isCached
      self.isPersistent = isPersistent
      self.remote = remote
      self.isPushed = isPushed
    }

    package init(_ output: Output, _ file: LockedFile) {
      self.init(
        file, annotations: output.annotations, isCached: output.isCached, isPersistent: output.isPersistent,
        remote: output.remote, isPushed: output.isPushed)
      saysNoHash = output.location.local != nil && !file.hasHashField && file.hashName == nil
    }
  }

  /// The whole document as DVC builds it: `desc`, `md5`, `cmd`, `wdir`, `frozen`, `deps`, `outs`, `always_changed`,
  /// `meta`, those that say something. `wdir` is relative to the file's folder, `nil` for that folder itself.
  package static func document(
    outputs: [TrackedOutput], dependencies: [Value] = [], md5: String? = nil, command: Value? = nil,
    wdir: String? = nil, isFrozen: Bool = false, isAlwaysChanged: Bool = false, description: String? = nil,
    meta: Value? = nil
  ) -> Value {
    var map: ValueMap = [:]
    if let description, !description.isEmpty { map["desc"] = .string(description) }
    if let md5 { map["md5"] = .string(md5) }
    if let command, command.isTruthy { map["cmd"] = command }
    if let wdir { map["wdir"] = .string(wdir) }
    if isFrozen { map["frozen"] = true }
    if !dependencies.isEmpty { map["deps"] = .list(dependencies) }
    if !outputs.isEmpty { map["outs"] = .list(outputs.map { value($0) }) }
    if isAlwaysChanged { map["always_changed"] = true }
    if let meta, meta.isTruthy { map["meta"] = meta }
    return .map(map)
  }

  /// An item of `outs:`: hash and size, `hash: md5`, the path, then annotations and flags, a list of files last.
  package static func value(_ output: TrackedOutput) -> Value {
    var map: ValueMap = output.saysNoHash ? ["md5": .null] : [:]
    map.merge(dependencyMap(output.file)) { $1 }
    let files = map.removeValue(forKey: "files")
    for key in ["desc", "type", "labels", "meta"] as [Value] {
      if let annotation = output.annotations[key], annotation.isTruthy { map[key] = annotation }
    }
    if !output.isCached { map["cache"] = false }
    if output.isPersistent { map["persist"] = true }
    if let remote = output.remote { map["remote"] = .string(remote) }
    if !output.isPushed { map["push"] = false }
    if let files { map["files"] = files }
    return .map(map)
  }

  /// An item of `deps:` that is a file here or elsewhere.
  package static func value(dependency file: LockedFile) -> Value { .map(dependencyMap(file)) }

  /// An item of `deps:` that `import` made: the path and where it comes from.
  package static func value(dependency path: String, repository: ValueMap) -> Value {
    .map(["path": .string(path), "repo": .map(repository)])
  }

  private static func dependencyMap(_ file: LockedFile) -> ValueMap {
    var map = file.hashAndMeta
    let afterPath = ["fs_config", "files"].compactMap { key in
      map.removeValue(forKey: Value.string(key)).map { (Value.string(key), $0) }
    }
    if file.hasHashField { map["hash"] = "md5" }
    map["path"] = .string(file.path)
    for (key, value) in afterPath { map[key] = value }
    return map
  }

  /// The hashes of `outs:` in a document that was read; flags and annotations of theirs stay out of `other`.
  package static func outputs(_ document: MarkedValue) -> [LockedFile] { files(document["outs"], dropping: flags) }

  /// The hashes of `deps:`; `repo` and the like stay out of `other`.
  package static func dependencies(_ document: MarkedValue) -> [LockedFile] {
    files(document["deps"], dropping: sources)
  }

  private static let flags: [Value] = [
    "cache", "metric", "plot", "persist", "remote", "push", "desc", "type", "labels", "meta",
  ]
  private static let sources: [Value] = ["repo", "db", "params", "dataset"]

  private static func files(_ list: MarkedValue?, dropping keys: [Value]) -> [LockedFile] {
    (list?.items ?? []).map { item in
      var file = LockedFile.parse(item)
      for key in keys { file.other.removeValue(forKey: key) }
      return file
    }
  }

  /// Checks a `.dvc` document as DVC does.
  ///
  /// - Throws: "'./data.dvc' validation failed", each fault a note.
  package static func validate(_ document: MarkedValue) throws(Diagnostic) {
    var checker = SchemaChecker()
    let document = document.isFalsy ? MarkedValue(.map([]), at: document.mark) : document
    checker.check(document, DataFileSchema.file, at: [])
    try checker.finish(document, path: document.mark?.source.path ?? "")
  }
}

enum DataFileSchema {
  static let artifact: [(String, Schema)] =
    LockSchema.checksums + LockSchema.meta + [
      ("path", .text), ("persist", .boolean), ("cloud", LockSchema.cloud), ("hash", .text),
      ("files", .list(LockSchema.directoryFile)), ("fs_config", .mapOf(.anything)),
    ]
  static let output = Schema.map(
    artifact + [
      ("desc", .text), ("type", .text), ("labels", .list(.text)), ("meta", .anything), ("cache", .boolean),
      ("remote", .text), ("push", .boolean),
    ])
  static let repository = Schema.map(
    [
      ("url", .text), ("rev", .text), ("rev_lock", .text), ("config", .anyOf([.text, .mapOf(.anything)])),
      ("remote", .anyOf([.text, .mapOf(.anything)])),
    ], required: ["url"])
  static let database = Schema.map([
    ("query", .text), ("connection", .text), ("file_format", .text), ("table", .text),
  ])
  static let dependency = Schema.map(artifact + [("repo", repository), ("db", database)])
  static let file = Schema.map([
    ("md5", LockSchema.checksum), ("wdir", .anyOf([.text, .null])),
    ("deps", .anyOf([.list(dependency), .null])), ("outs", .anyOf([.list(output), .null])), ("locked", .boolean),
    ("frozen", .boolean), ("meta", .anything), ("always_changed", .boolean), ("desc", .text),
  ])
}
