// Makes files that share bytes with the cache files of their own, which may be edited.
package import CairnCore
internal import CairnStore
internal import CairnSystem

package struct DataUnprotection {
  private let project: OpenProject

  package init(_ project: OpenProject) { self.project = project }

  /// The file, or every file in the folder, at an absolute path.
  ///
  /// - Parameter name: as the user typed it.
  package func run(_ path: String, name: String) throws(Diagnostic) {
    guard Files.exists(path) else {
      throw Diagnostic(Code("unprotect"), "unexpected error - can't unprotect non-existing data '\(name)'")
    }
    if Files.isDirectory(path) {
      for entry in try Files.list(path) ?? [] {
        let inner = Repository.join(path, entry.name)
        if Files.exists(inner) { try run(inner, name: inner) }
      }
    } else {
      try file(path)
    }
  }

  private func file(_ path: String) throws(Diagnostic) {
    guard let found = try FileStat.of(path, followLinks: false) else { return }
    if found.kind == .symlink || found.links > 1 {
      try FileLink.copyAtomically(from: path, to: path)
    }
    try Files.chmod(path, project.cache.current.fileMode)
  }
}

private typealias Code = Diagnostic.Code
