// Which stage of an earlier commit each stage of a later one is held against: the one of its name, else the one that
// made the same outputs under another. Knows nothing of what differs between them.
package import CairnCore

package struct StagePairs: Sendable {
  package enum Match: Sendable {
    /// There was no such stage.
    case new
    case former(Former)
  }

  /// A stage as the earlier commit has it.
  package struct Former: Sendable {
    package var address: StageAddress
    /// `nil` where its declaration cannot be understood.
    package var stage: Stage?
    /// What its lock, or its `.dvc` file, says.
    package var lock: LockEntry?
    /// Why it may be that nothing is known of it.
    package var fault: Diagnostic?
  }

  private let before: LoadedProject
  private let after: LoadedProject
  /// Of stages of the later commit, the one of the earlier that had another name.
  package private(set) var renamed: [StageID: StageID] = [:]
  /// Stages of the earlier commit that the later one does not have, in its order.
  package private(set) var gone: [StageID] = []

  package init(from before: LoadedProject, to after: LoadedProject) {
    self.before = before
    self.after = after
    gone = before.pipeline.ids.filter { !Self.has(before.pipeline[$0].address, after) }
    pairRenamed()
  }

  /// Declared, be it so that nobody can understand it.
  private static func has(_ address: StageAddress, _ project: LoadedProject) -> Bool {
    project.pipeline.byAddress[address] != nil
      || project.failures.contains { $0.file == address.file && ($0.stage == nil || $0.stage == address.name) }
  }

  package func match(_ id: StageID) -> Match {
    let address = after.pipeline[id].address
    if let former = renamed[id] { return .former(self.former(former)) }
    if let same = before.pipeline.byAddress[address] { return .former(self.former(same)) }
    guard Self.has(address, before) else { return .new }
    let fault = before.failures.first { $0.file == address.file && ($0.stage == nil || $0.stage == address.name) }
    // Its lock may be understood all the same.
    let lock = address.name.flatMap { before.locks[PipelineLoader.lockPath(of: address.file)]?.entries[$0] }
    return .former(Former(address: address, stage: nil, lock: lock, fault: fault?.diagnostic))
  }

  private func former(_ id: StageID) -> Former {
    let stage = before.pipeline[id]
    return Former(address: stage.address, stage: stage, lock: Self.lock(of: stage, before))
  }

  static func lock(of stage: Stage, _ project: LoadedProject) -> LockEntry? {
    guard var lock = stage.kind == .tracked ? stage.trackedLock : project.lockEntry(of: stage) else { return nil }
    lock.deps = lock.deps.map(\.withHashOfFiles)
    lock.outs = lock.outs.map(\.withHashOfFiles)
    return lock
  }

  /// A stage that is gone and one that is new are one stage when they alone make the same outputs.
  private mutating func pairRenamed() {
    if gone.isEmpty { return }
    let new = after.pipeline.ids.filter { !Self.has(after.pipeline[$0].address, before) }
    var makers: [Location: StageID] = [:]
    for id in gone { for output in before.pipeline[id].outputs { makers[output.location] = id } }
    var found: [StageID: [StageID]] = [:]
    for id in new {
      let formers = Set(after.pipeline[id].outputs.compactMap { makers[$0.location] })
      if formers.count == 1, let former = formers.first, before.pipeline[former].kind == after.pipeline[id].kind {
        found[former, default: []].append(id)
      }
    }
    for (former, stages) in found where stages.count == 1 { renamed[stages[0]] = former }
    let paired = Set(renamed.values)
    gone.removeAll { paired.contains($0) }
  }
}
