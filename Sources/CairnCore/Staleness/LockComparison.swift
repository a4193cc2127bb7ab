// Holds the lock entry that a stage has in one commit against the one that it had in another, by the same comparison
// that tells whether a stage is stale. Knows nothing of commits, nor of what the stages before it did.
import OrderedCollections

package struct LockComparison: Sendable {
  /// Why it did other work: its command, dependencies and parameters, paths from the project's root. A dependency or
  /// parameter that only the former entry has is missing.
  package private(set) var reasons: [Reason]
  /// The results that are other ones, likewise: changed, added or missing.
  package private(set) var outputs: [Reason] = []
  /// Results that are the same.
  package private(set) var unchangedOutputs: [String] = []
  package private(set) var unchangedDependencies = 0
  package private(set) var unchangedParameters = 0
  package private(set) var isCommandUnchanged = false
  /// Dependencies and outputs whose hashes do not compare: nothing tells whether they are the same.
  package private(set) var incomparable: [String] = []

  /// - Parameter isSame: what else is known of a dependency whose hashes do not compare; `nil`: nothing.
  package init(
    _ address: StageAddress, was: PlacedEntry, now: PlacedEntry, isSame: (Location) -> Bool? = { _ in nil }
  ) {
    var lock = was.entry
    lock.deps = []
    var stage = Stage(address: address, kind: .pipeline)
    // As declared in the later commit: what its entry has.
    stage.commandIsList = now.command.list != nil
    stage.commands = (now.command.list ?? [now.command]).filter { !$0.isNull }.map { $0.string ?? PythonText.str($0) }
    var snapshot = StageSnapshot(dependencies: [], parameters: [], outputs: nil)
    func add(_ file: PlacedEntry.File, _ content: Content, was former: LockedFile?) {
      stage.dependencies.append(Dependency(declared: file.location.recordPath, location: file.location))
      snapshot.dependencies.append(content)
      if let former { lock.deps.append(former) }
    }
    for file in now.deps {
      guard let former = was.dep(file.location) else {
        add(file, file.locked.withComparableHash.content, was: nil)
        continue
      }
      switch former.locked.isSame(as: file.locked) ?? isSame(file.location) {
      // One kind for both, as the comparison wants it.
      case true?:
        let kept = file.locked.withComparableHash
        add(file, kept.content, was: kept)
      case false?:
        let isHashed = file.locked.contentHash != nil && former.locked.contentHash != nil
        let both = [former.locked, file.locked].map { isHashed ? $0 : $0.knownByIdentity() }
        add(file, both[1].content, was: both[0])
      case nil: incomparable.append(file.location.recordPath)
      }
    }
    for file in was.deps where now.dep(file.location) == nil { add(file, .missing, was: file.locked) }
    let parameters = Self.parameters(was, now)
    stage.parameters = parameters.map(\.set)
    snapshot.parameters = parameters.map { .values($0.now) }

    let staleness = Staleness.judge(stage, lock: lock, now: snapshot)
    // That a command without inputs runs each time makes no entry another one.
    reasons = staleness.reasons.filter { $0.kind != .alwaysChanged }
    isCommandUnchanged = !staleness.commandChanged && !stage.commands.isEmpty
    unchangedDependencies = stage.dependencies.count - staleness.dependencies.count
    for (index, set) in stage.parameters.enumerated() {
      switch staleness.parameters.first(where: { $0.index == index })?.status {
      case nil: unchangedParameters += set.keys.count
      case .file: break
      case .keys(let changed): unchangedParameters += max(0, set.keys.count - changed.count)
      }
    }
    compareOutputs(was, now, isSame)
  }

  /// Of each file the keys of both entries, and the values of the later one.
  private static func parameters(
    _ was: PlacedEntry, _ now: PlacedEntry
  ) -> [(set: ParameterSet, now: OrderedDictionary<String, Value>)] {
    func set(_ location: Location, _ keys: [String]) -> ParameterSet {
      ParameterSet(declared: location.recordPath, location: location, keys: keys)
    }
    var found = now.params.map { file in
      let former = was.params.first { $0.location == file.location }?.values ?? [:]
      return (set(file.location, file.values.keys + former.keys.filter { file.values[$0] == nil }), file.values)
    }
    for file in was.params where !now.params.contains(where: { $0.location == file.location }) {
      found.append((set(file.location, Array(file.values.keys)), [:]))
    }
    return found
  }

  private mutating func compareOutputs(_ was: PlacedEntry, _ now: PlacedEntry, _ isSame: (Location) -> Bool?) {
    for file in now.outs {
      let path = file.location.recordPath
      guard let former = was.out(file.location) else {
        outputs.append(Reason(.outputAdded, path: path, now: Self.evidence(file.locked)))
        continue
      }
      switch former.locked.isSame(as: file.locked) ?? isSame(file.location) {
      case true?: unchangedOutputs.append(path)
      case false?:
        outputs.append(
          Reason(.outputChanged, path: path, was: Self.evidence(former.locked), now: Self.evidence(file.locked)))
      case nil: incomparable.append(path)
      }
    }
    for file in was.outs where now.out(file.location) == nil {
      outputs.append(Reason(.outputMissing, path: file.location.recordPath, was: Self.evidence(file.locked)))
    }
  }

  private static func evidence(_ file: LockedFile) -> Reason.Evidence? {
    file.hashText.map { .content(hash: $0, size: file.size) }
  }
}
