// A person vouches for a run whose input changed: the lock gets the hashes of the start, a record says who.
package import CairnCore
import CairnFormats
import CairnLineage
import CairnStore
import CairnSystem

extension RunRestoration {
  /// The outputs must be back at their places (`salvage`). Gives the name of the `accepted` record.
  package func accept(
    _ record: RunRecord, of run: RunID, history: History, waitsForLock: Bool
  ) throws(Diagnostic) -> RunID {
    guard record.result == .inputChanged else {
      throw Diagnostic(.usage, "run \(run.short) ended as '\(record.result.rawValue)': only one whose input changed can be accepted")
    }
    let git = try GitRepository.find(from: repository.root)
    let project = try PipelineLoader(
      root: repository.root, folder: repository.workingFolder ?? .root, gitRoot: git?.workTree
    ).load()
    guard let stage = project.pipeline.stages.first(where: { $0.address.text() == record.stage.address }) else {
      throw Diagnostic(.noSuchRun, "there is no stage '\(record.stage.address)' any more")
    }
    guard stage.commands == record.stage.cmd else {
      throw Diagnostic(.usage, "the command of '\(record.stage.address)' was edited since: its lock entry would not fit")
        .hinting("`cairn repro \(record.stage.address)` runs it again")
    }
    return try locked(record.outputs) { () throws(Diagnostic) in
      let outputs = try storeOutputs(of: stage, record)
      let entry = try entry(of: stage, record, outputs, in: history.store)
      // Record first: a lock entry without one would have no story.
      var accepted = record
      accepted.result = .accepted
      accepted.accepts = run
      accepted.error = nil
      accepted.actor = .init(name: Machine.userName(), host: Machine.hostName())
      let id = try history.store.write(accepted)
      history.producers.add(id, accepted)
      try write(entry, of: stage)
      if let git, !settings.hasNoSCM {
        let ignores = IgnoreBook(root: repository.root, git: git)
        try ignores.add(stage.outputs.filter(\.isCached).compactMap(\.location.local), position: 0)
        try ignores.write()
      }
      return id
    }
  }

  /// Puts the cached ones into the cache; all of them must have the bytes that the run made.
  private func storeOutputs(of stage: Stage, _ record: RunRecord) throws(Diagnostic) -> [(Output, Content)] {
    var contents: [(Output, Content)] = []
    for output in stage.outputs {
      guard let path = output.location.local else { continue }
      let content = snapshotter.observe(path)
      let recorded = record.outputs.first { $0.path.hasSameBytes(as: path.text) }?.md5
      guard let recorded, content.hash?.text == recorded else {
        throw Diagnostic(.usage, "'\(path)' has not the bytes that the run made")
          .hinting("`cairn runs salvage` brings them back")
      }
      contents.append((output, output.isCached ? try CacheWriter(cache: cache, snapshotter: snapshotter).save(path) : content))
    }
    return contents
  }

  private func entry(
    of stage: Stage, _ record: RunRecord, _ outputs: [(Output, Content)], in store: RecordStore
  ) throws(Diagnostic) -> LockEntry {
    var entry = LockEntry(command: stage.commandValue)
    for dependency in stage.dependencies {
      let place = dependency.location
      guard let input = record.inputs.first(where: { $0.role != "params" && place.isRecorded(as: $0.path) }) else {
        throw Diagnostic(.usage, "'\(place)' was no input of that run: its lock entry would not fit")
      }
      var file = LockedFile(path: dependency.declared, hashName: "md5", hashText: input.md5, size: input.size)
      if let dataset = input.dataset {
        file = LockedFile(
          path: dependency.declared, hasHashField: false,
          other: ["dataset": .map(Datasets.normalised(dataset) ?? dataset)])
      }
      if input.md5?.hasSuffix(".dir") == true, let digest = input.sha256, let bytes = try store.document(digest) {
        file.fileCount = try DirectoryDocument.decode(bytes).entries.count
      }
      entry.deps.append(file)
    }
    for set in stage.parameters {
      let values = record.params.first { set.location.isRecorded(as: $0.key) }?.value
      if let values { entry.params[set.declared] = values }
    }
    for (output, content) in outputs {
      var file = LockedFile(path: output.declared, hashName: "md5", hashText: content.hash?.text, size: content.size)
      switch content {
      case .directory(let directory): file.fileCount = directory.fileCount
      case .file(let single): file.isExecutable = single.isExecutable
      case .missing, .dataset, .unknown: break
      }
      entry.outs.append(file)
    }
    entry.deps.sort { $0.path.precedesInBytes($1.path) }
    entry.outs.sort { $0.path.precedesInBytes($1.path) }
    return entry
  }

  private func write(_ entry: LockEntry, of stage: Stage) throws(Diagnostic) {
    guard let name = stage.address.name else { return }
    let path = PipelineLoader.lockPath(of: stage.address.file)
    let file = repository.absolute(path)
    var lock = LockFile()
    if let bytes = try Files.read(file), !bytes.isEmpty {
      lock = try LockYAML.read(SourceText(path: path.text, bytes: bytes))
    }
    lock.entries[name] = entry
    try AtomicFile.writeKeepingMode(LockYAML.encode(lock), to: file, sync: true)
  }
}
