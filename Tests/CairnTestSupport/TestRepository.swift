// A temporary project to run commands in: files in, files and output out. Knows nothing of how Cairn works.
import Foundation

/// A repository in a temporary folder, deleted with the value that names it.
///
/// ```swift
/// let repository = try TestRepository()
/// try repository.write("dvc.yaml", "stages: {a: {cmd: echo 1 > a, outs: [a]}}\n")
/// #expect(try repository.cairn("repro").status == 0)
/// ```
package final class TestRepository: Sendable {
  /// The project's root, without symbolic links in it.
  package let root: String
  private let top: String

  /// Makes an empty project as `dvc init` does, in a git repository unless `git` is false.
  package init(git: Bool = true, dvc: Bool = true) throws {
    top = try makeTemporaryFolder("cairn-test-")
    root = top + "/project"
    for folder in ["project", "home", "config", "site", "cache"] {
      try FileManager.default.createDirectory(atPath: top + "/" + folder, withIntermediateDirectories: true)
    }
    if git { try self.git("init", "--quiet", "--initial-branch=main") }
    if dvc {
      try write(".dvc/config", git ? "" : "[core]\n    no_scm = True\n")
      try write(".dvc/.gitignore", "/config.local\n/tmp\n/cache\n")
      try write(".dvcignore", "")
      try FileManager.default.createDirectory(atPath: path(".dvc/tmp"), withIntermediateDirectories: true)
    }
  }

  /// A copy of another repository as it is now, links and times included.
  package init(copying other: TestRepository) throws {
    top = try makeTemporaryFolder("cairn-test-")
    root = top + "/project"
    let result = try Command.run(["cp", "-a", other.top + "/.", top], in: "/")
    guard result.status == 0 else { throw TestSupportError("cannot copy \(other.top): \(result)") }
  }

  deinit {
    // A protected cache or a test of unreadable files leaves folders that cannot be emptied as they are.
    _ = try? Command.run(["chmod", "-R", "u+rwX", top], in: "/")
    try? FileManager.default.removeItem(atPath: top)
  }

  /// The environment of every command here: nothing of the user's, nothing of another test's.
  package var environment: [String: String] {
    var environment = Command.clean()
    environment["HOME"] = top + "/home"
    environment["XDG_CONFIG_HOME"] = top + "/config"
    environment["XDG_CACHE_HOME"] = top + "/cache"
    environment["DVC_GLOBAL_CONFIG_DIR"] = top + "/config"
    environment["DVC_SYSTEM_CONFIG_DIR"] = top + "/config/system"
    environment["DVC_SITE_CACHE_DIR"] = top + "/site"
    return environment
  }

  // MARK: Files

  package func path(_ name: String) -> String { root + "/" + name }

  /// Writes a file and the folders it needs.
  package func write(_ name: String, _ text: String) throws {
    try write(name, Array(text.utf8))
  }

  package func write(_ name: String, _ bytes: [UInt8]) throws {
    let folder = path(name).split(separator: "/").dropLast().joined(separator: "/")
    try FileManager.default.createDirectory(atPath: "/" + folder, withIntermediateDirectories: true)
    // In place, as an editor does: a new inode would hide that a hard link or a time stamp was looked at.
    guard let file = fopen(path(name), "w") else { throw TestSupportError("cannot write \(name)") }
    defer { fclose(file) }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw TestSupportError("cannot write \(name)") }
  }

  /// The file's text; nil when it is not there.
  package func read(_ name: String) -> String? {
    bytes(name).map { String(decoding: $0, as: UTF8.self) }
  }

  package func bytes(_ name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: path(name)).map { Array($0) }
  }

  package func exists(_ name: String) -> Bool {
    var status = stat()
    return lstat(path(name), &status) == 0
  }

  package func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  /// The names in a folder, sorted; empty when it is not there.
  package func list(_ name: String = ".") -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(name))) ?? []).sorted()
  }

  package func permissions(_ name: String) -> UInt32? {
    var status = stat()
    return lstat(path(name), &status) == 0 ? status.st_mode & 0o7777 : nil
  }

  /// Sets the modification time back, so that a change made next cannot hide in the clock's granularity.
  package func age(_ name: String, bySeconds seconds: Int) throws {
    var times = [timespec(), timespec()]
    clock_gettime(CLOCK_REALTIME, &times[1])
    times[1].tv_sec -= seconds
    times[0] = times[1]
    guard utimensat(AT_FDCWD, path(name), times, AT_SYMLINK_NOFOLLOW) == 0 else {
      throw TestSupportError("cannot set the time of \(name)")
    }
  }

  // MARK: Commands

  @discardableResult
  package func cairn(
    _ arguments: String..., in folder: String = ".", environment more: [String: String] = [:], input: String = ""
  ) throws -> CommandResult {
    try run([try CairnBinary.path()] + arguments, in: folder, environment: more, input: input)
  }

  /// Runs the real DVC; only in tests that are enabled by `DVCOracle.isAvailable`.
  @discardableResult
  package func dvc(
    _ arguments: String..., in folder: String = ".", environment more: [String: String] = [:]
  ) throws -> CommandResult {
    guard let dvc = DVCOracle.path else { throw TestSupportError("there is no DVC here") }
    return try run([dvc] + arguments, in: folder, environment: more)
  }

  /// Runs git; throws when it fails.
  @discardableResult
  package func git(_ arguments: String...) throws -> String {
    let result = try run(["git"] + arguments)
    guard result.status == 0 else { throw TestSupportError("git \(arguments): \(result)") }
    return result.output
  }

  /// Adds everything and commits it.
  package func commit(_ message: String = "work") throws {
    try git("add", "--all")
    try git("commit", "--quiet", "--allow-empty", "--message", message)
  }

  @discardableResult
  package func shell(_ line: String) throws -> CommandResult { try run(["/bin/sh", "-c", line]) }

  package func run(
    _ arguments: [String], in folder: String = ".", environment more: [String: String] = [:], input: String = ""
  ) throws -> CommandResult {
    try start(arguments, in: folder, environment: more, input: input).wait()
  }

  /// Starts a command and comes back at once: for tests that kill it or run two beside each other.
  package func start(
    _ arguments: [String], in folder: String = ".", environment more: [String: String] = [:], input: String = ""
  ) throws -> RunningCommand {
    try Command.start(
      arguments, in: folder.hasPrefix("/") ? folder : path(folder),
      environment: environment.merging(more) { $1 }, input: input)
  }
}
