// A project whose data is to be compared: its states, and where its objects are. Opens nothing but settings.
package import CairnCore
import CairnStore
import CairnSystem

package struct DataProject: Sendable {
  package let repository: Repository
  package let history: ValueHistory
  package let storage: DataStorage

  /// - Parameter remote: the name of one to take in place of the default.
  /// - Throws: DVC's words where there is no project; those of a wrong setting.
  package init(_ repository: Repository, _ settings: Settings, remote: String? = nil) throws(Diagnostic) {
    self.repository = repository
    history = try ValueHistory(repository, settings)
    storage = DataStorage(settings, remote: remote)
  }

  /// - Parameter filter: what of the disk does not count.
  func workspaceData(_ filter: any PathFilter) -> WorkspaceData {
    let index = StateIndex(
      path: repository.stateIndexFile, isNetworkFileSystem: Machine.isNetworkFileSystem(repository.root))
    return WorkspaceData(
      repository: repository, snapshotter: Snapshotter(root: repository.root, index: index, filter: filter))
  }
}
