// Plain operations on files and folders by path. Knows nothing of projects, caches or atomicity.
import CSystem
package import CairnCore
import Glibc

/// One name in a folder. `kind` is that of the name itself: a link is `.symlink`, whatever it leads to.
package struct DirectoryEntry: Hashable, Sendable {
  package var name: String
  package var kind: FileStat.Kind

  package init(name: String, kind: FileStat.Kind) {
    self.name = name
    self.kind = kind
  }
}

package enum Files {
  package static func exists(_ path: String, followLinks: Bool = true) -> Bool {
    ((try? FileStat.of(path, followLinks: followLinks)) ?? nil) != nil
  }

  /// A symbolic link that leads nowhere, or round in a circle.
  package static func isDeadLink(_ path: String) -> Bool {
    guard ((try? FileStat.of(path, followLinks: false)) ?? nil)?.kind == .symlink else { return false }
    return !exists(path)
  }

  package static func isDirectory(_ path: String) -> Bool {
    ((try? FileStat.of(path)) ?? nil)?.kind == .directory
  }

  /// The whole file; `nil` when nothing is there.
  package static func read(_ path: String) throws(Diagnostic) -> [UInt8]? {
    let descriptor = path.asSystemPath { cairn_open($0, O_RDONLY, 0) }
    if descriptor == -ENOENT || descriptor == -ENOTDIR { return nil }
    if descriptor < 0 { throw Diagnostic.system(-descriptor, "open it", path) }
    defer { close(descriptor) }
    return try read(descriptor, path: path)
  }

  /// The whole of a plain file, for what others have written: a pipe or a device is refused without waiting for it, and
  /// so is what is larger than `limit` bytes. `nil` when nothing is there.
  package static func read(plain path: String, limit: Int = plainLimit) throws(Diagnostic) -> [UInt8]? {
    let descriptor = path.asSystemPath { cairn_open($0, O_RDONLY | O_NONBLOCK, 0) }
    if descriptor == -ENOENT || descriptor == -ENOTDIR { return nil }
    if descriptor < 0 { throw Diagnostic.system(-descriptor, "open it", path) }
    defer { close(descriptor) }
    let stat = try FileStat.of(descriptor: descriptor, path: path)
    if stat.kind == .other { throw Diagnostic.notPlain(path) }
    if stat.size > UInt64(limit) { throw Diagnostic.tooLarge(path, stat.size) }
    return try read(descriptor, stat, path: path)
  }

  /// Bytes that a file of settings or of a pipeline may have.
  package static let plainLimit = 256 << 20

  /// The rest of an open file; `path` is for messages.
  static func read(_ descriptor: Int32, path: String) throws(Diagnostic) -> [UInt8] {
    try read(descriptor, try FileStat.of(descriptor: descriptor, path: path), path: path)
  }

  private static func read(_ descriptor: Int32, _ stat: FileStat, path: String) throws(Diagnostic) -> [UInt8] {
    var failure: Int32 = 0
    let expected = stat.kind == .file ? Int(stat.size) : 0
    // One byte more than `stat` promised: the read that meets the end then needs no second buffer.
    var bytes = [UInt8](unsafeUninitializedCapacity: expected + 1) { buffer, count in
      while count < buffer.count {
        let got = Glibc.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
        if got > 0 { count += got }
        // All that there was when we looked; a file without a size (/proc) goes on.
        if got == 0 || (expected > 0 && count == expected) { return }
        if got < 0, errno != EINTR { failure = errno; return }
      }
    }
    if failure == 0, bytes.count > expected { failure = readRest(descriptor, into: &bytes) }
    if failure != 0 { throw Diagnostic.system(failure, "read it", path) }
    return bytes
  }

  /// Files without a size (pipes, /proc) and those that grew meanwhile.
  private static func readRest(_ descriptor: Int32, into bytes: inout [UInt8]) -> Int32 {
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let got = Glibc.read(descriptor, &chunk, chunk.count)
      if got > 0 { bytes.append(contentsOf: chunk[..<got]) }
      if got == 0 { return 0 }
      if got < 0, errno != EINTR { return errno }
    }
  }

  /// The plain file as text (bytes that are not UTF-8 become U+FFFD); `nil` when nothing is there. All that is read so
  /// are files of settings, git's among them, which others may have put there.
  package static func readText(_ path: String) throws(Diagnostic) -> String? {
    try read(plain: path).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Truncates and writes in place, following links. Not atomic: for files whose loss nobody minds.
  package static func write(_ bytes: [UInt8], to path: String, mode: UInt32 = 0o666) throws(Diagnostic) {
    let descriptor = path.asSystemPath { cairn_open($0, O_WRONLY | O_CREAT | O_TRUNC, mode) }
    if descriptor < 0 { throw Diagnostic.system(-descriptor, "write it", path) }
    defer { close(descriptor) }
    let result = cairn_write_all(descriptor, bytes, bytes.count)
    if result < 0 { throw Diagnostic.system(-result, "write it", path) }
  }

  package static func write(_ text: String, to path: String) throws(Diagnostic) {
    try write(Array(text.utf8), to: path)
  }

  /// Makes the folder and its missing parents; one that exists already is fine, also through a link.
  package static func makeDirectories(_ path: String, mode: UInt32 = 0o777) throws(Diagnostic) {
    let result = path.asSystemPath { restarting(mkdir($0, mode)) }
    if result == 0 { return }
    if result == -ENOENT, let parent = parent(of: path) {
      try makeDirectories(parent, mode: mode)
      let again = path.asSystemPath { restarting(mkdir($0, mode)) }
      if again == 0 || (again == -EEXIST && isDirectory(path)) { return }
      throw Diagnostic.system(-again, "create the folder", path)
    }
    // A read-only file system or a folder without our permission may well hold the folder already.
    if isDirectory(path) { return }
    throw Diagnostic.system(-result, "create the folder", path)
  }

  /// The folder that holds `path`, by its text; `nil` where there is none to make.
  static func parent(of path: String) -> String? {
    var end = path.utf8.endIndex
    let utf8 = path.utf8
    while end > utf8.startIndex, utf8[utf8.index(before: end)] == UInt8(ascii: "/") { end = utf8.index(before: end) }
    guard let slash = utf8[..<end].lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return slash == utf8.startIndex ? nil : String(path[..<slash])
  }

  /// Renames within an open folder where the new name is free: 0 or `errno`, `EEXIST` where it is taken, `EINVAL` or
  /// `ENOSYS` where the file system cannot tell.
  package static func renameNew(in folder: Int32, _ name: String, to target: String) -> Int32 {
    -name.asSystemPath { from in target.asSystemPath { to in cairn_rename_new(folder, from, to) } }
  }

  /// Removes a file or a link; false when nothing was there.
  @discardableResult
  package static func remove(_ path: String) throws(Diagnostic) -> Bool {
    let result = path.asSystemPath { restarting(unlink($0)) }
    if result == -ENOENT || result == -ENOTDIR { return false }
    if result < 0 { throw Diagnostic.system(-result, "remove it", path) }
    return true
  }

  /// Removes an empty folder; false when it is not there or not empty.
  @discardableResult
  package static func removeEmptyDirectory(_ path: String) throws(Diagnostic) -> Bool {
    let result = path.asSystemPath { restarting(rmdir($0)) }
    if result == -ENOENT || result == -ENOTEMPTY || result == -EEXIST || result == -ENOTDIR { return false }
    if result < 0 { throw Diagnostic.system(-result, "remove the folder", path) }
    return true
  }

  package static func rename(_ path: String, to target: String) throws(Diagnostic) {
    let result = path.asSystemPath { from in target.asSystemPath { to in restarting(Glibc.rename(from, to)) } }
    if result < 0 { throw Diagnostic.system(-result, "rename it", path, target) }
  }

  /// The names in a folder, without `.` and `..`, in the order in which the system gives them; `nil` when there is
  /// no folder.
  package static func list(_ path: String) throws(Diagnostic) -> [DirectoryEntry]? {
    let descriptor = path.asSystemPath { cairn_open($0, O_RDONLY | O_DIRECTORY, 0) }
    if descriptor == -ENOENT { return nil }
    if descriptor < 0 { throw Diagnostic.system(-descriptor, "list the folder", path) }
    var entries: [DirectoryEntry] = []
    let result = DirectoryReader.read(descriptor) { name, kind, _ in
      entries.append(DirectoryEntry(name: String(systemName: name), kind: kind))
      return 0
    }
    if result < 0 { throw Diagnostic.system(-result, "list the folder", path) }
    return entries
  }

  /// What the link says, unresolved; `nil` when there is no link.
  package static func readLink(_ path: String) throws(Diagnostic) -> String? {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = path.asSystemPath { name in
      buffer.withUnsafeMutableBytes { bytes in
        guard let start = bytes.bindMemory(to: CChar.self).baseAddress else { return -EINVAL }
        let length = readlink(name, start, bytes.count)
        return length < 0 ? -errno : Int32(length)
      }
    }
    if count == -ENOENT || count == -EINVAL || count == -ENOTDIR { return nil }
    if count < 0 { throw Diagnostic.system(-count, "read the link", path) }
    return FileName.escape(buffer[..<Int(count)])
  }

  /// The path with every link in it followed; `nil` when something on the way is missing.
  package static func realPath(_ path: String) throws(Diagnostic) -> String? {
    var failure: Int32 = 0
    let real: String? = path.withSystemPath(refused: nil) { name in
      guard let resolved = realpath(name, nil) else { failure = errno; return nil }
      defer { free(resolved) }
      return String(systemName: resolved)
    }
    if failure != 0, failure != ENOENT, failure != ENOTDIR { throw Diagnostic.system(failure, "resolve it", path) }
    return real
  }

  package static func currentDirectory() throws(Diagnostic) -> String {
    guard let path = getcwd(nil, 0) else { throw Diagnostic.system(errno, "find the current folder", ".") }
    defer { free(path) }
    return String(systemName: path)
  }

  package static func changeDirectory(_ path: String) throws(Diagnostic) {
    let result = path.asSystemPath { restarting(chdir($0)) }
    if result < 0 { throw Diagnostic.system(-result, "enter the folder", path) }
  }

  /// Follows links.
  package static func chmod(_ path: String, _ mode: UInt32) throws(Diagnostic) {
    let result = path.asSystemPath { restarting(Glibc.chmod($0, mode)) }
    if result < 0 { throw Diagnostic.system(-result, "change the permissions", path) }
  }

  /// Sets access and modification time; a link's own with `followLinks: false`.
  package static func setModified(
    _ path: String, _ time: Nanoseconds, followLinks: Bool = true
  ) throws(Diagnostic) {
    let (seconds, rest) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
    let spec = timespec(tv_sec: rest < 0 ? Int(seconds) - 1 : Int(seconds), tv_nsec: Int(rest < 0 ? rest + 1_000_000_000 : rest))
    let result = path.asSystemPath { name in
      [spec, spec].withUnsafeBufferPointer {
        restarting(utimensat(AT_FDCWD, name, $0.baseAddress, followLinks ? 0 : AT_SYMLINK_NOFOLLOW))
      }
    }
    if result < 0 { throw Diagnostic.system(-result, "set the time", path) }
  }

  /// Waits until everything written so far to the file system that `descriptor` belongs to is on the disk.
  package static func syncFileSystem(descriptor: Int32, path: String) throws(Diagnostic) {
    let result = cairn_syncfs(descriptor)
    if result < 0 { throw Diagnostic.system(-result, "sync it", path) }
  }
}

extension Diagnostic.Code {
  /// A pipe, a device or something huge where a plain file is expected.
  package static let notPlain = Diagnostic.Code("not-a-plain-file")
}

extension Diagnostic {
  static func notPlain(_ path: String) -> Diagnostic {
    Diagnostic(.notPlain, "'\(path)' is not a plain file", hint: "a pipe, socket or device cannot be read here")
  }

  fileprivate static func tooLarge(_ path: String, _ size: UInt64) -> Diagnostic {
    Diagnostic(.notPlain, "'\(path)' is too large to be read (\(size) bytes)")
  }
}
