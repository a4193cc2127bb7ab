// The runs that came before one: which of them made what it read, and what those left.
// Reads records and their documents; the index is opened when the first run is looked for.
import CairnCore
import CairnFormats
import CairnLineage
import CairnStore
import Synchronization

final class RunHistory: Sendable {
  struct Run {
    var id: RunID
    var record: RunRecord
  }

  private let records: RecordStore
  private let openIndex: @Sendable () throws -> LineageIndex
  private let opened = Mutex<LineageIndex?>(nil)
  /// A run made what several read, and came before another one.
  private let read = Mutex<[RunID: RunRecord]>([:])
  /// So many runs of a stage are looked through for the one that had a command, or left an output.
  private static let limit = 20

  init(_ records: RecordStore, index: @escaping @Sendable () throws -> LineageIndex) {
    self.records = records
    openIndex = index
  }

  // MARK: Who made what a run read

  /// What made the dependency of a reason another one than a lock entry has: the runs since, up to `maker`, the one
  /// that left it as it is, the newest first. `nil` where not all of them are known.
  func makers(of reason: Reason, upTo maker: RunID) -> [Run]? {
    guard let record = stored(maker), case .content(let now, _)? = reason.now, let path = reason.path,
      hash(of: path, in: record) == now
    else { return nil }
    let (makers, isComplete) = makers(of: reason, from: Run(id: maker, record: record))
    return isComplete ? makers : nil
  }

  /// The runs that made the dependency of a reason what `record` read instead of what was, the newest first: where the
  /// one that left what was is not known, the newest alone. Empty for what no run made, and where it started later: it
  /// has made nothing that was read here.
  func makers(of reason: Reason, in run: Run) -> [Run] {
    let record = run.record
    guard reason.kind == .dependencyChanged, let path = reason.path,
      case .content(let hash, _)? = reason.now, let input = record.inputs.first(where: { $0.path == path }),
      input.producer != nil || input.origin.kind == .stage
    else { return [] }
    guard let id = writer(of: path, hash, input, record) else { return makersOfParts(input, of: run) }
    guard let found = stored(id), found.stage.address != record.stage.address,
      found.execution.started <= record.execution.started
    else { return [] }
    let (runs, isComplete) = makers(of: reason, from: Run(id: id, record: found))
    return isComplete ? runs : Array(runs.prefix(1))
  }

  /// Those runs, back from `maker`, that made it another one, to the one after which it was what the reason says that
  /// it was; and whether that one is known.
  private func makers(of reason: Reason, from maker: Run) -> (runs: [Run], isComplete: Bool) {
    guard let path = reason.path, case .content(let was, _)? = reason.was else { return ([maker], false) }
    var found: [Run] = []
    // The oldest so far that left what the newer ones left too.
    var oldest: (run: Run, md5: String)?
    var next: Run? = maker
    for _ in 0..<Self.limit {
      guard let run = next else { break }
      // A run that failed has left nothing; what it began with, the next one began with too.
      if run.record.result.leavesLock, let md5 = hash(of: path, in: run.record) {
        if let oldest, oldest.md5 != md5 { found.append(oldest.run) }
        if md5 == was { return (found, true) }
        oldest = (run, md5)
      }
      next = predecessor(of: run)
    }
    return (found + [oldest?.run ?? maker], false)
  }

  /// The producer that was recorded; where something was taken from the cache, that run, not the one that made it once.
  private func writer(of path: String, _ hash: String, _ input: RunRecord.Input, _ record: RunRecord) -> RunID? {
    let written = (try? index().writer(of: path, md5: hash, until: record.execution.started)) ?? nil
    guard let producer = input.producer, let written, written != producer else { return written ?? input.producer }
    return stored(written)?.restoredFrom == producer ? written : producer
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
      let made = written.filter { RepoPath(unchecked: $0.path) == output }.compactMap(\.md5).compactMap {
        (try? index().writer(of: output.text, md5: $0, until: run.record.execution.started)) ?? nil
      }
      let newest = made.compactMap { id in stored(id).map { Run(id: id, record: $0) } }
        .max { $0.record.execution.started < $1.record.execution.started }
      guard let newest else { return [] }
      if makers.updateValue(newest, forKey: newest.id) == nil { order.append(newest.id) }
    }
    return order.compactMap { makers[$0] }
  }

  // MARK: What a run left

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

  // MARK: Who came before

  /// The run before this one that had the command which `reason` says was.
  func former(_ reason: Reason, _ run: Run) -> RunID? {
    guard case .value(let was)? = reason.was else { return nil }
    let command = Self.command(was)
    var run = run
    for _ in 0..<Self.limit {
      guard let before = previous(of: run) else { return nil }
      if before.record.stage.cmd == command { return before.id }
      run = before
    }
    return nil
  }

  /// The lines of a command, from the value that a reason has of it.
  private static func command(_ value: Value) -> [String] {
    (value.list ?? [value]).map { $0.string ?? PythonText.str($0) }
  }

  /// The run that left the lock entry which this one found: by time it is one of many, on other branches too; the
  /// values tell it.
  private func predecessor(of run: Run) -> Run? {
    var candidate = run
    for _ in 0..<Self.limit {
      guard let before = previous(of: candidate) else { return nil }
      if before.record.result.leavesLock, isFound(before.record, by: run.record) { return before }
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
      command = Self.command(was)
    }
    guard earlier.stage.cmd == command else { return false }
    for input in later.inputs where input.role == "dep" && reason([.dependencyAdded], input.path) == nil {
      var expected = input.md5
      if case .content(let was, _)? = reason([.dependencyChanged, .dependencyMissing], input.path)?.was {
        expected = was
      }
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

  private func previous(of run: Run) -> Run? {
    guard let id = (try? index().previous(of: run.id, stage: run.record.stage.address)) ?? nil,
      let record = stored(id)
    else { return nil }
    return Run(id: id, record: record)
  }

  private func stored(_ id: RunID) -> RunRecord? {
    if let known = read.withLock({ $0[id] }) { return known }
    guard let record = (try? records.record(id)) ?? nil else { return nil }
    read.withLock { $0[id] = record }
    return record
  }

  private func index() throws -> LineageIndex {
    try opened.withLock { opened in
      if let opened { return opened }
      let index = try openIndex()
      opened = index
      return index
    }
  }
}
