// The folder that one user's processes on this host share. Knows nothing of what they share there.
package import CairnCore
import Glibc

package enum HostFolder {
  /// `$XDG_RUNTIME_DIR/cairn`, else `/run/user/UID/cairn`, else `/tmp/cairn-UID`; made where it is missing.
  ///
  /// Throws when somebody else could write there: who can plant links in it could have our files overwritten.
  package static func path() throws(Diagnostic) -> String {
    let user = getuid()
    var bases = [Environment.value("XDG_RUNTIME_DIR") ?? "", "/run/user/\(user)"]
    bases.removeAll { !$0.hasPrefix("/") || !isOurs($0, user) }
    let folder = bases.first.map { $0 + "/cairn" } ?? "/tmp/cairn-\(user)"
    try Files.makeDirectories(folder, mode: 0o700)
    guard isOurs(folder, user) else {
      throw Diagnostic(
        .io, "'\(folder)' is not only ours: other users may write there", hint: "remove it, or set XDG_RUNTIME_DIR")
    }
    return folder
  }

  private static func isOurs(_ folder: String, _ user: uid_t) -> Bool {
    var found = stat()
    guard lstat(folder, &found) == 0 else { return false }
    return found.st_mode & S_IFMT == S_IFDIR && found.st_uid == user && found.st_mode & 0o022 == 0
  }
}
