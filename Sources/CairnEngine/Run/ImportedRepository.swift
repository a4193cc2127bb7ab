// The repository that an import comes from, where it lies on this machine: objects are taken from its cache and its
// default remote, files and folders that git has there from its commit. Knows nothing of clones and of other machines.
import CairnCore
import CairnFormats
import CairnStore
import CairnSystem

struct ImportedRepository {
  private let stores: [RemoteObjects]
  private let git: GitRepository?
  /// The commit that was imported.
  private let revision: String?
  /// The imported path, from that repository's root.
  private let path: String

  /// `nil` for a stage that is no import, or whose source is no folder of this machine.
  init?(of stage: Stage) {
    guard stage.isImport, let dependency = stage.dependencies.first, let source = dependency.source?.repository,
      let url = source["url"]?.string, !PathResolver.isURL(url), let here = try? Files.currentDirectory()
    else { return nil }
    // As DVC reads it: from where the command stands.
    let folder = Repository.normalized(url.hasPrefix("/") ? url : Repository.join(here, url))
    guard Files.isDirectory(folder) else { return nil }
    var stores: [RemoteObjects] = []
    let repository = Repository(root: folder, workingDirectory: folder)
    if Files.isDirectory(Repository.join(folder, ".dvc")), let settings = try? Settings.load(repository) {
      stores.append(RemoteObjects(FolderStorage(folder: settings.cacheFolder)))
      if let name = source["remote"]?.string ?? settings.defaultRemote,
        let storage = try? OpenRemotes(settings, repository).storage(name, command: "fetch")
      {
        stores.append(RemoteObjects(storage))
      }
    }
    self.stores = stores
    git = (try? GitRepository.find(from: folder)) ?? nil
    revision = source["rev_lock"]?.string
    path = dependency.declared
  }

  /// Brings the object into the cache, and all that a directory lists; what is found nowhere is left out.
  func fetch(_ hash: ContentHash, into cache: DataCache) throws(Diagnostic) {
    for store in stores {
      if try store.bring(hash, into: cache).isEmpty { return }
    }
    guard hash.algorithm == .md5, let git, let revision else { return }
    let objects = GitObjects(git)
    if hash.isDirectory { return try fetchFolder(hash, of: revision, git, objects, into: cache) }
    // A file that git has there.
    guard let bytes = try objects.show(revision, path), ContentHasher.md5(of: bytes) == hash.digest else { return }
    try keep(bytes, as: hash, in: cache)
  }

  /// A folder that git has there, where it is the one that was imported: its files, and a list for it and for each
  /// folder in it.
  private func fetchFolder(
    _ hash: ContentHash, of revision: String, _ git: GitRepository, _ objects: GitObjects, into cache: DataCache
  ) throws(Diagnostic) {
    let prefix = path + "/"
    let files = (try git.tree(revision, path: path) ?? []).filter { $0.mode.hasPrefix("100") && $0.path.hasPrefix(prefix) }
    var entries: [DirectoryManifest.Entry] = []
    var folders: [String: [DirectoryManifest.Entry]] = [:]
    for file in files {
      guard let bytes = try objects.object(file.object) else { return }
      let inner = String(file.path.dropFirst(prefix.count))
      let md5 = ContentHasher.md5(of: bytes)
      entries.append(.init(path: inner, md5: md5))
      for end in inner.indices where inner[end] == "/" {
        folders[String(inner[..<end]), default: []].append(
          .init(path: String(inner[inner.index(after: end)...]), md5: md5))
      }
    }
    let list = ManifestJSON.encode(DirectoryManifest(entries))
    guard ContentHasher.md5(of: list) == hash.digest else { return }
    // Their bytes are read again: all at once may be more than memory holds.
    for (file, entry) in zip(files, entries) {
      guard let bytes = try objects.object(file.object) else { return }
      try keep(bytes, as: ContentHash(.md5, entry.md5), in: cache)
    }
    for entries in folders.values {
      let list = ManifestJSON.encode(DirectoryManifest(entries))
      try keep(list, as: ContentHash(.md5, ContentHasher.md5(of: list), isDirectory: true), in: cache)
    }
    try keep(list, as: hash, in: cache)
  }

  private func keep(_ bytes: [UInt8], as hash: ContentHash, in cache: DataCache) throws(Diagnostic) {
    let store = cache.store(for: hash)
    if try !store.contains(hash) { try store.write(bytes, as: hash) }
  }
}
