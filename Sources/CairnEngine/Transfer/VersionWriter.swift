// Writes the versions that a push learned into `.dvc` files and locks, in place. Asks no remote, and writes nothing into a
// file that has changed since.
import CairnCore
import CairnFormats
import CairnStore
import CairnSystem
import OrderedCollections

struct VersionWriter {
  private let project: OpenProject
  /// In DVC's words.
  private(set) var said: [String] = []
  private(set) var warnings: [String] = []

  init(_ project: OpenProject) { self.project = project }

  mutating func write(_ news: [VersionedPush.OutputNews]) throws(Diagnostic) {
    var tracked: OrderedDictionary<StageAddress, [VersionedPush.OutputNews]> = [:]
    var locks: OrderedDictionary<RepoPath, OrderedDictionary<String, [VersionedPush.OutputNews]>> = [:]
    for item in news {
      let address = item.output.stage.address
      if let name = address.name {
        locks[PipelineLoader.lockPath(of: address.file), default: [:]][name, default: []].append(item)
      } else {
        tracked[address, default: []].append(item)
      }
    }
    for items in tracked.values { try write(tracked: items) }
    for (path, stages) in locks { try write(lock: path, stages) }
  }

  private mutating func write(tracked news: [VersionedPush.OutputNews]) throws(Diagnostic) {
    guard let stage = news.first?.output.stage, var outputs = stage.tracked?.outputs, let document = stage.tracked?.document
    else { return }
    for item in news {
      guard let locked = item.locked, outputs.indices.contains(item.output.index) else { continue }
      outputs[item.output.index] = locked
    }
    if outputs == stage.tracked?.outputs { return }
    let path = project.repository.absolute(stage.address.file)
    // A push may take hours: what somebody wrote meanwhile may be of other data.
    guard try Files.read(path) == document.mark?.source.bytes else { return warn(stage.address.file) }
    try DataFileWriter.write(
      stage, outputs: outputs, previous: document, keepsChecksum: true, keepsNeedlessChecksum: true, to: path)
  }

  private mutating func write(
    lock file: RepoPath, _ stages: OrderedDictionary<String, [VersionedPush.OutputNews]>
  ) throws(Diagnostic) {
    let path = project.repository.absolute(file)
    guard let bytes = try Files.read(path) else { return warn(file) }
    var lock = try LockYAML.read(SourceText(path: file.text, bytes: bytes)).withHashesOfFiles
    var isStale = false
    for (name, news) in stages {
      guard var entry = lock.entries[name] else {
        isStale = true
        continue
      }
      var hasNews = false
      for item in news {
        let old = item.output.locked
        guard let place = entry.outs.lastIndex(where: { $0.path.hasSameBytes(as: old.path) }),
          entry.outs[place].contentHash == item.output.hash
        else {
          isStale = true
          continue
        }
        if let locked = item.locked { entry.outs[place] = locked.inOrder }
        hasNews = hasNews || item.locked != nil || entry.outs[place].other["cloud"] ?? entry.outs[place].other["files"] != nil
      }
      if hasNews { entry.deps = try entry.deps.map { (dep) throws(Diagnostic) in try listed(dep) } }
      lock.entries[name] = entry
    }
    if isStale { warn(file) }
    let text = LockYAML.encode(lock)
    if text == bytes { return }
    said.append("Updating lock file '\(project.shown(file))'")
    try AtomicFile.writeKeepingMode(text, to: path, sync: true)
  }

  /// As DVC writes a stage whose outputs are told file by file: folders that it reads are, too, as far as they are known.
  private func listed(_ dependency: LockedFile) throws(Diagnostic) -> LockedFile {
    guard let hash = dependency.contentHash, hash.isDirectory, dependency.other["files"] == nil,
      let manifest = try project.cache.store(for: hash).manifest(hash), !manifest.entries.isEmpty
    else { return dependency }
    var listed = dependency
    listed.other["files"] = .list(
      manifest.entries.map { .map(["relpath": .string($0.path), "md5": .string($0.md5.hex)]) })
    return listed
  }

  private mutating func warn(_ file: RepoPath) {
    warnings.append(
      "'\(project.shown(file))' changed while its data was sent: the versions were not written down there. "
        + "The data has arrived; `cairn push` finds it")
  }
}
