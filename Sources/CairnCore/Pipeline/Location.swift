// Where a dependency or output lies.

package enum Location: Hashable, Sendable, CustomStringConvertible {
  /// Inside the project.
  case local(RepoPath)
  /// Elsewhere on this machine.
  case external(OutsidePath)
  /// On another: `s3://bucket/key`, `https://…`, `remote://name/path`.
  case url(String)

  package var local: RepoPath? { if case .local(let path) = self { path } else { nil } }

  /// How records write it: relative to the project's root inside of it and beside it, absolute or a URL elsewhere.
  package var recordPath: String {
    switch self {
    case .local(let path): path.text
    case .external(let path): path.recorded
    case .url(let url): url
    }
  }

  /// How the first records wrote what lies beside the project: absolute.
  package var formerRecordPath: String? {
    guard case .external(let path) = self, !path.recorded.hasSameBytes(as: path.absolute) else { return nil }
    return path.absolute
  }

  /// Whether a record, be it one of the first, means this place.
  package func isRecorded(as path: String) -> Bool {
    path.hasSameBytes(as: recordPath) || (formerRecordPath.map { path.hasSameBytes(as: $0) } ?? false)
  }

  package var description: String { recordPath }

  /// True for the folder itself and all below it.
  package func isInside(_ folder: Location) -> Bool {
    switch (self, folder) {
    case (.local(let path), .local(let folder)): path.isInside(folder)
    case (.external(let path), .external(let folder)): path.isInside(folder)
    default: self == folder
    }
  }

  /// One lies inside the other, or they are the same.
  package func overlaps(_ other: Location) -> Bool { isInside(other) || other.isInside(self) }

  package var isURL: Bool { if case .url = self { true } else { false } }
}
