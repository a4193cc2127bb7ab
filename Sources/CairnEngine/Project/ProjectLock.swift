// DVC's lock of the whole project, for the moments in which a long command reads the pipeline or writes what it did.
package import CairnCore
package import CairnSystem

package enum ProjectLock {
  /// Waits for the lock: dozens of processes may want it at once, each for a moment.
  ///
  /// - Parameters:
  ///   - waitsForEver: else a minute.
  ///   - waiting: called once when it takes longer than a second, with the holder's pid where that is known.
  package static func take(
    _ repository: Repository, waitsForEver: Bool, waiting: (Int32?) -> Void
  ) throws(Diagnostic) -> FileLock {
    try Files.makeDirectories(repository.temporaryFolder)
    let lock = FileLock(Repository.join(repository.temporaryFolder, "lock"))
    if try lock.lock(within: .seconds(1)) { return lock }
    guard try lock.lock(within: waitsForEver ? nil : .seconds(60), waiting: waiting) else {
      throw Diagnostic(
        .locked,
        "Unable to acquire lock. Most likely another DVC process is running or was terminated abruptly. Check the page "
          + "<https://dvc.org/doc/user-guide/troubleshooting#lock-issue> for other possible reasons and to learn how to "
          + "resolve this.")
    }
    return lock
  }
}
