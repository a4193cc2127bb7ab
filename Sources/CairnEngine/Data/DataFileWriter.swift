// Writes `.dvc` files: a new one as DVC writes it, one that exists with its layout and comments kept.
package import CairnCore
internal import CairnFormats
internal import CairnSystem
internal import CairnStore

package enum DataFileWriter {
  /// Writes what `stage` now is; `outputs` are the hashes of its outputs, in their order.
  ///
  /// - Parameters:
  ///   - previous: the file as it was read; `nil` for a new one.
  ///   - dependencies: what `deps:` says now; `nil` for what it said.
  ///   - keepsChecksum: an `md5` of the file itself stays as it is: who edited an import by hand still hears of it.
  ///   - keepsNeedlessChecksum: also that of data, which needs none.
  package static func write(
    _ stage: Stage, outputs: [LockedFile], previous: MarkedValue?, dependencies: [Value]? = nil,
    keepsChecksum: Bool = false, keepsNeedlessChecksum: Bool = false, to path: String
  ) throws(Diagnostic) {
    var value = document(
      stage, outputs: outputs, dependencies: dependencies ?? previous?["deps"]?.value.list ?? [])
    if keepsChecksum, let previous, case .map(var map) = value, map["md5"] != nil {
      if let old = previous["md5"]?.value { map["md5"] = old } else { map.removeValue(forKey: "md5") }
      value = .map(map)
    }
    if keepsNeedlessChecksum, let old = previous?["md5"]?.value, case .map(var map) = value, map["md5"] == nil {
      map["md5"] = old
      value = .map(map)
    }
    var text = YAMLWriter.dump(value)
    if let previous, let source = previous.mark?.source {
      var editor = try YAMLEditor(source)
      var wanted = value
      // DVC copies it over untouched: what the editor is not told of stays as it is.
      if let meta = previous["meta"], case .map(var map) = wanted {
        map["meta"] = meta.value
        wanted = .map(map)
      }
      try editor.apply(wanted, over: previous.value)
      text = editor.text
    }
    try AtomicFile.writeKeepingMode(Array(text.utf8), to: path, sync: false)
  }

  /// The document that DVC would build for `stage`.
  static func document(_ stage: Stage, outputs: [LockedFile], dependencies: [Value]) -> Value {
    let folder = stage.address.file.parent
    let wdir = stage.wdir.local.map { $0.relative(to: folder) }
    var stageValue = DataFiles.document(
      outputs: zip(stage.outputs, outputs).map { output, file in
        var tracked = DataFiles.TrackedOutput(output, file)
        tracked.file = file.withoutHashOfFiles.inOrder
        return tracked
      },
      dependencies: sayingNoHash(dependencies, of: stage), md5: nil,
      command: stage.commands.isEmpty ? nil : stage.commandValue, wdir: wdir == "." ? nil : wdir,
      isFrozen: stage.isFrozen, isAlwaysChanged: stage.isAlwaysChanged, description: stage.description,
      meta: stage.meta?.value)
    // Data that was added needs no checksum of its file; imports and stages of DVC before 1.0 have one.
    if stage.isImport || !stage.commands.isEmpty, case .map(var map) = stageValue {
      map["md5"] = .string(StageChecksum.md5(of: map))
      var ordered = ValueMap()
      for key in ["desc", "md5"] as [Value] { if let value = map.removeValue(forKey: key) { ordered[key] = value } }
      for (key, value) in map { ordered[key] = value }
      stageValue = .map(ordered)
    }
    return stageValue
  }
}

extension DataFileWriter {
  /// DVC writes the key of a hash that a file of DVC 2's kind lacks.
  private static func sayingNoHash(_ dependencies: [Value], of stage: Stage) -> [Value] {
    guard dependencies.count == stage.dependencies.count else { return dependencies }
    return zip(stage.dependencies, dependencies).map { dependency, item in
      guard dependency.location.local != nil, case .map(let map) = item,
        !["md5", "etag", "checksum", "hash", "files"].contains(where: { map[$0] != nil })
      else { return item }
      return .map(ValueMap(uniqueKeysWithValues: [("md5", .null)] + map.map { ($0.key, $0.value) }))
    }
  }
}

/// `md5:` of a `.dvc` file: of its document without what may change freely.
enum StageChecksum {
  /// Of a stage as its file says it, whatever `md5` stands there.
  static func md5(of stage: Stage, _ tracked: TrackedFile) -> String? {
    DataFileWriter.document(
      stage, outputs: tracked.outputs, dependencies: tracked.document["deps"]?.value.list ?? [])["md5"]?.string
  }

  static func md5(of document: ValueMap) -> String {
    var map = document
    for key in ["md5", "meta", "desc"] as [Value] { map.removeValue(forKey: key) }
    if map["wdir"]?.string == "." { map.removeValue(forKey: "wdir") }
    let text = JSONWriter.text(filtered(.map(map)), sortKeys: true)
    return ContentHasher.md5(of: Array(text.utf8)).hex
  }

  private static let left: Set<Value> = [
    "desc", "type", "labels", "meta", "locked", "frozen", "metric", "persist", "isexec", "size", "nfiles",
  ]

  private static func filtered(_ value: Value) -> Value {
    switch value {
    case .map(let map): .map(map.filter { !left.contains($0.key) }.mapValues(filtered))
    case .list(let items): .list(items.map(filtered))
    default: value
    }
  }
}
