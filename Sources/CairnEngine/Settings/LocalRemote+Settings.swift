// Which folder of this machine a remote of the settings means. Transfers nothing.
package import CairnCore
package import CairnStore
import CairnSystem

extension LocalRemote {
  /// - Parameters:
  ///   - name: `nil` or empty: the default one.
  ///   - command: DVC's, for its words and the hint.
  /// - Throws: DVC's words where there is none; a refusal where it is no folder of this machine.
  package static func named(
    _ name: String?, in settings: Settings, _ repository: Repository, command: String
  ) throws(Diagnostic) -> LocalRemote {
    let chosen = name.flatMap { $0.isEmpty ? nil : $0 } ?? settings.defaultRemote
    guard let chosen else { throw .noRemote(settings, repository, command: command) }
    guard settings.remote(chosen)?["url"] != nil else {
      throw Diagnostic(.noRemote, "config file error: remote '\(chosen)' doesn't exist")
    }
    guard let folder = RemoteFolders(settings).folder(of: chosen) else { throw .farRemote(chosen, command) }
    return LocalRemote(folder: folder)
  }
}

extension Diagnostic.Code {
  fileprivate static let noRemote = Diagnostic.Code("no-remote")
}

extension Diagnostic {
  /// - Parameter command: DVC's, as its advice names it.
  static func noRemote(_ settings: Settings, _ repository: Repository, command: String) -> Diagnostic {
    let advice =
      settings.remoteNames.isEmpty
      ? "Create a default remote with\n    dvc remote add -d <remote name> <remote url>"
      : "Setup default remote with\n    dvc remote default <remote name>\nor use:\n"
        + "    dvc \(command) -r <remote name>"
    return Diagnostic(.noRemote, "config file error: no remote specified in \(repository.root). \(advice)")
  }

  static func farRemote(_ name: String, _ command: String) -> Diagnostic {
    var diagnostic = Diagnostic(
      .notInThisVersion, "remote '\(name)' is no folder of this machine: such remotes are not in Cairn yet",
      hint: "`dvc \(command)` works on the same files")
    diagnostic.exitCode = 254
    return diagnostic
  }
}
