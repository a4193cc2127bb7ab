// The static level: all checks that need no data, in three steps. First names alone say where each dependency's bytes
// come from; then the files that matter are hashed, of all stages at once; then each stage is judged.
package import CairnCore
import CairnEngine
import CairnStore
import CairnSystem
import Synchronization

package final class StaticChecks: Sendable {
  private let subject: VerifySubject
  private let project: LoadedProject
  private let source: (any SourceTree)?
  private let sourceFault: Diagnostic?
  private let places: OutputPlaces
  private let parameterFiles: Set<Location>
  private let uncommittedLocks: Set<RepoPath>
  private let records: RecordChecks?
  /// Checks whose failure stands against the verdict: only these may stand for another that follows from them.
  private let errors: Set<CheckID>
  private let datasets: Datasets
  private let looked = Mutex<LookedAt>(LookedAt())

  /// - Parameters:
  ///   - looksAtRecords: whether the checks of records are wanted.
  ///   - requiresRecords: a missing record is a reason not to know.
  ///   - severities: those that the project sets.
  package init(
    _ subject: VerifySubject, looksAtRecords: Bool = true, requiresRecords: Bool = false,
    severities: [CheckID: Severity] = [:]
  ) {
    self.subject = subject
    errors = Set(CheckID.allCases.filter { (severities[$0] ?? $0.defaultSeverity) == .error })
    project = subject.project
    datasets = Datasets(subject.project)
    switch subject.source {
    case .success(let source): (self.source, sourceFault) = (source, nil)
    case .failure(let fault): (source, sourceFault) = (nil, fault)
    }
    places = OutputPlaces(project, subject.paths)
    var files: Set<Location> = []
    for index in project.pipeline.stages.indices {
      for set in project.pipeline.stages[index].parameters { files.insert(set.location) }
    }
    for file in project.pipeline.files {
      let standard = Location.local(file.path.parent.appending("params.yaml"))
      if places.around(standard) == nil { files.insert(standard) }
      for name in file.params { files.insert(subject.paths.location(of: name, in: .local(file.path.parent))) }
    }
    parameterFiles = files
    uncommittedLocks = PipelineChecks(subject: subject, source: source).uncommittedLocks()
    if looksAtRecords, let source {
      records = RecordChecks(subject, source, isRequired: requiresRecords)
    } else {
      records = nil
    }
  }

  /// - Parameter wanted: stages whose checks are wanted; `nil`: all. Files are checked as a whole either way.
  package func run(_ wanted: [StageID]? = nil) -> [Check] {
    let files = PipelineChecks(subject: subject, source: source)
    var checks = files.validity()
    let ids = wanted ?? project.pipeline.ids
    if files.isBroken { return checks + files.unlooked() + ids.flatMap(unlooked) }
    if wanted == nil { checks += files.orphans() }
    guard let source else { return checks + ids.flatMap { withoutGit($0) } }
    return checks + judge(ids, source)
  }

  /// What the answer was made from, beside the pipeline's own files; complete once `run` has ended.
  package var lookedAt: LookedAt {
    var result = looked.withLock { $0 }
    if let records { records.add(to: &result) }
    result.paths += subject.lookedFor
    // Those that were read for their values, beside those that the pipeline was made with.
    let parameters = subject.loader.parameters.sources
    result.paths += (parameters.files + parameters.absent).map(\.text) + parameters.outside
    if let source, source.isSpread { result.isComplete = false }
    return result
  }

  /// Everything hangs on files that cannot be read.
  private func unlooked(_ id: StageID) -> [Check] {
    let stage = project.pipeline[id]
    guard stage.kind == .pipeline else { return [] }
    let maker = CheckMaker(stage, subject.paths)
    return [CheckID.lockCommand, .lockDeps, .lockOuts, .lockParams].map {
      maker.unknown($0, Check.unlooked)
    }
  }

  private func withoutGit(_ id: StageID) -> [Check] {
    let maker = CheckMaker(project.pipeline[id], subject.paths)
    let stage = maker.stage
    let why = sourceFault?.fullMessage ?? "git did not answer"
    var git: [Check] = []
    for dependency in stage.dependencies where !dependency.isDataset && !dependency.location.isURL {
      if places.around(dependency.location) != nil { continue }
      for id in [CheckID.depOrigin, .depContent] {
        git.append(
          maker.unknown(
            id, path: dependency.location.recordPath, "it cannot be known what is committed of it: \(why)",
            hint: sourceFault?.hint, at: dependency.mark))
      }
    }
    for output in stage.outputs where output.isCached && !output.location.isURL {
      git.append(
        maker.unknown(
          .outInGit, path: output.location.recordPath, "it cannot be known whether git has it: \(why)",
          hint: sourceFault?.hint, at: output.mark))
    }
    return LockChecks(entry(of: stage), maker).all() + git
  }

  // MARK: Planning

  private struct Work: Sendable {
    var maker: CheckMaker
    var entry: LockEntry?
    var items: [DependencyChecks.Item]
    var kept: [OutputChecks.Kept]
  }

  /// What the lock says of a stage, lists of files counted as the folders that they are.
  private func entry(of stage: Stage) -> LockEntry? {
    if stage.kind == .tracked { return stage.trackedLock }
    if !uncommittedLocks.isEmpty, uncommittedLocks.contains(PipelineLoader.lockPath(of: stage.address.file)) {
      return nil
    }
    guard var entry = project.lockEntry(of: stage) else { return nil }
    for index in entry.deps.indices where entry.deps[index].other["files"] != nil {
      entry.deps[index] = entry.deps[index].withHashOfFiles
    }
    for index in entry.outs.indices where entry.outs[index].other["files"] != nil {
      entry.outs[index] = entry.outs[index].withHashOfFiles
    }
    return entry
  }

  private func plan(_ id: StageID, _ planner: DependencyPlanner, consumed: Set<Location>) -> Work {
    let maker = CheckMaker(project.pipeline[id], subject.paths)
    let entry = entry(of: maker.stage)
    // Another repository's paths are not ours.
    let dependencies = maker.stage.dependencies.filter { !($0.source?.isElsewhere ?? false) }
    let items = dependencies.map { dependency in
      let locked = entry?.dep(dependency.declared)
      return DependencyChecks.Item(
        dependency: dependency, locked: locked,
        source: planner.source(of: dependency, algorithm: locked?.contentHash?.algorithm ?? .md5))
    }
    let kept = (entry.map { planner.kept(by: maker.stage, $0) } ?? []).filter { !consumed.contains($0.output.location) }
    return Work(maker: maker, entry: entry, items: items, kept: kept)
  }

  /// - Parameter folders: those that were asked for already.
  private static func requests(_ work: Work, _ folders: inout Set<ContentRequest>) -> [ContentRequest] {
    var requests: [ContentRequest] = []
    for item in work.items {
      guard let hash = item.locked?.contentHash else { continue }
      switch item.source {
      case .file(let path), .output(_, _, .some(.file(let path))): requests.append(ContentRequest(path, hash.algorithm))
      case .folder(let plan), .output(_, _, .some(.folder(let plan))):
        if !plan.isWhole || !folders.insert(plan.place).inserted { continue }
        requests += plan.files.map { ContentRequest($0, hash.algorithm) }
        if !plan.areStrangersMany {
          requests += plan.strangers.map { ContentRequest($0, hash.algorithm) }
        }
      default: continue
      }
    }
    for kept in work.kept { requests += kept.files.map { ContentRequest($0, kept.hash.algorithm) } }
    return requests
  }

  /// What git does not have of all that stages depend on.
  private static func strangers(_ works: [Work]) -> [RepoPath] {
    var strangers: Set<RepoPath> = []
    var folders: Set<ContentRequest> = []
    for item in works.lazy.flatMap(\.items) {
      switch item.source {
      case .folder(let plan), .output(_, _, .some(.folder(let plan))):
        if folders.insert(plan.place).inserted { strangers.formUnion(plan.strangers) }
      case .absent(let path): strangers.insert(path)
      default: continue
      }
    }
    return Array(strangers)
  }

  /// Outputs without a cache that one of the stages depends on, which tells an edit as an error of its own.
  private func consumedOutputs(_ ids: [StageID]) -> Set<Location> {
    guard errors.contains(.depContent) else { return [] }
    var kept: Set<Location> = []
    let stages = project.pipeline.stages
    for index in stages.indices {
      for output in stages[index].outputs where !output.isCached { kept.insert(output.location) }
    }
    if kept.isEmpty { return [] }
    var consumed: Set<Location> = []
    for id in ids where !project.pipeline[id].isFrozen {
      let stage = project.pipeline[id]
      let dependencies = stage.dependencies.filter { kept.contains($0.location) }
      if dependencies.isEmpty { continue }
      let entry = entry(of: stage)
      for dependency in dependencies {
        // Where the chain is broken, that its bytes are others than were left is another fault.
        guard let hash = entry?.dep(dependency.declared)?.contentHash, let place = places.around(dependency.location),
          places.locked(place)?.contentHash == hash
        else { continue }
        consumed.insert(dependency.location)
      }
    }
    return consumed
  }

  // MARK: Judging

  private func judge(_ ids: [StageID], _ source: any SourceTree) -> [Check] {
    let planner = DependencyPlanner(subject: subject, source: source, places: places)
    let consumed = consumedOutputs(ids)
    let works = Parallel.map(ids.count, chunk: 64) { plan(ids[$0], planner, consumed: consumed) }
    var requests: [ContentRequest] = []
    var asked: Set<ContentRequest> = []
    var folders: Set<ContentRequest> = []
    for work in works {
      for request in Self.requests(work, &folders) where asked.insert(request).inserted { requests.append(request) }
    }
    source.prepareAbsence(of: Self.strangers(works))
    let found = source.content(of: requests)
    looked.withLock {
      $0.add(works.flatMap { work in work.items.map { ($0.dependency.location, $0.source) } }, requests, subject)
    }
    let readings = Dictionary(zip(requests, found), uniquingKeysWith: { a, _ in a })
    let contents = FolderContents()
    let checks = Parallel.map(works.count, chunk: 64) { self.checks(works[$0], planner, readings, contents) }
    var all: [Check] = []
    all.reserveCapacity(checks.reduce(0) { $0 + $1.count })
    var broken: Set<String> = []
    for found in checks {
      // A parameter file that cannot be understood is met by each stage that reads it.
      all += found.filter { $0.id != .pipelineValid || broken.insert($0.path ?? "").inserted }
    }
    return all
  }

  private func checks(
    _ work: Work, _ planner: DependencyPlanner, _ readings: [ContentRequest: ContentReading],
    _ contents: FolderContents
  ) -> [Check] {
    let maker = work.maker
    let source = planner.source
    var checks = lockChecks(work)
    if let entry = work.entry, maker.stage.kind == .pipeline, !maker.stage.parameters.isEmpty || !entry.params.isEmpty {
      let parameters = ParameterChecks(
        subject: subject, maker: maker, entry: entry, isData: { self.isData($0, source) },
        data: { self.data($0) },
        absence: { self.absence(of: $0, source) },
        pointer: { location in
          self.subject.paths.pathInWorkTree(location).flatMap { source.pointer(in: [RepoPath(unchecked: $0)]) }
        })
      let found = parameters.all()
      if let place = checks.firstIndex(where: { $0.id == .lockCommand && $0.status == .failed }),
        found.contains(where: { $0.isFault && errors.contains($0.id) }),
        CommandOfValues(subject: subject, stage: maker.stage, entry: entry).followsFromParameters
      {
        checks[place] = maker.skipped(.lockCommand, "it follows from a parameter", at: maker.stage.commandMark)
      }
      checks += found
    }
    let dependencies = DependencyChecks(
      maker: maker, planner: planner, readings: readings, contents: contents, errors: errors, datasets: datasets)
    checks += work.items.flatMap(dependencies.checks)
    let outputs = OutputChecks(maker: maker, subject: subject, source: source, contents: contents)
    checks += outputs.inGit()
    checks += work.kept.compactMap { outputs.check($0, readings) }
    let paths = PathChecks(maker: maker, paths: subject.paths)
    checks += paths.outside() + paths.parametersAsDependencies(parameterFiles)
    if let entry = work.entry, maker.stage.kind == .pipeline, let records { checks += records.checks(entry, maker) }
    return checks
  }

  private func lockChecks(_ work: Work) -> [Check] {
    let maker = work.maker
    if maker.stage.kind == .pipeline, work.entry == nil, !uncommittedLocks.isEmpty,
      case let lock = PipelineLoader.lockPath(of: maker.stage.address.file), uncommittedLocks.contains(lock)
    {
      return [
        maker.failed(
          .lockMissing, "\(lock) is not in git: nobody else knows what its last run made",
          hint: "`git add \(ShellQuoting.quote(lock.text))`")
      ]
    }
    return LockChecks(work.entry, maker) { [subject] section, path in
      subject.lockMark(of: maker.stage.address, section, path)
    }.all()
  }

  /// Made by a stage or tracked, and not in git.
  private func isData(_ location: Location, _ source: any SourceTree) -> Bool {
    let isOutput = places.around(location) != nil
    guard let path = subject.paths.pathInWorkTree(location).map({ RepoPath(unchecked: $0) }) else { return isOutput }
    switch source.target(of: path) {
    case .file: return false
    // A link of git's may lead to what a stage makes.
    case .missing(let target): return places.around(subject.paths.location(inWorkTree: target.text)) != nil
    default: return isOutput
    }
  }

  /// What was locked at exactly this place, by its hash.
  private func data(_ location: Location) -> [UInt8]? {
    guard let place = places.around(location), places.output(place).location == location,
      let hash = places.locked(place)?.contentHash, !hash.isDirectory
    else { return nil }
    if let bytes = subject.object(hash) { return bytes }
    guard subject.revision == nil, case .local(let path) = location, let bytes = (try? subject.files.read(path)) ?? nil
    else { return nil }
    let digests = ContentHasher.digests(of: bytes, DigestKinds(hash.algorithm, sha256: false))
    return digests[hash.algorithm] == hash.digest ? bytes : nil
  }

  private func absence(of location: Location, _ source: any SourceTree) -> Absence? {
    guard let path = subject.paths.pathInWorkTree(location).map({ RepoPath(unchecked: $0) }) else { return nil }
    switch source.target(of: path) {
    case .missing(let target):
      let place = subject.paths.location(inWorkTree: target.text)
      return places.around(place) != nil ? nil : source.absence(of: target)
    case .outside: return .notAdded
    case .file, .folder, .submodule, .circle: return nil
    }
  }
}
