// The lineage level: the records behind what is looked at, git, the remote and the tracking server, held against each
// other. Changes none of them.
package import CairnCore
package import CairnEngine
import CairnLineage
import CairnStore
import CairnSystem

package struct LineageChecks {
  private let workspace: Workspace
  private let objects: ProjectObjects
  private let cache: DataCache
  private let git: GitRepository?
  /// Of the server; or why nobody can be asked; `nil` where no server is named.
  private let reader: Result<any TrackingReader, Diagnostic>?
  private let models: [String: String]
  private let registers: Bool
  private let outbox: Outbox?
  private let isDeep: Bool

  package init(_ workspace: Workspace, isDeep: Bool) {
    self.workspace = workspace
    self.isDeep = isDeep
    objects = ProjectObjects(workspace)
    cache = DataCache(folder: workspace.settings.cacheFolder, mends: false)
    git = (try? GitRepository.find(from: workspace.repository.root)) ?? nil
    let settings = TrackingSettings(workspace.settings, workspace.repository)
    if let settings, let connector = TrackerConnectors.current {
      let project = TrackedProject(workspace, settings)
      models = project.models
      outbox = project.outbox
      do throws(Diagnostic) { reader = .success(try connector.reader(project)) } catch { reader = .failure(error) }
    } else {
      models = [:]
      outbox = nil
      reader = nil
    }
    registers = settings?.registers ?? false
  }

  // MARK: The pipeline

  /// The `tracking` of the run behind each stage's lock entry.
  func stages(_ wanted: [StageID]?) -> [Check] {
    let project = workspace.project
    return (wanted ?? project.pipeline.ids).flatMap { id -> [Check] in
      let stage = project.pipeline[id]
      guard stage.kind == .pipeline, let lock = workspace.lockEntry(of: stage) else { return [] }
      let maker = CheckMaker(stage, workspace.repository.paths)
      guard let run = workspace.producers.run(behind: WorkKey(stage, lock), of: stage.address.text()),
        let record = (try? workspace.records.record(run)) ?? nil
      else {
        if reader == nil { return [maker.unknown(.record, "no record tells of the run behind its lock entry: DVC may have run it")] }
        return [maker.unknown(.tracking, "no record tells what the tracking server should have")]
      }
      return tracking(run, record) { status, words, hint, path in
        switch status {
        case .passed: maker.passed(.tracking, path: path)
        case .failed: maker.failed(.tracking, path: path, words, hint: hint ?? "")
        case .skipped: maker.skipped(.tracking, path: path, words)
        default: maker.unknown(.tracking, path: path, words, hint: hint)
        }
      }
    }
  }

  private typealias Maker = (CheckStatus, _ message: String, _ hint: String?, _ path: String?) -> Check

  /// - Parameter model: of its models, this one alone, and of that the other versions: it is told by itself. `nil`: all.
  private func tracking(_ run: RunID, _ record: RunRecord, model: RegisteredModel? = nil, _ check: Maker) -> [Check] {
    let reader: any TrackingReader
    switch self.reader {
    case nil: return [check(.skipped, "no tracking server is named", nil, nil)]
    case .failure(let error): return [check(.unknown, error.fullMessage, error.hint, nil)]
    case .success(let found): reader = found
    }
    // What came from the cache has no run of its own, and what a person accepted has that of the run.
    if record.result == .restored || record.result == .accepted { return [] }
    do throws(Diagnostic) {
      var checks = [
        judge(try reader.compare(run, record), "run \(run.hex.prefix(12)) of '\(record.stage.address)'", reader, nil, check)
      ]
      for output in record.outputs where record.result == .succeeded {
        guard let name = models[output.path], model.map({ $0.path.hasSameBytes(as: output.path) }) ?? true else { continue }
        // What no remote keeps is not registered.
        guard objects.object(of: output) != nil else {
          checks.append(check(.skipped, "'\(output.path)' is no object of a remote: it has no version in the registry", nil, output.path))
          continue
        }
        let versions = try reader.models(name, of: run, path: output.path)
        if versions.isEmpty, registers {
          checks.append(
            check(
              .failed, "'\(reader.place)' has no version of the model '\(name)' made from it",
              waits(run)
                ? "`cairn track status` says what it waits for"
                : "`cairn track sync --all` makes one, also of a run from before `tracking.register`", output.path))
        }
        for version in versions where version.id != model?.id {
          checks.append(judge(try reader.compare(version, record), version.text, reader, output.path, check))
        }
      }
      return checks
    } catch {
      return [check(.unknown, error.fullMessage, error.hint, nil)]
    }
  }

  private func waits(_ run: RunID) -> Bool {
    ((try? outbox?.entries()) ?? []).contains { $0.document == run.digest && ($0.kind == .run || $0.kind == .model) }
  }

  private func judge(
    _ answer: TrackingAnswer, _ what: String, _ reader: any TrackingReader, _ path: String?, _ check: Maker
  ) -> Check {
    switch answer {
    case .same: return check(.passed, "", nil, path)
    case .absent:
      return check(
        .failed, "'\(reader.place)' has no \(what)", "`cairn track sync` sends what waits, `cairn track sync --all` all runs", path)
    case .differs(let words):
      return check(
        .failed, "\(what) differs on '\(reader.place)': " + words.prefix(5).joined(separator: "; ")
          + (words.count > 5 ? "; and \(words.count - 5) more" : ""),
        "the record is what Cairn saw: somebody changed it on the server, or the stage itself logged it so", path)
    }
  }

  // MARK: One run and all behind it

  /// - Parameter model: the version that led to the run.
  package func run(_ run: RunID, model: RegisteredModel? = nil) -> [Check] {
    var checks: [Check] = []
    var seen: Set<RunID> = [run]
    var waiting = [run]
    while let id = waiting.popLast() {
      let record: RunRecord
      do throws(Diagnostic) {
        guard let found = try workspace.records.record(id) else {
          var presence = CheckStatus.unknown
          if let tombstone = try? workspace.records.presence(of: id.digest), case .erased = tombstone { presence = .erased }
          checks.append(
            Check(
              .record, presence, path: "run:" + id.hex.prefix(12),
              message: "the record of run \(id.hex.prefix(12)) is \(presence == .erased ? "erased" : "not here"): what it stood on cannot be seen",
              hint: "`cairn fetch` brings the team's records", at: Self.nowhere))
          continue
        }
        record = found
      } catch {
        checks.append(
          Check(
            .record, .failed, path: "run:" + id.hex.prefix(12), message: error.fullMessage,
            hint: "bring it back from a copy of the store", at: Self.nowhere))
        continue
      }
      checks += look(at: id, record, model: id == model?.run ? model : nil)
      for next in record.inputs.compactMap(\.producer) + [record.restoredFrom, record.accepts].compactMap({ $0 })
      where seen.insert(next).inserted {
        waiting.append(next)
      }
    }
    if let model { checks += self.model(model) }
    return checks
  }

  /// A version of a model that leads to no run: there is none, or nobody says so.
  package static func lost(_ model: String, _ status: CheckStatus, _ why: Diagnostic) -> Check {
    Check(.tracking, status, path: model, message: why.fullMessage, hint: why.hint, at: nowhere)
  }

  private static let nowhere = CheckPlace(file: "dvc.yaml", line: 1)

  private func place(_ record: RunRecord) -> CheckPlace {
    let stage = workspace.project.pipeline.stages.first { $0.address.text() == record.stage.address }
    return CheckPlace(stage?.mark, orFile: record.stage.file, workspace.repository.paths)
  }

  private func model(_ model: RegisteredModel) -> [Check] {
    guard case .success(let reader)? = reader, let record = (try? workspace.records.record(model.run)) ?? nil else { return [] }
    let check = makers(of: record)
    let bytes = source(of: model, record, check(.objectMissing), check(.objectCorrupt))
    do throws(Diagnostic) {
      return [judge(try reader.compare(model, record), model.text, reader, model.path, check(.tracking))] + bytes
    } catch {
      return [check(.tracking)(.unknown, error.fullMessage, error.hint, model.path)] + bytes
    }
  }

  /// The object that the version links to, on the remote itself: whoever follows the link has nothing of this cache.
  private func source(
    of model: RegisteredModel, _ record: RunRecord, _ missing: Maker, _ corrupt: Maker
  ) -> [Check] {
    guard let output = record.outputs.first(where: { $0.path.hasSameBytes(as: model.path) }),
      let hash = output.md5.flatMap({ ContentHash($0) })
    else { return [] }
    let path = model.text
    func altered() -> Check {
      corrupt(
        .failed, "what \(path) links to has other bytes on the remote than its hash says (\(hash.text))",
        "take the object away there, and `cairn push` from where it still is", path)
    }
    do throws(Diagnostic) {
      let remote = RemoteObjects(try objects.home(of: hash, at: model.path).storage)
      let hint = "`cairn push` where it still is, or run the stage again"
      guard try remote.hasFile(hash) else {
        return [missing(.failed, "what \(path) links to is not on the remote: \(remote.name(of: hash))", hint, path)]
      }
      if hash.isDirectory, let list = try remote.list(of: hash) {
        let files = Array(Set(list.manifest.entries.map { ContentHash(hash.algorithm, $0.md5) }))
        let absent = files.count - (try remote.named(files)).count
        if absent > 0 {
          let files = absent == 1 ? "one file is" : "\(absent) files are"
          return [missing(.failed, "of what \(path) links to \(files) not on the remote", hint, path)]
        }
      }
      let checks = [missing(.passed, "", nil, path)]
      guard isDeep else { return checks }
      return checks + [try isWhole(hash, on: remote) ? corrupt(.passed, "", nil, path) : altered()]
    } catch where error.code == .corruptOnRemote {
      return [altered()]
    } catch {
      let words = "it cannot be known whether the remote has what \(path) links to: \(error.fullMessage)"
      return [missing(.unknown, words, error.hint, path)]
    }
  }

  private func makers(of record: RunRecord) -> (CheckID) -> Maker {
    let place = place(record)
    return { id in
      { status, words, hint, path in
        Check(id, status, stage: record.stage.address, path: path, message: words, hint: hint, at: place)
      }
    }
  }

  private func look(at run: RunID, _ record: RunRecord, model: RegisteredModel? = nil) -> [Check] {
    let stage = record.stage.address
    let check = makers(of: record)
    var checks = [check(.record)(.passed, "", nil, "run:" + run.hex.prefix(12))]
    checks += code(of: record, check(.record), check(.depContent))
    for input in record.inputs {
      if let hash = objects.object(of: input) { checks += object(hash, input.path, check(.objectMissing), check(.objectCorrupt)) }
      // What a run made is asked for there.
      if input.producer == nil, input.origin.kind == .none {
        checks.append(check(.depOrigin)(.unknown, "nobody knows where \(input.path) was from when '\(stage)' read it", nil, input.path))
      }
    }
    for output in record.outputs {
      if let hash = objects.object(of: output) { checks += object(hash, output.path, check(.objectMissing), check(.objectCorrupt)) }
    }
    return checks + tracking(run, record, model: model, check(.tracking))
  }

  /// The commit is in git, and has what the run read of it.
  private func code(of record: RunRecord, _ commits: Maker, _ contents: Maker) -> [Check] {
    guard let commit = record.source.commit else {
      return [commits(.unknown, "its record names no commit: which code it ran with cannot be told", nil, nil)]
    }
    guard let git, ((try? git.revision(commit)) ?? nil) != nil else {
      return [commits(.unknown, "its commit \(commit.prefix(10)) is not in this clone", "`git fetch` may bring it", nil)]
    }
    let sources = SourceHistory(root: workspace.repository.root, store: workspace.records)
    return record.inputs.filter { $0.origin.kind == .git && $0.md5 != nil }.map { input in
      // Edited and not committed is told by the record itself.
      let isEdited = sources.gitPath(input.path).map { record.source.changed[$0] != nil } ?? false
      if isEdited || sources.holds(commit, input) { return contents(.passed, "", nil, input.path) }
      return contents(
        .failed, "\(input.path) has other bytes in its commit \(commit.prefix(10)) than '\(record.stage.address)' read",
        "the record says what was read: the commit is not what it ran with", input.path)
    }
  }

  private func object(_ hash: ContentHash, _ path: String, _ missing: Maker, _ corrupt: Maker) -> [Check] {
    do throws(Diagnostic) {
      if try cache.contains(hash) {
        let checks = [missing(.passed, "", nil, path)]
        guard isDeep else { return checks }
        return checks + [try isWhole(hash, in: cache) ? corrupt(.passed, "", nil, path) : corrupted(path, corrupt)]
      }
      let absent = try objects.missing([(hash, path)])
      guard absent.isEmpty else {
        let words = hash.isDirectory && !absent.contains(hash) ? "\(absent.count) files of \(path) are" : "\(path) (\(hash.text)) is"
        return [
          missing(
            .failed, "\(words) neither in the cache nor on the remote", "`cairn push` where it still is, or run the stage again", path)
        ]
      }
      let checks = [missing(.passed, "", nil, path)]
      guard isDeep else { return checks }
      let remote = RemoteObjects(try objects.home(of: hash, at: path).storage)
      return checks + [try isWhole(hash, on: remote) ? corrupt(.passed, "", nil, path) : corrupted(path, corrupt)]
    } catch {
      return [missing(.unknown, "it cannot be known where \(path) is: \(error.fullMessage)", error.hint, path)]
    }
  }

  private func corrupted(_ path: String, _ corrupt: Maker) -> Check {
    corrupt(.failed, "\(path) has other bytes than its hash says", "take the object away, and bring it from a remote", path)
  }

  /// Of a folder, its list and what that names; what is not there is told elsewhere.
  private func isWhole(_ hash: ContentHash, on remote: RemoteObjects) throws(Diagnostic) -> Bool {
    if try remote.isWhole(hash, { _ in }) == false { return false }
    guard hash.isDirectory, let list = try remote.list(of: hash) else { return true }
    for entry in list.manifest.entries {
      if try remote.isWhole(ContentHash(hash.algorithm, entry.md5), { _ in }) == false { return false }
    }
    return true
  }

  private func isWhole(_ hash: ContentHash, in cache: DataCache) throws(Diagnostic) -> Bool {
    let store = cache.store(for: hash)
    var hashes = [hash]
    if hash.isDirectory, let manifest = try store.manifest(hash) {
      hashes += manifest.entries.map { ContentHash(hash.algorithm, $0.md5) }
    }
    for hash in hashes {
      let found = try ContentHasher.digests(ofFile: store.path(of: hash), DigestKinds(hash.algorithm, sha256: false))
      if found?[hash.algorithm] != hash.digest { return false }
    }
    return true
  }
}
