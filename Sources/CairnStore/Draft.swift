// A file of the workspace while it is made: without a name where that can be, else with one in the staging folder.
import CairnCore
import CairnSystem
import Glibc

/// A file that is being made and is to become another, whole or not at all. Ends with `place` or with `giveUp`.
struct Draft {
  let descriptor: Int32
  private let staging: Staging
  /// `nil` while it has no name.
  private let temporary: String?

  /// The parent of `path` must exist.
  init(for path: String, _ staging: Staging) throws(Diagnostic) {
    self.staging = staging
    if let unnamed = staging.openUnnamed(for: path) {
      (descriptor, temporary) = (unnamed, nil)
      return
    }
    while true {
      let temporary = staging.temporaryPath(for: path)
      let descriptor = RawFile.open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o666)
      if descriptor < 0, staging.isToBlame(for: descriptor, temporary) { continue }
      if descriptor < 0 { throw .system(-descriptor, "create it", path) }
      (self.descriptor, self.temporary) = (descriptor, temporary)
      return
    }
  }

  func giveUp() {
    close(descriptor)
    if let temporary { _ = RawFile.unlink(temporary) }
  }

  /// What `place` answers where it has to be made anew, in another way.
  static let again = Int32.min

  /// 0, `again`, or a negative errno: then nothing is left of it. What is at `path` is replaced.
  func place(at path: String) -> Int32 {
    if let temporary {
      // Network file systems and quotas tell of a full disk only here.
      var code: Int32 = close(descriptor) == 0 ? 0 : -errno
      if code == 0 { code = RawFile.rename(temporary, to: path) }
      if code < 0 { _ = RawFile.unlink(temporary) }
      return staging.isToBlame(for: code, temporary) ? Self.again : code
    }
    defer { close(descriptor) }
    // As a rule nothing is there.
    let code = staging.name(descriptor, path)
    if code == 0 { return 0 }
    // Without /proc, or where a file system or a guard of it refuses. What else is wrong is told the other way.
    if code != -EEXIST { return Self.again }
    while true {
      let temporary = staging.temporaryPath(for: path)
      var code = staging.name(descriptor, temporary)
      if code == 0 {
        code = RawFile.rename(temporary, to: path)
        if code < 0 { _ = RawFile.unlink(temporary) }
      }
      if !staging.isToBlame(for: code, temporary) { return code }
    }
  }
}
