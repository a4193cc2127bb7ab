// What a reason between two commits is about: the file or value, who makes it, what it was called before, and where it
// is declared. Finds no causes.
import CairnCore
import CairnSystem
import Synchronization

/// Files that have another name in the later commit, by git's judgement. Git is asked when the first question comes.
final class RenamedFiles: Sendable {
  private let git: GitRepository
  private let from: String
  private let to: String
  private let paths: PathResolver
  private let known = Mutex<[Location: Location]?>(nil)

  init(_ git: GitRepository, from: String, to: String, _ paths: PathResolver) {
    self.git = git
    self.from = from
    self.to = to
    self.paths = paths
  }

  /// Where a file of the later commit lay in the earlier one; `nil` where it lay there or was not there.
  func former(_ location: Location) -> Location? {
    known.withLock { known in
      if known == nil {
        let pairs = (try? git.renames(from: from, to: to)) ?? []
        known = Dictionary(
          pairs.map { (paths.location(inWorkTree: $0.new), paths.location(inWorkTree: $0.old)) },
          uniquingKeysWith: { first, _ in first })
      }
      return known?[location]
    }
  }
}

/// Where a stage is declared, or what one of its lists names.
package struct Declaration: Sendable {
  package var place: ValuePlace
  /// As the list has it; `nil`: the whole of what stands there.
  package var name: String?

  /// - Parameter list: `deps`, `params`, …; `nil`: the stage itself.
  init(of stage: Stage, _ list: String?, _ name: String?, in values: CommittedValues) {
    self.name = name
    let file = Location.local(stage.address.file)
    let end = list.map { [$0] } ?? []
    guard let stageName = stage.group ?? stage.address.name else {
      place = ValuePlace(file, steps: end)
      return
    }
    // Of `foreach` the lists stand one step further in, of `matrix` they do not.
    let inner = ValuePlace(file, steps: ["stages", stageName, "do"] + end)
    let isInner = stage.group != nil && list != nil && values.current(inner) != nil
    place = isInner ? inner : ValuePlace(file, steps: ["stages", stageName] + end)
  }
}

struct BetweenSubjects {
  let stage: Stage
  let was: PlacedEntry
  let now: PlacedEntry
  let renames: RenamedFiles
  let values: CommittedValues
  let paths: PathResolver
  let producer: (Location) -> StageID?

  /// The reasons with what they are about; a file that only has another name is told once.
  func reasons(_ reasons: [Reason]) -> [Explanation.StageReason] {
    var missing = reasons.filter { $0.kind == .dependencyMissing }.compactMap { $0.path.map(location) }
    var found: [Explanation.StageReason] = []
    for reason in reasons where reason.kind != .dependencyMissing {
      var told = subject(of: reason)
      if reason.kind == .dependencyAdded, let place = told.subject.location,
        let former = former(of: place, among: missing)
      {
        missing.removeAll { $0 == former }
        told.subject.former = former
        if let old = was.dep(former)?.locked, let new = now.dep(place)?.locked, !(old.isSame(as: new) ?? false) {
          told.reason.kind = .dependencyChanged
          told.reason.was = old.hashText.map { .content(hash: $0, size: old.size) }
          told.subject.lockedHash = old.contentHash
        }
      }
      found.append(told)
    }
    for reason in reasons where reason.kind == .dependencyMissing {
      if let place = reason.path.map(location), missing.contains(place) { found.append(subject(of: reason)) }
    }
    return found
  }

  /// The same bytes under the name that the stage no longer has, or what git calls renamed.
  private func former(of place: Location, among missing: [Location]) -> Location? {
    if let former = renames.former(place), missing.contains(former) { return former }
    guard let new = now.dep(place)?.locked, new.contentHash != nil else { return nil }
    let same = missing.filter { was.dep($0)?.locked.contentHash == new.contentHash }
    return same.count == 1 ? same[0] : nil
  }

  private func location(_ recorded: String) -> Location {
    (now.deps + was.deps + now.outs + was.outs).first { $0.locked.path.hasSameBytes(as: recorded) }?.location
      ?? paths.location(ofRecorded: recorded)
  }

  private func subject(of reason: Reason) -> Explanation.StageReason {
    var subject = Explanation.Subject()
    let place = reason.path.map(location)
    subject.location = place
    switch reason.kind {
    case .dependencyChanged, .dependencyAdded, .dependencyMissing:
      subject.lockedHash = place.flatMap { was.dep($0)?.locked.contentHash }
      subject.content = place.flatMap { now.dep($0)?.locked.content }
      subject.producer = place.flatMap(producer).map { ($0, nil) }
      subject.value = place.flatMap { place in locked("deps", now.deps, place) }
      let declared = stage.dependencies.first { $0.location == place }?.declared
      subject.declaration = Declaration(of: stage, "deps", declared ?? reason.path, in: values)
    case .parameterChanged, .parameterAdded, .parameterMissing:
      subject.value = place.map { place in
        reason.key.map { ValuePlace(place, key: $0) } ?? ValuePlace(place, steps: [])
      }
      subject.declaration = Declaration(of: stage, "params", reason.key, in: values)
    case .outputChanged, .outputAdded, .outputMissing:
      subject.lockedHash = place.flatMap { was.out($0)?.locked.contentHash }
      subject.content = place.flatMap { now.out($0)?.locked.content }
      subject.value = place.flatMap { place in locked("outs", now.outs, place) }
      let output = stage.outputs.first { $0.location == place }
      let list = output?.role == .metric ? "metrics" : output?.role == .plot ? "plots" : "outs"
      subject.declaration = Declaration(of: stage, list, output?.declared ?? reason.path, in: values)
    default: break
    }
    return Explanation.StageReason(reason: reason, cause: nil, subject: subject)
  }

  /// Where the lock of the later commit, or the `.dvc` file, has the hash; the whole entry of what has no MD5.
  private func locked(_ list: String, _ files: [PlacedEntry.File], _ place: Location) -> ValuePlace? {
    guard let index = files.firstIndex(where: { $0.location == place }) else { return nil }
    let steps = [list, String(index)] + (files[index].locked.contentHash == nil ? [] : ["md5"])
    guard let name = stage.address.name else { return ValuePlace(.local(stage.address.file), steps: steps) }
    return ValuePlace(.local(PipelineLoader.lockPath(of: stage.address.file)), steps: ["stages", name] + steps)
  }
}
