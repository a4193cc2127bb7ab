// DVC's words for remotes that are not there, and ours for those that nobody here reaches.
package import CairnCore

extension Diagnostic.Code {
  fileprivate static let noRemote = Diagnostic.Code("no-remote")
}

extension Diagnostic.Code {
  fileprivate static let download = Diagnostic.Code("download")
  fileprivate static let upload = Diagnostic.Code("upload")
}

extension Diagnostic {
  package static func downloadFailed(_ files: Int) -> Diagnostic {
    Diagnostic(.download, "\(files) files failed to download")
  }

  package static func uploadFailed(_ files: Int) -> Diagnostic {
    Diagnostic(.upload, "\(files) files failed to upload")
  }

  /// - Parameter command: DVC's, as its advice names it.
  static func noRemote(_ settings: Settings, root: String, command: String) -> Diagnostic {
    let advice =
      settings.remoteNames.isEmpty
      ? "Create a default remote with\n    dvc remote add -d <remote name> <remote url>"
      : "Setup default remote with\n    dvc remote default <remote name>\nor use:\n"
        + "    dvc \(command) -r <remote name>"
    return Diagnostic(.noRemote, "config file error: no remote specified in \(root). \(advice)")
  }

  static func farRemote(_ name: String, _ command: String) -> Diagnostic {
    var diagnostic = Diagnostic(
      .notInThisVersion, "remote '\(name)' is of a kind that is not in Cairn yet",
      hint: "`dvc \(command)` works on the same files")
    diagnostic.exitCode = 254
    return diagnostic
  }
}
