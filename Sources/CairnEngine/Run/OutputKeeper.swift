// What happens to a stage's outputs around its command: set aside before, kept in the cache after, restored instead.
package import CairnCore
package import CairnStore
import CairnSystem

package struct OutputKeeper: Sendable {
  package let cache: DataCache
  package let snapshotter: Snapshotter
  package let runCache: RunCache
  /// `nil` without git.
  package let ignores: IgnoreBook?
  package let previous: PreviousOutputs
  /// `.cairn/kept`.
  package let keptFolder: String

  package init(
    cache: DataCache, snapshotter: Snapshotter, ignores: IgnoreBook?, cairnFolder: String
  ) {
    self.cache = cache
    self.snapshotter = snapshotter
    runCache = RunCache(cache: cache)
    self.ignores = ignores
    keptFolder = cairnFolder + "/kept"
    previous = PreviousOutputs(root: snapshotter.root, folder: cairnFolder + "/kept/previous")
  }

  private var writer: CacheWriter { CacheWriter(cache: cache, snapshotter: snapshotter) }

  /// What became of the outputs of an earlier run when this one began.
  package struct Aside: Sendable {
    var stage: StageAddress
    /// Something is kept that no cache holds, from this try or from an earlier one that failed.
    var isKept: Bool
    /// Removed, and to be had from the cache again.
    var cached: [PreviousOutputs.Cached] = []

    /// `cairn restore --previous` has something to bring back should this try fail.
    package var isRestorable: Bool { isKept || !cached.isEmpty }
  }

  // MARK: Before

  /// Takes the outputs of an earlier run away, as DVC does before a command: what the cache holds, and what a failed
  /// try left, is removed, anything else is moved aside until the stage has succeeded. Persistent outputs stay, writable.
  func clear(_ stage: Stage, _ context: RunContext) throws(Diagnostic) -> Aside {
    // Before anything is touched: a link to an object that is gone cannot become a file.
    for output in stage.outputs where output.isPersistent && output.isCached {
      guard let path = output.location.local else { continue }
      let absolute = snapshotter.absolute(path)
      if Files.exists(absolute, followLinks: false), !Files.exists(absolute) { throw .notUnprotected(absolute) }
    }
    var unsaved: [RepoPath] = []
    var aside = Aside(stage: stage.address, isKept: previous.exists(stage.address))
    for output in stage.outputs {
      guard let path = output.location.local else { continue }
      let absolute = snapshotter.absolute(path)
      guard Files.exists(absolute, followLinks: false) else { continue }
      if output.isPersistent {
        if output.isCached { try Unprotect.path(absolute, mode: cache.current.fileMode) }
        continue
      }
      let content = snapshotter.observe(path)
      if aside.isKept,
        previous.isLeftover(path, of: stage.address, mark: LeftoverMark.text(at: path, content, snapshotter))
      {
        try FileTree.remove(absolute)
      } else if let hash = content.hash, (try? cache.contains(hash)) == true {
        try FileTree.remove(absolute)
        var isExecutable = false
        if case .file(let file) = content { isExecutable = file.isExecutable }
        aside.cached.append(.init(path: path, hash: hash, isExecutable: isExecutable))
      } else {
        unsaved.append(path)
      }
    }
    if !unsaved.isEmpty {
      try previous.moveAside(unsaved, of: stage.address)
      aside.isKept = true
    }
    return aside
  }

  /// Removes what a failed try left, before the next try.
  func removePartial(_ stage: Stage, _ context: RunContext) throws(Diagnostic) {
    for output in stage.outputs where !output.isPersistent {
      if let path = output.location.local { try FileTree.remove(snapshotter.absolute(path)) }
    }
  }

  /// The stage has succeeded: what was moved aside goes.
  func discard(_ aside: Aside) {
    if aside.isKept { previous.discard(aside.stage) }
  }

  /// Notes what a failed try left, so that the next one tells it from something that a person made.
  func noteFailure(_ stage: Stage, _ aside: Aside) {
    guard aside.isRestorable else { return }
    let left = stage.outputs.filter { !$0.isPersistent }.compactMap(\.location.local)
    previous.noteFailure(of: stage.address, left: left, cached: aside.cached) { path in
      LeftoverMark.text(at: path, snapshotter.observe(path), snapshotter)
    }
  }

  // MARK: Instead

  /// The entry whose outputs may stand for a run: the lock's own where nothing but the outputs differs, else the
  /// run-cache's newest. `nil`: the command must run.
  func restorable(
    _ id: StageID, _ judged: StageExecution.Judged, _ context: RunContext
  ) throws(Diagnostic) -> LockEntry? {
    let stage = context.pipeline[id]
    let warn: (String) -> Void = { context.emit(.warning(id, $0)) }
    return try RestorableOutputs(cache: cache, environment: context.provenance.environment).entry(
      for: stage, lock: judged.lock, snapshot: judged.snapshot, staleness: judged.staleness,
      usesRunCache: context.request.usesRunCache, isDry: context.request.dry, warn: warn
    ) { outs throws(Diagnostic) in
      // `--pull` brings what the cache lacks.
      guard let pull = context.pull, !context.request.dry else { return }
      try pull.fetch(
        outs,
        name: { out in
          let output = stage.outputs.first { $0.declared.hasSameBytes(as: out.path) }
          return output.map { context.shown($0.location, declared: $0.declared) } ?? out.path
        }, warn: warn)
    }
  }

  /// Makes the outputs of `entry` in the workspace.
  func restore(_ stage: Stage, from entry: LockEntry, _ context: RunContext) throws(Diagnostic) {
    for output in stage.outputs {
      guard let path = output.location.local, let locked = entry.out(output.declared) else { continue }
      let checkout = Checkout(
        cache: output.isCached ? cache : cache.linking(by: [.copy]), snapshotter: snapshotter)
      _ = try checkout.materialise(
        CheckoutTarget(
          path: path, hash: locked.contentHash, isExecutable: locked.isExecutable, size: locked.size, part: nil),
        force: true)
    }
  }

  // MARK: After

  /// Hashes every output and, with `commits`, puts the cached ones into the cache and links them as configured.
  ///
  /// Nothing is stored before all of them are known to be there. What is still as `lock` has it keeps its kind of hash.
  func collect(
    _ stage: Stage, lock: LockEntry?, commits: Bool, position: Int, _ context: RunContext
  ) throws(Diagnostic) -> [Content] {
    var present: [Output] = []
    for output in stage.outputs {
      let shown = context.shown(output.location, declared: output.declared)
      if output.isCached, output.location.local == nil {
        throw Diagnostic(
          .externalOutput,
          "Saving cached external output \(shown) is not supported since DVC 3.0. See "
            + "<https://dvc.org/doc/user-guide/upgrade> for more info.", at: output.mark)
      }
      let absolute = context.absolute(output.location)
      var found: FileStat?
      do throws(Diagnostic) { found = try FileStat.of(absolute) } catch {
        throw Files.isDeadLink(absolute) ? .noFileOrFolder(shown, at: output.mark) : error
      }
      guard let stat = found else {
        if Files.isDeadLink(absolute) { throw Diagnostic.noFileOrFolder(shown, at: output.mark) }
        // DVC has git ignore those before it, and takes that back unless errors are ignored.
        if context.request.policy == .ignore {
          try ignore(present.filter(\.isCached).compactMap(\.location.local), position: position)
        }
        throw Diagnostic.missingOutput(shown, at: output.mark)
      }
      guard stat.kind == .file || stat.kind == .directory else {
        throw Diagnostic.noFileOrFolder(shown, at: output.mark)
      }
      if try stat.kind == .file ? stat.size == 0 : (Files.list(absolute) ?? []).isEmpty {
        context.emit(.warning(nil, "'\(shown)' is empty."))
      }
      // Before anything is stored: DVC refuses to take an output into the cache that git tracks.
      if ignores != nil, output.isCached, let path = output.location.local, context.provenance.isTracked(path) {
        throw Diagnostic.alreadyTracked(shown, at: output.mark)
      }
      if output.role == .metric, stat.kind == .file, try !TextFile.isText(absolute) {
        throw Diagnostic(
          .missingOutput, "binary file '\(absolute)' cannot be used as metrics.", at: output.mark)
      }
      present.append(output)
    }
    var contents: [Content] = []
    for output in stage.outputs {
      let locked = lock?.out(output.declared)?.contentHash
      let content: Content
      if output.isCached, commits, let path = output.location.local {
        content = try writer.save(path, sha256: true, algorithm: algorithm(of: path, keeping: locked))
      } else {
        content = context.observer.content(at: output.location, keeping: locked, sha256: true, isOutput: true)
      }
      switch content {
      case .missing:
        throw Diagnostic.missingOutput(
          context.shown(output.location, declared: output.declared), at: output.mark)
      case .unknown(let diagnostic): throw diagnostic
      default: contents.append(content)
      }
    }
    return contents
  }

  private func algorithm(of path: RepoPath, keeping locked: ContentHash?) -> ContentHash.Algorithm {
    guard let locked, locked.algorithm == .md5Dos2unix else { return .md5 }
    return snapshotter.observe(path, algorithm: .md5Dos2unix).hash == locked ? .md5Dos2unix : .md5
  }

  /// What stands at the outputs now, missing ones included; stores nothing.
  func snapshotWithoutCommitting(_ stage: Stage, _ context: RunContext) throws(Diagnostic) -> [Content] {
    stage.outputs.map { context.observer.content(at: $0.location, sha256: true) }
  }

  /// Copies the outputs to `.cairn/kept/RUN/`, for `runs salvage`.
  func keep(_ stage: Stage, under run: RunID, _ context: RunContext) throws(Diagnostic) {
    for output in stage.outputs {
      guard let path = output.location.local else { continue }
      let source = snapshotter.absolute(path)
      guard Files.exists(source) else { continue }
      try FileTree.copy(source, to: keptFolder + "/" + run.hex + "/" + path.text)
    }
  }

  /// Whether a run of the stage enters the run-cache.
  static func keepsRuns(of stage: Stage, commits: Bool) -> Bool {
    commits && !stage.outputs.contains { !$0.isCached && $0.role == .out } && RunCache.canKeep(stage)
  }

  /// The objects that the run-cache's entry needs beside those of the cache; false where DVC would keep no entry.
  func prepareRunCache(_ stage: Stage, _ entry: LockEntry, _ context: RunContext) -> Bool {
    guard Self.keepsRuns(of: stage, commits: context.request.commits) else { return false }
    return warning(context) { () throws(Diagnostic) in try runCache.saveUncached(stage, entry, by: snapshotter) }
  }

  /// The run-cache's entry of a run whose end the journal has: a crash leaves none that no record stands behind.
  func saveRunCache(_ stage: Stage, _ entry: LockEntry, _ context: RunContext) {
    _ = warning(context) { () throws(Diagnostic) in try runCache.save(stage.sorted(entry)) }
  }

  /// The run itself is good and recorded; the next one merely cannot be restored.
  private func warning(_ context: RunContext, _ body: () throws(Diagnostic) -> Void) -> Bool {
    do throws(Diagnostic) {
      try body()
      return true
    } catch {
      context.emit(.warning(nil, error.fullMessage))
      return false
    }
  }

  /// Gives those that had no line before this run.
  @discardableResult
  func ignore(_ paths: [RepoPath], position: Int) throws(Diagnostic) -> [RepoPath] {
    guard let ignores else { return [] }
    try ignores.add(paths, position: position)
    return ignores.new(paths)
  }

  /// Writes what `outputs` hold now into the `.dvc` file of a tracked stage.
  func rewriteTracked(
    _ stage: Stage, _ contents: [Content], dependencies: [Content]?, position: Int, _ context: RunContext
  ) throws(Diagnostic) {
    if let dependencies {
      try TrackedFileWriter.updateImport(stage, contents, dependencies, root: context.root)
    } else {
      try TrackedFileWriter.update(stage, contents, root: context.root)
    }
    try ignore(stage.outputs.compactMap { $0.isCached ? $0.location.local : nil }, position: position)
    try context.committer.wrote(stage.address.file)
  }
}

extension Diagnostic.Code {
  package static let missingOutput = Diagnostic.Code("missing-output")
  package static let externalOutput = Diagnostic.Code("external-output")
  package static let alreadyTracked = Diagnostic.Code("output-tracked")
}

extension Diagnostic {
  fileprivate static func notUnprotected(_ path: String) -> Diagnostic {
    Diagnostic(.missingOutput, "can't unprotect non-existing data '\(path)'")
  }

  fileprivate static func noFileOrFolder(_ path: String, at mark: SourceMark?) -> Diagnostic {
    Diagnostic(.missingOutput, "output '\(path)' is not a file or directory", at: mark)
  }

  package static func missingOutput(_ path: String, at mark: SourceMark?) -> Diagnostic {
    Diagnostic(.missingOutput, "output '\(path)' does not exist", at: mark)
  }

  package static func alreadyTracked(_ path: String, at mark: SourceMark?) -> Diagnostic {
    Diagnostic(
      .alreadyTracked,
      """
       output '\(path)' is already tracked by SCM (e.g. Git).
          You can remove it from Git, then add to DVC.
              To stop tracking from Git:
                  git rm -r --cached '\(path)'
                  git commit -m "stop tracking \(path)" 
      """, at: mark)
  }
}
