// Where a dependency or output lies.

package enum Location: Hashable, Sendable {
  /// Inside the project.
  case local(RepoPath)
  /// Elsewhere on this machine: a normalised absolute path.
  case external(String)
  /// On another: `s3://bucket/key`, `https://…`, `remote://name/path`.
  case url(String)

  package var local: RepoPath? { if case .local(let path) = self { path } else { nil } }

  package var isURL: Bool { if case .url = self { true } else { false } }
}
