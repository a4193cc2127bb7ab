// The top-level `datasets:` of all `dvc.yaml`, beside what their locks say: how a `ds://NAME` dependency stands. Asks
// no other machine.
import CairnCore

struct Datasets {
  private var known: [String: (spec: ValueMap, lock: ValueMap?)] = [:]

  init(_ project: LoadedProject) {
    for file in project.pipeline.files {
      let locks = project.locks[PipelineLoader.lockPath(of: file.path)]?.datasets ?? []
      for case .map(let spec) in file.datasets {
        guard let name = spec["name"]?.string else { continue }
        let lock = locks.first { $0["name"]?.string == name }
        known[name] = (spec, lock?.map.flatMap { Self.agrees($0, with: spec) ? $0 : nil })
      }
    }
  }

  /// In the words of `dvc status`; `nil` when the stage ran with the dataset as it is locked now.
  func status(of dependency: Dependency, locked: LockedFile?) throws(Diagnostic) -> String? {
    let name = String(dependency.declared.dropFirst("ds://".count).prefix { $0 != "/" })
    guard let dataset = known[name] else {
      throw Diagnostic(
        .notFound, "dataset not found: '\(name)'", at: dependency.mark,
        hint: Suggestion.hint(for: name, among: known.keys.sorted()))
    }
    guard let lock = dataset.lock else { return "not in sync" }
    guard let was = locked?.other["dataset"], was.isTruthy else { return "new" }
    return was.isEqualInPython(to: .map(lock)) ? nil : "modified"
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
}
