// The files of a commit in a folder of their own, as a checkout gives them, and a patch over them. Changes nothing of the
// repository.
package import CairnCore

extension GitRepository {
  /// Writes the commit's files below `folder`, which is there and empty.
  ///
  /// - Parameter index: a file that does not exist yet: it is left behind for whoever made the name to remove.
  package func export(_ commit: String, to folder: String, index: String) throws(Diagnostic) {
    let environment = Self.localEnvironment.setting([("GIT_INDEX_FILE", index)])
    _ = try git(["read-tree", commit], environment: environment)
    _ = try git(["checkout-index", "--all", "--force", "--quiet", "--prefix=" + folder + "/"], environment: environment)
  }

  /// Applies a patch of `git diff --binary` to the files below `folder`. All of it or nothing.
  package static func apply(patch: String, to folder: String) throws(Diagnostic) {
    let slash = folder.utf8.lastIndex(of: UInt8(ascii: "/")) ?? folder.startIndex
    // The folder may lie in a repository, whose files are not meant.
    let environment = Self.localEnvironment.setting([
      ("GIT_CEILING_DIRECTORIES", String(folder[..<slash])), ("GIT_DIR", nil), ("GIT_INDEX_FILE", nil),
    ])
    let arguments = ["apply", "--binary", "--whitespace=nowarn", patch]
    let result = try ChildProcess.run(["git"] + arguments, folder: folder, environment: environment)
    guard result.exit.code == 0 else { throw Diagnostic.git(arguments, result) }
  }
}
