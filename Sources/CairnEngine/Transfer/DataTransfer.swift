// `push` and `fetch`: objects of stages, the run-cache and run records, to remotes and from them. Knows nothing of the
// workspace.
package import CairnCore
import CairnLineage
package import CairnStore
import CairnSystem
import OrderedCollections

package struct DataTransfer: Sendable {
  package struct Outcome: Sendable {
    /// Files that went.
    package var transferred = 0
    package var warnings: [String] = []
    /// What was done to files of the project, in DVC's words.
    package var said: [String] = []
    /// What is to be said beside it.
    package var notes: [String] = []
    /// Of single objects, in words.
    package var errors: [String] = []
    /// Files that did not go, directories' lists among them.
    package var failed = 0
    package init() {}
  }

  private let project: OpenProject
  private let remotes: OpenRemotes
  private let request: TransferRequest
  private let progress: TransferProgress

  package init(
    _ project: OpenProject, _ request: TransferRequest, progress: TransferProgress = TransferProgress()
  ) {
    self.project = project
    self.request = request
    self.progress = progress
    remotes = OpenRemotes(project.settings, project.repository)
  }

  private func states() throws(Diagnostic) -> OrderedDictionary<String, ProjectState> {
    let history = try ValueHistory(project.repository, project.settings)
    return request.revisions.isEmpty || project.settings.hasNoSCM
      ? ["workspace": history.workspace] : try history.states(of: [], and: request.revisions)
  }

  /// - Throws: DVC's words where there is no remote, nothing that can be collected, or nobody who answers.
  package func push(_ outcome: inout Outcome) throws(Diagnostic) {
    if let name = remotes.name(request.remote) { _ = try remotes.name(name, command: "push") }
    let keepsVersions = try isVersioned(request.remote)
    if keepsVersions, !request.revisions.isEmpty {
      throw Diagnostic(.usage, "Multiple rev push is unsupported for cloud versioned remotes")
    }
    // Such a remote has no place for the run-cache; DVC passes over that.
    if request.withRunCache, !keepsVersions, let name = remotes.name(request.remote) {
      outcome.transferred += try RunCacheTransfer(project.cache).push(to: objects(name, command: "push"))
    }
    let selection = try select(.push, &outcome)
    for (name, outputs) in selection.versioned { try push(outputs, to: name, &outcome) }
    for (name, group) in selection.groups {
      let transfer = ObjectTransfer(try objects(name, command: "push"), cache: project.cache, progress: progress)
      add(try transfer.push(Array(group.hashes), group.manifests), to: &outcome)
    }
    pushRecords(to: names(selection), &outcome)
    // Only then does DVC ask for the default one.
    _ = try remotes.name(request.remote, command: "<command>")
  }

  package func fetch(_ outcome: inout Outcome) throws(Diagnostic) {
    if request.withRunCache, let name = remotes.name(request.remote), try !isVersioned(name) {
      _ = try RunCacheTransfer(project.cache).fetch(from: objects(name, command: "fetch"))
    }
    let selection = try select(.fetch, &outcome)
    for (hash, stage) in selection.imports {
      outcome.transferred += try fetch(hash, of: stage)
    }
    for (name, group) in selection.groups {
      let transfer = ObjectTransfer(try objects(name, command: "fetch"), cache: project.cache, progress: progress)
      let part = try transfer.fetch(Array(group.hashes), group.manifests, read: group.lists)
      for hash in part.removed {
        outcome.warnings.append(
          "'\(transfer.remote.name(of: hash))' had other bytes than its name says: it was removed; push it again from a machine that has it")
      }
      add(part, to: &outcome)
    }
    for (name, outputs) in selection.versioned {
      guard let storage = try remotes.versioned(name, command: "fetch") else { continue }
      let fetch = VersionedFetch(storage, cache: project.cache, jobs: jobs(name), progress)
      add(try fetch.run(outputs), to: &outcome)
    }
    fetchRecords(from: names(selection), &outcome)
  }

  // MARK: Remotes that keep versions

  private func isVersioned(_ name: String?) throws(Diagnostic) -> Bool {
    try remotes.name(name).map { (name) throws(Diagnostic) in try remotes.isVersioned(name) } ?? false
  }

  /// What went is written down whatever becomes of the rest.
  private func push(_ outputs: [VersionedOutput], to name: String, _ outcome: inout Outcome) throws(Diagnostic) {
    guard let storage = try remotes.versioned(name, command: "push") else { return }
    var push = VersionedPush(storage, remote: name, cache: project.cache, jobs: jobs(name), progress)
    var failure: Diagnostic?
    do throws(Diagnostic) { add(try push.run(outputs), to: &outcome) } catch { failure = error }
    var writer = VersionWriter(project)
    do throws(Diagnostic) { try writer.write(push.news) } catch { failure = failure ?? error }
    outcome.said += writer.said
    outcome.warnings += writer.warnings
    if let failure { throw failure }
  }

  // MARK: Run records

  /// The remotes that are talked to anyway, and the one that is meant where there is no data to go.
  private func names(_ selection: TransferSelection) -> OrderedSet<String> {
    var names = OrderedSet(selection.groups.keys)
    names.formUnion(selection.versioned.keys)
    if let name = remotes.name(request.remote), project.settings.remote(name)?["url"] != nil { names.append(name) }
    return names
  }

  private var areRecordsMeant: Bool { project.settings.cairn("runs", "remote")?.bool ?? true }

  private func history() throws(Diagnostic) -> History {
    try History(project.repository, git: project.git, cacheFolder: project.settings.cacheFolder)
  }

  /// All of our own go, whatever the targets are. Data that went has gone: what fails here is told, and no failure of the
  /// whole.
  private func pushRecords(to names: OrderedSet<String>, _ outcome: inout Outcome) {
    guard areRecordsMeant else { return }
    for name in names {
      do throws(Diagnostic) {
        let history = try history()
        // Nothing is asked of a remote by who has no records.
        guard try history.store.hasOwnFiles() else { return }
        var push = RecordPush(history, to: try recordObjects(name, command: "push"), progress)
        defer { warn(push.warnings, &outcome) }
        try push.run()
      } catch {
        outcome.warnings.append(
          "run records were not sent to '\(name)': \(error.fullMessage). The data was; `cairn push` sends what is left")
      }
    }
  }

  private func fetchRecords(from names: OrderedSet<String>, _ outcome: inout Outcome) {
    guard areRecordsMeant else { return }
    for name in names {
      do throws(Diagnostic) {
        let history = try history()
        var fetch = RecordFetch(project, history, from: try recordObjects(name, command: "fetch"), progress)
        defer {
          warn(fetch.warnings, &outcome)
          // A shorter index is told nothing wrong.
          if fetch.count > 0 { try? history.producers.catchUp(with: history.store) }
        }
        try fetch.run()
      } catch {
        // What kind of remote it is was told where there was data.
        if error.exitCode == 254 { continue }
        outcome.warnings.append("run records were not fetched from '\(name)': \(error.fullMessage)")
      }
    }
  }

  private static let mostWarnings = 10

  private func warn(_ words: [String], _ outcome: inout Outcome) {
    outcome.warnings += words.prefix(Self.mostWarnings)
    if words.count > Self.mostWarnings { outcome.warnings.append("and \(words.count - Self.mostWarnings) more run records") }
  }

  private func select(
    _ direction: TransferSelection.Direction, _ outcome: inout Outcome
  ) throws(Diagnostic) -> TransferSelection {
    let states = try states()
    do throws(Diagnostic) {
      let selection = try TransferSelection(request, direction, states, remotes: remotes, cache: project.cache)
      outcome.warnings += selection.skipped.map(Self.skipping)
      return selection
    } catch {
      outcome.warnings += states.keys.map(Self.skipping)
      throw error
    }
  }

  private static func skipping(_ state: String) -> String { "failed to collect '\(state)', skipping" }

  private func objects(_ name: String, command: String) throws(Diagnostic) -> RemoteObjects {
    RemoteObjects(try remotes.storage(name, command: command), jobs: jobs(name))
  }

  /// Where files have their plain paths, records lie beside them in a folder that no project tracks.
  private func recordObjects(_ name: String, command: String) throws(Diagnostic) -> RemoteObjects {
    guard let storage = try remotes.versioned(name, command: command) else { return try objects(name, command: command) }
    return RemoteObjects(storage.beside(".dvc"), jobs: jobs(name))
  }

  private func jobs(_ name: String) -> Int? {
    request.jobs.flatMap { $0 > 0 ? $0 : nil } ?? project.settings.remote(name)?["jobs"]?.string.flatMap { Int($0) }
  }

  private func add(_ part: ObjectTransfer.Outcome, to outcome: inout Outcome) {
    outcome.transferred += part.transferred
    outcome.failed += part.failures.count
    if !part.missing.isEmpty { outcome.warnings.append(MissingObjects.words(part.missing.map(MissingObjects.text))) }
    for (hash, files) in part.keptBack {
      outcome.notes.append(
        "the list \(hash.text) was not sent: \(files) file\(files == 1 ? "" : "s") of it "
          + "\(files == 1 ? "is" : "are") not on the remote; push the whole folder, and it goes along")
    }
    for failure in part.failures {
      guard let error = failure.error else { continue }
      outcome.errors.append("failed to transfer '\(failure.hash.text)' - \(error.fullMessage)")
    }
  }

  /// What an import's own repository has and the cache lacks.
  private func fetch(_ hash: ContentHash, of stage: Stage) throws(Diagnostic) -> Int {
    if try project.cache.contains(hash) { return 0 }
    guard let imported = ImportedRepository(of: stage) else { return 0 }
    let before = try count(hash)
    try imported.fetch(hash, into: project.cache)
    return try count(hash) - before
  }

  /// How many of the object, and of what it lists, the cache has.
  private func count(_ hash: ContentHash) throws(Diagnostic) -> Int {
    let store = project.cache.store(for: hash)
    guard try store.contains(hash) else { return 0 }
    guard hash.isDirectory, let manifest = (try? store.manifest(hash)) ?? nil else { return 1 }
    return 1 + manifest.entries.count - (try project.cache.missing(of: manifest, hash.algorithm).count)
  }
}
