// A place of this machine outside of the project, and the name that records have for it. Works on text alone.

/// Made by `PathResolver`, which knows where project and git work tree begin. Equal when the places are.
package struct OutsidePath: Hashable, Sendable {
  /// Normalised.
  package let absolute: String
  /// As records, reasons and indexes name it: inside the git work tree around the project relative to the project's
  /// root, as `../shared.txt`, so that all clones agree; elsewhere absolute.
  package let recorded: String

  init(_ absolute: String, recorded: String) {
    self.absolute = absolute
    self.recorded = recorded
  }

  package static func == (a: OutsidePath, b: OutsidePath) -> Bool { a.absolute.hasSameBytes(as: b.absolute) }

  package func hash(into hasher: inout Hasher) {
    var absolute = absolute
    absolute.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }

  /// True for the folder itself and all below it.
  package func isInside(_ folder: OutsidePath) -> Bool { path.isInside(folder.path) }

  /// From the root of the disk.
  private var path: RepoPath { RepoPath(unchecked: String(absolute.drop { $0 == "/" })) }
}
