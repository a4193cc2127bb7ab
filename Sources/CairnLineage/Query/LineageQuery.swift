// Walks from an artifact or a run to what made it, or to what it touched, over the records.
// Knows records and the index; knows nothing of terminals, locks or work trees.
package import CairnCore
import CairnFormats

/// One question at a time; each record is read once.
package struct LineageQuery {
  package struct Options: Sendable {
    package enum Direction: Sendable { case up, down }
    package var direction = Direction.up
    /// How many runs lie at most between the root and what is shown; `nil`: all.
    package var depth: Int?
    /// Equal bytes at another place are walked too, not only shown.
    package var followsEqualBytes = false
    /// Downwards, who made what the walk begins at is told too: of many versions it says which is which.
    package var namesMakers = false
    /// Asked before the origin of something is called unknown of which no run says where it is from: whether its story
    /// is git's.
    package var isInHistory: @Sendable (LineageArtifact) -> Bool = { _ in false }
    /// Asked of the runs that others put into a shared store: false where it is sure that they are another project's of
    /// the same repository, which has the same paths for other things.
    package var canBeOurs: @Sendable (RunRecord) -> Bool = { _ in true }
    /// The contents of a folder that no run has read or made, by its MD5.
    package var cachedFolder: @Sendable (String) -> DirectoryManifest? = { _ in nil }
    /// Asked downwards, for what no record tells: the entries of locks.
    package var locked: [LockedWork] = []
    /// Whether a repository that a record names is the one that was imported from.
    package var isSource: @Sendable (_ repository: String, _ origin: RunRecord.Origin) -> Bool = {
      $0 == $1.repository
    }
    /// Asked for the story of an imported artifact where it was imported from.
    package var elsewhere: @Sendable (LineageArtifact, RunRecord.Origin) -> Elsewhere = { _, _ in .unreachable(nil) }
    package init() {}
  }

  /// What another repository's records tell.
  package enum Elsewhere: Sendable {
    /// Walked up from where the artifact lies there: its roots.
    case story(LineageGraph)
    /// With the reason.
    case unreachable(String?)
  }

  private let index: LineageIndex
  private let options: Options
  private var graph = LineageGraph()
  private var records: [RunID: RunRecord?] = [:]
  private var foreign: [RunID: Bool] = [:]
  /// Places in `options.locked` by the paths that were read.
  private var lockedReaders: [String: [Int]] = [:]
  /// Whoever asks for another project's run means that project.
  private var isAmongOthers = false
  private var contents: FolderContents
  /// Artifacts that some run made which is another project's.
  private var foreignMakers: Set<LineageNodeID> = []
  private var visitedArtifacts: Set<Visit> = []
  private var visitedRuns: Set<RunID> = []
  /// What is still to be looked at, with its distance from the root in runs.
  private var artifacts: [(artifact: LineageArtifact, hint: Hint, depth: Int)] = []
  private var runs: [(run: RunID, depth: Int)] = []

  /// What the run says of an artifact that led to it.
  private struct Hint {
    var producer: RunID?
    var origin: RunRecord.Origin?
    var consumer: RunID?
    /// On the way down: the run that left it there. Who read the same bytes before that has nothing to do with it.
    var maker: RunID?
  }

  /// An artifact that several runs made is looked at once for each: not the same runs follow, nor do the same stand
  /// behind it.
  private struct Visit: Hashable {
    var artifact: LineageNodeID
    /// `nil`: whoever made it.
    var maker: RunID?
  }

  private init(index: LineageIndex, options: Options) {
    self.index = index
    self.options = options
    contents = FolderContents(index, cached: options.cachedFolder)
  }

  /// - Parameter producer: the run behind the lock entry of the artifact, where the caller knows it.
  package static func graph(
    of artifacts: [LineageArtifact], producer: RunID? = nil, origin: RunRecord.Origin? = nil, in index: LineageIndex,
    _ options: Options
  ) throws(Diagnostic) -> LineageGraph {
    var query = LineageQuery(index: index, options: options)
    for artifact in artifacts {
      query.graph.addRoot(artifact.id)
      query.artifacts.append((artifact, Hint(producer: producer, origin: origin), 0))
    }
    if options.namesMakers, options.direction == .down { for artifact in artifacts { try query.nameMaker(of: artifact) } }
    try query.walk()
    return query.graph
  }

  package static func graph(of run: RunID, in index: LineageIndex, _ options: Options) throws(Diagnostic) -> LineageGraph {
    var query = LineageQuery(index: index, options: options)
    query.isAmongOthers = query.isForeign(run)
    query.graph.addRoot(.run(run))
    query.runs.append((run, 1))
    try query.walk()
    return query.graph
  }

  private mutating func walk() throws(Diagnostic) {
    index.hold()
    defer { index.letGo() }
    if options.direction == .down, !isAmongOthers {
      for (number, work) in options.locked.enumerated() {
        for input in work.read where input.md5 != nil { lockedReaders[input.path, default: []].append(number) }
      }
    }
    var nextArtifact = 0
    var nextRun = 0
    // Breadth first, so that `depth` is the shortest way.
    while nextArtifact < artifacts.count || nextRun < runs.count {
      if nextArtifact < artifacts.count {
        let (artifact, hint, depth) = artifacts[nextArtifact]
        nextArtifact += 1
        if options.direction == .down, visitedArtifacts.contains(Visit(artifact: artifact.id)) { continue }
        let visit = Visit(artifact: artifact.id, maker: options.direction == .down ? hint.maker : hint.producer)
        guard visitedArtifacts.insert(visit).inserted else { continue }
        graph.add(artifact.id, .artifact(artifact))
        switch options.direction {
        case .up: try lookUp(from: artifact, hint, depth)
        case .down: try lookDown(from: artifact, hint, depth)
        }
        try lookAside(from: artifact, hint, depth)
      } else {
        let (run, depth) = runs[nextRun]
        nextRun += 1
        guard visitedRuns.insert(run).inserted else { continue }
        switch options.direction {
        case .up: try lookUp(from: run, depth)
        case .down: try lookDown(from: run, depth)
        }
      }
    }
  }

  // MARK: Up

  private mutating func lookUp(from artifact: LineageArtifact, _ hint: Hint, _ depth: Int) throws(Diagnostic) {
    var producer = hint.producer
    if producer == nil { producer = try generator(of: artifact, hint) }
    let producers = if let producer { [producer] } else { try generators(ofPartsOf: artifact, hint) }
    if producers.isEmpty { return try explainSource(of: artifact, hint) }
    if let limit = options.depth, depth >= limit { return }
    for producer in producers { try follow(producer, of: artifact, depth) }
  }

  private mutating func generator(of artifact: LineageArtifact, _ hint: Hint) throws(Diagnostic) -> RunID? {
    for run in try index.generators(of: artifact, limit: Self.candidates) where run != hint.consumer {
      if !isForeign(run) { return run }
      foreignMakers.insert(artifact.id)
    }
    return nil
  }

  /// Of those that could have made or read an artifact so many are looked at.
  private static let candidates = 64

  /// The run that made the folder which the artifact lies in, or those that made what lies in the artifact.
  private mutating func generators(ofPartsOf artifact: LineageArtifact, _ hint: Hint) throws(Diagnostic) -> [RunID] {
    if hint.origin?.kind == .git { return [] }
    for folder in try index.artifacts(at: artifact.foldersAround, .written) where try contents.holds(folder, artifact) {
      if let run = try generator(of: folder, hint) { return [run] }
    }
    guard artifact.isFolder else { return [] }
    var found: [RunID] = []
    for part in try index.artifacts(below: artifact.path, .written) where try contents.holds(artifact, part) {
      guard let run = try generator(of: part, hint), !found.contains(run) else { continue }
      found.append(run)
    }
    return found
  }

  private mutating func follow(_ producer: RunID, of artifact: LineageArtifact, _ depth: Int) throws(Diagnostic) {
    graph.connect(.run(producer), artifact.id, .generated)
    // A restored run computed nothing: the story goes on behind the run that its outputs came from.
    // What is wrong with its record is told when it is looked at.
    if let record = (try? record(producer)) ?? nil, record.result == .restored {
      graph.add(.run(producer), .run(record))
      graph.add(try index.reuses(of: producer), of: .run(producer))
      visitedRuns.insert(producer)
      if let source = try index.source(of: producer), source != producer {
        graph.connect(.run(source), artifact.id, .generated)
        runs.append((source, depth + 1))
      } else {
        graph.addUnknown(artifact.id, .record)
      }
    } else {
      runs.append((producer, depth + 1))
    }
  }

  private mutating func explainSource(of artifact: LineageArtifact, _ hint: Hint) throws(Diagnostic) {
    var origin = hint.origin
    if origin == nil {
      origin = try recordedOrigin(of: artifact)
      if origin.map({ $0.kind == .none }) ?? true, options.isInHistory(artifact) { origin = .init(.git) }
    }
    switch origin?.kind {
    case .git:
      // Its history is git's; the commit stands at the run that read it.
      break
    case .import, .importURL:
      let url = origin?.url ?? origin?.repository
      guard let url, let origin else { return graph.addUnknown(artifact.id, .origin) }
      let place = origin.rev.map { url + "@" + $0 } ?? url
      graph.add(.external(place), .external)
      graph.connect(.external(place), artifact.id, .imported)
      if origin.kind == .import { try lookElsewhere(for: artifact, origin) }
    case .stage: graph.addUnknown(artifact.id, foreignMakers.contains(artifact.id) ? .foreign : .record)
    case .dvcFile, .some(.none), nil:
      graph.addUnknown(artifact.id, foreignMakers.contains(artifact.id) ? .foreign : .origin)
    }
  }

  /// Into the records of the repository that it was imported from.
  private mutating func lookElsewhere(for artifact: LineageArtifact, _ origin: RunRecord.Origin) throws(Diagnostic) {
    // Another repository may have to be cloned first.
    index.letGo()
    let answer = options.elsewhere(artifact, origin)
    index.hold()
    switch answer {
    case .story(let story):
      graph.merge(story)
      for root in story.roots { graph.connect(root, artifact.id, .imported) }
    case .unreachable(let why):
      // Where they share a cache its records are beside ours, and what has the same bytes there is walked.
      let known = try index.artifacts(md5: artifact.md5, sha256: artifact.sha256, limit: Self.aside)
      let isKnown = known.contains { $0.repository != artifact.repository && options.isSource($0.repository, origin) }
      if !isKnown || (artifact.size ?? 0) < LineageArtifact.smallestTelling {
        graph.addUnknown(artifact.id, .repository, why: why)
      }
    }
  }

  /// What the newest run that read it says, for one that no run led to.
  private mutating func recordedOrigin(of artifact: LineageArtifact) throws(Diagnostic) -> RunRecord.Origin? {
    for run in try index.newestConsumers(of: artifact, limit: Self.candidates) where !isForeign(run) {
      // What is wrong with a record is told where it stands in the way.
      guard let record = (try? record(run)) ?? nil else { continue }
      let input = record.inputs.first { $0.md5 == artifact.md5 && $0.path.hasSameBytes(as: artifact.path) }
      if let input { return input.origin }
    }
    return nil
  }

  private mutating func lookUp(from run: RunID, _ depth: Int) throws(Diagnostic) {
    guard let record = try noteRun(run) else { return }
    if record.result == .restored, let source = try index.source(of: run), source != run {
      graph.connect(.run(source), .run(run), .restored)
      runs.append((source, depth))
    }
    let repository = record.source.repository ?? ""
    if let commit = record.source.commit {
      graph.add(.commit(commit), .commit(repository: record.source.repository))
      graph.connect(.commit(commit), .run(run), .used)
    }
    for input in record.inputs {
      let artifact = LineageArtifact(input, repository: repository)
      graph.add(artifact.id, .artifact(artifact))
      graph.connect(artifact.id, .run(run), .used)
      artifacts.append((artifact, Hint(producer: input.producer, origin: input.origin, consumer: run), depth))
    }
  }

  // MARK: Down

  private mutating func nameMaker(of artifact: LineageArtifact) throws(Diagnostic) {
    graph.add(artifact.id, .artifact(artifact))
    guard let maker = try generator(of: artifact, Hint()), try noteRun(maker) != nil else { return }
    graph.connect(.run(maker), artifact.id, .generated)
  }

  private mutating func lookDown(from artifact: LineageArtifact, _ hint: Hint, _ depth: Int) throws(Diagnostic) {
    if let limit = options.depth, depth >= limit { return }
    var readers = try consumers(of: artifact, hint)
    // Who read a part of it, or a folder that it lies in, read of it too.
    for folder in try index.artifacts(at: artifact.foldersAround, .read) where try contents.holds(folder, artifact) {
      readers += try consumers(of: folder, hint)
    }
    if artifact.isFolder {
      // The part may have been the same in an older version of the folder: who read it there did not read this one.
      let makers = if let maker = hint.maker { [maker] } else { try index.generators(of: artifact) }
      let hints = makers.isEmpty ? [hint] : makers.map { Hint(maker: $0) }
      for part in try index.artifacts(below: artifact.path, .read) where try contents.holds(artifact, part) {
        for hint in hints { readers += try consumers(of: part, hint) }
      }
    }
    for run in readers {
      graph.connect(artifact.id, .run(run), .used)
      runs.append((run, depth + 1))
    }
    for number in lockedCandidates(for: artifact) {
      let work = options.locked[number]
      guard try reads(work, artifact), try !isRecorded(work, among: readers) else { continue }
      try noteUnrecorded(work, of: artifact, depth)
    }
  }

  // MARK: Locks

  /// Those that read something at the artifact's path, around it or below it.
  private func lockedCandidates(for artifact: LineageArtifact) -> [Int] {
    if lockedReaders.isEmpty { return [] }
    if artifact.isFolder { return Array(options.locked.indices) }
    return Set(([artifact.path] + artifact.foldersAround).flatMap { lockedReaders[$0] ?? [] }).sorted()
  }

  /// As records know it.
  private func named(_ file: LineageArtifact) throws(Diagnostic) -> LineageArtifact {
    guard let md5 = file.md5 else { return file }
    return try index.artifacts(path: file.path, md5: md5).first ?? file
  }

  /// It read the artifact, a folder that it lies in, or a part of it.
  private mutating func reads(_ work: LockedWork, _ artifact: LineageArtifact) throws(Diagnostic) -> Bool {
    for input in work.read where input.md5 != nil {
      if input.path.hasSameBytes(as: artifact.path) {
        if input.md5 == artifact.md5 { return true }
        continue
      }
      if input.isFolder, try contents.holds(named(input), artifact) { return true }
      if artifact.isFolder, try contents.holds(artifact, input.isFolder ? named(input) : input) { return true }
    }
    return false
  }

  /// The run behind the entry is known, or one of the readers made the same under another name.
  private mutating func isRecorded(_ work: LockedWork, among readers: [RunID]) throws(Diagnostic) -> Bool {
    if try index.run(behind: work.key, of: work.stage) != nil { return true }
    for run in readers {
      guard let record = (try? record(run)) ?? nil, !work.made.isEmpty || record.stage.address == work.stage else { continue }
      let made = record.made
      if work.made.allSatisfy({ file in made.contains { $0.md5 == file.md5 && $0.path.hasSameBytes(as: file.path) } }) {
        return true
      }
    }
    return false
  }

  /// Nobody recorded the run: what it made is as far from the artifact as the run's outputs would be.
  private mutating func noteUnrecorded(_ work: LockedWork, of artifact: LineageArtifact, _ depth: Int) throws(Diagnostic) {
    let why = "dvc.lock has stage '\(work.stage)'"
    if work.made.isEmpty { graph.addUnknown(artifact.id, .reader, why: why) }
    for made in work.made {
      let output = try named(made)
      graph.add(output.id, .artifact(output))
      graph.connect(artifact.id, output.id, .locked)
      graph.addUnknown(output.id, .record, why: why)
      artifacts.append((output, Hint(), depth + 1))
    }
  }

  private mutating func consumers(of artifact: LineageArtifact, _ hint: Hint) throws(Diagnostic) -> [RunID] {
    let all: [RunID]
    if let maker = hint.maker {
      all = try index.consumers(of: artifact, madeBy: maker)
    } else {
      all = try index.consumers(of: artifact)
    }
    return all.filter { !isForeign($0) }
  }

  private mutating func lookDown(from run: RunID, _ depth: Int) throws(Diagnostic) {
    guard let record = try noteRun(run) else { return }
    for restoration in try index.restorations(of: run) where !isForeign(restoration) {
      graph.connect(.run(run), .run(restoration), .restored)
      runs.append((restoration, depth))
    }
    for artifact in record.made {
      graph.add(artifact.id, .artifact(artifact))
      graph.connect(.run(run), artifact.id, .generated)
      artifacts.append((artifact, Hint(maker: run), depth))
    }
  }

  // MARK: Aside

  private static let aside = 100

  /// Equal bytes at other places: shown; walked when asked for, or when the artifact was declared as an import of them.
  private mutating func lookAside(from artifact: LineageArtifact, _ hint: Hint, _ depth: Int) throws(Diagnostic) {
    guard let size = artifact.size, size >= LineageArtifact.smallestTelling else { return }
    for other in try index.artifacts(md5: artifact.md5, sha256: artifact.sha256, limit: Self.aside) {
      if other.path.hasSameBytes(as: artifact.path), other.repository == artifact.repository { continue }
      let isImport = hint.origin.map { $0.kind == .import && options.isSource(other.repository, $0) } ?? false
      // The other direction of the same pair says nothing new.
      if graph.edges.contains(LineageEdge(artifact.id, other.id, .sameBytes))
        || graph.edges.contains(LineageEdge(other.id, artifact.id, .sameBytes))
      { continue }
      graph.add(other.id, .artifact(other))
      switch options.direction {
      case .up: graph.connect(other.id, artifact.id, .sameBytes)
      case .down: graph.connect(artifact.id, other.id, .sameBytes)
      }
      if options.followsEqualBytes || isImport { artifacts.append((other, Hint(), depth)) }
    }
  }

  // MARK: Records

  /// Adds the run's node, or says what became of its record.
  private mutating func noteRun(_ run: RunID) throws(Diagnostic) -> RunRecord? {
    do {
      if let record = try record(run) {
        graph.add(.run(run), .run(record))
        graph.add(try index.reuses(of: run), of: .run(run))
        return record
      }
      let erased = try index.store.tombstone(of: run.digest) != nil
      graph.addUnknown(.run(run), erased ? .erased : .missing)
    } catch {
      switch error.code {
      case .recordAltered: graph.addUnknown(.run(run), .altered)
      case .recordUnreadable: graph.addUnknown(.run(run), .unreadable)
      default: throw error
      }
    }
    return nil
  }

  private mutating func isForeign(_ run: RunID) -> Bool {
    if isAmongOthers || index.store.isOwn(run) { return false }
    if let known = foreign[run] { return known }
    // What is wrong with a record is told where it stands.
    let isForeign = ((try? record(run)) ?? nil).map { !options.canBeOurs($0) } ?? false
    foreign[run] = isForeign
    return isForeign
  }

  private mutating func record(_ run: RunID) throws(Diagnostic) -> RunRecord? {
    if let known = records[run] { return known }
    var record = try index.store.record(run)
    if record?.reconstructed != nil { try complete(&record) }
    records[run] = record
    return record
  }

  /// What it names is what other records name otherwise: the repository by its address, files by their SHA-256 too.
  private func complete(_ record: inout RunRecord?) throws(Diagnostic) {
    guard var full = record else { return }
    full.source.repository = index.repository(of: full)
    for place in full.inputs.indices {
      guard let md5 = full.inputs[place].md5, full.inputs[place].sha256 == nil else { continue }
      full.inputs[place].sha256 = try index.sha256(path: full.inputs[place].path, md5: md5)
    }
    for place in full.outputs.indices {
      guard let md5 = full.outputs[place].md5, full.outputs[place].sha256 == nil else { continue }
      full.outputs[place].sha256 = try index.sha256(path: full.outputs[place].path, md5: md5)
    }
    record = full
  }
}

extension RunRecord {
  /// Its outputs, and the inputs that it changed as it declares.
  package var made: [LineageArtifact] {
    let repository = source.repository ?? ""
    return outputs.map { LineageArtifact($0, repository: repository) }
      + inputs.compactMap { input in
        rewritten(input).map {
          LineageArtifact(repository: repository, path: input.path, md5: $0.md5, sha256: $0.sha256, size: $0.size)
        }
      }
  }
}

extension LineageArtifact {
  package init(_ input: RunRecord.Input, repository: String) {
    self.init(repository: repository, path: input.path, md5: input.md5, sha256: input.sha256, size: input.size)
  }

  package init(_ output: RunRecord.OutputPart, repository: String) {
    self.init(repository: repository, path: output.path, md5: output.md5, sha256: output.sha256, size: output.size)
  }

  package var id: LineageNodeID {
    let text = FileName.bytes(repository) + [0] + FileName.bytes(path) + [0] + Array(contentHash.utf8)
    return .artifact(Digest32.sha256(text).high)
  }
}
