// A project whose data is to be compared: its states, and where its objects are. Opens nothing but settings.
package import CairnCore
import CairnStore
import CairnSystem

package struct DataProject: Sendable {
  package let repository: Repository
  package let history: ValueHistory
  package let storage: DataStorage
  private let settings: Settings
  private let remote: String?

  /// - Parameter remote: the name of one to take in place of the default.
  /// - Throws: DVC's words where there is no project; those of a wrong setting.
  package init(_ repository: Repository, _ settings: Settings, remote: String? = nil) throws(Diagnostic) {
    self.repository = repository
    self.settings = settings
    self.remote = remote
    history = try ValueHistory(repository, settings)
    storage = DataStorage(settings, remote: remote)
  }

  /// Where the objects of one state are: in today's cache, and on remotes by the settings that it has itself, as with
  /// DVC.
  func storage(of state: ProjectState) throws(Diagnostic) -> DataStorage {
    guard let files = state.files as? CommitFiles else { return storage }
    let own = try Settings.load(repository, at: files)
      .overlaid(with: ConfigLevels(dvcFolder: repository.dvcFolder).values(.local))
    // Most often they are the same, and lists need not be read twice.
    return own.config == settings.config ? storage : DataStorage(own, remote: remote, depth: 0, beside: storage)
  }

  /// - Parameter filter: what of the disk does not count.
  func workspaceData(_ filter: any PathFilter) -> WorkspaceData {
    let index = StateIndex(
      path: repository.stateIndexFile, isNetworkFileSystem: Machine.isNetworkFileSystem(repository.root))
    return WorkspaceData(
      repository: repository, snapshotter: Snapshotter(root: repository.root, index: index, filter: filter))
  }
}
