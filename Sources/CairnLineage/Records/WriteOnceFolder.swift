// Files that are written once, whole or not at all, under names that say what is in them.
// Knows folders and atomic renames; knows nothing of records, hashes or JSON.
import CairnCore
import CairnSystem
import Glibc
import Synchronization

/// A folder of 256 buckets, `00` … `ff`. A name is 64 hexadecimal digits and a suffix: the first two digits are the
/// bucket, the rest is the file's name in it.
///
/// A file appears under its name only when all its bytes are there (a temporary name beside it, then a rename); the
/// temporary names begin with a dot. Nothing is synced by itself: `sync()` waits for all of it at once.
final class WriteOnceFolder: Sendable {
  let path: String

  private struct State {
    /// Of the folder; -1 until it was first needed.
    var descriptor: Int32 = -1
    var madeBuckets = [Bool](repeating: false, count: 256)
  }
  private let state = Mutex(State())

  init(_ path: String) { self.path = path }

  deinit {
    state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } }
  }

  /// Puts `bytes` under `name`. Where a file of that length stands there already, nothing happens.
  func put(_ bytes: UnsafeRawBufferPointer, name: Name) throws(Diagnostic) {
    let folder = try prepare(name.bucket)
    let temporaryName = name.folder + "/." + AtomicFile.uniqueWord()
    let descriptor = openat(folder, temporaryName, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o444)
    if descriptor < 0 { throw failure(errno, "write it", temporaryName) }
    var start = 0
    var failed: Int32 = 0
    while start < bytes.count {
      let count = write(descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start)
      if count < 0 {
        if errno == EINTR { continue }
        failed = errno
        break
      }
      start += count
    }
    close(descriptor)
    if failed == 0 { failed = Files.renameNew(in: folder, temporaryName, to: name.text) }
    if failed == 0 { return }
    // Most are new: whether one stands there already is asked only when the name is taken.
    if failed == EEXIST || failed == EINVAL || failed == ENOSYS {
      if size(name, in: folder) == UInt64(bytes.count) {
        unlinkat(folder, temporaryName, 0)
        return
      }
      failed = renameat(folder, temporaryName, folder, name.text) == 0 ? 0 : errno
      if failed == 0 { return }
    }
    unlinkat(folder, temporaryName, 0)
    throw failure(failed, "write it", name.text)
  }

  /// The bytes under `name`; `nil` when there is no such file.
  func read(_ name: Name) throws(Diagnostic) -> [UInt8]? {
    guard let folder = try existing() else { return nil }
    let descriptor = openat(folder, name.text, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure(errno, "read it", name.text)
    }
    defer { close(descriptor) }
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw failure(errno, "read it", name.text) }
    if status.st_size > Files.plainLimit { throw failure(EFBIG, "read it", name.text) }
    var failed: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
      while count < buffer.count {
        let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
        if got < 0, errno == EINTR { continue }
        if got < 0 { failed = errno }
        if got <= 0 { break }
        count += got
      }
    }
    if failed != 0 { throw failure(failed, "read it", name.text) }
    return bytes
  }

  func contains(_ name: Name) -> Bool {
    guard let folder = (try? existing()) ?? nil else { return false }
    return size(name, in: folder) != nil
  }

  /// The whole names (64 digits and suffix) in a bucket, in no order.
  func names(inBucket bucket: UInt8) throws(Diagnostic) -> [String] {
    let folder = Hex.encode(CollectionOfOne(bucket))
    guard let directory = opendir(path + "/" + folder) else {
      if errno == ENOENT || errno == ENOTDIR { return [] }
      throw failure(errno, "list it", folder)
    }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name.utf8.count >= 62, name.utf8.first != UInt8(ascii: ".") { names.append(folder + name) }
    }
    return names
  }

  /// What changes when a file comes into a bucket or goes.
  struct Stamp {
    /// Of the folder itself: nobody can set it.
    var changed: Nanoseconds
    var text: String
  }

  /// Of each bucket; `nil` where it is not there.
  func stamps() -> [Stamp?] {
    (UInt8.min...UInt8.max).map { bucket in
      // Opened, since a network's file system asks its server then; a mere look may be an old one.
      let folder = Glibc.open(path + "/" + Hex.encode(CollectionOfOne(bucket)), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      if folder < 0 { return nil }
      defer { close(folder) }
      var status = stat()
      if fstat(folder, &status) != 0 { return nil }
      let changed = Nanoseconds(status.st_ctim.tv_sec) * 1_000_000_000 + Nanoseconds(status.st_ctim.tv_nsec)
      return Stamp(changed: changed, text: "\(changed) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) \(status.st_ino)")
    }
  }

  /// Waits until everything written so far is on the disk.
  func sync() throws(Diagnostic) {
    guard let folder = try existing() else { return }
    try Files.syncFileSystem(descriptor: folder, path: path)
  }

  /// The folder's descriptor; it and the bucket are made if need be.
  private func prepare(_ bucket: UInt8) throws(Diagnostic) -> Int32 {
    let result: Result<Int32, Diagnostic> = state.withLock { state in
      if state.descriptor < 0 {
        do throws(Diagnostic) { try Files.makeDirectories(path) } catch { return .failure(error) }
        state.descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if state.descriptor < 0 { return .failure(failure(errno, "open it", "")) }
      }
      if !state.madeBuckets[Int(bucket)] {
        let name = Hex.encode(CollectionOfOne(bucket))
        if mkdirat(state.descriptor, name, 0o777) != 0, errno != EEXIST {
          return .failure(failure(errno, "create it", name))
        }
        state.madeBuckets[Int(bucket)] = true
      }
      return .success(state.descriptor)
    }
    return try result.get()
  }

  /// The folder's descriptor; `nil` when it is not there.
  private func existing() throws(Diagnostic) -> Int32? {
    let result: Result<Int32?, Diagnostic> = state.withLock { state in
      if state.descriptor >= 0 { return .success(state.descriptor) }
      let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      if descriptor < 0 {
        return errno == ENOENT || errno == ENOTDIR ? .success(nil) : .failure(failure(errno, "open it", ""))
      }
      state.descriptor = descriptor
      return .success(descriptor)
    }
    return try result.get()
  }

  private func size(_ name: Name, in folder: Int32) -> UInt64? {
    var status = stat()
    return fstatat(folder, name.text, &status, 0) == 0 ? UInt64(status.st_size) : nil
  }

  private func failure(_ code: Int32, _ operation: String, _ name: String) -> Diagnostic {
    Diagnostic.system(code, operation, name.isEmpty ? path : path + "/" + name)
  }
}

extension WriteOnceFolder {
  /// Where a file stands: `ab/cdef….json`.
  struct Name: Sendable {
    /// With the bucket and the slash.
    let text: String
    let bucket: UInt8

    init(_ digest: Digest32, suffix: String) {
      let hex = digest.hex
      bucket = UInt8(truncatingIfNeeded: digest.high.high >> 56)
      text = hex.prefix(2) + "/" + hex.dropFirst(2) + suffix
    }

    var folder: Substring { text.prefix(2) }
  }
}
