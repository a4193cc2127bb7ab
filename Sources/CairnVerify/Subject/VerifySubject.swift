// One state of a project that is verified: the work tree, or a commit. Opened once; takes no lock, writes nothing.
package import CairnCore
package import CairnEngine
package import CairnStore
import CairnSystem

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

  /// Takes the bytes of the lists that the cache has of folders; nothing else of it is looked at.
  package func manifest(_ hash: ContentHash) -> DirectoryManifest? {
    (try? cache.store(for: hash).manifest(hash)) ?? nil
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
    let git = settings.hasNoSCM ? nil : try GitRepository.find(from: repository.root)
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
