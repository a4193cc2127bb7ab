// Looks for the run record behind each lock entry: is there one, is it what its name says, and did the stage read
// something undeclared that nobody has. Reads records, and the files that they say differed.
import CairnCore
import CairnEngine
import CairnFormats
import CairnLineage
import CairnStore
import Synchronization

final class RecordChecks: Sendable {
  private let subject: VerifySubject
  private let source: any SourceTree
  private let history: History?
  /// Whether a missing record counts in the verdict.
  private let isRequired: Bool
  /// Files that differed when a stage ran, by their paths in the work tree, with what they hold now.
  private let contents = Mutex<[RepoPath: Digest32?]>([:])
  /// Whether a stage has no record, so that all records had to be looked at.
  private let lacksSome = Atomic(false)
  private let paths = Mutex<[String]>([])
  /// Of altered records that still say so, the stages that they are of.
  private let altered = Mutex<[String: Digest32]?>(nil)

  init(_ subject: VerifySubject, _ source: any SourceTree, isRequired: Bool) {
    self.subject = subject
    self.source = source
    self.isRequired = isRequired
    let history = try? History(subject.repository, cacheFolder: subject.settings.cacheFolder)
    if let history { history.producers.refresh(with: history.store) }
    self.history = history
  }

  /// The files of the records, and what tells of new ones.
  func add(to looked: inout LookedAt) {
    guard let history else { return }
    let folder = history.store.folder
    looked.paths += paths.withLock { $0 } + [folder, folder + "/heads", history.producers.path]
    looked.paths += contents.withLock { $0.keys.map { subject.paths.location(inWorkTree: $0.text).recordPath } }
    // Where all records count, and where others write into the store, no file tells of a change.
    if history.store.sharedFolder != nil { looked.isComplete = false }
    if lacksSome.load(ordering: .relaxed), !history.store.heads().isEmpty { looked.isComplete = false }
  }

  /// What stands behind a lock entry.
  private enum Behind {
    case record(RunID, RunRecord)
    case missing
    case altered(Digest32)
    case unreadable(String)
    /// A chain of restorations leads to a record that is nowhere.
    case endsNowhere(RunID)
  }

  func checks(_ entry: LockEntry, _ maker: CheckMaker) -> [Check] {
    switch behind(maker.stage, entry, maker.address) {
    case .missing:
      var check = maker.unknown(
        .record,
        "no record tells of the run behind its lock entry: DVC may have run it, or its records were not brought here")
      check.isOptional = !isRequired
      return [check]
    case .unreadable(let why):
      return [maker.unknown(.record, "the record behind its lock entry cannot be read: \(why)")]
    case .altered(let digest):
      return [
        maker.failed(
          .record, "the record behind its lock entry was altered: \(digest.hex.prefix(12))",
          hint:
            "bring it back from a copy of the store, or run `cairn repro --force \(maker.quoted)` and then `cairn runs rebuild`"
        )
      ]
    case .endsNowhere(let run):
      return [
        maker.failed(
          .record, "its outputs were restored from a run whose record is nowhere: \(run.hex.prefix(12))",
          hint: "bring it back from a copy of the store, or run `cairn repro --force \(maker.quoted)`")
      ]
    case .record(_, let record) where record.reconstructed != nil:
      let commit = record.reconstructed?.commit.prefix(7) ?? ""
      var check = maker.unknown(
        .record, "the record behind its lock entry was reconstructed from commit \(commit): nobody watched the run")
      check.isOptional = !isRequired
      return [check]
    case .record(let run, let record):
      return [maker.passed(.record), accepted(run, record, maker)] + dirty(record, maker)
    }
  }

  private func behind(_ stage: Stage, _ entry: LockEntry, _ address: String) -> Behind {
    guard let history else { return .missing }
    let work = WorkKey(stage, entry)
    guard let first = history.producers.run(behind: work, of: address) else {
      lacksSome.store(true, ordering: .relaxed)
      return alteredRecord(of: address).map { .altered($0) } ?? .missing
    }
    let direct = history.producers.runs(thatDid: work)
    if history.producers.isReconstructed(first) { lacksSome.store(true, ordering: .relaxed) }
    do throws(Diagnostic) {
      let path = history.store.path(of: first)
      paths.withLock { $0.append(path) }
      if let record = try history.store.record(first) { return .record(first, record) }
      lacksSome.store(true, ordering: .relaxed)
      // It went; a later run of the stage may have done the same work.
      for run in direct where run != first {
        if let record = try history.store.record(run), record.stage.address == address { return .record(run, record) }
      }
    } catch {
      if error.code == .recordAltered { return .altered(first.digest) }
      return .unreadable(error.fullMessage)
    }
    return direct.contains(first) ? .missing : .endsNowhere(first)
  }

  /// An index that was made after the record was altered does not know of it.
  private func alteredRecord(of address: String) -> Digest32? {
    let known = altered.withLock { known -> [String: Digest32] in
      if let known { return known }
      var found: [String: Digest32] = [:]
      for (digest, bytes) in history?.store.alteredDocuments() ?? [:] {
        guard let value = try? JSONReader.value(bytes, name: "record") else { continue }
        if let address = value["stage"]?["address"]?.string { found[address] = digest }
      }
      known = found
      return found
    }
    return known[address]
  }

  private func accepted(_ run: RunID, _ record: RunRecord, _ maker: CheckMaker) -> Check {
    guard record.result == .accepted else { return maker.passed(.recordAccepted) }
    return maker.failed(
      .recordAccepted,
      "an input changed while it ran, and \(record.actor.name) accepted the result (\(run.hex.prefix(12)))",
      hint: "run `cairn repro --force \(maker.quoted)` to be sure")
  }

  // MARK: Undeclared files

  private func dirty(_ record: RunRecord, _ maker: CheckMaker) -> [Check] {
    var checks: [Check] = []
    for (name, before) in record.source.changed {
      let path = RepoPath(unchecked: name)
      let location = subject.paths.location(inWorkTree: name)
      if isDeclared(location, by: maker.stage) || isOfPipeline(path) { continue }
      let now = content(path)
      if now == before { continue }
      let shown = location.recordPath
      checks.append(
        maker.failed(
          .recordDirty, path: shown,
          now == nil
            ? "\(shown) differed from the commit when it ran, and is not there now"
            : "\(shown) differed from the commit when it ran, and has other bytes now",
          hint: "if the stage reads \(shown), declare it and run `cairn repro --force \(maker.quoted)`"))
    }
    return checks.isEmpty ? [maker.passed(.recordDirty)] : checks
  }

  private func isDeclared(_ location: Location, by stage: Stage) -> Bool {
    stage.dependencies.contains { location.isInside($0.location) }
      || stage.parameters.contains { $0.location == location }
      || stage.outputs.contains { location.isInside($0.location) }
  }

  /// What says how stages run, and is held against the lock by other checks.
  private func isOfPipeline(_ path: RepoPath) -> Bool {
    ["dvc.yaml", "dvc.lock", ".gitignore", ".dvcignore"].contains(path.name) || path.text.hasSuffix(".dvc")
      || path.parent.name == ".dvc"
  }

  private func content(_ path: RepoPath) -> Digest32? {
    if let known = contents.withLock({ $0[path] }) { return known }
    let bytes = (try? source.bytes(path)) ?? nil
    let digest = bytes.map { ContentHasher.sha256(of: $0) }
    contents.withLock { _ = $0.updateValue(digest, forKey: path) }
    return digest
  }
}
