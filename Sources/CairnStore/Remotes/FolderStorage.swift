// A folder of this machine as a remote. Knows nothing of settings and stages.
package import CairnCore
import CairnSystem
import Glibc

package struct FolderStorage: RemoteStorage {
  /// Absolute.
  package let folder: String

  package init(folder: String) { self.folder = folder }

  package var place: String { folder }
  package var jobs: Int { 4 * Machine.processorCount() }

  private func path(_ key: String) -> String { folder + "/" + key }

  package func size(of key: String) throws(Diagnostic) -> UInt64? {
    guard let stat = try FileStat.of(path(key)), stat.isFile else { return nil }
    return stat.size
  }

  /// One that is protected is taken on trust, any other is hashed, then protected or removed, as DVC does.
  package func holds(_ hash: ContentHash, at key: String) throws(Diagnostic) -> Bool {
    try presence(of: hash, at: key) == .there
  }

  package func presence(of hash: ContentHash, at key: String) throws(Diagnostic) -> RemotePresence {
    switch try store(of: hash).check(hash) {
    case .whole: .there
    case .missing: .absent
    case .corrupt: .removed
    }
  }

  private func store(of hash: ContentHash) -> LocalObjectStore {
    LocalObjectStore(
      folder: hash.algorithm == .md5 ? folder + "/files/md5" : folder, algorithm: hash.algorithm, isShared: false)
  }

  package func list(_ prefix: String, _ use: ([RemoteFile]) throws(Diagnostic) -> Bool) throws(Diagnostic) {
    let start = prefix.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(prefix[..<$0]) } ?? ""
    var folders = [start]
    while let next = folders.popLast() {
      var files: [RemoteFile] = []
      for entry in try Files.list(next.isEmpty ? folder : path(next)) ?? [] {
        let key = next.isEmpty ? entry.name : next + "/" + entry.name
        if AtomicFile.isTemporaryName(entry.name) { continue }
        if entry.kind == .directory {
          if key.hasPrefix(prefix) || (prefix.hasPrefix(key + "/")) { folders.append(key) }
        } else if key.hasPrefix(prefix), let size = try size(of: key) {
          files.append(RemoteFile(key: key, size: size))
        }
      }
      if !files.isEmpty, try !use(files) { return }
    }
  }

  package func read(_ key: String, limit: Int) throws(Diagnostic) -> [UInt8]? {
    try Files.read(plain: path(key), limit: limit)
  }

  package func download(
    _ key: String, to path: String, _ kinds: DigestKinds, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> Digests? {
    let source = self.path(key)
    guard let stat = try FileStat.of(source), stat.isFile else { return nil }
    try FileLink.copyAtomically(from: source, to: path, mode: LocalObjectStore.protectedMode)
    report(Int(stat.size))
    do throws(Diagnostic) {
      return try ContentHasher.digests(ofFile: path, kinds)
    } catch {
      _ = try? Files.remove(path)
      throw error
    }
  }

  package func digests(
    of key: String, _ kinds: DigestKinds, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> Digests? {
    guard let size = try size(of: key) else { return nil }
    let digests = try ContentHasher.digests(ofFile: path(key), kinds)
    report(Int(size))
    return digests
  }

  package func upload(
    _ path: String, to key: String, as hash: ContentHash?, _ report: @escaping ByteReport
  ) throws(Diagnostic) {
    let target = self.path(key)
    guard let hash else {
      try Files.makeDirectories(Self.parent(target))
      return try FileLink.copyAtomically(from: path, to: target, mode: 0o666 & ~RawFile.umask)
    }
    let store = store(of: hash)
    try store.prepareFolder(of: hash)
    let temporary = store.temporaryPath(beside: target)
    try FileLink.copyAtomically(from: path, to: temporary, mode: LocalObjectStore.protectedMode)
    let digests = try ContentHasher.digests(ofFile: temporary, DigestKinds(hash.algorithm, sha256: false))
    guard digests?[hash.algorithm] == hash.digest else {
      try Files.remove(temporary)
      throw .corruptObject(path)
    }
    let code = store.install(temporary, as: target, 0)
    if code < 0 { throw .system(-code, "store the object", target) }
    if let stat = try FileStat.of(target) { report(Int(stat.size)) }
  }

  private static func parent(_ path: String) -> String {
    path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? "/"
  }

  package func remove(_ keys: [String]) throws(Diagnostic) {
    for key in keys { try Files.remove(path(key)) }
  }
}
