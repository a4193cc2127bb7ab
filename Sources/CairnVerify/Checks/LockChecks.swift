// Holds what a stage declares against its lock entry: command, dependencies, outputs, hashes. Looks at no data.
import CairnCore
import CairnEngine
import OrderedCollections

struct LockChecks {
  let maker: CheckMaker
  /// `nil`: the stage was never locked. Of a `.dvc` file, what it says itself.
  let entry: LockEntry?
  /// Where the lock has a path, by its section and the path.
  let lockMark: (String, String) -> SourceMark?

  private var stage: Stage { _read { yield maker.stage } }

  init(_ entry: LockEntry?, _ maker: CheckMaker, lockMark: @escaping (String, String) -> SourceMark? = { _, _ in nil })
  {
    self.entry = entry
    self.lockMark = lockMark
    self.maker = maker
  }

  func all() -> [Check] {
    guard stage.kind == .pipeline else { return tracked() }
    guard let entry else { return [missing] }
    var checks = [maker.passed(.lockMissing), command(entry)]
    checks += sets(
      .lockDeps, "dependency", declared: stage.dependencies.map { ($0.declared, $0.mark) }, locked: entry.deps)
    checks += sets(.lockOuts, "output", declared: stage.outputs.map { ($0.declared, $0.mark) }, locked: entry.outs)
    return checks + hashes(entry)
  }

  private var missing: Check {
    let lock = PipelineLoader.lockPath(of: stage.address.file)
    return maker.failed(.lockMissing, "it has no entry in \(lock): it was never run, or \(lock) was not committed")
  }

  private func command(_ entry: LockEntry) -> Check {
    if entry.command.isEqualInPython(to: stage.commandValue) { return maker.passed(.lockCommand) }
    return maker.failed(
      .lockCommand, "the command was edited after its last run", was: CheckWords.command(entry.command),
      now: CheckWords.command(stage.commandValue),
      evidence: CheckWords.whole(entry.command) + "\n" + CheckWords.whole(stage.commandValue))
  }

  /// One check for each path that is on one side only; one that passed where there is none.
  private func sets(
    _ id: CheckID, _ kind: String, declared: [(path: String, mark: SourceMark?)], locked: [LockedFile]
  ) -> [Check] {
    let before = Set(locked.map { RepoPath(unchecked: $0.path) })
    let now = Set(declared.map { RepoPath(unchecked: $0.path) })
    var checks: [Check] = []
    var told: Set<RepoPath> = []
    for (path, mark) in declared {
      let key = RepoPath(unchecked: path)
      if before.contains(key) || !told.insert(key).inserted { continue }
      checks.append(
        maker.failed(id, path: shown(path), "the \(kind) \(path) was added after its last run", at: mark))
    }
    for file in locked {
      let key = RepoPath(unchecked: file.path)
      if now.contains(key) || !told.insert(key).inserted { continue }
      checks.append(
        maker.failed(
          id, path: shown(file.path), "the \(kind) \(file.path) was taken out after its last run",
          at: lockMark(id == .lockDeps ? "deps" : "outs", file.path)))
    }
    return checks.isEmpty ? [maker.passed(id)] : checks
  }

  /// What was locked without a hash; paths that are no longer declared are told as such.
  private func hashes(_ entry: LockEntry) -> [Check] {
    func marks(_ places: [(String, SourceMark?)]) -> [RepoPath: SourceMark?] {
      Dictionary(places.map { (RepoPath(unchecked: $0), $1) }, uniquingKeysWith: { a, _ in a })
    }
    let deps = marks(stage.dependencies.map { ($0.declared, $0.mark) })
    let outs = marks(stage.outputs.map { ($0.declared, $0.mark) })
    var checks: [Check] = []
    for (kind, files, marks) in [("dependency", entry.deps, deps), ("output", entry.outs, outs)] {
      for file in files {
        guard let mark = marks[RepoPath(unchecked: file.path)] else { continue }
        if let fault = fault(file, kind, mark) { checks.append(fault) }
      }
    }
    // What has no other hash but such a one was never compared with the file.
    let local =
      stage.dependencies.filter { !$0.location.isURL }.map { ("dependency", entry.dep($0.declared), $0.mark) }
      + stage.outputs.filter { !$0.location.isURL }.map { ("output", entry.out($0.declared), $0.mark) }
    for (kind, file, mark) in local {
      guard let file, file.dataset == nil, let name = file.hashName, name != "md5" else { continue }
      checks.append(
        maker.failed(
          .hashMissing, path: shown(file.path), "the \(kind) \(file.path) has no md5 but '\(name)'", at: mark))
    }
    return checks.isEmpty ? [maker.passed(.hashMissing)] : checks
  }

  private func fault(_ file: LockedFile, _ kind: String, _ mark: SourceMark?) -> Check? {
    if file.dataset != nil { return nil }
    guard let text = file.hashText else {
      return maker.failed(.hashMissing, path: shown(file.path), "the \(kind) \(file.path) has no hash", at: mark)
    }
    if let strange = file.strangeHash {
      return maker.failed(
        .hashMissing, path: shown(file.path),
        "the hash of the \(kind) \(file.path) is said to be '\(CheckWords.short(strange))'", evidence: strange,
        at: mark)
    }
    if file.hashName == "md5", let hash = file.contentHash, !hash.isDirectory, file.fileCount != nil {
      return maker.failed(
        .hashMissing, path: shown(file.path),
        "the \(kind) \(file.path) has the hash of a file and counts files as a folder",
        at: mark)
    }
    guard file.hashName == "md5", file.contentHash == nil else { return nil }
    return maker.failed(
      .hashMissing, path: shown(file.path), "the \(kind) \(file.path) has '\(CheckWords.short(text))' for a hash",
      evidence: text, at: mark)
  }

  /// Of a `.dvc` file: it was edited, or its data was never there.
  private func tracked() -> [Check] {
    guard let tracked = stage.tracked else { return [] }
    var checks: [Check] = []
    if tracked.isEdited {
      checks.append(
        maker.failed(
          .lockCommand, "it was edited after it was written: its checksum is not that of what it says",
          hint: stage.isImport
            ? "run `cairn repro \(maker.quoted)`, or `dvc update`, and commit the file" : maker.rerun))
    }
    let isImport = stage.isImport
    var hashes: [Check] = []
    for (index, output) in stage.outputs.enumerated() {
      let file = tracked.outputs.indices.contains(index) ? tracked.outputs[index] : nil
      if let file, fault(file, "output", output.mark) == nil { continue }
      hashes.append(
        maker.failed(
          .hashMissing, path: output.location.recordPath,
          file?.hashText.map { "\(output.declared) has '\(CheckWords.short($0))' for a hash" }
            ?? (isImport
              ? "\(output.declared) was never downloaded: it has no hash" : "\(output.declared) has no hash"),
          hint: isImport
            ? "run `dvc update \(maker.quoted)` and commit the file"
            : "run `cairn commit \(maker.quoted)` and commit the file",
          at: output.mark))
    }
    for (index, dependency) in stage.dependencies.enumerated() where hashes.isEmpty {
      if isPinned(dependency, tracked.dependencies.indices.contains(index) ? tracked.dependencies[index] : nil) {
        continue
      }
      hashes.append(
        maker.failed(
          .hashMissing, path: dependency.location.isURL ? nil : dependency.location.recordPath,
          "nothing says which version of \(dependency.declared) was imported",
          hint: "run `dvc update \(maker.quoted)` and commit the file", at: dependency.mark))
    }
    return checks + (hashes.isEmpty ? [maker.passed(.hashMissing)] : hashes)
  }

  private func isPinned(_ dependency: Dependency, _ file: LockedFile?) -> Bool {
    if let repository = dependency.source?.repository { return repository["rev_lock"]?.string?.isEmpty == false }
    // A query has no version.
    if dependency.source?.isElsewhere ?? false { return true }
    if !dependency.location.isURL, let name = file?.hashName, name != "md5" { return false }
    return file?.hashText != nil || file?.dataset != nil || file?.other["version_id"] != nil
      || file?.other["files"] != nil
  }

  /// A declared path as it is seen from the project's root.
  private func shown(_ declared: String) -> String {
    maker.name(of: maker.location(declared, in: stage.wdir), declared: declared)
  }
}
