// The top-level `datasets:` of all `dvc.yaml`, beside what their locks say: what a `ds://NAME` dependency stands for.
// Asks no other machine.
package import CairnCore

package struct Datasets: Sendable {
  private struct Dataset {
    /// In the layout that a stage's entry has; `nil` where the file's lock has none of that name.
    var lock: ValueMap?
    /// The lock is of what is declared now.
    var isInSync: Bool
  }

  private var known: [String: Dataset] = [:]

  package init() {}

  package init(_ project: LoadedProject) {
    for file in project.pipeline.files {
      let locks = project.locks[PipelineLoader.lockPath(of: file.path)]?.datasets ?? []
      for case .map(let spec) in file.datasets {
        guard let name = spec["name"]?.string else { continue }
        let lock = locks.first { $0["name"]?.string == name }?.map.flatMap(Self.normalised)
        known[name] = Dataset(lock: lock, isInSync: lock.map { Self.agrees($0, with: spec) } ?? false)
      }
    }
  }

  /// What is known of `ds://NAME`, with DVC's words for what is amiss.
  package func content(of url: String) -> Content {
    let name = String(url.dropFirst("ds://".count).prefix { $0 != "/" })
    guard let dataset = known[name] else { return .unknown(.unknownDataset(name, among: known.keys.sorted())) }
    guard let lock = dataset.lock else { return .dataset(.unlocked(.datasetWithoutLock(name))) }
    return .dataset(dataset.isInSync ? .locked(lock) : .unlocked(.datasetNotInSync(name)))
  }

  /// A lock of another place, path or revision is not the declared dataset's.
  private static func agrees(_ lock: ValueMap, with spec: ValueMap) -> Bool {
    let keys: [Value] =
      spec["type"]?.string == "dvc" ? ["name", "url", "type", "path", "rev"] : ["name", "url", "type"]
    return keys.allSatisfy { key in
      let (a, b) = (lock[key] ?? .null, spec[key] ?? .null)
      return a.isEqualInPython(to: b) || key == "path" && !a.isTruthy && !b.isTruthy
    }
  }

  /// The keys that DVC knows of a lock of this type, in its order, without those that say nothing; `nil` for another.
  static func normalised(_ lock: ValueMap) -> ValueMap? {
    switch lock["type"]?.string {
    case "dvc":
      var kept = pick(["name", "url", "type", "path", "rev", "rev_lock"], of: lock)
      if !(kept["path"]?.isTruthy ?? false) { kept["path"] = nil }
      return kept
    case "dc":
      var kept = pick(["name", "url", "type", "version", "created_at"], of: lock)
      if case .timestamp(let text)? = kept["created_at"] {
        kept["created_at"] = .string(text.replacing(" ", with: "T", maxReplacements: 1))
      }
      return kept
    case "url":
      var kept = pick(["name", "url", "type"], of: lock)
      kept["meta"] = .map(meta(lock["meta"]))
      let files = (lock["files"]?.list ?? []).compactMap(\.map).map { file in
        (file["relpath"]?.string ?? "", meta(file["meta"]))
      }.sorted { $0.0.precedesInBytes($1.0) }
      if !files.isEmpty {
        kept["files"] = .list(files.map { .map(["relpath": .string($0.0), "meta": .map($0.1)]) })
      }
      return kept
    default: return nil
    }
  }

  private static func meta(_ value: Value?) -> ValueMap {
    let keys: [Value] = [
      "isdir", "size", "nfiles", "isexec", "version_id", "etag", "checksum", "md5", "inode", "mtime", "remote",
    ]
    return pick(keys, of: value?.map ?? [:]).filter { $0.value != false }
  }

  private static func pick(_ keys: [Value], of map: ValueMap) -> ValueMap {
    ValueMap(keys.compactMap { key in map[key].flatMap { $0.isNull ? nil : (key, $0) } }, uniquingKeysWith: { $1 })
  }
}

extension Diagnostic.Code {
  static let dataset = Diagnostic.Code("dataset")
}

extension Diagnostic {
  fileprivate static func unknownDataset(_ name: String, among names: [String]) -> Diagnostic {
    Diagnostic(
      .notFound, "dataset not found: '\(name)'", hint: Suggestion.hint(for: name, among: names))
  }

  fileprivate static func datasetWithoutLock(_ name: String) -> Diagnostic {
    Diagnostic(
      .dataset, "Dataset information missing from dvc.lock file",
      hint: "`dvc ds update \(name)` looks where it is and writes that down")
  }

  fileprivate static func datasetNotInSync(_ name: String) -> Diagnostic {
    Diagnostic(.dataset, "Dataset information is not in sync. Run 'dvc ds update \(name)' to sync.")
  }
}
