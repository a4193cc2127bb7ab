// Where the objects behind recorded data are: the cache, and remotes. Changes nothing
// there. Knows nothing of the workspace.
import CairnCore
import CairnFormats
import CairnStore
import CairnSystem
import Synchronization

package final class DataStorage: Sendable {
  private let cache: DataCache
  private let settings: Settings
  private let remotes: OpenRemotes
  /// Instead of the default one.
  private let remote: String?
  private let origins: ImportOrigins
  /// The storage of another state: a list that was found there is known here too, as with DVC's index.
  private let beside: DataStorage?
  private let manifests = Mutex<[ContentHash: Result<DirectoryManifest, Diagnostic>]>([:])

  /// - Parameter remote: the name of one to take in place of the default.
  package convenience init(_ settings: Settings, remote: String? = nil) {
    self.init(settings, remote: remote, depth: 0)
  }

  /// - Parameters:
  ///   - depth: how many imports lead here.
  ///   - beside: the storage of the workspace, where this is another state's: there is one cache, as with DVC, and the
  ///     state's settings name the remotes alone.
  init(_ settings: Settings, remote: String? = nil, depth: Int, beside: DataStorage? = nil) {
    self.beside = beside
    self.settings = settings
    self.remote = remote
    remotes = OpenRemotes(settings)
    cache =
      beside?.cache ?? DataCache(folder: settings.cacheFolder, isShared: settings.isCacheShared, mends: false)
    origins = ImportOrigins(cacheFolder: beside?.settings.cacheFolder ?? settings.cacheFolder, depth: depth)
  }

  /// The name of the remote of an output; `nil` where there is none.
  ///
  /// - Throws: DVC's words for one that no setting knows.
  private func remoteName(of output: DataOutput) throws(Diagnostic) -> String? {
    guard let name = output.remote ?? remote ?? settings.defaultRemote else { return nil }
    guard settings.remote(name)?["url"] != nil else {
      throw Diagnostic(.configuration, "config file error: remote '\(name)' doesn't exist")
    }
    return name
  }

  func check(_ outputs: [DataOutput]) throws(Diagnostic) {
    for name in Dictionary(grouping: outputs, by: \.remote).values.compactMap(\.first) { _ = try remoteName(of: name) }
  }

  /// A tree of outputs, whose lists are read where they are wanted.
  func tree(of outputs: [DataOutput]) throws(Diagnostic) -> DataTree {
    try check(outputs)
    let tree = DataTree { hash throws(Diagnostic) in try self.manifest(hash, outputs).get() }
    for output in outputs {
      tree.insert(output.entry, at: output.path, contents(of: output))
      for (file, entry) in output.filesAtSource { tree.insert(entry, at: output.path.appending(file)) }
    }
    return tree
  }

  private func contents(of output: DataOutput) -> DataTree.Contents {
    if !output.entry.isStored { return .nothing }
    if let files = output.files, case .content(let hash) = output.entry.hash {
      return .known(DataTree.Listing(files, hash.algorithm))
    }
    guard let origin = output.origin else { return .listed }
    let origins = origins
    return .imported(
      DataTree.Origin(
        isFolder: { () throws(Diagnostic) in try origins.isFolder(origin) },
        entries: { () throws(Diagnostic) in try origins.entries(below: origin) }))
  }

  /// From the cache, else from the remotes that outputs have; those of another repository are none of these.
  private func manifest(_ hash: ContentHash, _ outputs: [DataOutput]) -> Result<DirectoryManifest, Diagnostic> {
    if let known = manifests.withLock({ $0[hash] }) { return known }
    if let beside, case .success(let list)? = beside.manifests.withLock({ $0[hash] }) { return .success(list) }
    let users = outputs.filter { $0.entry.hash == .content(hash) }
    let remotes = users.filter { $0.origin == nil }.compactMap(objects)
    let found = (try? cache.store(for: hash).manifest(hash)) ?? remotes.lazy.compactMap { ((try? $0.list(of: hash)) ?? nil)?.manifest }.first
    let result: Result<DirectoryManifest, Diagnostic>
    if let found {
      result = .success(found)
    } else {
      // DVC tells where it looked last.
      let path = remotes.last?.name(of: hash) ?? cache.store(for: hash).path(of: hash)
      result = .failure(Self.fault(of: path))
    }
    manifests.withLock { $0[hash] = result }
    return result
  }

  /// Why a list is not to be had, in DVC's words: its object is missing, or damaged.
  private static func fault(of path: String) -> Diagnostic {
    guard let bytes = try? Files.read(path) else {
      return Diagnostic(.noFolderList, "[Errno 2] No such file or directory: '\(path)'")
    }
    let name = path.split(separator: "/").suffix(2).joined()
    let fault = Diagnostic(.noFolderList, "object \(name) is corrupted")
    do throws(Diagnostic) {
      _ = try ManifestJSON.decode(bytes)
      return fault
    } catch {
      return error.causes.first.map(fault.because) ?? fault
    }
  }

  /// `nil` where the output has no remote, or one of a kind that is not known here.
  private func objects(of output: DataOutput) -> RemoteObjects? {
    guard let name = (try? remoteName(of: output)) ?? nil else { return nil }
    return (try? remotes.storage(name, command: "data status")).map { RemoteObjects($0) }
  }

  /// Whether an object of this name is in the cache; its bytes are not looked at.
  func isInCache(_ hash: DataHash) -> Bool {
    guard let hash = hash.content else { return false }
    return Files.exists(cache.store(for: hash).path(of: hash))
  }

  /// Positions of the entries with a hash that is not in the cache, in their order.
  func missing(_ entries: [DataTree.Entry]) -> [Int] {
    let present = Parallel.map(entries.count) { number in
      let entry = entries[number]
      return entry.isStored && entry.hash.map(isInCache) ?? true
    }
    return present.indices.filter { !present[$0] }
  }

  /// Whether the remote of an output has an object; false where there is no remote.
  ///
  /// - Throws: a refusal where the remote is of a kind that is not known here.
  func isInRemote(_ hash: DataHash, of output: DataOutput) throws(Diagnostic) -> Bool {
    guard let name = try remoteName(of: output) else { return false }
    let objects = RemoteObjects(try remotes.storage(name, command: "data status"))
    guard let content = hash.content else { return false }
    return try objects.hasFile(content)
  }
}
