// Which code a stage ran with: commit, branch, and what differed from it. Asked of git seldom, and kept.
package import CairnCore
package import CairnLineage
package import CairnStore
import CairnSystem
import OrderedCollections
import Synchronization

/// What git says of the project. Answers are kept for a while: a run of thousands of stages asks git a few times.
package final class SourceState: Sendable {
  /// `nil` without git.
  private let tracked: TrackedFiles?
  private let snapshotter: Snapshotter
  private let records: RecordStore
  private let outputs: Outputs
  private let state = Mutex(State())
  /// Outputs that are being made: what stands there now is nobody's edit.
  private let making = Mutex<Set<Location>>([])

  /// What the pipeline writes, and what the locks say of it now.
  package struct Outputs: Sendable {
    package var places: Set<Location>
    package var locked: @Sendable (Location) -> ContentHash?
    package init(places: Set<Location>, locked: @escaping @Sendable (Location) -> ContentHash?) {
      self.places = places
      self.locked = locked
    }
  }

  private struct State {
    var source: RunRecord.Source?
    var taken: Nanoseconds = 0
    var cost: Nanoseconds = 0
    /// By the clock of files: what was written since then the answer may not know.
    var asked: Nanoseconds = 0
    /// Of inputs, the writing after which git was asked again: once is enough, also where a file is from the future.
    var known: [Location: Nanoseconds] = [:]
  }

  /// A tracked file that a stage reads, or a folder of such, and when it was last written.
  package struct Input: Sendable {
    package var location: Location
    package var modified: Nanoseconds
    package init(_ location: Location, modified: Nanoseconds) {
      self.location = location
      self.modified = modified
    }
  }

  package init(
    _ tracked: TrackedFiles?, snapshotter: Snapshotter, records: RecordStore, outputs: Outputs
  ) {
    self.tracked = tracked
    self.snapshotter = snapshotter
    self.records = records
    self.outputs = outputs
  }

  /// From here on until `ended`, what stands at the stage's outputs is its own.
  func begins(_ stage: Stage) { making.withLock { $0.formUnion(stage.outputs.map(\.location)) } }

  /// Its lock entry is written: what differs from that is not the stage's.
  func ended(_ stage: Stage) { making.withLock { $0.subtract(stage.outputs.map(\.location)) } }

  /// At most two seconds old, and older where asking is slow; but never older than `inputs`.
  package func source(reading inputs: [Input] = []) -> RunRecord.Source {
    state.withLock { state in
      let now = WallClock.monotonic()
      let edits = inputs.filter { $0.modified >= state.asked && state.known[$0.location] != $0.modified }
      let isKept = now - state.taken < max(2_000_000_000, 50 * state.cost)
      if let source = state.source, isKept, edits.isEmpty { return source }
      for edit in edits { state.known[edit.location] = edit.modified }
      state.asked = WallClock.fileTime()
      let fresh = read()
      state.source = fresh
      state.taken = WallClock.monotonic()
      state.cost = state.taken - now
      return fresh
    }
  }

  private func read() -> RunRecord.Source {
    var source = RunRecord.Source()
    guard let tracked else {
      source.isDirty = nil
      return source
    }
    let git = tracked.git
    source.commit = (try? git.headCommit()) ?? nil
    source.branch = (try? git.branch()) ?? nil
    source.repository = ((try? git.remoteURL()) ?? nil) ?? ((try? git.rootCommit()) ?? nil)
    guard let changes = try? git.changedTrackedFiles() else {
      source.isDirty = nil
      return source
    }
    guard source.commit != nil else {
      // Nothing to differ from: not clean.
      source.isDirty = true
      return source
    }
    var paths: [String] = []
    var ours: [String] = []
    var known: [Location: Bool] = [:]
    for change in changes {
      let place = tracked.paths.location(inWorkTree: change.path)
      if isOurs(place, tracked.paths, &known) { ours.append(change.path) } else { paths.append(change.path) }
    }
    source.isDirty = !paths.isEmpty
    var changed: OrderedDictionary<String, Digest32?> = [:]
    for path in paths.sorted(by: { $0.precedesInBytes($1) }) {
      changed.updateValue(snapshotter.observe(external: git.workTree + "/" + path, sha256: true).sha256, forKey: path)
    }
    source.changed = changed
    if !paths.isEmpty {
      // The patch travels with the record, and people write passwords there.
      let excluded = ours + paths.filter(Self.isSettings)
      if let patch = (try? git.patch(limit: 10 << 20, excluding: excluded)) ?? nil, !patch.isEmpty {
        source.patch = try? records.put(object: patch)
      }
    }
    return source
  }

  /// A file of DVC's or Cairn's own settings.
  static func isSettings(_ path: String) -> Bool {
    [".dvc/config", ".dvc/config.local", ".cairn/config.toml"].contains { path == $0 || path.hasSuffix("/" + $0) }
  }

  /// What Cairn itself wrote: locks, `.gitignore` files, and outputs as far as they are what the locks say.
  private func isOurs(_ place: Location, _ paths: PathResolver, _ known: inout [Location: Bool]) -> Bool {
    if let name = place.local?.name, name == ".gitignore" || name == "dvc.lock" { return true }
    var output = place
    while !outputs.places.contains(output) {
      if output == .local(.root) || paths.pathInWorkTree(output)?.isEmpty ?? true { return false }
      output = paths.location(of: "..", in: output)
    }
    if let known = known[output] { return known }
    let isOurs = making.withLock { $0.contains(output) } || isAsLocked(output)
    known[output] = isOurs
    return isOurs
  }

  private func isAsLocked(_ output: Location) -> Bool {
    guard let locked = outputs.locked(output) else { return false }
    let content: Content =
      switch output {
      case .local(let path): snapshotter.observe(path, algorithm: locked.algorithm)
      case .external(let path): snapshotter.observe(external: path.absolute, algorithm: locked.algorithm)
      case .url: .missing
      }
    return content.hash == locked
  }

  /// In git's index: the file, or anything in the folder.
  package func isTracked(_ location: Location) -> Bool { tracked?.contains(location) ?? false }
}
