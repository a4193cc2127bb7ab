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

  /// A path in the lock entry of a stage.
  private struct LockedPath: Hashable {
    var stage: RepoPath
    var section: String
    var path: RepoPath
  }

  /// Where locks have their paths: asked for where something is wrong in one, and then perhaps of each.
  private let lockMarks = Mutex<[RepoPath: [LockedPath: SourceMark]]>([:])

  /// Where the lock entry of a stage has a path.
  ///
  /// - Parameter section: `deps` or `outs`.
  package func lockMark(of stage: StageAddress, _ section: String, _ path: String) -> SourceMark? {
    let lock = PipelineLoader.lockPath(of: stage.file)
    let wanted = LockedPath(
      stage: RepoPath(unchecked: stage.name ?? ""), section: section, path: RepoPath(unchecked: path))
    return lockMarks.withLock { known in
      if known[lock] == nil { known[lock] = marks(of: lock) }
      return known[lock]?[wanted]
    }
  }

  private func marks(of lock: RepoPath) -> [LockedPath: SourceMark] {
    guard let bytes = (try? files.read(lock)) ?? nil,
      let document = try? YAMLReader.parse(SourceText(path: lock.text, bytes: bytes))
    else { return [:] }
    var marks: [LockedPath: SourceMark] = [:]
    for stage in document["stages"]?.entries ?? [] {
      for section in ["deps", "outs"] {
        for item in stage.value[section]?.items ?? [] {
          guard let path = item["path"], let text = path.string else { continue }
          let place = LockedPath(
            stage: RepoPath(unchecked: stage.key.string ?? ""), section: section, path: RepoPath(unchecked: text))
          if marks[place] == nil { marks[place] = path.mark }
        }
      }
    }
    return marks
  }

  /// Objects of the cache that were looked for.
  private let objects = Mutex<[String]>([])
  package var lookedFor: [String] { objects.withLock { $0 } }
  /// Each is read once: many stages may depend on files of one folder.
  private let manifests = Mutex<[ContentHash: DirectoryManifest?]>([:])

  /// The list that the cache has of a folder, if it is here.
  package func manifest(_ hash: ContentHash) -> DirectoryManifest? {
    if let known = manifests.withLock({ $0[hash] }) { return known }
    let store = cache.store(for: hash)
    objects.withLock { $0.append(store.path(of: hash)) }
    let found = (try? store.manifest(hash)) ?? nil
    manifests.withLock { $0[hash] = .some(found) }
    return found
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
