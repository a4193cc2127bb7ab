// `commit`: records what the workspace holds now as the result of its stages, without running them.
package import CairnCore
internal import CairnFormats
internal import CairnStore
internal import CairnSystem
internal import OrderedCollections

package struct CommitData {
  package struct Options: Sendable {
    package var withDependencies = false
    package var recursive = false
    package var force = false
    package var relinks = true
    package init() {}
  }

  private let project: OpenProject
  private let options: Options
  private var observer: Observer
  private var git: GitTracking
  /// What is to be said, in DVC's words.
  package private(set) var said: [String] = []
  package private(set) var warnings: [String] = []

  package init(_ project: OpenProject, options: Options) {
    self.project = project
    self.options = options
    let (parameters, folder) = (project.loader.parameters, project.repository.workingFolder ?? .root)
    observer = Observer(
      snapshotter: project.snapshotter, cache: project.cache, filter: project.loader.ignore,
      remotes: RemoteFolders(project.settings), datasets: Datasets()
    ) { set in
      do throws(Diagnostic) {
        switch try parameters.reading(of: set, from: folder) {
        case .missing: return .missingFile
        case .values(let values):
          return .values(OrderedDictionary(values.map { ($0.key, $0.value.value) }, uniquingKeysWith: { $1 }))
        }
      } catch {
        return .failed(error)
      }
    }
    git = GitTracking(project)
  }

  /// Commits what `target` names; `nil`: everything.
  ///
  /// - Parameter confirm: asked about each stage that has changed, with DVC's question.
  package mutating func run(_ target: String?, confirm: (String) -> Bool) throws(Diagnostic) {
    // A stage file that is named can be committed beside one that cannot be understood.
    let loaded = project.loader.loadKeepingFailures()
    if target == nil, let failure = loaded.failures.first { throw failure.diagnostic }
    observer.datasets = Datasets(loaded)
    let selections = try TargetResolution(loaded, loader: project.loader).selections(
      target, withDependencies: options.withDependencies, recursive: options.recursive)
    var links: [(path: RepoPath, hash: ContentHash)] = []
    var start = 0
    // DVC writes a file once all of its stages that stand together are done: a fault leaves it as it was.
    while start < selections.count {
      let file = loaded.pipeline[selections[start].stage].address.file
      var end = start
      var entries: [(String, LockEntry)] = []
      while end < selections.count, loaded.pipeline[selections[end].stage].address.file == file {
        let stage = loaded.pipeline[selections[end].stage]
        let lock = stage.trackedLock ?? loaded.lockEntry(of: stage)
        let entry = try commit(stage, lock, part: selections[end].path?.local, confirm, links: &links)
        if let name = stage.address.name {
          entries.append((name, entry))
        } else {
          try DataFileWriter.write(
            stage, outputs: entry.outs, previous: stage.tracked?.document,
            dependencies: entry == lock ? nil : dependencies(of: stage, entry), to: project.repository.absolute(file))
        }
        end += 1
      }
      if !entries.isEmpty { try writeLock(of: file, entries) }
      start = end
    }
    try LinkBook(project).record(links)
    project.snapshotter.index.flush()
  }

  private mutating func commit(
    _ stage: Stage, _ lock: LockEntry?, part: RepoPath?, _ confirm: (String) -> Bool,
    links: inout [(path: RepoPath, hash: ContentHash)]
  ) throws(Diagnostic) -> LockEntry {
    var snapshot = observer.inputs(of: stage, lock: lock, sha256: false)
    var saves = options.force
    // The cache is not asked: to protect an object takes the mode of a hard link to it along.
    if !saves {
      observer.addOutputs(to: &snapshot, of: stage, lock: lock, asksCache: false)
      for output in snapshot.outputs ?? [] { if case .unknown(let error) = output.content { throw error } }
    }
    if !saves, let question = question(stage, lock, snapshot) {
      guard confirm(question) else {
        throw Diagnostic(
          .commitment, "unable to commit changed stage: '\(name(stage))'. Use `-f|--force` to force.")
      }
      saves = true
    }
    if saves {
      if let part { try checkPart(part, of: stage) }
      try checkInputs(stage, snapshot)
      for output in stage.outputs { try prepare(output) }
    }
    var files: [LockedFile] = []
    for (index, output) in stage.outputs.enumerated() {
      let old = lock.flatMap { entry in
        stage.tracked != nil
          ? (entry.outs.indices.contains(index) ? entry.outs[index] : nil)
          : entry.out(output.declared)
      }
      let isMeant = part.map { part in output.location.local.map { part.isInside($0) } ?? false } ?? true
      // A target inside a folder: of the others there DVC keeps the hashes alone.
      let inner = part.flatMap { part in output.location.local.flatMap { part == $0 ? nil : part.relative(to: $0) } }
      files.append(try save(output, old, saves: saves, stores: isMeant, part: inner, links: &links))
    }
    if !saves, let lock { return lock }
    try stage.refuseWithoutCommand()
    let entry = LockEntry(
      command: stage.commandValue, deps: stage.sortedDependencies(snapshot.dependencies),
      params: stage.sortedParameters(snapshot.parameters), outs: files)
    guard stage.kind == .pipeline else { return entry }
    let plain = LockEntry(command: entry.command, deps: entry.deps, params: entry.params, outs: files.map(\.withoutVersions))
    let sorted = stage.sorted(plain)
    if RunCache.canKeep(stage) {
      let runCache = RunCache(cache: project.cache)
      try runCache.saveUncached(stage, sorted, by: project.snapshotter)
      try runCache.save(sorted)
    }
    return sorted.keepingVersionsOfFiles(in: lock)
  }

  /// `deps:` of a `.dvc` file with what they are now; what lies in another repository stays as it was imported.
  private func dependencies(of stage: Stage, _ entry: LockEntry) -> [Value] {
    zip(stage.dependencies, stage.tracked?.document["deps"]?.value.list ?? []).map { dependency, item in
      guard dependency.source == nil, let file = entry.dep(dependency.declared), file.hashText != nil else { return item }
      return DataFiles.value(dependency: file)
    }
  }

  /// One output: looked at, stored when it is meant to be. What the lock or `.dvc` file says of it then.
  private mutating func save(
    _ output: Output, _ old: LockedFile?, saves: Bool, stores: Bool, part: String?,
    links: inout [(path: RepoPath, hash: ContentHash)]
  ) throws(Diagnostic) -> LockedFile {
    let shown = project.shown(output.location)
    guard let path = output.location.local else {
      let content = observer.content(at: output.location, sha256: false, isOutput: true)
      if case .unknown(let error) = content { throw error }
      if content.isMissing { throw .outputIsMissing(shown) }
      return LockedFile(path: output.declared, content: content)
    }
    guard Files.exists(project.repository.absolute(path)) else { throw .outputIsMissing(shown) }
    var algorithm = ContentHash.Algorithm.md5
    if let hash = old?.contentHash, hash.algorithm == .md5Dos2unix {
      let isSame = project.snapshotter.observe(path, algorithm: .md5Dos2unix).hash == hash
      if isSame || !saves { algorithm = .md5Dos2unix }
    }
    let content =
      output.isCached && stores
      ? try project.writer.save(
        path, algorithm: algorithm, relink: options.relinks, part: part, isExecutable: saves ? nil : old?.isExecutable)
      : project.snapshotter.observe(path, algorithm: algorithm)
    if case .unknown(let error) = content { throw error }
    if output.isCached, stores, options.relinks, let hash = content.hash { links.append((path, hash)) }
    return LockedFile(path: output.declared, content: content).keepingVersions(of: old, in: content)
  }

  /// What may fail of one output, and what git must know of it: before anything of its stage is stored.
  private mutating func prepare(_ output: Output) throws(Diagnostic) {
    guard let path = output.location.local else { return }
    let (shown, absolute) = (project.shown(output.location), project.repository.absolute(path))
    guard Files.exists(absolute) else { throw .outputIsMissing(shown) }
    if try Self.isEmpty(absolute) { warnings.append("'\(shown)' is empty.") }
    guard output.isCached else { return }
    if try !git.tracked([absolute]).isEmpty { throw .isInGit(shown) }
    try git.ignore(absolute)
  }

  /// Of a folder whose one file is meant all others get their hashes written down: not when that file is not there.
  private mutating func checkPart(_ part: RepoPath, of stage: Stage) throws(Diagnostic) {
    let path = project.repository.absolute(part)
    let isInside = stage.outputs.contains { output in output.location.local.map(part.isInside) ?? false }
    if !isInside || Files.exists(path) { return }
    warnings.append("No file hash info found for '\(path)'. It won't be created.")
    throw .unexpected(.noFile, "[Errno 2] No such file or directory: '\(path)'")
  }

  private static func isEmpty(_ path: String) throws(Diagnostic) -> Bool {
    guard let found = try FileStat.of(path) else { return false }
    if found.kind == .directory { return (try Files.list(path) ?? []).isEmpty }
    return found.size == 0
  }

  private func checkInputs(_ stage: Stage, _ snapshot: StageSnapshot) throws(Diagnostic) {
    for (dependency, content) in zip(stage.dependencies, snapshot.dependencies) {
      switch content {
      case .missing: throw Diagnostic(.commitment, "dependency '\(project.shown(dependency.location))' does not exist")
      // Of an import from elsewhere, what was imported stays written down.
      case .unknown(let error): if !stage.isImport { throw error }
      case .dataset(.unlocked(let error)): throw error
      default: break
      }
    }
    for (set, reading) in zip(stage.parameters, snapshot.parameters) {
      switch reading {
      case .failed(let error): throw error
      case .missingFile: throw Diagnostic(.commitment, "dependency '\(project.shown(set.location))' does not exist")
      case .values(let values):
        let missing = set.keys.filter { values[$0] == nil }
        if missing.isEmpty { continue }
        throw Diagnostic(
          .commitment,
          "Parameters '\(missing.joined(separator: ", "))' are missing from '\(project.shown(set.location))'.")
      }
    }
  }

  /// DVC's question about a stage that has changed; `nil` when it has not.
  private func question(_ stage: Stage, _ lock: LockEntry?, _ snapshot: StageSnapshot) -> String? {
    var frozenAware = stage
    frozenAware.isFrozen = false
    let found = Staleness.judge(frozenAware, lock: lock, now: snapshot)
    var deps = found.dependencies.map { project.shown(stage.dependencies[$0.index].location) }
    deps += found.parameters.map { project.shown(stage.parameters[$0.index].location) }
    let outs = changedOutputs(stage, lock, snapshot).map { project.shown($0.location) }
    let name = "stage: '\(self.name(stage))'"
    let list = { (paths: [String]) in "[" + paths.map { "'\($0)'" }.joined(separator: ", ") + "]" }
    let what: String
    switch (deps.isEmpty, outs.isEmpty) {
    case (false, false): what = "dependencies \(list(deps)) and outputs \(list(outs)) of \(name) changed."
    case (false, true): what = "dependencies \(list(deps)) of \(name) changed."
    case (true, false): what = "outputs \(list(outs)) of \(name) changed."
    case (true, true):
      if let tracked = stage.tracked, stage.isImport ? tracked.isEdited : tracked.md5 != nil {
        what = "md5 of \(name) changed."
        break
      }
      guard found.commandChanged || (lock == nil && stage.kind == .pipeline) else { return nil }
      what = "'cmd' of \(name) has changed."
    }
    return what + " Are you sure you want to commit it?"
  }

  /// Those whose content in the workspace is not the locked one; whether the cache has it does not matter here.
  private func changedOutputs(_ stage: Stage, _ lock: LockEntry?, _ snapshot: StageSnapshot) -> [Output] {
    zip(stage.outputs, snapshot.outputs ?? []).enumerated().compactMap { index, pair in
      let locked =
        stage.tracked != nil
        ? (lock?.outs.indices.contains(index) ?? false ? lock?.outs[index] : nil) : lock?.out(pair.0.declared)
      return pair.1.content.hash != locked?.contentHash || locked?.contentHash == nil ? pair.0 : nil
    }
  }

  private mutating func writeLock(of file: RepoPath, _ entries: [(String, LockEntry)]) throws(Diagnostic) {
    let lockFile = PipelineLoader.lockPath(of: file)
    let path = project.repository.absolute(lockFile)
    let bytes = try Files.read(path)
    var lock = LockFile()
    if let bytes { lock = try LockYAML.read(SourceText(path: lockFile.text, bytes: bytes)) }
    if bytes == nil { said.append("Generating lock file '\(project.shown(lockFile))'") }
    var isChanged = false
    for (name, entry) in entries where lock.entries[name] != entry {
      lock.entries[name] = entry
      isChanged = true
    }
    guard isChanged || bytes == nil else { return }
    said.append("Updating lock file '\(project.shown(lockFile))'")
    try AtomicFile.writeKeepingMode(LockYAML.encode(lock), to: path, sync: true)
  }

  private func name(_ stage: Stage) -> String { stage.address.text(from: project.repository.workingFolder ?? .root) }
}

extension Diagnostic.Code {
  static let commitment = Diagnostic.Code("commit")
}

extension Diagnostic {
  fileprivate static func outputIsMissing(_ path: String) -> Diagnostic {
    Diagnostic(.commitment, "output '\(path)' does not exist")
  }
}
