// DVC's run-cache: for each set of inputs that a stage was run with, the outputs that it made. Knows the entries and
// their names; knows nothing of running, and leaves the objects to the cache.
package import CairnCore
import CairnFormats
import CairnSystem
import Glibc

/// `CACHE/runs/xx/KEY/VALUE`: a YAML document each, the stage's entry as `dvc.lock` has it.
package struct RunCache: Sendable {
  package let cache: DataCache

  package init(cache: DataCache) { self.cache = cache }

  package var folder: String { cache.folder + "/runs" }

  /// Whether DVC would keep a run of this stage: it has a command, something it depends on and something it makes;
  /// it does not run every time; all it depends on is on this machine; all it makes is in the project and made new by
  /// each run.
  package static func canKeep(_ stage: Stage) -> Bool {
    if stage.isAlwaysChanged || stage.isCallback || stage.commands.allSatisfy(\.isEmpty) { return false }
    if stage.dependencies.isEmpty && stage.parameters.isEmpty || stage.outputs.isEmpty { return false }
    for dependency in stage.dependencies {
      if case .url = dependency.location { return false }
      if dependency.source != nil || dependency.declared.isEmpty { return false }
    }
    return stage.outputs.allSatisfy { $0.location.local != nil && !$0.isPersistent && !$0.declared.isEmpty }
  }

  /// What is looked up before a run: SHA-256 of command, dependencies, parameters and the paths of the outputs.
  ///
  /// Of `entry` the outputs' hashes do not matter; its lists must be in the lock's order.
  package static func key(_ entry: LockEntry) -> String { digest(RunCacheText.ofInputs(entry)) }

  /// The name of the entry below its key: SHA-256 of the whole.
  package static func value(_ entry: LockEntry) -> String { digest(RunCacheText.ofAll(entry)) }

  /// The newest entry for these inputs; `nil` when there is none, or when the newest is broken: that one is removed,
  /// as DVC removes it, where the cache mends, and handed to `warn` as a message.
  package func entry(
    for key: String, warn: (String) -> Void = { _ in }
  ) throws(Diagnostic) -> LockEntry? {
    let folder = folder(of: key)
    guard let names = try Files.list(folder) else { return nil }
    var newest: (name: String, modified: Nanoseconds)?
    for item in names where !AtomicFile.isTemporaryName(item.name) {
      guard let found = try FileStat.of(folder + "/" + item.name) else { continue }
      if newest.map({ $0.modified < found.modified }) ?? true { newest = (item.name, found.modified) }
    }
    guard let newest else { return nil }
    return try load(folder + "/" + newest.name, warn: warn)
  }

  /// The entry for these inputs whose outputs are all in the cache, whole: what may stand for a run.
  package func restorableEntry(
    for key: String, warn: (String) -> Void = { _ in }
  ) throws(Diagnostic) -> LockEntry? {
    guard let entry = try entry(for: key, warn: warn) else { return nil }
    for out in entry.outs {
      guard let hash = out.contentHash, try cache.contains(hash) else { return nil }
    }
    return entry
  }

  /// Writes the entry of a finished run; one that is there stays. The objects of outputs that the stage keeps out of
  /// the cache must be saved too: `saveUncached`.
  package func save(_ entry: LockEntry) throws(Diagnostic) {
    let folder = folder(of: Self.key(entry))
    let path = folder + "/" + Self.value(entry)
    let store = cache.legacy
    // In a folder that was not there is no entry either.
    if try !store.makeFolders(folder), try load(path) != nil { return }
    // Whoever looks an entry up takes all that lies in its folder for one, and removes what he cannot read.
    try AtomicFile.write(LockYAML.encodeAlone(entry), to: path, sync: false, by: cache.folder)
    if store.isShared { _ = RawFile.chmod(path, store.fileMode) }
  }

  /// Saves the outputs that `stage` declares `cache: false`, as DVC does beside an entry, which names them: always by
  /// copy, since git tracks them.
  package func saveUncached(_ stage: Stage, _ entry: LockEntry, by snapshotter: Snapshotter) throws(Diagnostic) {
    let writer = CacheWriter(cache: cache.linking(by: [.copy]), snapshotter: snapshotter)
    for output in stage.outputs where !output.isCached {
      guard let path = output.location.local else { continue }
      _ = try writer.save(path, algorithm: entry.out(output.declared)?.contentHash?.algorithm ?? .md5)
    }
  }

  // MARK: -

  private func folder(of key: String) -> String { folder + "/" + key.prefix(2) + "/" + key }

  private func load(_ path: String, warn: (String) -> Void = { _ in }) throws(Diagnostic) -> LockEntry? {
    guard let bytes = try Files.read(plain: path) else { return nil }
    do throws(Diagnostic) {
      let document = try YAMLReader.parse(SourceText(path: path, bytes: bytes))
      guard document["cmd"] != nil, document["outs"] != nil else { throw .brokenRunCacheEntry(path) }
      let lock = try LockYAML.parse(Self.asLock(document))
      guard let entry = lock.entries["entry"] else { throw .brokenRunCacheEntry(path) }
      return entry
    } catch {
      warn("corrupted cache file '\(path)'.")
      if cache.mends { try Files.remove(path) }
      return nil
    }
  }

  /// The entry as the only stage of a lock, so that one reader serves both.
  private static func asLock(_ entry: MarkedValue) -> MarkedValue {
    func pair(_ key: String, _ value: MarkedValue) -> MarkedValue.MarkedEntry {
      MarkedValue.MarkedEntry(key: MarkedValue(.string(key)), value: value)
    }
    let stages = MarkedValue(.map([pair("entry", entry)]), at: entry.mark)
    return MarkedValue(
      .map([pair("schema", MarkedValue(.string("2.0"))), pair("stages", stages)]), at: entry.mark)
  }

  private static func digest(_ text: [UInt8]) -> String { ContentHasher.sha256(of: text).hex }
}

extension Diagnostic {
  fileprivate static func brokenRunCacheEntry(_ path: String) -> Diagnostic {
    Diagnostic(.corruptObject, "corrupted cache file '\(path)'.")
  }
}
