// Where the remotes of the settings lie, those that are folders of this machine. Knows nothing of what lies in them.
import CairnCore

package struct RemoteFolders: Sendable {
  private static let prefix = "remote://"
  private let folders: [String: String]
  private let names: Set<String>

  package init(_ settings: Settings) {
    var folders: [String: String] = [:]
    for name in settings.remoteNames { folders[name] = Self.folder(of: name, in: settings, depth: 0) }
    self.folders = folders
    names = Set(settings.remoteNames)
  }

  /// The folder that a remote is; `nil` where it lies elsewhere or is not there.
  package func folder(of name: String) -> String? { folders[name.lowercased()] }

  /// What `remote://NAME/path` means on this machine; `nil` for every other URL.
  package func path(of url: String) -> String? { Self.parts(of: url)?.path(folder) }

  /// Why there is no path for `url`: its remote is in no setting, or it lies on another machine.
  func refusal(of url: String) -> Diagnostic { unknownRemote(in: url) ?? .remoteLocation(url) }

  /// The fault of a URL whose remote is in no setting.
  func unknownRemote(in url: String) -> Diagnostic? {
    guard let name = Self.parts(of: url)?.name, !names.contains(name.lowercased()) else { return nil }
    return Diagnostic(.configuration, "config file error: remote '\(name)' doesn't exist")
  }

  /// A remote may stand on another one; ten deep is a circle.
  private static func folder(of name: String, in settings: Settings, depth: Int) -> String? {
    guard depth <= 10, let options = settings.remote(name), let url = options["url"]?.string else { return nil }
    if let parts = parts(of: url) { return parts.path { folder(of: $0, in: settings, depth: depth + 1) } }
    if PathResolver.isURL(url) || options["worktree"]?.isTruthy == true { return nil }
    return url.hasPrefix("/") ? url : Repository.join(settings.dvcFolder, url)
  }

  /// `remote://NAME/path`, taken apart.
  private struct Parts {
    var name: String
    var rest: String?

    func path(_ folder: (String) -> String?) -> String? {
      folder(name).map { folder in rest.map { Repository.join(folder, $0) } ?? folder }
    }
  }

  /// `nil` for another URL, and for one that names nothing.
  private static func parts(of url: String) -> Parts? {
    guard url.hasPrefix(prefix) else { return nil }
    let parts = url.dropFirst(prefix.count).split(separator: "/", maxSplits: 1).map(String.init)
    return parts.first.map { Parts(name: $0, rest: parts.count > 1 ? parts[1] : nil) }
  }
}
