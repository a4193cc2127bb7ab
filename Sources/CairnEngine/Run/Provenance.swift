// Makes the record of an execution from what was observed: who, with what, on which machine, and what came out.
package import CairnCore
import CairnFormats
package import CairnLineage
import CairnStore
import CairnSystem
import OrderedCollections
import Synchronization

package struct Provenance: Sendable {
  package let invocation: String
  package let records: RecordStore
  package let producers: ProducerIndex
  package let source: SourceState
  let actor: RunRecord.Actor
  let pipeline: Pipeline
  /// By output location: the stage that makes it.
  let makers: [Location: StageID]
  /// By folder: a stage that makes something inside it.
  let makersBelow: [RepoPath: StageID]
  let operatingSystem = Machine.operatingSystem()
  let cairnFolder: String
  let environment: KeyedEnvironment
  let environments: EnvironmentDocument
  private let made = MadeInThisRun()
  private let folders = FolderManifests()

  package init(
    invocation: String, records: RecordStore, producers: ProducerIndex, source: SourceState, pipeline: Pipeline,
    cairnFolder: String
  ) {
    self.invocation = invocation
    self.records = records
    self.producers = producers
    self.source = source
    self.pipeline = pipeline
    self.cairnFolder = cairnFolder
    environments = EnvironmentDocument(store: records)
    environment = KeyedEnvironment(
      cairnFolder: cairnFolder, makesKey: true, producers: producers, records: records)
    actor = RunRecord.Actor(name: Machine.userName(), host: Machine.hostName())
    var makers: [Location: StageID] = [:]
    for id in pipeline.ids { for output in pipeline[id].outputs { makers[output.location] = id } }
    self.makers = makers
    var below: [RepoPath: StageID] = [:]
    for (location, id) in makers {
      guard var folder = location.local?.parent else { continue }
      while !folder.isRoot, below.updateValue(id, forKey: folder) == nil { folder = folder.parent }
    }
    makersBelow = below
  }

  /// Records of this run whose index entries may not be readable yet.
  private final class MadeInThisRun: Sendable {
    struct Key: Hashable {
      var path: String
      var md5: String
    }
    let runs = Mutex<[Key: RunID]>([:])
  }

  // MARK: Before

  /// Everything that is known when the command is about to start.
  func draft(
    stage: Stage, context: RunContext, snapshot: StageSnapshot, reasons: [Reason], attempt: Int, previous: RunID?,
    started: Nanoseconds
  ) -> RunRecord {
    var execution = RunRecord.Execution(
      started: started, cairn: CairnVersion.current, os: operatingSystem)
    execution.attempt = attempt
    execution.previousAttempt = previous
    execution.env = recordedValues(of: stage)
    var record = RunRecord(
      stage: .init(
        address: stage.address.text(), file: stage.address.file.text,
        wdir: stage.wdir == .local(.root) ? "." : stage.wdir.recordPath,
        cmd: stage.commands),
      invocation: invocation, actor: actor, source: .init(), execution: execution, result: .lost)
    // One that cannot be made is unknown, and no reason to stop.
    let searchPath = stage.settings.envSet["PATH"] ?? Environment.value("PATH") ?? ""
    record.environment = try? environments.digest(of: stage.lines, path: searchPath)
    keepManifests(snapshot.dependencies)
    record.inputs = zip(stage.dependencies, snapshot.dependencies).map { dependency, content in
      let path = dependency.location.recordPath
      var input = RunRecord.Input(
        path: path, md5: content.hash?.text, sha256: content.sha256, size: content.size,
        producer: producer(of: dependency.location, content, context),
        origin: origin(of: dependency.location, content, context))
      input.context = stage.settings.contexts[dependency.declared]
      if case .dataset(.locked(let lock)) = content {
        input.dataset = lock
        input.origin = RunRecord.Origin(ofDataset: lock)
      }
      return input
    }
    record.source = source.source(reading: trackedInputs(of: stage, snapshot, record.inputs, context))
    record.reasons = reasons.map { value(of: $0, inputs: record.inputs, of: stage) }
    record.inputs += madeParameterFiles(of: stage, context)
    record.params = OrderedDictionary(
      zip(stage.parameters, snapshot.parameters).map { ($0.location.recordPath, $1.values) },
      uniquingKeysWith: { $1 })
    return record
  }

  /// Parameter files that a stage makes or a `.dvc` file tracks: these have a story, which their values do not tell.
  /// Any other one is not read for it.
  private func madeParameterFiles(of stage: Stage, _ context: RunContext) -> [RunRecord.Input] {
    var inputs: [RunRecord.Input] = []
    for location in stage.parameters.map(\.location) {
      let isMade = makers[location] != nil || location.local.flatMap { maker(around: $0) } != nil
      let path = location.recordPath
      guard isMade, !stage.dependencies.contains(where: { $0.location == location }),
        !inputs.contains(where: { $0.path.hasSameBytes(as: path) })
      else { continue }
      let content = context.observer.content(at: location, sha256: true)
      guard let hash = content.hash else { continue }
      inputs.append(
        RunRecord.Input(
          path: path, role: "params", md5: hash.text, sha256: content.sha256, size: content.size,
          producer: producer(of: location, content, context), origin: origin(of: location, content, context)))
    }
    return inputs
  }

  /// Those that git tracks and no stage makes, with the moments when they were written.
  private func trackedInputs(
    of stage: Stage, _ snapshot: StageSnapshot, _ inputs: [RunRecord.Input], _ context: RunContext
  ) -> [SourceState.Input] {
    var found: [SourceState.Input] = []
    for (index, dependency) in stage.dependencies.enumerated() where inputs[index].origin.kind == .git {
      let location = dependency.location
      switch snapshot.dependencies[index] {
      case .file(let file): found.append(.init(location, modified: file.fingerprint.modified))
      case .directory(let folder):
        found.append(.init(location, modified: folder.fingerprints.lazy.map(\.modified).max() ?? 0))
      default: break
      }
    }
    for set in stage.parameters {
      guard makers[set.location] == nil, let stat = (try? FileStat.of(context.absolute(set.location))) ?? nil,
        source.isTracked(set.location)
      else { continue }
      found.append(.init(set.location, modified: stat.modified))
    }
    return found
  }

  /// The run that made what lies there: its path as it is now, or the folder of another stage that it lies in.
  private func producer(of location: Location, _ content: Content, _ context: RunContext) -> RunID? {
    guard let hash = content.hash else { return nil }
    if let exact = producer(of: location.recordPath, md5: hash.text, maker: makers[location], context) { return exact }
    guard makers[location] == nil, let path = location.local, let maker = maker(around: path),
      let output = pipeline[maker.stage].outputs.first(where: { $0.location == .local(maker.folder) }),
      let folder = context.book.entry(of: pipeline[maker.stage].address)?.out(output.declared)?.contentHash,
      let run = producer(of: maker.folder.text, md5: folder.text, maker: maker.stage, context),
      let manifest = manifest(of: maker.folder, folder, run, context)
    else { return nil }
    // What was edited since is nobody's.
    return manifest.holds(content, at: path.relative(to: maker.folder)) ? run : nil
  }

  /// What a folder held: of the cache, else of the record of the run that made it.
  private func manifest(
    of folder: RepoPath, _ hash: ContentHash, _ run: RunID?, _ context: RunContext
  ) -> DirectoryManifest? {
    folders.manifest(hash) {
      if let cached = (try? context.outputs.cache.store(for: hash).manifest(hash)) ?? nil { return cached }
      guard let run, let record = (try? records.record(run)) ?? nil,
        let digest = record.outputs.first(where: { $0.path.hasSameBytes(as: folder.text) })?.sha256,
        let bytes = (try? records.document(digest)) ?? nil
      else { return nil }
      return try? DirectoryDocument.decode(bytes)
    }
  }

  /// The nearest output that is a folder around `path`.
  private func maker(around path: RepoPath) -> (stage: StageID, folder: RepoPath)? {
    var folder = path
    while !folder.isRoot {
      folder = folder.parent
      if let maker = makers[.local(folder)] { return (maker, folder) }
    }
    return nil
  }

  /// As `why` has it, without what must be counted.
  private func value(of reason: Reason, inputs: [RunRecord.Input], of stage: Stage) -> Value {
    let value = ReasonJSON.value(reason)
    guard reason.kind == .dependencyChanged, case .map(var map) = value, let path = reason.path,
      let index = inputs.firstIndex(where: { $0.path.hasSameBytes(as: path) })
    else { return value }
    let location = stage.dependencies[index].location
    // Of a folder that outputs lie in nobody made the whole.
    let found = makers[location] ?? location.local.flatMap { maker(around: $0)?.stage }
    map["producer"] = .null
    if let maker = found, pipeline[maker].kind == .pipeline {
      map["producer"] = .map([
        "stage": .string(pipeline[maker].address.text()),
        "run": inputs[index].producer.map { .string($0.hex) } ?? .null,
      ])
    }
    return .map(map)
  }

  private func producer(of path: String, md5: String, maker: StageID?, _ context: RunContext) -> RunID? {
    made.runs.withLock { $0[.init(path: path, md5: md5)] }
      ?? producers.producer(of: path, md5: md5) {
        maker.flatMap { maker in
          context.book.entry(of: pipeline[maker].address).map { WorkKey(pipeline[maker], $0) }
        }
      }
  }

  private func origin(of location: Location, _ content: Content, _ context: RunContext) -> RunRecord.Origin {
    if let maker = makers[location] {
      let stage = pipeline[maker]
      if stage.kind == .pipeline {
        return isMade(content, at: location, by: maker, context)
          ? RunRecord.Origin(.stage) : origin(ofEdited: location)
      }
      guard stage.isImport, let from = stage.dependencies.first else { return RunRecord.Origin(.dvcFile) }
      if let repository = from.source?.repository {
        return RunRecord.Origin(
          .import, repository: repository["url"]?.string, rev: repository["rev_lock"]?.string, url: nil)
      }
      return RunRecord.Origin(.importURL, url: from.declared)
    }
    guard let path = location.local else { return origin(ofEdited: location) }
    if let maker = maker(around: path) {
      if pipeline[maker.stage].kind != .pipeline { return RunRecord.Origin(.dvcFile) }
      return isMade(content, at: path, in: maker.folder, by: maker.stage, context)
        ? RunRecord.Origin(.stage) : origin(ofEdited: location)
    }
    // A folder that holds outputs.
    if let maker = makersBelow[path] { return RunRecord.Origin(pipeline[maker].kind == .pipeline ? .stage : .dvcFile) }
    return origin(ofEdited: location)
  }

  /// Of what no stage made: of an output, too, that somebody has written since.
  private func origin(ofEdited location: Location) -> RunRecord.Origin {
    RunRecord.Origin(source.isTracked(location) ? .git : .none)
  }

  /// Whether the bytes are those that the stage's lock entry names; what cannot be compared is taken for the stage's.
  private func isMade(_ content: Content, at location: Location, by maker: StageID, _ context: RunContext) -> Bool {
    let stage = pipeline[maker]
    guard let hash = content.hash, let output = stage.outputs.first(where: { $0.location == location })
    else { return true }
    guard let entry = context.book.entry(of: stage.address) else { return false }
    guard let locked = entry.out(output.declared)?.contentHash else { return true }
    return locked.algorithm != hash.algorithm || locked == hash
  }

  /// The same of what lies in a folder that a stage makes.
  private func isMade(
    _ content: Content, at path: RepoPath, in folder: RepoPath, by maker: StageID, _ context: RunContext
  ) -> Bool {
    let stage = pipeline[maker]
    guard let hash = content.hash, let output = stage.outputs.first(where: { $0.location == .local(folder) })
    else { return true }
    guard let entry = context.book.entry(of: stage.address) else { return false }
    guard let locked = entry.out(output.declared)?.contentHash, locked.algorithm == hash.algorithm,
      let manifest = manifest(
        of: folder, locked, producer(of: folder.text, md5: locked.text, maker: maker, context), context)
    else { return true }
    return manifest.holds(content, at: path.relative(to: folder))
  }

  // MARK: Environment

  /// What the command gets beside our own environment.
  func environment(
    for stage: Stage, attempt: String, devices: [String], context: RunContext
  ) -> [(name: String, value: String)] {
    var variables: [(name: String, value: String)] = [("DVC_STAGE", context.name(stage))]
    if Environment.value("DVC_ROOT") == nil { variables.append(("DVC_ROOT", context.root)) }
    variables.append(("CAIRN_CLAIMS", claimsPath(attempt)))
    if !devices.isEmpty { variables.append((Self.deviceVariable, devices.joined(separator: ","))) }
    for (name, value) in stage.settings.envSet.sorted(by: { $0.key < $1.key }) { variables.append((name, value)) }
    return variables
  }

  func claimsPath(_ attempt: String) -> String { CairnFolder.claims(attempt, in: cairnFolder) }

  private static let deviceVariable = "CUDA_VISIBLE_DEVICES"

  /// What the stage holds while its command runs.
  func describe(devices: [String], of stage: Stage, in record: inout RunRecord) {
    var resources: ValueMap = ["gpu": .list(devices.map { .string($0) })]
    for (name, amount) in stage.settings.resources.sorted(by: { $0.key < $1.key }) where name != "gpu" {
      resources[.string(name)] = amount == amount.rounded() && abs(amount) < 1e15 ? .int(Int(amount)) : .float(amount)
    }
    record.execution.resources = resources
    // Recorded is what the command sees, not what we were given.
    if !devices.isEmpty, stage.settings.envRecord.contains(Self.deviceVariable) {
      record.execution.env[Self.deviceVariable] = devices.joined(separator: ",")
    }
  }

  func keyedEnvironment(of stage: Stage) -> OrderedDictionary<String, String?> { environment.values(of: stage) }

  /// What is not set is recorded as that: a name that is not there is one that nobody asked for.
  private func recordedValues(of stage: Stage) -> OrderedDictionary<String, String?> {
    let settings = stage.settings
    if !settings.isKeyedByEnvironment, settings.envRecord.isEmpty { return [:] }
    var values = keyedEnvironment(of: stage)
    for name in settings.envRecord { values.updateValue(Environment.value(name), forKey: name) }
    return values
  }

  func recordedEnvironment(of stage: Stage, lock: LockEntry) -> OrderedDictionary<String, String?>? {
    environment.recorded(of: stage, lock: lock)
  }

  // MARK: After

  func describe(_ observation: Observation, log: LogBuffer, in record: inout RunRecord, records: RecordStore) {
    record.execution.finished = observation.finished
    record.execution.cpuSeconds = observation.cpuSeconds
    record.execution.peakMemory = observation.peakMemory
    switch observation.end {
    case .exited(let code): record.execution.exit = Int(code)
    case .signalled(let signal): record.execution.exit = -Int(signal)
    case .timedOut, .notStarted: record.execution.exit = nil
    }
    let (bytes, dropped) = log.contents()
    if bytes.isEmpty { return }
    // Of one that the disk cannot take the record says what it was: that it is missing shows, and it is not taken for a
    // command that printed nothing.
    let digest = (try? records.put(object: bytes)) ?? ContentHasher.sha256(of: bytes)
    record.log = .init(sha256: digest, size: UInt64(bytes.count), dropped: dropped)
  }

  /// What the command wrote to `$CAIRN_CLAIMS`; taken away with it.
  func takeClaims(_ attempt: String) -> ValueMap {
    let path = claimsPath(attempt)
    guard let bytes = (try? Files.read(path)) ?? nil else { return [:] }
    _ = try? Files.remove(path)
    return (try? JSONReader.parse(SourceText(path: path, bytes: bytes)).value)?.map ?? [:]
  }

  func describe(outputs: [Content], of stage: Stage, in record: inout RunRecord, _ context: RunContext) {
    record.outputs = zip(stage.outputs, outputs).map { output, content in
      var annotations: ValueMap = [:]
      for name in ["type", "labels", "desc", "meta"] as [Value] {
        annotations[name] = output.annotations[name] ?? (name == "labels" ? .list([]) : .null)
      }
      return RunRecord.OutputPart(
        path: output.location.recordPath, role: output.role.rawValue, md5: content.hash?.text, sha256: content.sha256,
        size: content.size, annotations: annotations)
    }
    for (output, content) in zip(stage.outputs, outputs) where output.role == .metric {
      guard case .file(let file) = content, file.size < 1 << 20 else { continue }
      let path = context.absolute(output.location)
      guard let bytes = (try? Files.read(path)) ?? nil,
        let value = try? ParameterFile.parse(SourceText(path: output.location.recordPath, bytes: bytes)).value
      else { continue }
      record.metrics[output.location.recordPath] = value
    }
    keepManifests(outputs)
    // What no cache has is found by the record, which is not written before others may start.
    for (output, content) in zip(stage.outputs, outputs) where !output.isCached {
      if case .directory(let directory) = content { folders.keep(directory.hash, directory.manifest) }
    }
  }

  /// The documents that the record's hashes of folders name.
  private func keepManifests(_ contents: [Content]) {
    for content in contents {
      guard case .directory(let directory) = content, directory.sha256 != nil,
        let document = DirectoryDocument.encode(directory.manifest)
      else { continue }
      _ = try? records.put(document: document)
    }
  }

  func encode(_ record: RunRecord) -> [UInt8] { RecordJSON.encode(record) }
  func identify(_ bytes: [UInt8]) -> RunID { RunID(ContentHasher.sha256(of: bytes)) }

  /// Lets later stages of this run find who made these outputs.
  func announce(_ run: RunID, _ record: RunRecord) {
    made.runs.withLock { runs in
      for output in record.outputs {
        if let md5 = output.md5 { runs[.init(path: output.path, md5: md5)] = run }
      }
    }
  }

  /// The record is written: later runs find it too.
  func remember(_ run: RunID, _ record: RunRecord) { producers.add(run, record) }

  /// The record whose outputs a restored stage took: the run that first did this work.
  func source(ofEntry entry: LockEntry, stage: Stage) -> RunID? {
    let work = WorkKey(stage, entry)
    return producers.run(behind: work, of: stage.address.text()) ?? producers.runs(thatDid: work).first
  }

  func isTracked(_ path: RepoPath) -> Bool { source.isTracked(.local(path)) }
}

extension RunRecord.Origin {
  /// Where the lock says that the dataset is: its bytes are not looked at.
  init(ofDataset lock: ValueMap) {
    switch lock["type"]?.string {
    case "dvc": self.init(.import, repository: lock["url"]?.string, rev: lock["rev_lock"]?.string, url: nil)
    case "url": self.init(.importURL, url: lock["url"]?.string)
    default: self.init(.none, url: lock["url"]?.string)
    }
  }
}
