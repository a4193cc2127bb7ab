// A stage beside its lock entry: the order that DVC writes lists in, and what a `.dvc` file says as an entry.
package import CairnCore
import CairnSystem
import OrderedCollections

extension Stage {
  /// The lines that run, in order: a text's lines one by one, a list's items as they are.
  package var lines: [String] {
    commandIsList ? commands : commands.flatMap { ShellCommand.lines(ofText: $0) }
  }

  /// The entry that a `.dvc` file amounts to.
  package var trackedLock: LockEntry? {
    tracked.map { LockEntry(command: commandValue, deps: $0.dependencies, outs: $0.outputs) }
  }

  /// A stage of a `dvc.yaml` whose template left no command has no place in a lock.
  func refuseWithoutCommand() throws(Diagnostic) {
    guard kind == .pipeline, commands.isEmpty else { return }
    throw Diagnostic(
      .template, "stage '\(address.name ?? "")' has no command: what its cmd names is empty", at: commandMark,
      hint: "give it a value, or take its dependencies and outputs away")
  }

  /// Outputs in the lock's order: by the bytes of their declared paths.
  package var sortedOutputs: [Output] { outputs.sorted { $0.declared.precedesInBytes($1.declared) } }

  func sortedDependencies(_ contents: [Content]) -> [LockedFile] {
    zip(dependencies, contents).map { LockedFile(path: $0.declared, content: $1) }
      .sorted { $0.path.precedesInBytes($1.path) }
  }

  /// `params.yaml` first, the others by name; keys by name.
  func sortedParameters(
    _ readings: [CairnCore.ParameterReading]
  ) -> OrderedDictionary<String, OrderedDictionary<String, Value>> {
    let files = zip(parameters, readings).map { ($0.declared, $1.values) }.sorted { a, b in
      (a.0 == "params.yaml" ? 0 : 1, a.0) < (b.0 == "params.yaml" ? 0 : 1, b.0)
    }
    return OrderedDictionary(
      files.map { file, values in
        var sorted = values
        sorted.sort { $0.key.precedesInBytes($1.key) }
        return (file, sorted)
      }, uniquingKeysWith: { $1 })
  }

  /// `entry` with its lists in the lock's order.
  func sorted(_ entry: LockEntry) -> LockEntry {
    var sorted = entry
    sorted.deps.sort { $0.path.precedesInBytes($1.path) }
    sorted.outs.sort { $0.path.precedesInBytes($1.path) }
    return sorted
  }
}

extension LockedFile {
  /// What the lock says of `content`.
  package init(path: String, content: Content) {
    self.init(path: path)
    switch content {
    case .file(let file):
      hashName = "md5"
      hashText = file.hash.text
      hasHashField = file.hash.algorithm == .md5
      size = file.size
      isExecutable = file.isExecutable
    case .directory(let directory):
      hashName = "md5"
      hashText = directory.hash.text
      hasHashField = directory.hash.algorithm == .md5
      size = directory.size
      fileCount = directory.fileCount
    case .dataset(.locked(let lock)):
      hasHashField = false
      other["dataset"] = .map(lock)
    case .missing, .dataset, .unknown: break
    }
  }
}

extension Staleness {
  /// Stale even when data that is merely missing does not count (`--allow-missing`).
  ///
  /// - Parameter isDifferent: a missing dependency whose producer has another hash for it counts all the same.
  func isStaleBeyondMissing(_ stage: Stage, isDifferent: (Dependency) -> Bool) -> Bool {
    if commandChanged || (alwaysChanged && !stage.isFrozen) { return true }
    for (_, status) in parameters {
      if case .file(.deleted) = status { continue }
      return true
    }
    for (index, status) in dependencies {
      if status != .deleted || isDifferent(stage.dependencies[index]) { return true }
    }
    if reasons.contains(where: { $0.kind == .environmentChanged }) { return true }
    return outputs.contains { $0.status != .deleted && $0.status != .notInCache }
  }
}
