// What hooks need of git: where it looks for them, its settings, what is about to be committed. Knows no hook's text.
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

  /// A commit of what the index holds, behind HEAD where there is one; no reference names it, so that git takes it
  /// away in time. The index is the one that a hook is asked about.
  package func commitOfIndex() throws(Diagnostic) -> String {
    let tree = try git(["write-tree"]).text.prefix { !$0.isNewline }
    let parent = try headCommit().map { ["-p", $0] } ?? []
    // Always the same for one tree: nobody's name, no clock.
    let identity = ["AUTHOR", "COMMITTER"].flatMap { role in
      [("GIT_\(role)_NAME", "cairn"), ("GIT_\(role)_EMAIL", "cairn@localhost"), ("GIT_\(role)_DATE", "@0 +0000")]
    }
    let arguments = ["commit-tree", "-m", "what is about to be committed"] + parent + [String(tree)]
    let result = try git(arguments, environment: Self.environment.setting(identity.map { ($0, $1) }))
    return String(result.text.prefix { !$0.isNewline })
  }
}
