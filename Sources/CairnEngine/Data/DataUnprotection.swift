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
      throw Diagnostic.unexpected(Diagnostic.Code("unprotect"), "can't unprotect non-existing data '\(name)'")
    }
    let hasCopied = try release(path, name)
    // A file that was a link belongs to its user from now on: `checkout` never takes it away.
    if hasCopied, let inner = project.repository.repoPath(of: path) { try LinkBook(project).forget(inner) }
  }

  /// True when a link has become a file. A link whose object is gone has nothing that could become one.
  private func release(_ path: String, _ name: String) throws(Diagnostic) -> Bool {
    guard Files.isDirectory(path) else {
      guard Files.exists(path) else {
        throw Diagnostic.unexpected(Diagnostic.Code("unprotect"), "[Errno 2] No such file or directory: '\(name)'")
      }
      return try Unprotect.file(path, mode: project.cache.current.fileMode)
    }
    var hasCopied = false
    for entry in try Files.list(path) ?? [] {
      let (inner, innerName) = (Repository.join(path, entry.name), Repository.join(name, entry.name))
      if try release(inner, innerName) { hasCopied = true }
    }
    return hasCopied
  }
}

private typealias Code = Diagnostic.Code
