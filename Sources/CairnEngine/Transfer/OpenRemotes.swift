// The remotes of the settings, each opened when it is first needed. Knows no protocol but that of folders.
package import CairnCore
package import CairnStore
import Synchronization

/// What reaches remotes on other machines.
package protocol RemoteConnector: Sendable {
  /// The storage behind a remote whose URL is no folder of this machine; `nil` for a kind that is not known here.
  ///
  /// - Parameters:
  ///   - options: of the remote, its `url` resolved.
  ///   - folder: where paths in the options start.
  /// - Throws: when the options cannot be.
  func storage(
    _ name: String, _ options: ValueMap, relativeTo folder: String
  ) throws(Diagnostic) -> (any RemoteStorage)?
}

/// The connector of this process, which the layers that know networks give once, at its start.
package enum RemoteConnectors {
  private static let connector = Mutex<(any RemoteConnector)?>(nil)

  package static var current: (any RemoteConnector)? { connector.withLock { $0 } }

  package static func use(_ new: any RemoteConnector) { connector.withLock { $0 = new } }
}

package final class OpenRemotes: Sendable {
  private let settings: Settings
  /// For DVC's words where there is no remote.
  private let repository: Repository?
  private let connector: (any RemoteConnector)?
  private let known = Mutex<[String: any RemoteStorage]>([:])

  package init(
    _ settings: Settings, _ repository: Repository? = nil, _ connector: (any RemoteConnector)? = RemoteConnectors.current
  ) {
    self.settings = settings
    self.repository = repository
    self.connector = connector
  }

  /// - Parameters:
  ///   - name: `nil` or empty: the default one.
  ///   - command: DVC's, for its words and the hint.
  /// - Throws: DVC's words where there is none, and where it keeps versions: objects have no place there; a refusal where it
  ///   is of a kind that is not known here.
  package func storage(_ name: String?, command: String) throws(Diagnostic) -> any RemoteStorage {
    let name = try self.name(name, command: command)
    if try isVersioned(name) {
      // There DVC looks for files, and we do not yet.
      if command == "data status" { throw .farRemote(name, command) }
      throw Diagnostic(
        .configuration, "config file error: '\(command)' is unsupported for cloud versioned remotes")
    }
    return try open(name, command)
  }

  /// One that keeps versions of files under their plain paths; `nil` for any other.
  ///
  /// - Throws: DVC's words where there is none.
  package func versioned(_ name: String?, command: String) throws(Diagnostic) -> (any VersionedStorage)? {
    let name = try self.name(name, command: command)
    return try isVersioned(name) ? try open(name, command) as? any VersionedStorage : nil
  }

  /// Whether files lie under their plain paths on a remote, each in all its versions, instead of objects.
  ///
  /// - Throws: where its options contradict each other.
  package func isVersioned(_ name: String) throws(Diagnostic) -> Bool {
    guard let options = settings.remote(name), options["url"]?.string?.hasPrefix("s3://") ?? false else { return false }
    let isAware = options["version_aware"].map(Self.isSet)
    guard options["worktree"].map(Self.isSet) ?? false else { return isAware ?? false }
    if isAware == false { throw Diagnostic(.configuration, "config file error: worktree remotes require version_aware cloud") }
    return true
  }

  private static func isSet(_ flag: Value) -> Bool {
    flag.bool ?? flag.string.map { ["true", "yes", "on", "1"].contains($0.lowercased()) } ?? false
  }

  private func open(_ name: String, _ command: String) throws(Diagnostic) -> any RemoteStorage {
    if let storage = known.withLock({ $0[name] }) { return storage }
    guard let options = settings.remote(name), options["url"] != nil else { throw .unknownRemote(name) }
    let storage: any RemoteStorage
    if let folder = RemoteFolders(settings).folder(of: name) {
      storage = FolderStorage(folder: folder)
    } else if let far = try connector?.storage(name, options, relativeTo: settings.dvcFolder) {
      storage = far
    } else {
      throw .farRemote(name, command)
    }
    known.withLock { $0[name] = storage }
    return storage
  }

  /// - Throws: DVC's words where there is none of the name, or no default one.
  package func name(_ name: String?, command: String) throws(Diagnostic) -> String {
    guard let chosen = self.name(name) else { throw .noRemote(settings, root: repository?.root ?? "", command: command) }
    if settings.remote(chosen)?["url"] == nil { throw .unknownRemote(chosen) }
    return chosen
  }

  /// In lower case, as settings have it; `nil` where no name is given and there is no default.
  package func name(_ name: String?) -> String? {
    name.flatMap { $0.isEmpty ? nil : $0.lowercased() } ?? settings.defaultRemote
  }
}

extension Diagnostic {
  static func unknownRemote(_ name: String) -> Diagnostic {
    Diagnostic(.configuration, "config file error: remote '\(name)' doesn't exist")
  }
}
