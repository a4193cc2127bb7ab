// Whether data could be fetched again: is it on the remote. Looks at folders of this machine only, and changes nothing.
import CairnCore
import CairnStore
import CairnSystem

/// Asked only for what is shown on a terminal.
package struct DataOnRemote: Sendable {
  package enum Answer: String, Sendable { case yes, no, unknown }

  /// The default remote; `nil` where it is no folder of this machine.
  private let remote: RemoteObjects?

  /// `nil` where the project has no default remote, so that there is nothing to be said.
  package init?(_ repository: Repository, _ settings: Settings) {
    if settings.defaultRemote == nil { return nil }
    remote = settings.defaultRemote.flatMap { RemoteFolders(settings).folder(of: $0) }
      .map { RemoteObjects(FolderStorage(folder: $0)) }
  }

  /// - Parameter md5: as DVC writes it, with `.dir` for a folder, of which the manifest is looked for.
  package func answer(md5: String?) -> Answer {
    guard let remote, let hash = md5.flatMap({ ContentHash($0) }) else { return .unknown }
    // Data of DVC 2 lies where that put it, under the hash that it had.
    let legacy = ContentHash(.md5Dos2unix, hash.digest, isDirectory: hash.isDirectory)
    guard let isThere = try? remote.hasFile(hash) || remote.hasFile(legacy) else { return .unknown }
    return isThere ? .yes : .no
  }
}
