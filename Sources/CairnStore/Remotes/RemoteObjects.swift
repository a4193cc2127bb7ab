// DVC's layout of objects on any remote, and how one comes from there, its hash checked. Knows nothing of stages.
package import CairnCore
import CairnFormats
import CairnSystem
import Synchronization

/// `files/md5/ab/cdef…` for DVC 3, `ab/cdef…` for DVC 2; `runs/…` beside them.
package struct RemoteObjects: Sendable {
  package let storage: any RemoteStorage
  /// How many questions and transfers run at once.
  package var jobs: Int

  package init(_ storage: any RemoteStorage, jobs: Int? = nil) {
    self.storage = storage
    self.jobs = max(1, jobs ?? storage.jobs)
  }

  package static func key(of hash: ContentHash) -> String {
    let text = hash.text
    return (hash.algorithm == .md5 ? "files/md5/" : "") + text.prefix(2) + "/" + text.dropFirst(2)
  }

  /// How messages call the object.
  package func name(of hash: ContentHash) -> String { storage.name(of: Self.key(of: hash)) }

  package func holds(_ hash: ContentHash) throws(Diagnostic) -> Bool {
    try storage.holds(hash, at: Self.key(of: hash))
  }

  /// Whether a file of that name is there; its bytes are not looked at, and nothing is removed.
  package func hasFile(_ hash: ContentHash) throws(Diagnostic) -> Bool { try storage.size(of: Self.key(of: hash)) != nil }

  /// Whether the object has the bytes of its name, read and hashed; `nil` when it is not there. Nothing is kept.
  package func isWhole(_ hash: ContentHash, _ report: @escaping ByteReport) throws(Diagnostic) -> Bool? {
    let kinds = DigestKinds(hash.algorithm, sha256: false)
    return try storage.digests(of: Self.key(of: hash), kinds, report).map { $0[hash.algorithm] == hash.digest }
  }

  /// The list of a folder, its bytes held against the hash.
  package struct FolderList: Sendable {
    package var manifest: DirectoryManifest
    package var bytes: [UInt8]
  }

  /// Lists of more bytes are not read into memory.
  private static let listLimit = 1 << 30

  /// `nil` when it is not there.
  ///
  /// - Throws: also when it is not whole, or no list.
  package func list(of hash: ContentHash) throws(Diagnostic) -> FolderList? {
    guard let bytes = try storage.read(Self.key(of: hash), limit: Self.listLimit) else { return nil }
    guard ContentHasher.digests(of: bytes, DigestKinds(hash.algorithm, sha256: false))[hash.algorithm] == hash.digest
    else { throw .corruptOnRemote(name(of: hash)) }
    do {
      return FolderList(manifest: try ManifestJSON.decode(bytes), bytes: bytes)
    } catch {
      throw Diagnostic.corruptOnRemote(name(of: hash)).because(of: error)
    }
  }

  /// Those of the objects that the remote has.
  ///
  /// What a directory lists counts as there when the list is: whoever pushes sends that last.
  ///
  /// - Parameters:
  ///   - lists: of directories among them, as far as they are known.
  ///   - byName: whatever the bytes are; else an altered one of a folder is removed, as DVC does, and counts as not there.
  ///   - removed: told of those, from several threads.
  package func present(
    _ hashes: [ContentHash], lists: [ContentHash: DirectoryManifest], byName: Bool = false,
    removed: @Sendable (ContentHash) -> Void = { _ in }
  ) throws(Diagnostic) -> Set<ContentHash> {
    func ask(_ hashes: [ContentHash]) throws(Diagnostic) -> [Bool] {
      try self.ask(hashes) { hash throws(Diagnostic) in
        if byName { return try hasFile(hash) }
        let presence = try storage.presence(of: hash, at: Self.key(of: hash))
        if presence == .removed { removed(hash) }
        return presence == .there
      }
    }
    var present: Set<ContentHash> = []
    let folders = hashes.filter(\.isDirectory)
    for (folder, isThere) in zip(folders, try ask(folders)) where isThere {
      present.insert(folder)
      for entry in lists[folder]?.entries ?? [] { present.insert(ContentHash(folder.algorithm, entry.md5)) }
    }
    let rest = hashes.filter { !$0.isDirectory && !present.contains($0) }
    for (hash, isThere) in zip(rest, try ask(rest)) where isThere { present.insert(hash) }
    return present.intersection(hashes)
  }

  /// Those of the objects of which a file of that name is there, each looked for by itself; their bytes are not looked at,
  /// and nothing is removed.
  package func named(_ hashes: [ContentHash]) throws(Diagnostic) -> Set<ContentHash> {
    let there = try ask(hashes) { hash throws(Diagnostic) in try hasFile(hash) }
    return Set(zip(hashes, there).lazy.filter(\.1).map(\.0))
  }

  private func ask(
    _ hashes: [ContentHash], _ one: @Sendable (ContentHash) throws(Diagnostic) -> Bool
  ) throws(Diagnostic) -> [Bool] {
    if let page = storage.pageSize, let listed = try listed(hashes, page) { return hashes.map(listed.contains) }
    return try Concurrently.each(hashes.count, threads: jobs) { number throws(Diagnostic) in try one(hashes[number]) }
  }

  /// Fewer objects are asked for one by one.
  private static let fewest = 16

  /// All that the remote has of the newer layout, where listing it takes fewer requests than asking; `nil` where not.
  private func listed(_ hashes: [ContentHash], _ page: Int) throws(Diagnostic) -> Set<ContentHash>? {
    guard hashes.count >= Self.fewest, hashes.allSatisfy({ $0.algorithm == .md5 }) else { return nil }
    // Names are spread evenly: how many begin with three given digits tells how many there are.
    let few = 8 * page
    var sample = 0
    try storage.list("files/md5/00/0") { (files) throws(Diagnostic) in
      sample += files.count
      return sample < few
    }
    let pages = max(1, sample * 4096 / page)
    guard pages < hashes.count else { return nil }
    let wanted = Set(hashes)
    // A few pages come one after the other, many from all folders at once.
    let prefixes = pages < 64 ? [""] : (0...255).map { Hex.encode([UInt8($0)]) }
    let found = try Concurrently.each(prefixes.count, threads: jobs) { number throws(Diagnostic) in
      var found: [ContentHash] = []
      try storage.list("files/md5/" + prefixes[number]) { (files) throws(Diagnostic) in
        found += files.compactMap { Self.hash(ofKey: $0.key) }.filter(wanted.contains)
        return true
      }
      return found
    }
    return Set(found.joined())
  }

  /// The object of the newer layout that lies under a key; `nil` for what is none.
  package static func hash(ofKey key: String) -> ContentHash? {
    let bytes = key.utf8
    let start = "files/md5/".utf8
    guard bytes.starts(with: start) else { return nil }
    var name = Array(bytes.dropFirst(start.count))
    guard name.count > 3, name[2] == UInt8(ascii: "/") else { return nil }
    name.remove(at: 2)
    let isFolder = name.suffix(4).elementsEqual(".dir".utf8)
    if isFolder { name.removeLast(4) }
    return Digest16(hexDigits: name).map { ContentHash(.md5, $0, isDirectory: isFolder) }
  }

  /// Brings one object into the cache, of a directory its list only; nothing is asked of the cache before.
  ///
  /// - Returns: false when the remote does not have it.
  /// - Throws: also when its bytes are not those of its name: they get into no cache.
  package func fetch(
    _ hash: ContentHash, into cache: DataCache, _ report: @escaping ByteReport = { _ in }
  ) throws(Diagnostic) -> Bool {
    try cache.take(hash, otherwise: .corruptOnRemote(name(of: hash))) { (path, kinds) throws(Diagnostic) in
      try storage.download(Self.key(of: hash), to: path, kinds, report)
    }
  }
}

extension Diagnostic.Code {
  package static let corruptOnRemote = Diagnostic.Code("corrupt-on-remote")
}

extension Diagnostic {
  static func corruptOnRemote(_ name: String) -> Diagnostic {
    Diagnostic(.corruptOnRemote, "'\(name)' has other bytes than its name says")
      .hinting("it was not taken; remove it there, and push it again from a machine that has it")
  }
}
