// Makes the records that a team would have, had it used Cairn from the beginning: one for each entry that the locks of
// git's history had. Says nothing that git does not say: no clock, no host, no environment.
package import CairnCore
import CairnFormats
import CairnLineage
import CairnStore
import CairnSystem
import OrderedCollections

package struct HistoryImport: Sendable {
  /// What could not be read.
  package struct LeftOut: Sendable {
    package var commit: String
    /// From the project's root.
    package var file: String
    package var why: Diagnostic
  }

  package struct Request: Sendable {
    /// Commits, branches, or ranges as `A..B`; none, and nothing else asked for: HEAD.
    package var revisions: [String] = []
    package var branches = false
    package var tags = false
    package var commits = false
    package init() {}
  }

  /// New records, those that a record names before it.
  package private(set) var written: [RunID] = []
  /// Entries behind which a run stands that was observed.
  package private(set) var observed = 0
  /// Entries that were reconstructed before.
  package private(set) var known = 0
  /// Commits that changed a lock.
  package private(set) var commits = 0
  package private(set) var leftOut: [LeftOut] = []
  /// The clone has a part of the history only. Which commit brought an entry, and what the repository is called, it
  /// cannot say: nothing is written.
  package private(set) var isShallow = false
  /// Entries that a whole clone would tell of.
  package private(set) var untold = 0

  /// Reads the history, and writes what is missing.
  ///
  /// Importing again writes nothing; two clones write the same bytes. Whatever it was stopped at, the records that are
  /// there are whole, and the next time the others follow.
  package static func run(
    _ request: Request, _ repository: Repository, _ history: History
  ) throws(Diagnostic) -> HistoryImport {
    guard let git = try GitRepository.find(from: repository.root) else { throw .noHistory() }
    var result = HistoryImport()
    guard let selection = try Selection(request, git) else { return result }
    try history.producers.catchUp(with: history.store)
    let locks = try LockHistory.read(selection.tips, repository, git)
    result.isShallow = !git.shallowCommits().isEmpty
    var reconstruction = try Reconstruction(locks, repository, git, history, isShallow: result.isShallow)
    for number in locks.appearances.indices
    where selection.wanted?.contains(locks.appearances[number].commit.commit) ?? true {
      switch try reconstruction.make(number) {
      case .observed: result.observed += 1
      case .known: result.known += 1
      case .written: break
      case .untold: result.untold += 1
      }
    }
    if !reconstruction.written.isEmpty { try history.store.sync() }
    result.written = reconstruction.written
    result.commits = locks.commits
    result.leftOut = locks.faults.map { LeftOut(commit: $0.commit, file: $0.file.text, why: $0.why) }
    return result
  }

  /// Which commits are asked for.
  private struct Selection {
    /// Full names; all that they reach is read.
    var tips: [String]
    /// `nil`: all.
    var wanted: Set<String>?

    /// `nil` before the first commit.
    init?(_ request: Request, _ git: GitRepository) throws(Diagnostic) {
      var names = request.revisions
      if request.commits {
        tips = try git.allCommits()
      } else {
        tips = []
        if request.branches { names += try git.references("refs/heads/").map { "refs/heads/" + $0 } }
        if request.tags { names += try git.references("refs/tags/").map { "refs/tags/" + $0 } }
      }
      if names.isEmpty, tips.isEmpty {
        guard let head = try git.headCommit() else { return nil }
        tips = [head]
      }
      var ranges: [(tip: String, base: String)] = []
      for name in names {
        if let dots = name.firstRange(of: ".."), !name.contains("...") {
          let base = try Self.commit(String(name[..<dots.lowerBound]), git)
          let tip = try Self.commit(String(name[dots.upperBound...]), git)
          ranges.append((tip, base))
        } else if let commit = try git.revision(name) {
          tips.append(commit)
        } else if !name.hasPrefix("refs/tags/") {
          // A tag may name something else than a commit.
          throw .noSuchRevision(name)
        }
      }
      if !ranges.isEmpty {
        var wanted: Set<String> = []
        for range in ranges { wanted.formUnion(try git.commits(of: range.tip, notIn: range.base)) }
        for tip in tips { wanted.formUnion(try git.walk([tip], changing: ["dvc.lock"]).map(\.commit)) }
        self.wanted = wanted
        tips += ranges.map(\.tip)
      }
    }

    private static func commit(_ name: String, _ git: GitRepository) throws(Diagnostic) -> String {
      guard let commit = try git.revision(name.isEmpty ? "HEAD" : name) else { throw .noSuchRevision(name) }
      return commit
    }
  }
}

/// Turns appearances into records, producers first.
private struct Reconstruction {
  enum Outcome { case observed, known, written, untold }

  private(set) var written: [RunID] = []
  private let appearances: [LockAppearance]
  private let history: History
  private let paths: PathResolver
  private let objects: GitObjects
  /// The root commit: what a clone calls its remote differs from clone to clone.
  private let name: String?
  private let isShallow: Bool
  private var outcomes: [(outcome: Outcome, run: RunID?)?]
  private var begun: Set<Int> = []

  private struct File: Hashable {
    var commit: String
    var path: String
  }
  /// What git has of the inputs whose origin is asked for, and of metrics.
  private let kinds: [File: GitObjectKind]

  init(
    _ locks: LockHistory, _ repository: Repository, _ git: GitRepository, _ history: History, isShallow: Bool
  ) throws(Diagnostic) {
    appearances = locks.appearances
    self.isShallow = isShallow
    self.history = history
    paths = repository.paths
    objects = GitObjects(git)
    name = try git.rootCommit()
    outcomes = Array(repeating: nil, count: appearances.count)
    var files: OrderedSet<File> = []
    for appearance in appearances where !isShallow {
      for (path, origin) in zip(appearance.entry.deps, appearance.origins) {
        guard case .elsewhere = origin, let file = Self.file(path, appearance, paths) else { continue }
        files.append(file)
      }
      for (output, role) in zip(appearance.entry.outs, Self.roles(of: appearance)) where role.name == "metric" {
        if let file = Self.file(output, appearance, paths) { files.append(file) }
      }
    }
    let found = try git.kinds(of: files.map { $0.commit + ":" + $0.path })
    kinds = Dictionary(zip(files, found).compactMap { file, kind in kind.map { (file, $0) } }, uniquingKeysWith: { $1 })
  }

  private static func file(_ path: String, _ appearance: LockAppearance, _ paths: PathResolver) -> File? {
    paths.pathInWorkTree(paths.location(ofRecorded: path)).map { File(commit: appearance.commit.commit, path: $0) }
  }

  /// Writes the record of an appearance, and before it those that it names.
  mutating func make(_ number: Int) throws(Diagnostic) -> Outcome {
    // A chain of stages that one commit brought may be as long as its pipeline.
    var waiting = [number]
    while let next = waiting.last {
      if outcomes[next] != nil {
        waiting.removeLast()
        continue
      }
      // Two that say that they made each other did not.
      let isFirst = begun.insert(next).inserted
      let open = isFirst ? makers(of: next).filter { outcomes[$0] == nil && !begun.contains($0) } : []
      if open.isEmpty {
        outcomes[next] = try reconstruct(next)
        waiting.removeLast()
      } else {
        waiting += open
      }
    }
    return outcomes[number]?.outcome ?? .untold
  }

  private func makers(of number: Int) -> [Int] {
    appearances[number].origins.compactMap { origin in if case .made(let maker) = origin { maker } else { nil } }
  }

  private mutating func reconstruct(_ number: Int) throws(Diagnostic) -> (Outcome, RunID?) {
    let appearance = appearances[number]
    let address = appearance.entry.address.text()
    if let run = history.producers.run(behind: appearance.entry.work, of: address) {
      return (history.producers.isReconstructed(run) ? .known : .observed, run)
    }
    if isShallow { return (.untold, nil) }
    let record = try record(appearance, address)
    let run = try history.store.write(record)
    history.producers.add(run, record)
    written.append(run)
    return (.written, run)
  }

  // MARK: The record

  private func record(_ appearance: LockAppearance, _ address: String) throws(Diagnostic) -> RunRecord {
    let entry = appearance.entry
    let commit = appearance.commit
    var execution = RunRecord.Execution(started: commit.authored, cairn: "", os: "")
    execution.executor = "unknown"
    var record = RunRecord(
      stage: .init(
        address: address, file: entry.address.file.text, wdir: entry.wdir == .local(.root) ? "." : entry.wdir.recordPath,
        cmd: entry.commands),
      invocation: Self.invocation(commit), actor: .init(name: commit.author, host: ""),
      source: .init(commit: commit.commit, repository: name, dirty: nil), execution: execution, result: .succeeded)
    record.reconstructed = .init(commit: commit.commit, lock: entry.lock.text)
    record.params = entry.params
    record.inputs = entry.deps.indices.map { input($0, of: appearance) }
    let roles = Self.roles(of: appearance)
    record.outputs = entry.outs.indices.map { place in
      let file = entry.entry.outs[place]
      return RunRecord.OutputPart(
        path: entry.outs[place], role: roles[place].name, md5: file.md5, sha256: nil, size: file.size,
        annotations: roles[place].annotations)
    }
    for (output, file) in zip(record.outputs, entry.entry.outs) where output.role == "metric" {
      if let value = try metric(output.path, file, appearance) { record.metrics[output.path] = value }
    }
    return record
  }

  /// One for each commit: its time and the beginning of its name, so that it is the same in every clone.
  private static func invocation(_ commit: GitWalkEntry) -> String {
    let digits = commit.commit.prefix(20)
    return Identifier.ulid(
      time: UInt64(clamping: commit.authored / 1_000_000) & 0xFFFF_FFFF_FFFF, high: UInt16(digits.prefix(4), radix: 16) ?? 0,
      low: UInt64(digits.dropFirst(4), radix: 16) ?? 0)
  }

  private func input(_ place: Int, of appearance: LockAppearance) -> RunRecord.Input {
    let path = appearance.entry.deps[place]
    let file = appearance.entry.entry.deps[place]
    var input = RunRecord.Input(
      path: path, md5: file.md5, sha256: nil, size: file.size, producer: nil, origin: .init(.none))
    switch appearance.origins[place] {
    case .made(let maker):
      input.producer = outcomes[maker]?.run
      input.origin = .init(.stage)
    case .stage: input.origin = .init(.stage)
    case .data(let origin): input.origin = origin
    case .elsewhere:
      if let file = Self.file(path, appearance, paths), kinds[file] != nil { input.origin = .init(.git) }
    }
    if let lock = file.dataset {
      input.dataset = lock
      input.origin = RunRecord.Origin(ofDataset: lock)
    }
    return input
  }

  /// A metrics file that the commit has as the lock has it.
  private func metric(
    _ path: String, _ locked: LockedFile, _ appearance: LockAppearance
  ) throws(Diagnostic) -> Value? {
    guard let hash = locked.contentHash, !hash.isDirectory, let file = Self.file(path, appearance, paths),
      case .blob(let object, let size)? = kinds[file], size < 1 << 20, let bytes = try objects.object(object),
      ContentHasher.digests(of: bytes, DigestKinds(hash.algorithm, sha256: false))[hash.algorithm] == hash.digest
    else { return nil }
    return (try? ParameterFile.parse(SourceText(path: path, bytes: bytes)))?.value
  }

  // MARK: What the stage declares

  private static let annotationNames: [Value] = ["type", "labels", "desc", "meta"]

  /// Of each output: `out`, `metric` or `plot`, and what is said of it.
  private static func roles(of appearance: LockAppearance) -> [(name: String, annotations: ValueMap)] {
    var plain: ValueMap = [:]
    for name in annotationNames { plain[name] = name == "labels" ? .list([]) : .null }
    return appearance.entry.entry.outs.map { file in
      for (key, role) in [("metrics", "metric"), ("plots", "plot"), ("outs", "out")] {
        for item in appearance.declaration?[key]?.items ?? [] {
          let declared = item.string ?? item.entries?.first?.key.string
          guard let declared, isMeant(declared, by: file.path) else { continue }
          var annotations = plain
          for name in annotationNames {
            if let said = item.entries?.first?.value.value.map?[name] { annotations[name] = said }
          }
          return (role, annotations)
        }
      }
      return ("out", plain)
    }
  }

  /// What stands in `${}` may be anything.
  private static func isMeant(_ declared: String, by path: String) -> Bool {
    if declared.hasSameBytes(as: path) { return true }
    guard declared.contains("${") else {
      return RepoPath(declared).map { $0.text.hasSameBytes(as: path) } ?? false
    }
    var rest = path[...]
    var isFirst = true
    var template = declared[...]
    while true {
      let start = template.firstRange(of: "${")
      let literal = template[..<(start?.lowerBound ?? template.endIndex)]
      if start == nil { return isFirst ? rest == literal : rest.hasSuffix(literal) }
      if isFirst {
        guard rest.hasPrefix(literal) else { return false }
        rest = rest.dropFirst(literal.count)
      } else {
        guard let found = literal.isEmpty ? rest.startIndex..<rest.startIndex : rest.firstRange(of: literal) else { return false }
        rest = rest[found.upperBound...]
      }
      isFirst = false
      guard let end = template.firstIndex(of: "}") else { return false }
      template = template[template.index(after: end)...]
    }
  }
}

extension Diagnostic {
  fileprivate static func noHistory() -> Diagnostic {
    Diagnostic(.noGit, "the project is in no git repository: there is no history to import")
  }

  fileprivate static func noSuchRevision(_ name: String) -> Diagnostic {
    Diagnostic(.unknownRevision, "unknown Git revision '\(name)'")
      .hinting("`git log --all` names the commits; a clone may need `git fetch` first")
  }
}
