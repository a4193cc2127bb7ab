// `checkout`: makes the outputs in the workspace those that locks and `.dvc` files name.
package import CairnCore
package import CairnStore
internal import CairnSystem

package struct CheckoutData {
  package struct Options: Sendable {
    package var withDependencies = false
    package var recursive = false
    package var force = false
    package var relink = false
    package var allowsMissing = false
    package init() {}
  }

  /// What has changed in the workspace; paths relative to the working directory, a folder's with `/` behind it.
  package struct Outcome: Sendable {
    package var modified: [String] = []
    package var added: [String] = []
    package var deleted: [String] = []
    package var counts = CheckoutCounts()
    /// Outputs that could not be made.
    package var failed: [String] = []
    package var warnings: [String] = []
  }

  private let project: OpenProject
  private let loaded: LoadedProject
  private let options: Options

  package init(_ project: OpenProject, options: Options) {
    self.project = project
    self.options = options
    // A stage file that is named can be checked out beside one that cannot be understood.
    loaded = project.loader.loadKeepingFailures()
  }

  package func run(_ targets: [String]) throws(Diagnostic) -> Outcome {
    var outcome = Outcome()
    if targets.isEmpty, let failure = loaded.failures.first { throw failure.diagnostic }
    let selections = try select(targets)
    let book = LinkBook(project)
    if targets.isEmpty {
      let used = loaded.pipeline.stages.flatMap { $0.outputs.compactMap(\.location.local) }
      let unused = try book.unused(besides: Set(used))
      outcome.deleted = unused.map(shown)
      outcome.counts.deleted = unused.count
      try book.remove(unused)
    }
    try checkRemotes()
    let checkout = Checkout(cache: project.cache, snapshotter: project.snapshotter)
    checkout.sweep()
    var plans: [CheckoutPlan] = []
    for target in try self.targets(selections) {
      var plan = try checkout.plan(target, relink: options.relink)
      if plan.isImpossible { plan.unsaved = try checkout.unsaved(at: plan) }
      plans.append(plan)
    }
    if !options.force {
      let lost = plans.flatMap(\.unsaved)
      if !lost.isEmpty { throw .unsavedFiles(lost) }
    }
    var links: [(path: RepoPath, hash: ContentHash)] = []
    var relinked: Set<RepoPath> = []
    let copies = project.cache.linkTypes.first.map { $0 == .copy || $0 == .reflink } ?? true
    for plan in plans {
      if plan.target.hash == nil || plan.isImpossible {
        try giveUp(plan, &outcome)
        continue
      }
      if plan.change == nil, !options.relink { continue }
      let path = plan.target.path
      let isThere = Files.exists(project.repository.absolute(path))
      let isWhole = try checkout.apply(plan, relink: options.relink)
      guard isWhole else {
        outcome.failed.append(project.shown(path))
        continue
      }
      if plan.change == nil, copies {
        relinked.insert(path)
      } else if let hash = plan.target.hash {
        links.append((path, hash))
      }
      outcome.counts += plan.counts
      // Of a part DVC says what became of the whole.
      switch plan.target.part != nil && plan.change != nil && isThere ? .modified : plan.change {
      case .added: outcome.added.append(shown(path))
      case .modified: outcome.modified.append(shown(path))
      case .deleted: outcome.deleted.append(shown(path))
      case nil: break
      }
    }
    try book.record(links)
    // DVC's book still has the copies that these replaced: what it does not know it does not take away.
    try book.forget(relinked)
    project.snapshotter.index.flush()
    outcome.modified = Self.foldersFirst(outcome.modified)
    outcome.added = Self.foldersFirst(outcome.added)
    outcome.deleted = Self.foldersFirst(outcome.deleted)
    return outcome
  }

  /// Nothing is known of what the output should hold: it is taken away, as DVC takes it, and listed as failed. The
  /// caller has asked about bytes that no cache holds.
  private func giveUp(_ plan: CheckoutPlan, _ outcome: inout Outcome) throws(Diagnostic) {
    let path = project.repository.absolute(plan.path)
    if plan.target.hash == nil {
      outcome.warnings.append("No file hash info found for '\(path)'. It won't be created.")
    }
    if let damage = plan.damage { outcome.warnings.append(damage.fullMessage) }
    try Files.makeDirectories(Repository.parent(path))
    try Files.removeTree(path)
    outcome.failed.append(project.shown(plan.target.path))
  }

  /// Nothing comes from a remote here; DVC asks all the same that those exist which cached outputs name.
  private func checkRemotes() throws(Diagnostic) {
    for stage in loaded.pipeline.stages {
      for output in stage.outputs where output.isCached && output.location.local != nil {
        guard let name = output.remote ?? project.settings.defaultRemote else { continue }
        if project.settings.remote(name) == nil { throw .configuration("remote '\(name)' doesn't exist") }
      }
    }
  }

  private func select(_ words: [String]) throws(Diagnostic) -> [StageSelection] {
    let resolution = TargetResolution(loaded, loader: project.loader)
    if words.isEmpty { return try resolution.selections(nil) }
    var all: [StageSelection] = []
    for word in words {
      do throws(Diagnostic) {
        all += try resolution.selections(
          word, withDependencies: options.withDependencies, recursive: options.recursive)
      } catch {
        guard [.noOutputOrStage, .noSuchFile, .badFileName, .noSuchStage].contains(error.code) else { throw error }
        // DVC looks through the whole project first.
        if let failure = loaded.failures.first { throw failure.diagnostic }
        if error.code == .noSuchStage { throw error }
        throw Diagnostic(error.code, "Did you mean `git checkout \(word)`?").because(of: error)
      }
    }
    return all
  }

  /// The outputs that the selections mean, each once.
  private func targets(_ selections: [StageSelection]) throws(Diagnostic) -> [CheckoutTarget] {
    var result: [CheckoutTarget] = []
    var seen: Set<RepoPath> = []
    for selection in selections {
      let stage = loaded.pipeline[selection.stage]
      let locked = stage.tracked?.outputs ?? loaded.lockEntry(of: stage)?.outs ?? []
      for (index, output) in stage.outputs.enumerated() where output.isCached {
        guard let path = output.location.local else { continue }
        var part: String?
        if let chosen = selection.path {
          guard let wanted = chosen.local else { continue }
          if wanted.isInside(path) {
            part = wanted == path ? nil : wanted.relative(to: path)
          } else {
            continue
          }
        }
        if !seen.insert(selection.path?.local ?? path).inserted { continue }
        let file =
          stage.tracked != nil
          ? (locked.indices.contains(index) ? locked[index] : nil)
          : locked.first { $0.path.hasSameBytes(as: output.declared) }
        let hash = file?.contentHash
        // A folder that a remote's versions tell file by file needs its list, which a commit of others may have brought.
        if let file { try project.cache.keepList(of: file) }
        // An import that was never downloaded has nothing to check out.
        if hash == nil, stage.isImport { continue }
        result.append(
          CheckoutTarget(
            path: path, hash: hash, isExecutable: file?.isExecutable ?? false, size: file?.size, part: part))
      }
    }
    return result
  }

  /// As DVC lists a path: absolute when it is gone, a folder's with `/` behind it.
  private func shown(_ path: RepoPath) -> String {
    let absolute = project.repository.absolute(path)
    guard Files.exists(absolute) else { return absolute }
    let text = Repository.relative(absolute, to: project.repository.workingDirectory)
    return Files.isDirectory(absolute) ? text + "/" : text
  }

  private static func foldersFirst(_ paths: [String]) -> [String] {
    paths.sorted { a, b in
      let (isFolder, isOtherFolder) = (a.hasSuffix("/"), b.hasSuffix("/"))
      return isFolder == isOtherFolder ? a.precedesInBytes(b) : isFolder
    }
  }
}
