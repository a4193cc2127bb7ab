// One state of a project that is verified: the work tree, or a commit. Opened once; takes no lock, writes nothing.
package import CairnCore
package import CairnEngine
package import CairnStore
import CairnFormats
import CairnSystem
import Synchronization

package final class VerifySubject: Sendable {
  package let repository: Repository
  /// Of the state that is looked at.
  package let settings: Settings
  package let loader: PipelineLoader
  package let project: LoadedProject
  package let files: any ProjectFiles
  /// What git has, or why that cannot be told.
  package let source: Result<any SourceTree, Diagnostic>
  package let paths: PathResolver
  /// The full name of the commit; `nil` for the work tree.
  package let revision: String?
  package let cache: DataCache

  private init(
    repository: Repository, settings: Settings, loader: PipelineLoader, project: LoadedProject, files: any ProjectFiles,
    source: Result<any SourceTree, Diagnostic>, paths: PathResolver, revision: String?
  ) {
    self.repository = repository
    self.settings = settings
    self.loader = loader
    self.project = project
    self.files = files
    self.source = source
    self.paths = paths
    self.revision = revision
    cache = DataCache(folder: settings.cacheFolder, mends: false)
  }

  /// Locks with their places: asked for where something is wrong in one.
  private let lockDocuments = Mutex<[RepoPath: MarkedValue]>([:])

  /// Where the lock entry of a stage has a path.
  ///
  /// - Parameter section: `deps` or `outs`.
  package func lockMark(of stage: StageAddress, _ section: String, _ path: String) -> SourceMark? {
    let lock = PipelineLoader.lockPath(of: stage.file)
    let document = lockDocuments.withLock { known -> MarkedValue? in
      if let found = known[lock] { return found }
      guard let bytes = (try? files.read(lock)) ?? nil,
        let read = try? YAMLReader.parse(SourceText(path: lock.text, bytes: bytes))
      else { return nil }
      known[lock] = read
      return read
    }
    let items = document?["stages"]?[stage.name ?? ""]?[section]?.items ?? []
    return items.first { $0["path"]?.string?.hasSameBytes(as: path) ?? false }?.entry("path")?.value.mark
  }

  /// Objects of the cache that were looked for.
  private let objects = Mutex<[String]>([])
  package var lookedFor: [String] { objects.withLock { $0 } }

  /// The list that the cache has of a folder, if it is here.
  package func manifest(_ hash: ContentHash) -> DirectoryManifest? {
    let store = cache.store(for: hash)
    objects.withLock { $0.append(store.path(of: hash)) }
    return (try? store.manifest(hash)) ?? nil
  }

  /// An object of the cache, if it is here.
  package func object(_ hash: ContentHash) -> [UInt8]? {
    let store = cache.store(for: hash)
    objects.withLock { $0.append(store.path(of: hash)) }
    return (try? store.read(hash)) ?? nil
  }

  /// The project inside git's work tree: empty, or ending in `/`.
  package var prefix: String {
    guard let top = paths.workTree else { return "" }
    let inside = Repository.relative(repository.root, to: top)
    return inside == "." ? "" : inside + "/"
  }

  /// The work tree as it stands.
  package static func workTree(_ repository: Repository) throws(Diagnostic) -> VerifySubject {
    let settings = try Settings.load(repository)
    // That DVC leaves git alone (`core.no_scm`) does not change what is committed.
    let git = try GitRepository.find(from: repository.root)
    let loader = PipelineLoader(repository, settings, notesUses: true)
    let index = StateIndex(
      path: repository.stateIndexFile, isNetworkFileSystem: Machine.isNetworkFileSystem(repository.root))
    let snapshotter = Snapshotter(root: repository.root, index: index, filter: loader.ignore)
    let paths = PathResolver(root: repository.root, workTree: git?.workTree)
    // Git is asked while the pipeline is read.
    let source = Prefetch { () -> Result<any SourceTree, Diagnostic> in
      guard let git else { return .failure(.withoutGit) }
      do throws(Diagnostic) {
        return .success(try WorkTreeSource(git, paths: paths, snapshotter: snapshotter))
      } catch { return .failure(error) }
    }
    source.begin()
    let project = loader.loadKeepingFailures()
    return VerifySubject(
      repository: repository, settings: settings, loader: loader, project: project,
      files: DiskFiles(root: repository.root), source: source.value, paths: paths, revision: nil)
  }

  /// A commit, by any name that git understands.
  ///
  /// - Throws: when there is no git, no such commit, or when the project was not there yet.
  package static func commit(_ name: String, _ repository: Repository) throws(Diagnostic) -> VerifySubject {
    let opened = try CommittedProject.open(name, repository)
    return VerifySubject(
      repository: repository, settings: opened.settings, loader: opened.loader, project: opened.project,
      files: opened.files, source: .success(CommitSource(opened.tree)),
      paths: PathResolver(root: repository.root, workTree: opened.git.workTree), revision: opened.revision)
  }
}

extension Diagnostic {
  fileprivate static var withoutGit: Diagnostic {
    Diagnostic(.noGit, "there is no git here to say what is committed")
  }
}
