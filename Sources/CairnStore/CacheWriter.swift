// Puts what lies at a path into the cache, reading each file once, and leaves the workspace as DVC leaves it: by
// `cache.type`. Knows nothing of stages and locks.
package import CairnCore
import CairnFormats
import CairnSystem
import Glibc

package struct CacheWriter: Sendable {
  package let cache: DataCache
  package let snapshotter: Snapshotter

  package init(cache: DataCache, snapshotter: Snapshotter) {
    self.cache = cache
    self.snapshotter = snapshotter
  }

  /// Hashes the file or folder at `path`, stores every object that the cache lacks, a folder's manifest last, and,
  /// with `relink`, gives the workspace the configured kind of link. Returns what is then at `path`.
  ///
  /// `.missing` when nothing is there. Throws when something cannot be read or stored; the workspace is then as it
  /// was, and objects that were stored already stay.
  ///
  /// - Parameters:
  ///   - part: of a folder, only this file or folder below it, relative, is stored and linked; what comes back is the
  ///     whole all the same.
  ///   - isExecutable: whether the owner may execute a file once it is linked; `nil`: where it was so before.
  package func save(
    _ path: RepoPath, sha256: Bool = false, algorithm: ContentHash.Algorithm = .md5, relink: Bool = true,
    part: String? = nil, isExecutable: Bool? = nil
  ) throws(Diagnostic) -> Content {
    try save(
      snapshotter.place(path), sha256: sha256, algorithm: algorithm, relink: relink, part: part,
      isExecutable: isExecutable)
  }

  private func save(
    _ place: Snapshotter.Place, sha256: Bool = false, algorithm: ContentHash.Algorithm = .md5, relink: Bool,
    part: String? = nil, isExecutable: Bool? = nil
  ) throws(Diagnostic) -> Content {
    let work = StoreWork(
      store: cache.store(algorithm), index: snapshotter.index, kinds: DigestKinds(algorithm, sha256: sha256),
      algorithm: algorithm, byHardlink: relink && cache.linkTypes.first == .hardlink,
      observed: snapshotter.index.now())
    guard let (found, isLink) = try look(place.absolute) else { return .missing }
    if found.isDirectory { return .directory(try save(folder: place, work, relink: relink, part: part)) }
    guard found.isFile else { throw .notAFile(place.absolute) }
    var file = FoundFile(
      path: "", fingerprint: found.fingerprint, mode: found.permissions, links: Int(found.st_nlink), isLink: isLink)
    let wasExecutable = file.isExecutable
    let digests = try store([file], in: place, work)
    if relink {
      file = try link(
        file, place, digests[0], work, linker(work), executable: isExecutable ?? wasExecutable, ReadBuffer())
    }
    guard let content = FileContent(digests[0], work.kinds, file.fingerprint, isExecutable: wasExecutable) else {
      throw .vanished(place.absolute)
    }
    return .file(content)
  }

  /// Takes what lies at `path`, absolute, in or out of the project, into the cache and leaves it as it is. No filter
  /// applies.
  package func store(external path: String) throws(Diagnostic) -> Content {
    try save(Snapshotter.Place(absolute: path, key: path, base: nil), relink: false)
  }

  private func save(
    folder place: Snapshotter.Place, _ work: StoreWork, relink: Bool, part: String?
  ) throws(Diagnostic) -> DirectoryContent {
    let files = try DirectoryScan(place.absolute, base: place.base, filter: snapshotter.filter).files
    let meant = part.map { part in
      files.indices.filter { RepoPath(unchecked: files[$0].path).isInside(RepoPath(unchecked: part)) }
    }
    let digests: [Digests]
    if let meant {
      digests = try snapshotter.digests(of: files, in: place, work.kinds, observed: work.observed)
      _ = try store(meant.map { files[$0] }, in: place, work)
    } else {
      digests = try store(files, in: place, work)
    }
    var content = try DirectoryContent(files, digests, work.kinds)
    if try !work.store.contains(content.hash) {
      try work.store.write(ManifestJSON.encode(content.manifest), as: content.hash)
    }
    if relink {
      let linked = try link(
        meant?.map { files[$0] } ?? files, in: place, meant?.map { digests[$0] } ?? digests, work)
      for (number, file) in zip(meant ?? Array(files.indices), linked) { content.fingerprints[number] = file.fingerprint }
    }
    return content
  }

  /// What the path leads to, and whether it is a link; `nil` when nothing is there.
  private func look(_ path: String) throws(Diagnostic) -> (found: Glibc.stat, isLink: Bool)? {
    switch RawFile.stat(path, followLinks: false) {
    case .failure(let error) where error.code == ENOENT || error.code == ENOTDIR: return nil
    case .failure(let error): throw .system(error.code, "look at it", path)
    case .success(let own) where !own.isSymbolicLink: return (own, false)
    case .success:
      guard case .success(let target) = RawFile.stat(path, followLinks: true) else { return nil }
      return (target, true)
    }
  }

  private func store(
    _ files: [FoundFile], in place: Snapshotter.Place, _ work: StoreWork
  ) throws(Diagnostic) -> [Digests] {
    try Parallel.map(files.count, makeTool: ReadBuffer.init) { number, buffer throws(Diagnostic) in
      try work.store(files[number], place.appending(files[number].path), buffer)
    }
  }

  private func linker(_ work: StoreWork) -> ObjectLinker {
    ObjectLinker(cache, work.algorithm, Staging(project: snapshotter.root))
  }

  /// Gives the files of a folder the configured kind of link; they come back as they are then.
  private func link(
    _ files: [FoundFile], in place: Snapshotter.Place, _ digests: [Digests], _ work: StoreWork
  ) throws(Diagnostic) -> [FoundFile] {
    let linker = linker(work)
    return try Parallel.map(files.count, makeTool: ReadBuffer.init) { number, buffer throws(Diagnostic) in
      let file = files[number]
      return try link(file, place.appending(file.path), digests[number], work, linker, executable: nil, buffer)
    }
  }

  /// - Parameter executable: of a file that stands alone, whether its owner may execute it then; `nil` for one of a
  ///   folder.
  private func link(
    _ file: FoundFile, _ place: Snapshotter.Place, _ digests: Digests, _ work: StoreWork, _ linker: ObjectLinker,
    executable: Bool?, _ buffer: borrowing ReadBuffer
  ) throws(Diagnostic) -> FoundFile {
    guard let digest = digests[work.algorithm] else { return file }
    let (hash, store) = (ContentHash(work.algorithm, digest), work.store)
    let isCopy = !file.isLink && file.links == 1
    if executable == nil {
      guard try needsRelink(file, place, hash, store) else { return file }
    } else if isCopy, cache.linkTypes.first(where: { $0 != .reflink }) ?? .copy == .copy {
      // No link is asked for before a copy. DVC makes a new one here; giving the old one the mode of a new one is the
      // same to everybody but `make`.
      var mode = cache.linkTypes.first == .copy ? store.fileMode : 0o666 & ~RawFile.umask
      if executable ?? false { mode |= 0o100 }
      if mode != file.mode { _ = RawFile.chmod(place.absolute, mode) }
      var file = file
      file.mode = mode
      return file
    }
    let size = file.fingerprint.size
    var outcome = try linker.put(hash, size: size, at: place.absolute, buffer)
    // The cache had it altered, or lost it this moment: the bytes are here.
    if outcome != .done, try work.store(file, place, buffer)[work.algorithm] == digest {
      outcome = try linker.put(hash, size: size, at: place.absolute, buffer)
    }
    guard outcome == .done else { throw .corruptObject(store.path(of: hash)) }
    if executable ?? false { Checkout.setExecutable(place.absolute) }
    // The bytes are those of the object, whatever happened to the old file meanwhile.
    let observed = snapshotter.index.now()
    guard case .success(let now) = RawFile.stat(place.absolute, followLinks: true) else {
      throw .vanished(place.absolute)
    }
    snapshotter.index.remember(place.key, now.fingerprint, digests, observed: observed)
    var linked = file
    linked.fingerprint = now.fingerprint
    linked.mode = now.permissions
    return linked
  }

  /// DVC's rule for a file of a folder, by what it was before it was stored.
  private func needsRelink(
    _ file: FoundFile, _ place: Snapshotter.Place, _ hash: ContentHash, _ store: LocalObjectStore
  ) throws(Diagnostic) -> Bool {
    let isHardlink = file.links > 1
    let isCopy = !file.isLink && !isHardlink
    for type in cache.linkTypes {
      switch type {
      case .copy, .reflink: if isCopy { return false }
      case .hardlink:
        guard isHardlink, case .success(let object) = RawFile.stat(store.path(of: hash), followLinks: true) else {
          continue
        }
        return object.fingerprint.inode != file.fingerprint.inode
      case .symlink:
        guard file.isLink, let target = try Files.readLink(place.absolute) else { continue }
        return !target.hasSameBytes(as: store.path(of: hash))
      }
    }
    return true
  }
}

/// Hashing and storing of single files, from several threads at once.
private struct StoreWork: Sendable {
  let store: LocalObjectStore
  let index: StateIndex
  let kinds: DigestKinds
  let algorithm: ContentHash.Algorithm
  /// Link the file itself into the cache, where that works.
  let byHardlink: Bool
  let observed: Nanoseconds

  func store(
    _ file: FoundFile, _ place: Snapshotter.Place, _ buffer: borrowing ReadBuffer
  ) throws(Diagnostic) -> Digests {
    if let known = index.digests(place.key, file.fingerprint, kinds), let digest = known[algorithm],
      try store.contains(ContentHash(algorithm, digest))
    {
      return known
    }
    let descriptor = RawFile.open(place.absolute, O_RDONLY)
    if descriptor < 0 { throw .system(-descriptor, "open it", place.absolute) }
    defer { close(descriptor) }
    let digests: Digests
    if file.fingerprint.size < UInt64(ReadBuffer.pieceSize) {
      digests = try storeSmall(descriptor, file, place, buffer)
    } else {
      digests = try storeLarge(descriptor, file, place, buffer)
    }
    index.remember(place.key, file.fingerprint, digests, observed: observed)
    return digests
  }

  private func storeSmall(
    _ descriptor: Int32, _ file: FoundFile, _ place: Snapshotter.Place, _ buffer: borrowing ReadBuffer
  ) throws(Diagnostic) -> Digests {
    let count = buffer.fill(from: descriptor, expecting: file.fingerprint.size)
    if count < 0 { throw .system(Int32(-count), "read it", place.absolute) }
    if count == ReadBuffer.pieceSize {
      // It grew.
      lseek(descriptor, 0, SEEK_SET)
      return try storeLarge(descriptor, file, place, buffer)
    }
    var hasher = ContentHasher(kinds)
    hasher.update(buffer.prefix(count))
    let digests = hasher.finish()
    guard let digest = digests[algorithm] else { return digests }
    let hash = ContentHash(algorithm, digest)
    if try store.contains(hash) { return digests }
    try store.prepareFolder(of: hash)
    let path = store.path(of: hash)
    if byHardlink, count > 0, try link(file, place, to: hash) { return digests }
    let code = store.write(buffer.prefix(count), to: path)
    if code < 0 { throw .system(-code, "write the object", path) }
    return digests
  }

  /// Copies into the cache while it hashes; the object's name is known only at the end. Where the file system can
  /// share blocks, a clone is hashed: a writer can then no longer come in between.
  private func storeLarge(
    _ descriptor: Int32, _ file: FoundFile, _ place: Snapshotter.Place, _ buffer: borrowing ReadBuffer
  ) throws(Diagnostic) -> Digests {
    if byHardlink {
      let digests = try ContentHasher.digests(of: descriptor, path: place.absolute, kinds, buffer)
      guard let digest = digests[algorithm] else { return digests }
      let hash = ContentHash(algorithm, digest)
      if try store.contains(hash) { return digests }
      try store.prepareFolder(of: hash)
      if try link(file, place, to: hash) { return digests }
      lseek(descriptor, 0, SEEK_SET)
    }
    try store.makeFolders(store.folder)
    let temporary = store.folder + "/" + RawFile.temporaryName()
    let target = RawFile.open(temporary, O_RDWR | O_CREAT | O_EXCL, LocalObjectStore.protectedMode)
    if target < 0 { throw .system(-target, "create it", temporary) }
    do throws(Diagnostic) {
      let digests: Digests
      if RawFile.clone(descriptor, to: target) {
        digests = try ContentHasher.digests(of: target, path: temporary, kinds, buffer)
      } else {
        digests = try copy(descriptor, place, to: target, temporary, buffer)
      }
      let code = store.seal(target, 0)
      if code < 0 { throw .system(-code, "write it", temporary) }
      guard let digest = digests[algorithm] else { throw .vanished(place.absolute) }
      let hash = ContentHash(algorithm, digest)
      if try store.contains(hash) {
        _ = RawFile.unlink(temporary)
        return digests
      }
      try store.prepareFolder(of: hash)
      let installed = store.install(temporary, as: store.path(of: hash), 0)
      if installed < 0 { throw .system(-installed, "put it in place", store.path(of: hash)) }
      return digests
    } catch {
      _ = RawFile.unlink(temporary)
      throw error
    }
  }

  private func copy(
    _ descriptor: Int32, _ place: Snapshotter.Place, to target: Int32, _ temporary: String,
    _ buffer: borrowing ReadBuffer
  ) throws(Diagnostic) -> Digests {
    var hasher = ContentHasher(kinds)
    while true {
      let count = buffer.fill(from: descriptor)
      var code = Int32(min(count, 0))
      if code == 0 {
        hasher.update(buffer.prefix(count))
        code = RawFile.writeAll(buffer.prefix(count), to: target)
      }
      if code < 0 {
        close(target)
        throw .system(-code, "copy it to \(temporary)", place.absolute)
      }
      if count < ReadBuffer.pieceSize { return hasher.finish() }
    }
  }

  /// Makes the file itself the object; false when the object has still to be stored. Not for a link: its target may
  /// belong to somebody else.
  private func link(_ file: FoundFile, _ place: Snapshotter.Place, to hash: ContentHash) throws(Diagnostic) -> Bool {
    if file.isLink { return false }
    let path = store.path(of: hash)
    switch RawFile.link(place.absolute, to: path) {
    case 0: store.protect(path)
    // The same bytes have come from elsewhere meanwhile, and may be linked to already.
    case -EEXIST: return try store.contains(hash)
    default: return false
    }
    return true
  }
}
