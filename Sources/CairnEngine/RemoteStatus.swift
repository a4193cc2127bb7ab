// What the cache has and a remote lacks, or the other way round (`status --cloud`). Knows nothing of the workspace's
// own files.
package import CairnCore
import CairnStore
import CairnSystem
package import OrderedCollections

package struct RemoteStatus: Sendable {
  package enum Condition: String, Sendable, CaseIterable {
    /// In the remote only.
    case deleted
    /// In the cache only.
    case new
    /// In neither.
    case missing
  }

  /// Path, as the user would write it → where the object behind it is; what is in both is left out.
  package private(set) var entries: OrderedDictionary<RepoPath, Condition> = [:]
  package private(set) var warnings: [String] = []

  private let remotes: OpenRemotes
  private let jobs: Int?
  private let cache: DataCache
  /// Objects of outputs, each under the first name that it was met with.
  private var names: OrderedDictionary<ContentHash, String> = [:]

  /// - Parameters:
  ///   - states: the workspace, and the commits that count, by name.
  ///   - name: of the remote; `nil` or empty: the default one. It is looked for only when something is to compare.
  package init(
    of states: OrderedDictionary<String, ProjectState>, _ targets: [String], withDependencies: Bool, recursive: Bool,
    remote name: String?, jobs: Int? = nil, repository: Repository, settings: Settings
  ) throws(Diagnostic) {
    self.jobs = jobs
    remotes = OpenRemotes(settings, repository)
    cache = DataCache(folder: settings.cacheFolder, isShared: settings.isCacheShared)
    for (revision, state) in states {
      do throws(Diagnostic) {
        let project = try state.project()
        let selections = try TargetResolution(project, loader: state.loader)
          .selections(targets, withDependencies: withDependencies, recursive: recursive)
        for selection in selections { try collect(selection, of: project, in: state, remote: name) }
      } catch {
        var failure = Diagnostic(.notCollected, "Failed to collect '\(revision.isEmpty ? "workspace" : revision)'")
          .because(of: error)
        failure.exitCode = 1
        throw failure
      }
    }
    if !names.isEmpty { try compare(remote: name) }
  }

  // MARK: What is used

  private mutating func collect(
    _ selection: StageSelection, of project: LoadedProject, in state: ProjectState, remote name: String?
  ) throws(Diagnostic) {
    let stage = project.pipeline[selection.stage]
    // Their data is another repository's.
    if stage.dependencies.contains(where: { $0.source?.repository != nil }) { return }
    let lock = stage.tracked == nil ? project.lockEntry(of: stage) : nil
    let recorded = stage.outputs.enumerated().map { index, output in
      stage.tracked.map { $0.outputs.indices.contains(index) ? $0.outputs[index] : nil } ?? lock?.out(output.declared)
    }
    // Imported without its data.
    if stage.isImport, recorded.first??.contentHash == nil { return }
    for (output, locked) in zip(stage.outputs, recorded) {
      guard output.isCached, output.isPushed, isWanted(output.location, selection.path) else { continue }
      let text = output.text(from: project.folder)
      guard let hash = locked?.contentHash else {
        warn(ofUnknown: text, output, stage.address.text(from: project.folder), state)
        continue
      }
      if hash.isDirectory {
        guard let manifest = try manifest(hash, remote: output.remote ?? name) else { continue }
        // An output with a remote of its own is no matter of this one.
        if output.remote != nil { continue }
        add(hash, text)
        let prefix = inside(output.location, selection.path)
        for entry in manifest.entries where isInside(entry.path, prefix) {
          add(ContentHash(hash.algorithm, entry.md5), text + "/" + entry.path)
        }
      } else if output.remote == nil {
        add(hash, text)
      }
    }
  }

  private mutating func add(_ hash: ContentHash, _ name: String) {
    if names[hash] == nil { names[hash] = name }
  }

  /// Of a directory whose manifest only the remote has, it is brought into the cache, as DVC does.
  private mutating func manifest(_ hash: ContentHash, remote name: String?) throws(Diagnostic) -> DirectoryManifest? {
    if try !cache.store(for: hash).contains(hash) {
      // Whatever is wrong with the remote is told when it is compared.
      let storage = try? remotes.storage(name, command: "status")
      if let storage, try !RemoteObjects(storage, jobs: jobs).bringObject(hash, into: cache) {
        warn(MissingObjects.words(["name: None, " + MissingObjects.text(hash)]))
      }
    }
    return try? cache.store(for: hash).manifest(hash)
  }

  private mutating func warn(_ words: String) {
    if !warnings.contains(words) { warnings.append(words) }
  }

  private mutating func warn(ofUnknown text: String, _ output: Output, _ address: String, _ state: ProjectState) {
    var words =
      "Output '\(text)'(stage: '\(address)') is missing version info. Cache for it will not be collected. "
      + "Use `dvc repro` to get your pipeline up to date."
    let exists: Bool
    switch output.location {
    case .local(let path): exists = state.files.exists(path)
    case .external(let path): exists = Files.exists(path.absolute)
    case .url: exists = false
    }
    if exists {
      words += "\nYou can also use `dvc commit \(address)` to associate existing '\(text)' with stage: '\(address)'."
    }
    warn(words)
  }

  /// DVC looks at only those outputs of a stage that the target lies in.
  private func isWanted(_ output: Location, _ target: Location?) -> Bool {
    target == nil || output == target || inside(output, target) != nil
  }

  /// The target's path inside the output, where it is inside.
  private func inside(_ output: Location, _ target: Location?) -> String? {
    switch (output, target) {
    case (.local(let output), .local(let path)?) where path != output && path.isInside(output):
      path.relative(to: output)
    case (.external(let output), .external(let path)?) where path != output && path.isInside(output):
      String(decoding: path.absolute.utf8.dropFirst(output.absolute.utf8.count + 1), as: UTF8.self)
    default: nil
    }
  }

  private func isInside(_ path: String, _ prefix: String?) -> Bool {
    prefix.map { RepoPath(unchecked: path).isInside(RepoPath(unchecked: $0)) } ?? true
  }

  // MARK: Where it is

  private mutating func compare(remote name: String?) throws(Diagnostic) {
    let remote: RemoteObjects
    do throws(Diagnostic) {
      remote = RemoteObjects(try remotes.storage(name, command: "status"), jobs: jobs)
    } catch {
      var failure = error
      if failure.exitCode == nil { failure.exitCode = 1 }
      throw failure
    }
    var lists: [ContentHash: DirectoryManifest] = [:]
    for hash in names.keys where hash.isDirectory {
      if let list = (try? cache.store(for: hash).manifest(hash)) ?? nil { lists[hash] = list }
    }
    let inRemote = try remote.present(names.keys.elements, lists: lists)
    var found: OrderedDictionary<Condition, [String]> = [:]
    for (hash, name) in names {
      switch (try cache.store(for: hash).contains(hash), inRemote.contains(hash)) {
      case (true, true): continue
      case (false, true): found[.deleted, default: []].append(name)
      case (true, false): found[.new, default: []].append(name)
      case (false, false): found[.missing, default: []].append(name)
      }
    }
    for condition in Condition.allCases {
      for name in found[condition] ?? [] { entries[RepoPath(unchecked: name)] = condition }
    }
  }

  /// The document of `status --cloud --json`.
  package var value: Value {
    .map(ValueMap(entries.map { (.string($0.text), .string($1.rawValue)) }, uniquingKeysWith: { $1 }))
  }
}

extension Diagnostic.Code {
  fileprivate static let notCollected = Diagnostic.Code("not-collected")
}
