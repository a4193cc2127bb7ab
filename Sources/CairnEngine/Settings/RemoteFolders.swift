// Where the remotes of the settings lie, those that are folders of this machine. Knows nothing of what lies in them.
import CairnCore

package struct RemoteFolders: Sendable {
  private static let prefix = "remote://"
  private let folders: [String: String]

  package init(_ settings: Settings) {
    var folders: [String: String] = [:]
    for name in settings.remoteNames { folders[name] = Self.folder(of: name, in: settings, depth: 0) }
    self.folders = folders
  }

  /// The folder that a remote is; `nil` where it lies elsewhere or is not there.
  package func folder(of name: String) -> String? { folders[name.lowercased()] }

  /// What `remote://NAME/path` means on this machine; `nil` for every other URL.
  package func path(of url: String) -> String? {
    guard url.hasPrefix(Self.prefix) else { return nil }
    let parts = url.dropFirst(Self.prefix.count).split(separator: "/", maxSplits: 1)
    guard let name = parts.first, let folder = folder(of: String(name)) else { return nil }
    return parts.count > 1 ? Repository.join(folder, String(parts[1])) : folder
  }

  /// A remote may stand on another one; ten deep is a circle.
  private static func folder(of name: String, in settings: Settings, depth: Int) -> String? {
    guard depth <= 10, let options = settings.remote(name), let url = options["url"]?.string else { return nil }
    if url.hasPrefix(prefix) {
      let parts = url.dropFirst(prefix.count).split(separator: "/", maxSplits: 1)
      guard let base = parts.first, let folder = folder(of: String(base), in: settings, depth: depth + 1) else {
        return nil
      }
      return parts.count > 1 ? Repository.join(folder, String(parts[1])) : folder
    }
    if PathResolver.isURL(url) || options["worktree"]?.isTruthy == true { return nil }
    return url.hasPrefix("/") ? url : Repository.join(settings.dvcFolder, url)
  }
}
