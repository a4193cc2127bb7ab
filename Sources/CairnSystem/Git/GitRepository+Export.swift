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

  /// Applies a patch of `git diff --binary HEAD` to the files of the commit that `export` has put into `folder`. All of it
  /// or nothing. Git does so with its own objects, before line ends and filters: the files look as a checkout gives them.
  ///
  /// - Parameter index: the one that `export` left.
  package func apply(patch: String, on commit: String, to folder: String, index: String) throws(Diagnostic) {
    let objects = index + ".objects"
    defer { _ = try? Files.removeTree(objects) }
    try Files.makeDirectories(objects)
    let store = try git(["rev-parse", "--path-format=absolute", "--git-path", "objects"]).output
    let environment = Self.localEnvironment.setting([
      ("GIT_INDEX_FILE", index), ("GIT_OBJECT_DIRECTORY", objects),
      ("GIT_ALTERNATE_OBJECT_DIRECTORIES", Self.quoted(FileName.escape(store).trimmingWhitespace())),
    ])
    _ = try git(["apply", "--cached", "--binary", "--whitespace=nowarn", patch], environment: environment)
    let deleted = try git(
      ["diff-index", "--cached", "--no-renames", "--diff-filter=D", "--name-only", "-z", commit], environment: environment)
    // Before the patch's own links are there, which may lead out of the folder.
    for name in deleted.output.split(separator: 0) { _ = try Files.remove(folder + "/" + FileName.escape(name)) }
    _ = try git(["checkout-index", "--all", "--force", "--quiet", "--prefix=" + folder + "/"], environment: environment)
  }

  /// - Source: Documentation/git.txt, GIT_ALTERNATE_OBJECT_DIRECTORIES: names in quotes may hold the colon between two.
  private static func quoted(_ path: String) -> String {
    "\"" + path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
