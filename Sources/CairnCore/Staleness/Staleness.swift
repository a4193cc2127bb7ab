// Decides from one snapshot whether a stage is stale, in DVC's terms and in ours, by the same comparisons.
package import OrderedCollections

/// What is wrong with one path, in the words of `dvc status`.
package enum PathStatus: String, Sendable {
  case new, modified, deleted
  case notInCache = "not in cache"
  case notInSync = "not in sync"
  case updateAvailable = "update available"
}

/// What DVC's `status` shows of a parameter file.
package enum ParameterStatus: Sendable {
  case file(PathStatus)
  case keys([(key: String, status: PathStatus)])
}

/// All that differs between a stage's lock entry and what was seen. Indices are those of the stage's arrays.
package struct Staleness: Sendable {
  package var dependencies: [(index: Int, status: PathStatus)] = []
  package var parameters: [(index: Int, status: ParameterStatus)] = []
  package var outputs: [(index: Int, status: PathStatus)] = []
  /// Of a `.dvc` file: its own checksum is not that of what it says.
  package var commandChanged = false
  /// DVC's `always_changed`, or a callback stage.
  package var alwaysChanged = false
  /// Under `strict` alone: the lock has something that the declaration no longer has.
  package var declarationChanged = false
  /// Why, in Cairn's words; empty when fresh. Those of a frozen stage's inputs are left out.
  package var reasons: [Reason] = []
  package var notes: [StageNote] = []
  /// The first observation that failed: the verdict is then unknown unless something else is surely stale.
  package var unknown: Diagnostic?

  /// Would `dvc repro` run it?
  package var isStale: Bool { !reasons.isEmpty }

  /// Compares `now` with `lock`.
  ///
  /// - Parameters:
  ///   - hasRunBefore: a record of an execution exists; tells `no-record` from `never-run`.
  ///   - recordedEnvironment: the keyed values of the record behind the lock entry; `nil` where there is none
  ///     (an old value that is unknown makes nothing stale).
  package static func judge(
    _ stage: Stage, lock: LockEntry?, now: StageSnapshot, hasRunBefore: Bool = false,
    recordedEnvironment: OrderedDictionary<String, String?>? = nil, strict: Bool = false
  ) -> Staleness {
    var result = Staleness()
    result.compareCommand(stage, lock)
    result.alwaysChanged = stage.isAlwaysChanged || stage.isCallback
    if !stage.isFrozen {
      result.compareDependencies(stage, lock, now)
      result.compareParameters(stage, lock, now)
      if result.alwaysChanged { result.reasons.append(Reason(.alwaysChanged)) }
    }
    result.compareOutputs(stage, lock, now)
    // A frozen stage that makes nothing has nothing to be stale in, also when it never ran.
    if lock == nil, stage.kind == .pipeline, !result.reasons.isEmpty {
      // One reason says it all: everything else is "added".
      result.reasons = [Reason(hasRunBefore ? .noRecord : .neverRun)]
    }
    if !stage.isFrozen { result.compareEnvironment(now.environment, recordedEnvironment) }
    result.compareDeclaration(stage, lock, strict: strict)
    return result
  }

  private mutating func compareCommand(_ stage: Stage, _ lock: LockEntry?) {
    if let tracked = stage.tracked, tracked.isEdited {
      commandChanged = true
      reasons.append(Reason(.commandChanged, was: tracked.md5.map { .value(.string($0)) }))
    }
    guard let lock, stage.kind == .pipeline else { return }
    // Any difference counts, a list of one against a string included: DVC compares the values as read.
    if !lock.command.isEqualInPython(to: stage.commandValue) {
      commandChanged = true
      reasons.append(Reason(.commandChanged, was: .value(lock.command), now: .value(stage.commandValue)))
    }
  }

  private mutating func compareDependencies(_ stage: Stage, _ lock: LockEntry?, _ now: StageSnapshot) {
    for (index, dependency) in stage.dependencies.enumerated() {
      guard index < now.dependencies.count else { break }
      let locked = lock?.dep(dependency.declared)
      let content = now.dependencies[index]
      switch content {
      case .unknown(let diagnostic):
        unknown = unknown ?? diagnostic
      case .missing:
        dependencies.append((index, .deleted))
        reasons.append(Reason(.dependencyMissing, path: dependency.declared, was: Self.evidence(locked)))
      case .dataset(let reading):
        compareDataset(index, dependency, locked?.dataset, reading)
      default:
        guard let locked, locked.hashText != nil else {
          dependencies.append((index, .modified))
          reasons.append(Reason(.dependencyAdded, path: dependency.declared, now: Self.evidence(content)))
          continue
        }
        // Hashes of two kinds are never those of the same bytes: what still matches a lock of DVC 2 is of its kind.
        if content.hash != locked.contentHash {
          dependencies.append((index, .modified))
          reasons.append(
            Reason(
              .dependencyChanged, path: dependency.declared, was: Self.evidence(locked), now: Self.evidence(content)))
        }
      }
    }
  }

  /// A dataset is what its lock says: the stage ran with what its own entry has of it.
  private mutating func compareDataset(
    _ index: Int, _ dependency: Dependency, _ locked: ValueMap?, _ reading: DatasetReading
  ) {
    let was = locked.map { Reason.Evidence.value(.map($0)) }
    switch reading {
    case .unlocked:
      dependencies.append((index, .notInSync))
      reasons.append(Reason(.dependencyMissing, path: dependency.declared, was: was))
    case .locked(let now):
      guard let locked else {
        dependencies.append((index, .new))
        reasons.append(Reason(.dependencyAdded, path: dependency.declared, now: .value(.map(now))))
        return
      }
      if Value.map(locked).isEqualInPython(to: .map(now)) { return }
      dependencies.append((index, .modified))
      reasons.append(Reason(.dependencyChanged, path: dependency.declared, was: was, now: .value(.map(now))))
    }
  }

  private mutating func compareParameters(_ stage: Stage, _ lock: LockEntry?, _ now: StageSnapshot) {
    for (index, set) in stage.parameters.enumerated() {
      guard index < now.parameters.count else { break }
      let locked = lock?.params[set.declared]
      switch now.parameters[index] {
      case .failed where locked == nil && !set.location.isURL:
        // What was never recorded is new, whatever its file says.
        parameters.append((index, .file(.new)))
        reasons.append(Reason(.parameterAdded, path: set.declared))
      case .failed(let diagnostic):
        unknown = unknown ?? diagnostic
      case .missingFile:
        parameters.append((index, .file(.deleted)))
        reasons.append(Reason(.parameterMissing, path: set.declared))
      case .values(let actual):
        compareValues(index, set, locked.map { Self.tracked($0, by: set) }, actual)
      }
    }
  }

  private mutating func compareValues(
    _ index: Int, _ set: ParameterSet, _ locked: OrderedDictionary<String, Value>?,
    _ actual: OrderedDictionary<String, Value>
  ) {
    var found = ParameterReasons(path: set.declared)
    defer { reasons += found.reasons }
    guard let locked else {
      parameters.append((index, .file(.new)))
      for key in set.keys.isEmpty ? Array(actual.keys) : set.keys { found.add(key, was: nil, now: actual[key]) }
      if actual.isEmpty, set.keys.isEmpty { reasons.append(Reason(.parameterAdded, path: set.declared)) }
      return
    }
    var changed: [(key: String, status: PathStatus)] = []
    let keys = set.keys.isEmpty ? Array(actual.keys) + locked.keys.filter { actual[exactly: $0] == nil } : set.keys
    for key in keys {
      let (was, value) = (locked[exactly: key], actual[exactly: key])
      if let was, let value, was.isEqualParameter(to: value, inYAML: found.isYAML) { continue }
      changed.append((key, value == nil ? .deleted : was == nil ? .new : .modified))
      found.add(key, was: was, now: value)
    }
    if !changed.isEmpty { parameters.append((index, .keys(changed))) }
  }

  /// Of what the lock holds, what the stage still declares: keys that it no longer declares make nothing stale.
  private static func tracked(
    _ locked: OrderedDictionary<String, Value>, by set: ParameterSet
  ) -> OrderedDictionary<String, Value> {
    if set.keys.isEmpty { return locked }
    let declared = Set(set.keys)
    return locked.filter { declared.contains($0.key) }
  }

  private mutating func compareOutputs(_ stage: Stage, _ lock: LockEntry?, _ now: StageSnapshot) {
    guard let seen = now.outputs else { return }
    for (index, output) in stage.outputs.enumerated() {
      guard index < seen.count else { break }
      let locked = lock?.out(output.declared)
      let reading = seen[index]
      if locked?.hashText != nil, output.isCached, reading.isInCache == false {
        outputs.append((index, .notInCache))
        // Unchanged, and yet not in the cache: missing there.
        let isChanged = !reading.content.isMissing && reading.content.hash?.text != locked?.hashText
        reasons.append(
          Reason(
            isChanged ? .outputChanged : .outputMissing, path: output.declared, was: Self.evidence(locked),
            now: Self.evidence(reading.content)))
        continue
      }
      switch reading.content {
      case .unknown(let diagnostic):
        unknown = unknown ?? diagnostic
      case .missing:
        outputs.append((index, .deleted))
        // What the lock has no entry for was declared since, also while nobody has made it yet.
        let isNew = lock != nil && stage.kind == .pipeline && lock?.out(output.declared) == nil
        reasons.append(
          Reason(isNew ? .outputAdded : .outputMissing, path: output.declared, was: Self.evidence(locked)))
      default:
        if locked?.hashText == nil {
          outputs.append((index, .modified))
          reasons.append(Reason(.outputAdded, path: output.declared, now: Self.evidence(reading.content)))
        } else if reading.content.hash?.text != locked?.hashText {
          outputs.append((index, .modified))
          reasons.append(
            Reason(
              .outputChanged, path: output.declared, was: Self.evidence(locked), now: Self.evidence(reading.content)))
        }
      }
    }
  }

  private mutating func compareEnvironment(
    _ now: OrderedDictionary<String, String?>, _ recorded: OrderedDictionary<String, String?>?
  ) {
    guard let recorded else { return }
    for (name, value) in now {
      // A name that was not recorded was not asked for: nothing tells what it was.
      if let was = recorded[name], was != value {
        reasons.append(
          Reason(
            .environmentChanged, key: name, was: .value(was.map { .string($0) } ?? .null),
            now: .value(value.map { .string($0) } ?? .null)))
      }
    }
  }

  /// What the lock has and the declaration no longer: no reason for DVC to run, so only a note (unless `strict`).
  private mutating func compareDeclaration(_ stage: Stage, _ lock: LockEntry?, strict: Bool) {
    guard let lock, stage.kind == .pipeline else { return }
    let deps = Set(stage.dependencies.map(\.declared))
    let outs = Set(stage.outputs.map(\.declared))
    var removed = lock.deps.map(\.path).filter { !deps.contains($0) }
    removed += lock.outs.map(\.path).filter { !outs.contains($0) }
    for (file, values) in lock.params {
      guard let set = stage.parameters.first(where: { $0.declared == file }) else {
        removed += values.isEmpty ? [file] : values.keys.map { "\(file):\($0)" }
        continue
      }
      if set.keys.isEmpty { continue }
      let declared = Set(set.keys)
      removed += values.keys.filter { !declared.contains($0) }.map { "\(file):\($0)" }
    }
    guard !removed.isEmpty else { return }
    notes.append(StageNote(.declarationDiffers, removed: removed))
    if strict {
      declarationChanged = true
      var reason = Reason(.commandChanged)
      reason.removedDeclarations = removed
      reasons.append(reason)
    }
  }

  private static func evidence(_ locked: LockedFile?) -> Reason.Evidence? {
    guard let locked, let text = locked.hashText else { return nil }
    return .content(hash: text, size: locked.size)
  }

  private static func evidence(_ content: Content) -> Reason.Evidence? {
    content.hash.map { .content(hash: $0.text, size: content.size) }
  }
}
