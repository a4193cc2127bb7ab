// A folder of objects named by their MD5, as DVC lays it out: `xx/yyyy…`, protected against writing. Knows nothing
// of workspaces, and of a manifest only that it is an object.
package import CairnCore
import CairnFormats
import CairnSystem
import Glibc
import Synchronization

/// DVC's local cache: `files/md5` of the cache folder for plain MD5 (DVC 3), the cache folder itself for MD5 with
/// line ends unified (DVC 2).
package final class LocalObjectStore: ObjectStore {
  /// The mode of a whole object. DVC takes one that has it on trust, and hashes any other before use.
  static let protectedMode: UInt32 = 0o444

  package let folder: String
  package let algorithm: ContentHash.Algorithm
  package let isShared: Bool
  /// An altered object that is met is removed, a whole one protected, as DVC does. Else both are only told.
  package let mends: Bool

  /// The names of the folders of two digits that are known to exist.
  private let known = Mutex(Set<UInt8>())

  package init(folder: String, algorithm: ContentHash.Algorithm, isShared: Bool, mends: Bool = true) {
    self.mends = mends
    self.folder = folder
    self.algorithm = algorithm
    self.isShared = isShared
  }

  package func path(of hash: ContentHash) -> String {
    var text = [UInt8]()
    text.reserveCapacity(48)
    var index = 0
    for word in [hash.digest.high, hash.digest.low] {
      for shift in stride(from: 60, through: 0, by: -4) {
        if index == 2 { text.append(UInt8(ascii: "/")) }
        let digit = UInt8(truncatingIfNeeded: (word >> UInt64(shift)) & 15)
        text.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
        index += 1
      }
    }
    if hash.isDirectory { text.append(contentsOf: ".dir".utf8) }
    return folder + "/" + String(decoding: text, as: UTF8.self)
  }

  /// Mode of a file that is not protected, as DVC gives it: by the mask, or for the group of a shared cache.
  package var fileMode: UInt32 { isShared ? 0o664 : 0o666 & ~RawFile.umask }
  package var folderMode: UInt32 { isShared ? 0o2775 : 0o777 & ~RawFile.umask }

  package enum Condition: Sendable, Equatable {
    case missing
    case whole(size: UInt64)
    /// Its bytes are not those that its name says. It has been removed, as DVC removes it, by a store that mends.
    case corrupt
  }

  /// Looks at an object before it is used: one that is protected is taken on trust, any other is hashed, then
  /// protected or removed.
  package func check(_ hash: ContentHash) throws(Diagnostic) -> Condition {
    let path = path(of: hash)
    switch RawFile.stat(path, followLinks: true) {
    case .failure(let error) where error.code == ENOENT || error.code == ENOTDIR: return .missing
    case .failure(let error): throw .system(error.code, "look at it", path)
    case .success(let found):
      if found.permissions == Self.protectedMode { return .whole(size: UInt64(found.st_size)) }
      let kinds = DigestKinds(algorithm, sha256: false)
      guard let digests = try ContentHasher.digests(ofFile: path, kinds) else { return .missing }
      guard digests[algorithm] == hash.digest else {
        if mends { try Files.remove(path) }
        return .corrupt
      }
      if mends { protect(path) }
      return .whole(size: UInt64(found.st_size))
    }
  }

  package func contains(_ hash: ContentHash) throws(Diagnostic) -> Bool {
    if case .whole = try check(hash) { true } else { false }
  }

  /// The bytes, held against the name: an object whose bytes differ is removed and not given out.
  package func read(_ hash: ContentHash) throws(Diagnostic) -> [UInt8]? {
    let path = path(of: hash)
    guard let bytes = try Files.read(plain: path, limit: .max) else { return nil }
    guard ContentHasher.digests(of: bytes, DigestKinds(algorithm, sha256: false))[algorithm] == hash.digest else {
      if mends { try Files.remove(path) }
      throw .corruptObject(path)
    }
    return bytes
  }

  /// The manifest of a directory; `nil` when it is not there.
  package func manifest(_ hash: ContentHash) throws(Diagnostic) -> DirectoryManifest? {
    guard let bytes = try read(hash) else { return nil }
    do {
      return try ManifestJSON.decode(bytes)
    } catch {
      throw Diagnostic.corruptObject(path(of: hash)).because(of: error)
    }
  }

  package func write(_ bytes: [UInt8], as hash: ContentHash) throws(Diagnostic) {
    let path = path(of: hash)
    try prepareFolder(of: hash)
    let code = bytes.withUnsafeBytes { write($0, to: path) }
    if code < 0 { throw .system(-code, "write the object", path) }
  }

  // MARK: - For this module

  /// 0 or a negative errno. The object's folder must exist.
  func write(_ bytes: UnsafeRawBufferPointer, to path: String) -> Int32 {
    let temporary = temporaryPath(beside: path)
    let descriptor = RawFile.open(temporary, O_WRONLY | O_CREAT | O_EXCL, Self.protectedMode)
    if descriptor < 0 { return descriptor }
    var code = RawFile.writeAll(bytes, to: descriptor)
    code = seal(descriptor, code)
    return install(temporary, as: path, code)
  }

  /// Protects and closes a file that was just written.
  func seal(_ descriptor: Int32, _ code: Int32) -> Int32 {
    var code = code
    if RawFile.umask & Self.protectedMode != 0 { fchmod(descriptor, Self.protectedMode) }
    // NFS and quotas tell of a full disk only here.
    if close(descriptor) != 0, code == 0 { code = -errno }
    return code
  }

  /// Gives the whole file at `temporary` its name, or removes it when `code` tells of a failure.
  func install(_ temporary: String, as path: String, _ code: Int32) -> Int32 {
    var code = code
    if code == 0 { code = RawFile.rename(temporary, to: path) }
    if code < 0 { _ = RawFile.unlink(temporary) }
    return code
  }

  func temporaryPath(beside path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return RawFile.temporaryName() }
    return path[...slash] + RawFile.temporaryName()
  }

  /// DVC does not mind when a file system refuses.
  func protect(_ path: String) { _ = RawFile.chmod(path, Self.protectedMode) }

  /// Whether the folder of two digits is there.
  func hasFolder(of hash: ContentHash) -> Bool {
    let number = UInt8(truncatingIfNeeded: hash.digest.high >> 56)
    if known.withLock({ $0.contains(number) }) { return true }
    guard Files.isDirectory(folder + "/" + Hex.encode([number])) else { return false }
    _ = known.withLock { $0.insert(number) }
    return true
  }

  /// Makes the folder of two digits; all 256 of them cost 256 calls, not one for each object.
  func prepareFolder(of hash: ContentHash) throws(Diagnostic) {
    let number = UInt8(truncatingIfNeeded: hash.digest.high >> 56)
    if known.withLock({ $0.contains(number) }) { return }
    try makeFolders(folder + "/" + Hex.encode([number]))
    _ = known.withLock { $0.insert(number) }
  }

  /// Makes missing folders with the cache's mode, which the mask does not touch in a shared one. False when it was there.
  @discardableResult
  package func makeFolders(_ path: String) throws(Diagnostic) -> Bool {
    let code = RawFile.withPath(path) { mkdir($0, folderMode) == 0 ? 0 : errno }
    switch code {
    case 0:
      // The mask takes nothing from our own mode; only a shared cache's bits need to be said again.
      if isShared { _ = RawFile.chmod(path, folderMode) }
      return true
    case EEXIST: return false
    case ENOENT:
      guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.utf8.startIndex else {
        throw .system(code, "create the folder", path)
      }
      try makeFolders(String(path[..<slash]))
      return try makeFolders(path)
    default:
      if Files.isDirectory(path) { return false }
      throw .system(code, "create the folder", path)
    }
  }
}

extension Diagnostic.Code {
  package static let corruptObject = Diagnostic.Code("corrupt-object")
}

extension Diagnostic {
  package static func corruptObject(_ path: String) -> Diagnostic {
    Diagnostic(.corruptObject, "corrupted cache file '\(path)'")
      .hinting("it was removed; bring it back with `dvc fetch`, or from the machine that made it")
  }
}
