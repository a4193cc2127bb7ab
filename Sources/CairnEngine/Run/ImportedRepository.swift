// The repository that an import comes from, where it lies on this machine: objects are taken from its cache and its
// default remote, what git has there from its commit. Knows nothing of clones and of other machines.
import CairnCore
import CairnStore
import CairnSystem

struct ImportedRepository {
  private let stores: [LocalRemote]
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
    var stores: [LocalRemote] = []
    if Files.isDirectory(Repository.join(folder, ".dvc")),
      let settings = try? Settings.load(Repository(root: folder, workingDirectory: folder))
    {
      stores.append(LocalRemote(folder: settings.cacheFolder))
      if let name = source["remote"]?.string ?? settings.defaultRemote,
        let remote = RemoteFolders(settings).folder(of: name)
      {
        stores.append(LocalRemote(folder: remote))
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
      if try store.fetch(hash, into: cache).isEmpty { return }
    }
    // A file that git has there.
    guard !hash.isDirectory, hash.algorithm == .md5, let git, let revision,
      let bytes = try GitObjects(git).show(revision, path), ContentHasher.md5(of: bytes) == hash.digest
    else { return }
    let store = cache.store(for: hash)
    if try !store.contains(hash) { try store.write(bytes, as: hash) }
  }
}
