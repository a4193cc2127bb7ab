// Where files of the workspace lie until they are whole: nowhere, where the file system can have files without a name, else
// in a folder that is nobody's data, so that a killed process leaves nothing among a user's files. Knows nothing of what
// the files hold.
import CairnCore
import CairnSystem
import Glibc
import Synchronization

/// Names for files that are renamed once they are whole: in the staging folder, or beside their target where renaming
/// from there does not work.
final class Staging: Sendable {
  private enum State { case untried, usable, unusable }

  private let folder: String
  private let state = Mutex(State.untried)
  private let unnamed: Mutex<State>

  /// - Parameters:
  ///   - folder: a folder that DVC and Cairn never take for data, `.dvc/tmp`; it need not exist.
  ///   - canBeUnnamed: files without a name are tried.
  init(_ folder: String, canBeUnnamed: Bool = true) {
    self.folder = folder
    unnamed = Mutex(canBeUnnamed ? .untried : .unusable)
  }

  /// The project's own.
  convenience init(project root: String) { self.init(root + "/.dvc/tmp") }

  /// A name for what is to become `path`.
  func temporaryPath(for path: String) -> String {
    let isUsable = state.withLock { state in
      if state == .untried { state = reaches(path) ? .usable : .unusable }
      return state == .usable
    }
    return isUsable ? AtomicFile.temporaryName(in: folder) : AtomicFile.temporaryName(beside: path)
  }

  /// Told what came of a name that `temporaryPath` gave. True when the folder was to blame: the next names are beside
  /// their targets, and the caller tries again.
  func isToBlame(for code: Int32, _ temporary: String) -> Bool {
    guard [EXDEV, ENOENT, ENOTDIR, EACCES, EROFS, ELOOP].contains(-code),
      temporary.utf8.starts(with: (folder + "/" + AtomicFile.temporaryPrefix).utf8)
    else { return false }
    return state.withLock { state in
      state = .unusable
      return true
    }
  }

  /// On the same file system: else a large file would be copied before the first rename says so.
  private func reaches(_ path: String) -> Bool {
    guard case .success(let own) = RawFile.stat(folder, followLinks: false), own.isDirectory,
      case .success(let other) = RawFile.stat(Self.parent(of: path), followLinks: true), own.st_dev == other.st_dev
    else { return false }
    sweep()
    return true
  }

  private static func parent(of path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? "."
  }

  // MARK: - Files without a name

  /// A file without a name that is to become `path`, open for writing; `nil` where there are none.
  ///
  /// It is made where files of `path`'s folder are, and is gone with the process.
  func openUnnamed(for path: String) -> Int32? {
    let parent = Self.parent(of: path)
    let isUsable = unnamed.withLock { state in
      // Network file systems tell of a full disk when a file is closed: then it must not have its name yet.
      if state == .untried { state = Machine.isNetworkFileSystem(parent) ? .unusable : .usable }
      return state == .usable
    }
    guard isUsable else { return nil }
    let descriptor = RawFile.open(parent, O_WRONLY | Self.unnamedFile, 0o666)
    if descriptor >= 0 { return descriptor }
    if [EOPNOTSUPP, EISDIR, EINVAL, ENOSYS].contains(-descriptor) { unnamed.withLock { $0 = .unusable } }
    return nil
  }

  /// 0, or a negative errno: -EEXIST where something is at `path`. After any other no file is made without a name.
  func name(_ descriptor: Int32, _ path: String) -> Int32 {
    let code = RawFile.link("/proc/self/fd/\(descriptor)", to: path)
    if code != 0, code != -EEXIST { unnamed.withLock { $0 = .unusable } }
    return code
  }

  /// `O_TMPFILE`, which Swift does not see.
  private static let unnamedFile: Int32 = 0o20000000 | Int32(O_DIRECTORY)

  // MARK: - What the dead left

  private static let swept = Mutex(Set<String>())

  /// Removes what killed processes left in the folder, once in a process.
  func sweep() {
    guard Self.swept.withLock({ $0.insert(folder).inserted }) else { return }
    for path in AtomicFile.leftByTheDead(in: folder) { _ = try? Files.remove(path) }
  }
}
