// Puts one cached object at one path by the first link type that works there, whole or not at all. Knows nothing of
// what was there before, nor of folders.
package import CairnCore
import CairnSystem
import Glibc
import Synchronization

/// Link types that a file system refused are not tried again by the same linker.
final class ObjectLinker: Sendable {
  private let store: LocalObjectStore
  private let types: [LinkType]
  private let staging: Staging
  private let refused = Mutex(Set<LinkType>())

  init(_ cache: DataCache, _ algorithm: ContentHash.Algorithm, _ staging: Staging) {
    store = cache.store(algorithm)
    types = cache.linkTypes
    self.staging = staging
  }

  enum Outcome { case done, missing, corrupt }

  /// What is at `path` is replaced in one step; it must not be a folder. The parent must exist.
  ///
  /// A copy is held against the object's name while it is made; an object that is shared is checked as DVC does, and
  /// against `size` where that is known.
  func put(
    _ hash: ContentHash, size: UInt64?, at path: String, _ buffer: borrowing ReadBuffer
  ) throws(Diagnostic) -> Outcome {
    let object = store.path(of: hash)
    for type in types where !refused.withLock({ $0.contains(type) }) {
      let code: Int32
      switch type {
      case .copy:
        return try copy(object, hash, to: path, buffer)
      case .reflink:
        code = try clone(object, to: path)
      case .hardlink, .symlink:
        switch try store.check(hash) {
        case .missing: return .missing
        case .corrupt: return .corrupt
        case .whole(let found):
          if let size, size != found {
            try Files.remove(object)
            return .corrupt
          }
          code = link(type, object, isEmpty: found == 0, to: path)
        }
      }
      switch -code {
      case 0: return .done
      case ENOENT where !Files.exists(object): return .missing
      case EPERM, ENOTSUP, EXDEV, ENOTTY, ENOSYS, EINVAL, EAGAIN, EMLINK:
        // Too many links is a matter of this object alone.
        if -code != EMLINK { refused.withLock { _ = $0.insert(type) } }
      default: throw .system(-code, "make a \(type.rawValue)", object, path)
      }
    }
    throw .noLinkType(path)
  }

  private func link(_ type: LinkType, _ object: String, isEmpty: Bool, to path: String) -> Int32 {
    // As a rule nothing is there, and a link is whole at once.
    var code = make(type, object, isEmpty: isEmpty, at: path)
    if code != -EEXIST { return code }
    let temporary = staging.temporaryPath(for: path)
    code = make(type, object, isEmpty: isEmpty, at: temporary)
    if code == 0 { code = RawFile.rename(temporary, to: path) }
    // Also after a success: renaming between two links of one file does nothing at all.
    if code < 0 || type == .hardlink { _ = RawFile.unlink(temporary) }
    if staging.isToBlame(for: code, temporary) { return link(type, object, isEmpty: isEmpty, to: path) }
    return code
  }

  /// 0 or a negative errno; -EEXIST when something is at `path`.
  private func make(_ type: LinkType, _ object: String, isEmpty: Bool, at path: String) -> Int32 {
    if type == .symlink { return RawFile.symlink(object, at: path) }
    if !isEmpty { return RawFile.link(object, to: path) }
    // As DVC: all empty files would else share one object, and file systems limit links.
    let descriptor = RawFile.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o666)
    if descriptor >= 0 { close(descriptor) }
    return min(descriptor, 0)
  }

  private func clone(_ object: String, to path: String) throws(Diagnostic) -> Int32 {
    let source = RawFile.open(object, O_RDONLY)
    if source < 0 { return source }
    defer { close(source) }
    let draft = try Draft(for: path, staging)
    guard RawFile.clone(source, to: draft.descriptor) else {
      draft.giveUp()
      return -ENOTSUP
    }
    let code = draft.place(at: path)
    return code == Draft.again ? try clone(object, to: path) : code
  }

  private func copy(
    _ object: String, _ hash: ContentHash, to path: String, _ buffer: borrowing ReadBuffer
  ) throws(Diagnostic) -> Outcome {
    let source = RawFile.open(object, O_RDONLY)
    if source == -ENOENT || source == -ENOTDIR { return .missing }
    if source < 0 { throw .system(-source, "open it", object) }
    defer { close(source) }
    let draft = try Draft(for: path, staging)
    var hasher = ContentHasher(DigestKinds(hash.algorithm, sha256: false))
    while true {
      let count = buffer.fill(from: source)
      if count < 0 {
        draft.giveUp()
        throw .system(Int32(-count), "read it", object)
      }
      hasher.update(buffer.prefix(count))
      let code = RawFile.writeAll(buffer.prefix(count), to: draft.descriptor)
      if code < 0 {
        draft.giveUp()
        throw .system(-code, "write it", path)
      }
      if count < ReadBuffer.pieceSize { break }
    }
    guard hasher.finish()[hash.algorithm] == hash.digest else {
      draft.giveUp()
      try Files.remove(object)
      return .corrupt
    }
    let code = draft.place(at: path)
    if code == Draft.again { return try copy(object, hash, to: path, buffer) }
    if code < 0 { throw .system(-code, "put it in place", path) }
    return .done
  }
}

extension Diagnostic.Code {
  package static let noLinkType = Diagnostic.Code("no-link-type")
}

extension Diagnostic {
  fileprivate static func noLinkType(_ path: String) -> Diagnostic {
    Diagnostic(
      .noLinkType,
      "No possible cache link types for '\(path)'. See "
        + "<https://dvc.org/doc/user-guide/troubleshooting#cache-types> for more information.")
  }
}
