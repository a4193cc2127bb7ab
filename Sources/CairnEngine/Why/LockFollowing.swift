// Whether what a commit's lock has follows from what is declared there: as far as the declarations, the parameter files
// and the locks of the stages before tell it. Reads no file that is not read anyway.
import CairnCore

struct LockFollowing {
  private let committed: CommittedProject
  private let graph: StageGraph
  /// What the lock of each stage has.
  private let entries: [StageID: PlacedEntry]
  private let datasets: Datasets

  init(_ committed: CommittedProject, _ graph: StageGraph, _ entries: [StageID: PlacedEntry]) {
    self.committed = committed
    self.graph = graph
    self.entries = entries
    datasets = Datasets(committed.project)
  }

  /// What deserves to be said of a stage with this entry.
  func notes(of id: StageID, _ lock: LockEntry) -> [StageNote] {
    let stage = committed.project.pipeline[id]
    // What a `.dvc` file says is its own lock.
    guard stage.kind == .pipeline else { return [] }
    var lock = lock
    lock.deps = lock.deps.map(\.withComparableHash)
    let snapshot = StageSnapshot(
      dependencies: stage.dependencies.map { content(of: $0, id, lock) },
      parameters: stage.parameters.map { reading(of: $0, id, lock) }, outputs: nil)
    let staleness = Staleness.judge(stage, lock: lock, now: snapshot)
    var differs: [String] = []
    for reason in staleness.reasons {
      switch reason.kind {
      case .commandChanged: differs.append("cmd")
      case .alwaysChanged: break
      default: differs.append((reason.path ?? "") + (reason.key.map { ":" + $0 } ?? ""))
      }
    }
    differs += stage.outputs.map(\.declared).filter { lock.out($0) == nil }
    var notes = staleness.notes
    if !differs.isEmpty { notes.append(StageNote(.lockOutdated, differs: differs)) }
    return notes
  }

  /// What the commit says stands at a dependency: of what is made or tracked its maker's hash, else what was locked.
  private func content(of dependency: Dependency, _ id: StageID, _ lock: LockEntry) -> Content {
    if dependency.isDataset, case .dataset(let reading) = datasets.content(of: dependency.location.recordPath) {
      return .dataset(reading)
    }
    // Declared since, whatever is there.
    guard let locked = lock.dep(dependency.declared) else { return Self.something }
    for producer in graph.producers(of: id) {
      // Of hashes of two kinds nothing is said.
      guard let made = entries[producer]?.out(dependency.location), made.locked.isSame(as: locked) == false else {
        continue
      }
      return made.locked.withComparableHash.content
    }
    return locked.content
  }

  private static let something = LockedFile(
    path: "", hashName: "md5", hashText: ContentHash(.md5, Digest16(high: 0, low: 0)).text
  ).content

  private func reading(of set: ParameterSet, _ id: StageID, _ lock: LockEntry) -> CairnCore.ParameterReading {
    let locked = CairnCore.ParameterReading.values(lock.params[set.declared] ?? [:])
    let isMade = graph.producers(of: id).contains { producer in
      committed.project.pipeline[producer].outputs.contains { set.location.overlaps($0.location) }
    }
    // What is made is not committed.
    if isMade { return locked }
    do throws(Diagnostic) {
      switch try committed.loader.parameters.reading(of: set, from: .root) {
      case .missing: return locked
      case .values(let values):
        return .values(.init(values.map { ($0.key, $0.value.value) }, uniquingKeysWith: { $1 }))
      }
    } catch { return locked }
  }
}
