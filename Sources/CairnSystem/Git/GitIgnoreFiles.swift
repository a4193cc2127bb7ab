// Which files beside `.gitignore` hold patterns of what git ignores: where DVC looks for them, without starting git.
import CairnCore

package struct GitIgnoreFiles: Sendable {
  /// The work tree's own `info/exclude`, then the user's file; absolute, perhaps not there.
  package let patterns: [String]
  /// The configuration that was read to know it.
  package let configuration: [String]
  /// The configuration that would have been read, had it been there.
  package let absent: [String]

  /// - Parameters:
  ///   - directory: where a relative `core.excludesFile` starts.
  ///   - variable: of the environment; an empty one is none.
  package init(
    _ repository: GitRepository, directory: String, variable: (String) -> String?
  ) {
    let home = variable("HOME")
    let folder = variable("XDG_CONFIG_HOME") ?? home.map { $0 + "/.config" }
    var candidates = [repository.commonDirectory + "/config"]
    if let global = variable("GIT_CONFIG_GLOBAL") {
      candidates.append(global)
    } else {
      candidates += [home.map { $0 + "/.gitconfig" }, folder.map { $0 + "/git/config" }].compactMap { $0 }
    }
    if variable("GIT_CONFIG_NOSYSTEM") == nil { candidates.append(variable("GIT_CONFIG_SYSTEM") ?? "/etc/gitconfig") }
    var read: [String] = []
    var absent: [String] = []
    var chosen: String?
    for file in candidates {
      guard let text = (try? Files.readText(file)) ?? nil else {
        absent.append(file)
        continue
      }
      read.append(file)
      chosen = GitConfig(text).value("core", "", "excludesfile")
      if chosen != nil { break }
    }
    configuration = read
    self.absent = absent
    // In a linked work tree DVC looks beside its own HEAD, unlike git.
    let own = repository.gitDirectory + "/info/exclude"
    let user = chosen.map { Self.absolute($0, home, directory) } ?? folder.map { $0 + "/git/ignore" }
    patterns = [own] + (user.map { [$0] } ?? [])
  }

  private static func absolute(_ path: String, _ home: String?, _ directory: String) -> String {
    if path.hasPrefix("~/"), let home { return home + path.dropFirst() }
    return path.hasPrefix("/") ? path : directory + "/" + path
  }
}
