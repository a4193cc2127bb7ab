// Where git looks for hooks, and single settings of a repository. Knows nothing of what a hook says.
package import CairnCore

/// A value of git's configuration, and whose it is.
package struct GitSetting: Hashable, Sendable {
  package var value: String
  /// `local`, `worktree`, `global`, `system` or `command`.
  package var scope: String

  /// Holds for other repositories too.
  package var isShared: Bool { scope == "global" || scope == "system" }
}

extension GitRepository {
  /// The folder whose hooks git runs here, absolute, perhaps not there: that of all linked work trees, or what
  /// `core.hooksPath` names.
  package func hooksFolder() throws(Diagnostic) -> String {
    let result = try git(["rev-parse", "--git-path", "hooks"])
    let path = String(result.text.prefix { !$0.isNewline })
    return path.hasPrefix("/") ? path : workTree + "/" + path
  }

  /// The value that counts, `nil` where there is none.
  package func setting(_ name: String) throws(Diagnostic) -> GitSetting? {
    let result = try git(["config", "--show-scope", "--null", "--get", name], accepting: [0, 1])
    let fields = result.output.split(separator: 0, maxSplits: 2).map { String(decoding: $0, as: UTF8.self) }
    return fields.count < 2 ? nil : GitSetting(value: fields[1], scope: fields[0])
  }

  /// Writes the repository's own configuration.
  package func set(_ name: String, to value: String) throws(Diagnostic) {
    _ = try git(["config", "--local", name, value])
  }
}
