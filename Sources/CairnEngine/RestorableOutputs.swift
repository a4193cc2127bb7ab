// Finds outputs that may stand for a run of a stage. Knows the cache and the run-cache; makes nothing in the workspace.
import CairnCore
import CairnStore
import OrderedCollections

struct RestorableOutputs: Sendable {
  let cache: DataCache
  let environment: KeyedEnvironment

  /// The entry whose outputs may stand for a run: the lock's own where nothing but the outputs differs, else the
  /// run-cache's newest. `nil`: the command must run.
  ///
  /// - Parameters:
  ///   - isDry: as DVC's dry run asks the run-cache: about the inputs that the lock has, whatever they are now.
  ///   - prepare: called with the outputs that are about to be looked for in the cache.
  func entry(
    for stage: Stage, lock: LockEntry?, snapshot: StageSnapshot, staleness: Staleness, usesRunCache: Bool,
    isDry: Bool = false, warn: (String) -> Void, prepare: ([LockedFile]) throws(Diagnostic) -> Void = { _ in }
  ) throws(Diagnostic) -> LockEntry? {
    guard RunCache.canKeep(stage), !snapshot.dependencies.contains(where: { $0.hash == nil }) else { return nil }
    if let lock, !staleness.commandChanged, !staleness.declarationChanged,
      staleness.dependencies.isEmpty, staleness.parameters.isEmpty,
      let outs = stage.outputs.map({ lock.out($0.declared) }) as? [LockedFile],
      outs.allSatisfy({ $0.contentHash != nil })
    {
      let isHeld = try isHeld(outs, prepare)
      if isHeld, environment.mayRestore(lock, of: stage) { return lock }
      // DVC asks for no other outputs then; an entry made in this environment is another matter.
      if !isHeld, !stage.settings.isKeyedByEnvironment { return nil }
    }
    guard usesRunCache else { return nil }
    if isDry, lock == nil { return nil }
    var wanted = LockEntry(
      command: stage.commandValue, deps: stage.sortedDependencies(snapshot.dependencies),
      params: stage.sortedParameters(snapshot.parameters),
      outs: stage.sortedOutputs.map { LockedFile(path: $0.declared) })
    if isDry, let lock {
      wanted.deps = wanted.deps.map { lock.dep($0.path) ?? LockedFile(path: $0.path) }
      for (file, values) in wanted.params {
        wanted.params[file] = values.filter { lock.params[file]?[$0.key] != nil }
        for (key, value) in lock.params[file] ?? [:] where values[key] != nil { wanted.params[file]?[key] = value }
      }
    }
    let runCache = RunCache(cache: cache)
    guard let found = (try? runCache.entry(for: RunCache.key(wanted), warn: warn)) ?? nil,
      try isHeld(found.outs, prepare)
    else { return nil }
    return environment.mayRestore(found, of: stage) ? found : nil
  }

  private func isHeld(
    _ outs: [LockedFile], _ prepare: ([LockedFile]) throws(Diagnostic) -> Void
  ) throws(Diagnostic) -> Bool {
    try prepare(outs)
    return outs.allSatisfy { out in out.contentHash.map { (try? cache.contains($0)) ?? false } ?? false }
  }
}
