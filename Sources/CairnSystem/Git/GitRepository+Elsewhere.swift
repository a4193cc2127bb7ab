// Repositories that nobody works in: bare ones, and clones of what lies elsewhere. Knows nothing of DVC.
package import CairnCore

extension GitRepository {
  /// The repository that `folder` itself is, without a work tree; `nil` when it is none.
  package static func bare(_ folder: String) -> GitRepository? {
    guard Files.exists(folder + "/HEAD"), Files.isDirectory(folder + "/objects"), Files.isDirectory(folder + "/refs")
    else { return nil }
    return GitRepository(workTree: folder, gitDirectory: folder, commonDirectory: folder)
  }

  /// Clones the history of `url` into `folder`, which is made, without a checkout.
  ///
  /// - Returns: why it could not be cloned; `nil` when all is well.
  package static func clone(_ url: String, to folder: String) throws(Diagnostic) -> String? {
    // No transport that runs a program which the address names.
    let environment = environment.setting([("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh")])
    let result = try ChildProcess.run(
      ["git", "clone", "--quiet", "--bare", "--", url, folder], environment: environment)
    if result.exit.code == 0 { return nil }
    return result.errorText.split(separator: "\n").first.map(String.init) ?? "git clone failed"
  }
}
