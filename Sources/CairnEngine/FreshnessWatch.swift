// Makes the freshness index around one run: looks before, and again after when something ran.
import CairnCore
import CairnStore
import CairnSystem
import Dispatch
import Glibc
import Synchronization

/// The index may only say what was judged: its stamps are taken before the judgement that they stand for.
final class FreshnessWatch {
  private let workspace: Workspace
  private let order: [StageID]
  private let key: String
  /// What stands there after the run, where all stages are fresh by it.
  private let early: Prefetch<Look?>
  private let sources: SourceStamps
  private var before: Look?

  private struct Look: Sendable {
    var entries: [FreshnessIndex.Entry]
    var taken: Nanoseconds
    /// How many of the first are not the stages': what the pipeline was read from, the locks, the journal.
    var general = 0

    var files: SeenFiles { FreshnessIndex.files(entries, taken: taken) }
  }

  /// `nil` when this request is never answered by stamps. A network file system's are another clock's, and may be
  /// remembered ones: there one always asks properly.
  init?(_ workspace: Workspace, _ request: ReproRequest, _ order: [StageID]) {
    guard let key = FreshnessIndex.key(request, workingDirectory: workspace.repository.workingDirectory),
      !Machine.isNetworkFileSystem(workspace.repository.root)
    else { return nil }
    self.workspace = workspace
    self.order = order
    self.key = key
    sources = SourceStamps(workspace)
    early = Prefetch {
      guard let look = Self.look(workspace, order) else { return nil }
      return Self.areAllFresh(order, workspace, by: look.files) ? look : nil
    }
  }

  /// Stamps for the case that nothing needs to run.
  func lookBefore() {
    // A lock that lacks a stage cannot be followed by "nothing to do".
    guard order.allSatisfy({ workspace.lockEntry(of: workspace.project.pipeline[$0]) != nil }) else { return }
    before = Self.look(workspace, order)
  }

  private static func look(_ workspace: Workspace, _ order: [StageID]) -> Look? {
    guard let paths = FreshnessIndex.paths(of: workspace, order: order) else { return nil }
    let taken = WallClock.now()
    let entries = FreshnessIndex.look(at: paths.list, root: workspace.repository.root)
    return Look(entries: entries, taken: taken, general: paths.general)
  }

  /// All stages have ended: looks at what they left, beside what else there is to do.
  func prepare(_ summary: RunSummary) {
    if Self.isGood(summary), !Self.isFresh(summary) { early.begin() }
  }

  private static func isGood(_ summary: RunSummary) -> Bool {
    summary.error == nil && summary.failures.isEmpty && summary.undeclaredChanges.isEmpty && summary.signal == nil
      && summary.notStarted.isEmpty && summary.skipped.isEmpty
  }

  private static func isFresh(_ summary: RunSummary) -> Bool {
    summary.outcomes.allSatisfy { $0.outcome.result == .fresh }
  }

  /// - Parameter ended: when the run was over and the locks written, by the monotonic clock.
  func remember(_ summary: RunSummary, ended: Nanoseconds) {
    // A journal that is left is the next command's work; where its run goes on, no stamp changes when that dies.
    guard Self.isGood(summary), (try? Journal.paths(in: workspace.journalFolder))?.isEmpty ?? true else { return }
    let written = Set(summary.changedFiles)
    if Self.isFresh(summary) {
      if let before, sources.hold(in: before.entries, written: written) { write(before) }
      return
    }
    guard let early = early.value else { return }
    // The last outputs are younger than a clock tick: what was seen of them counts once it has passed.
    let wait = FreshnessIndex.granularity + 1_000_000 - (WallClock.monotonic() - ended)
    if wait > 0 { usleep(UInt32(wait / 1000)) }
    guard let after = lookAgain(early) else { return }
    // The locks are as this run knows them: nobody else has written since.
    guard (try? workspace.book.refresh()) == false, sources.hold(in: after.entries, written: written) else { return }
    write(after)
  }

  /// `look` with new stamps of what was too young to be told apart from what may have come after it, and of what Cairn
  /// itself has written since; `nil` when the stages behind that are not fresh now.
  private func lookAgain(_ look: Look) -> Look? {
    let doubtful = look.entries.indices.filter {
      $0 < look.general || FreshnessIndex.isRacy(look.entries[$0], now: look.taken)
    }
    var result = look
    result.taken = WallClock.now()
    let root = workspace.repository.root
    let again = FreshnessIndex.look(at: doubtful.map { look.entries[$0].path }, root: root)
    var suspects: [String] = []
    for (index, entry) in zip(doubtful, again) {
      if index >= look.general || entry.stamp != look.entries[index].stamp { suspects.append(entry.path) }
      result.entries[index] = entry
    }
    return Self.areAllFresh(stages(behind: suspects), workspace, by: result.files) ? result : nil
  }

  /// Those that look at one of `paths`, or at a folder that holds one.
  private func stages(behind paths: [String]) -> [StageID] {
    var names = Set(paths)
    for path in paths {
      var end = path.utf8.endIndex
      while let slash = path.utf8[..<end].lastIndex(of: UInt8(ascii: "/")) {
        guard names.insert(String(path[..<slash])).inserted else { break }
        end = slash
      }
    }
    // An object of the cache is named by its hash, cut in two.
    let cached = Set(paths.map { $0.split(separator: "/").suffix(2).joined() })
    return order.filter { id in
      let stage = workspace.project.pipeline[id]
      let locations =
        stage.dependencies.map(\.location) + stage.parameters.map(\.location) + stage.outputs.map(\.location)
      if locations.contains(where: { names.contains(Self.name($0)) }) { return true }
      let lock = workspace.lockEntry(of: stage)
      return lock?.outs.contains { $0.hashText.map(cached.contains) ?? false } ?? true
    }
  }

  /// As looks name it.
  private static func name(_ location: Location) -> String {
    if case .external(let path) = location { path.absolute } else { location.recordPath }
  }

  private func write(_ look: Look) {
    guard !look.entries.contains(where: { FreshnessIndex.isRacy($0, now: look.taken) }) else { return }
    FreshnessIndex.write(look.entries, root: workspace.repository.root, key: key, words: words())
  }

  /// By all processors: the user waits for this. What was just looked at is not looked at again.
  private static func areAllFresh(_ order: [StageID], _ workspace: Workspace, by seen: SeenFiles) -> Bool {
    let observer = workspace.observer.trusting(seen)
    let piece = 64
    let isStale = Atomic(false)
    DispatchQueue.concurrentPerform(iterations: (order.count + piece - 1) / piece) { number in
      for id in order[(number * piece)..<min(order.count, (number + 1) * piece)] {
        if isStale.load(ordering: .relaxed) { return }
        if !isFresh(id, workspace, observer) { isStale.store(true, ordering: .relaxed) }
      }
    }
    return !isStale.load(ordering: .relaxed)
  }

  private static func isFresh(_ id: StageID, _ workspace: Workspace, _ observer: Observer) -> Bool {
    let stage = workspace.project.pipeline[id]
    let lock = workspace.lockEntry(of: stage)
    var snapshot = observer.inputs(of: stage, lock: lock, sha256: false)
    observer.addOutputs(to: &snapshot, of: stage, lock: lock)
    let staleness = Staleness.judge(stage, lock: lock, now: snapshot)
    return !staleness.isStale && staleness.unknown == nil
  }

  /// What a run with nothing to do prints, in the serial order.
  private func words() -> [UInt8] {
    var text = ""
    for id in order {
      let stage = workspace.project.pipeline[id]
      let name = stage.address.text(from: workspace.folder)
      text += "\(stage.isPlainFile ? "" : "Stage ")'\(name)' didn't change, skipping\n"
    }
    return FileName.bytes(text + "Data and pipelines are up to date.\n")
  }
}
