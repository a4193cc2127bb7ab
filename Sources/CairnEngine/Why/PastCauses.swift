// What a run began with: its reasons followed, through the runs that made what it read, to the edits behind them.
// Reads records alone; the index is opened when the first reason leads to another stage.
package import CairnCore
import CairnFormats
import CairnLineage
import CairnStore
import Synchronization

/// One root cause of a run.
package struct PastCause: Sendable {
  package var reason: Reason
  /// The stage that has this reason.
  package var stage: String
  /// The stages through which it arrived, the one that has the reason first; empty for a reason of the run's own.
  package var through: [String] = []
}

final class PastCauses: Sendable {
  private let records: RecordStore
  private let openIndex: @Sendable () throws -> LineageIndex
  private let opened = Mutex<LineageIndex?>(nil)
  private let commands: CommandChanges
  /// What runs before others began with; asked of one run by each that read what it made.
  private let known = Mutex<[RunID: Roots]>([:])
  /// A run made what several read, and came before another one.
  private let read = Mutex<[RunID: RunRecord]>([:])

  init(
    _ records: RecordStore, index: @escaping @Sendable () throws -> LineageIndex, commands: CommandChanges
  ) {
    self.records = records
    openIndex = index
    self.commands = commands
  }

  /// A root of a run, as a step on the way to it: what stands further on is the root `index` of the run `before`.
  private struct Root: Sendable {
    var reason: Reason
    var stage: String
    var before: (run: RunID, index: Int)?
  }

  private struct Roots: Sendable {
    var stage: String
    var roots: [Root]
    /// There are more than `roots` has.
    var hasMore: Bool
  }

  /// What makes two reasons one cause: what is about a file or a value is one for all stages that see it.
  private struct Key: Hashable {
    var kind: ReasonKind
    var stage: String?
    var path: String?
    var key: String?

    init(_ root: Root) {
      kind = root.reason.kind
      path = root.reason.path
      key = root.reason.key
      if kind.isOfStage { stage = root.stage }
    }
  }

  /// The run's own first, then those that came through other stages: each once, of the latter at most
  /// `rootLimit`; and whether there are more.
  func of(_ id: RunID, _ record: RunRecord) -> (causes: [PastCause], hasMore: Bool) {
    let found = roots(of: id, record)
    return (causes(found.roots), found.hasMore)
  }

  /// What made a dependency another one than a lock entry has, where a stage made it so: what its runs since began
  /// with, up to `maker`, the one that left it as it is. `nil` where not all of them are known.
  func of(_ reason: Reason, madeBy maker: RunID) -> (causes: [PastCause], hasMore: Bool)? {
    guard let record = stored(maker), case .content(let now, _)? = reason.now, let path = reason.path,
      hash(of: path, in: record) == now
    else { return nil }
    let (makers, isComplete) = self.makers(of: reason, from: Run(id: maker, record: record))
    guard isComplete else { return nil }
    for maker in makers { _ = roots(of: maker.id, maker.record) }
    let (roots, hasMore) = join(makers.map(\.id))
    return roots.isEmpty ? nil : (causes(roots), hasMore)
  }

  private func causes(_ roots: [Root]) -> [PastCause] {
    roots.map { root in
      var through: [String] = []
      var next = root.before
      while let (run, index) = next, let before = known.withLock({ $0[run] }) {
        through.append(before.stage)
        next = before.roots[index].before
      }
      return PastCause(reason: root.reason, stage: root.stage, through: through.reversed())
    }
  }

  private struct Run {
    var id: RunID
    var record: RunRecord
  }

  private func roots(of id: RunID, _ record: RunRecord) -> Roots {
    struct Step {
      var run: Run
      /// Beside each reason the runs that made what it is about.
      var makers: [[Run]]?
    }
    var stack = [Step(run: Run(id: id, record: record))]
    // A record that was made by hand may lead back to itself.
    var begun: Set<RunID> = []
    while var step = stack.popLast() {
      if known.withLock({ $0[step.run.id] }) != nil { continue }
      let reasons = step.run.record.reasons.compactMap(ReasonJSON.reason)
      if let makers = step.makers {
        let roots = join(reasons, makers.map { $0.map(\.id) }, of: step.run)
        known.withLock { $0[step.run.id] = roots }
        continue
      }
      guard begun.insert(step.run.id).inserted else { continue }
      let makers = reasons.map { self.makers(of: $0, in: step.run) }
      step.makers = makers
      stack.append(step)
      // One that is asked for again further up is looked at there: it must be known before those that stand on it.
      for maker in makers.joined().reversed() { stack.append(Step(run: maker)) }
    }
    return known.withLock { $0[id] } ?? Roots(stage: record.stage.address, roots: [], hasMore: false)
  }

  private func join(_ reasons: [Reason], _ makers: [[RunID]], of run: Run) -> Roots {
    let stage = run.record.stage.address
    var own: [Root] = []
    var others: [Root] = []
    var hasMore = false
    for (reason, makers) in zip(reasons, makers) {
      let before = join(makers)
      hasMore = hasMore || before.hasMore
      others += before.roots
      if before.roots.isEmpty { own += roots(of: reason, run).map { Root(reason: $0, stage: stage) } }
    }
    var seen: Set<Key> = []
    own = own.filter { seen.insert(Key($0)).inserted }
    others = others.filter { seen.insert(Key($0)).inserted }
    let kept = own + others.prefix(Self.rootLimit)
    hasMore = hasMore || kept.count < own.count + others.count
    // It would have run without being forced.
    return Roots(
      stage: stage, roots: kept.filter { $0.reason.kind != .forced } + kept.filter { $0.reason.kind == .forced },
      hasMore: hasMore)
  }

  /// What successive runs of a stage began with, the newest first: of what several of them saw change, from what it was
  /// before the oldest to what it is after the newest.
  private func join(_ makers: [RunID]) -> (roots: [Root], hasMore: Bool) {
    var found: [Root] = []
    var places: [Key: Int] = [:]
    var hasMore = false
    for maker in makers {
      guard let before = known.withLock({ $0[maker] }) else { continue }
      hasMore = hasMore || before.hasMore
      for (index, root) in before.roots.enumerated() {
        if let place = places[Key(root)] {
          if found[place].stage.utf8.elementsEqual(root.stage.utf8) { found[place].reason.was = root.reason.was }
        } else {
          places[Key(root)] = found.count
          found.append(Root(reason: root.reason, stage: root.stage, before: (maker, index)))
        }
      }
    }
    // What went back to where it was, and that it was forced where it had another cause, tells nothing.
    found.removeAll { $0.reason.was != nil && $0.reason.was == $0.reason.now }
    let others = found.filter { $0.reason.kind != .forced }
    return (others.isEmpty ? found : others, hasMore)
  }

  private func index() throws -> LineageIndex {
    try opened.withLock { opened in
      if let opened { return opened }
      let index = try openIndex()
      opened = index
      return index
    }
  }

  /// A command that the stage still has was made another one by values that still stand where they stood.
  private func roots(of reason: Reason, _ run: Run) -> [Reason] {
    guard reason.kind == .commandChanged,
      case .values(let changed)? = commands.change(reason, of: run.record, since: former(reason, run))
    else { return [reason] }
    return changed.map(\.reason)
  }

  /// The run before this one that had the command which `reason` says was.
  private func former(_ reason: Reason, _ run: Run) -> RunID? {
    guard case .value(let was)? = reason.was else { return nil }
    let command = (was.list ?? [was]).map { $0.string ?? PythonText.str($0) }
    var run = run
    for _ in 0..<Self.formerLimit {
      guard let before = previous(of: run) else { return nil }
      if before.record.stage.cmd == command { return before.id }
      run = before
    }
    return nil
  }

  private func stored(_ id: RunID) -> RunRecord? {
    if let known = read.withLock({ $0[id] }) { return known }
    guard let record = (try? records.record(id)) ?? nil else { return nil }
    read.withLock { $0[id] = record }
    return record
  }

  private func previous(of run: Run) -> Run? {
    guard let id = (try? index().previous(of: run.id, stage: run.record.stage.address)) ?? nil,
      let record = stored(id)
    else { return nil }
    return Run(id: id, record: record)
  }

  /// So many roots come through others: of each of many runs.
  private static let rootLimit = 64
  /// So many runs of a stage are looked through for the one that had a command, or left an output.
  private static let formerLimit = 20

  /// The runs that made the dependency of a reason what `record` read instead of what was, the newest first: where the
  /// one that left what was is not known, the newest alone. Empty for what no run made, and where it started later: it
  /// has made nothing that was read here.
  private func makers(of reason: Reason, in run: Run) -> [Run] {
    let record = run.record
    guard reason.kind == .dependencyChanged, let path = reason.path,
      case .content(let hash, _)? = reason.now, let input = record.inputs.first(where: { $0.path == path }),
      input.producer != nil || input.origin.kind == .stage
    else { return [] }
    guard let id = writer(of: path, hash, input, record) else { return makersOfParts(input, of: run) }
    guard let found = stored(id), found.stage.address != record.stage.address, found.execution.started <= record.execution.started
    else { return [] }
    let (runs, isComplete) = makers(of: reason, from: Run(id: id, record: found))
    return isComplete ? runs : Array(runs.prefix(1))
  }

  /// The producer that was recorded; where something was taken from the cache, that run, not the one that made it once.
  private func writer(of path: String, _ hash: String, _ input: RunRecord.Input, _ record: RunRecord) -> RunID? {
    let written = (try? index().writer(of: path, md5: hash, until: record.execution.started)) ?? nil
    guard let producer = input.producer, let written, written != producer else { return written ?? input.producer }
    return stored(written)?.restoredFrom == producer ? written : producer
  }

  /// What a run left at a path that is one of its outputs or lies in one.
  private func hash(of path: String, in record: RunRecord) -> String? {
    if let exact = record.outputs.first(where: { $0.path.hasSameBytes(as: path) }) { return exact.md5 }
    let path = RepoPath(unchecked: path)
    guard let folder = record.outputs.first(where: { path.isInside(RepoPath(unchecked: $0.path)) }),
      let manifest = manifest(folder.sha256)
    else { return nil }
    let inner = path.relative(to: RepoPath(unchecked: folder.path))
    if let file = manifest.entry(at: inner) { return file.md5.hex }
    let inside = manifest.entries(below: inner).map { entry in
      DirectoryManifest.Entry(
        path: String(decoding: entry.path.utf8.dropFirst(inner.utf8.count + 1), as: UTF8.self), md5: entry.md5)
    }
    return inside.isEmpty
      ? nil : ContentHasher.md5(of: ManifestJSON.encode(DirectoryManifest(inside))).hex + ".dir"
  }

  private func manifest(_ document: Digest32?) -> DirectoryManifest? {
    let bytes = document.flatMap { (try? records.document($0)) ?? nil }
    return bytes.flatMap { try? DirectoryDocument.decode($0) }
  }

  /// Of a folder that outputs of several stages lie in: the runs that made those by which it differs from what the run
  /// before has read. Nothing where it differs in more than these.
  private func makersOfParts(_ input: RunRecord.Input, of run: Run) -> [Run] {
    guard let now = manifest(input.sha256)?.digests,
      let before = predecessor(of: run)?.record.inputs.first(where: { $0.path == input.path }),
      let old = manifest(before.sha256)?.digests,
      let written = try? index().artifacts(below: input.path, .written)
    else { return [] }
    let outputs = Set(written.map { RepoPath(unchecked: $0.path) })
    var makers: [RunID: Run] = [:]
    var order: [RunID] = []
    let folder = RepoPath(unchecked: input.path)
    for name in Set(now.keys).union(old.keys).sorted() where now[name] != old[name] && name.name != ".gitignore" {
      var output = folder.appending(name.text)
      while !outputs.contains(output), output.isInside(folder) { output = output.parent }
      let made = written.filter { RepoPath(unchecked: $0.path) == output }.compactMap { artifact in
        artifact.md5.flatMap { (try? index().writer(of: output.text, md5: $0, until: run.record.execution.started)) ?? nil }
      }
      let newest = made.compactMap { id in stored(id).map { Run(id: id, record: $0) } }
        .max { $0.record.execution.started < $1.record.execution.started }
      guard let newest else { return [] }
      if makers.updateValue(newest, forKey: newest.id) == nil { order.append(newest.id) }
    }
    return order.compactMap { makers[$0] }
  }

  /// The run that left the lock entry which this one found: by time it is one of many, on other branches too; the values
  /// tell it.
  private func predecessor(of run: Run) -> Run? {
    var candidate = run
    for _ in 0..<Self.formerLimit {
      guard let before = previous(of: candidate) else { return nil }
      if before.record.result.isTrusted || before.record.result == .restored, isFound(before.record, by: run.record) {
        return before
      }
      candidate = before
    }
    return nil
  }

  /// Whether all that `later` says was, and all of which it says nothing, is as the run left it.
  private func isFound(_ earlier: RunRecord, by later: RunRecord) -> Bool {
    let reasons = later.reasons.compactMap(ReasonJSON.reason)
    func reason(_ kinds: [ReasonKind], _ path: String?, _ key: String? = nil) -> Reason? {
      reasons.first { kinds.contains($0.kind) && $0.path == path && $0.key == key }
    }
    var command = later.stage.cmd
    if case .value(let was)? = reasons.first(where: { $0.kind == .commandChanged && $0.was != nil })?.was {
      command = (was.list ?? [was]).map { $0.string ?? PythonText.str($0) }
    }
    guard earlier.stage.cmd == command else { return false }
    for input in later.inputs where input.role == "dep" && reason([.dependencyAdded], input.path) == nil {
      var expected = input.md5
      if case .content(let was, _)? = reason([.dependencyChanged, .dependencyMissing], input.path)?.was { expected = was }
      guard let found = earlier.inputs.first(where: { $0.path == input.path }),
        found.after?.md5 ?? found.md5 == expected
      else { return false }
    }
    for (file, values) in later.params {
      for (key, value) in values {
        let changed = reasons.filter { $0.path == file && ($0.key ?? "").utf8.starts(with: key.utf8) }
        if changed.contains(where: { $0.kind == .parameterAdded || $0.key != key }) { continue }
        var expected = value
        if case .value(let was)? = changed.first?.was { expected = was }
        guard earlier.params[file]?[key]?.isStill(expected) ?? false else { return false }
      }
    }
    return true
  }

  /// Those runs, back from the newest, that made it another one, to the one after which it was what the reason says
  /// that it was; and whether that one is known.
  private func makers(of reason: Reason, from maker: Run) -> (runs: [Run], isComplete: Bool) {
    guard let path = reason.path, case .content(let was, _)? = reason.was else { return ([maker], false) }
    var found: [Run] = []
    // The oldest so far that left what the newer ones left too.
    var oldest: (run: Run, md5: String)?
    var next: Run? = maker
    for _ in 0..<Self.formerLimit {
      guard let run = next else { break }
      // A run that failed has left nothing; what it began with, the next one began with too.
      if run.record.result.isTrusted || run.record.result == .restored,
        let md5 = hash(of: path, in: run.record)
      {
        if let oldest, oldest.md5 != md5 { found.append(oldest.run) }
        if md5 == was { return (found, true) }
        oldest = (run, md5)
      }
      next = predecessor(of: run)
    }
    return (found + [oldest?.run ?? maker], false)
  }
}
