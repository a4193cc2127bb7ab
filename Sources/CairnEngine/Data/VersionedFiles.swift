// The lists of files that version-aware remotes leave in `.dvc` files: which hash they amount to, and what of them
// holds when the data is looked at again. Knows nothing of where the files lie.
package import CairnCore
import CairnFormats
import CairnStore
import OrderedCollections

extension LockedFile {
  /// `files:`, where there is a list with something in it.
  private var versionedFiles: [Value]? {
    guard let items = other["files"]?.list, !items.isEmpty else { return nil }
    return items
  }

  /// The folder that `files:` tells, where it tells one with the MD5 of each file.
  package var listedManifest: DirectoryManifest? {
    guard let items = versionedFiles else { return nil }
    var digests: [String: Digest16] = [:]
    for item in items {
      guard let path = item["relpath"]?.string, let md5 = item["md5"]?.string.flatMap({ Digest16(hex: $0) }) else {
        return nil
      }
      digests[path] = md5
    }
    return DirectoryManifest(digests.map { DirectoryManifest.Entry(path: $0.key, md5: $0.value) })
  }

  /// As read from a `.dvc` file: a folder that is told file by file has the hash of its list.
  package var withHashOfFiles: LockedFile {
    guard let items = versionedFiles, let manifest = listedManifest else { return self }
    let total = items.reduce(UInt64(0)) { $0 + ($1["size"]?.int.flatMap { UInt64(exactly: $0) } ?? 0) }
    var file = self
    let digest = ContentHasher.md5(of: ManifestJSON.encode(manifest))
    file.hashName = "md5"
    file.hashText = ContentHash(hasHashField ? .md5 : .md5Dos2unix, digest, isDirectory: true).text
    file.size = total
    file.fileCount = items.count
    return file
  }

  /// As a `.dvc` file says it: the list stands for hash, size and count.
  var withoutHashOfFiles: LockedFile {
    guard versionedFiles != nil, contentHash?.isDirectory ?? false else { return self }
    var file = self
    (file.hashName, file.hashText, file.size, file.fileCount) = (nil, nil, nil, nil)
    return file
  }

  /// As DVC writes it anew: keys in its order, of a remote's knowledge only the versions under `cloud`, and no list of
  /// no files.
  var inOrder: LockedFile {
    var file = self
    if let items = other["files"]?.list {
      file.other["files"] = items.isEmpty ? nil : .list(items.map { .map(Self.inOrder($0.map ?? [:])) })
    }
    guard let (remote, value) = other["cloud"]?.map?.elements.first, let known = value.map else { return file }
    file.size = size ?? known["size"]?.int.flatMap(UInt64.init(exactly:))
    file.fileCount = fileCount ?? known["nfiles"]?.int
    file.isExecutable = isExecutable || known["isexec"]?.bool ?? false
    file.other["cloud"] = Self.versions(known).map { .map([remote: .map($0)]) }
    return file
  }

  /// One item of `files:`.
  private static func inOrder(_ item: ValueMap) -> ValueMap {
    var all = item
    var ordered = ValueMap()
    if let (remote, known) = all.removeValue(forKey: "cloud")?.map?.elements.first {
      for (key, value) in known.map ?? [:] { all[key] = value }
      all["cloud"] = versions(all).map { .map([remote: .map($0)]) }
      for key in versionOrder { all.removeValue(forKey: key) }
    }
    if !(all["isexec"]?.isTruthy ?? false) { all.removeValue(forKey: "isexec") }
    for key in ["relpath", "md5", "size", "nfiles", "isexec", "version_id", "etag", "checksum"] as [Value] {
      if let value = all.removeValue(forKey: key) { ordered[key] = value }
    }
    for (key, value) in all { ordered[key] = value }
    return ordered
  }

  private static let versionOrder: [Value] = ["etag", "checksum", "version_id"]

  private static func versions(_ known: ValueMap) -> ValueMap? {
    var versions = ValueMap()
    for key in versionOrder { if let value = known[key], value.isTruthy { versions[key] = value } }
    return versions.isEmpty ? nil : versions
  }

  /// What the data holds now, with the remote's versions of all that is as `old` says.
  func keepingVersions(of old: LockedFile?, in content: Content) -> LockedFile {
    switch content {
    case .directory(let folder): return keepingVersions(of: old, in: folder.manifest.entries)
    case .file: return keepingVersions(of: old)
    case .missing, .dataset, .unknown: return self
    }
  }

  /// A file, in the same way.
  fileprivate func keepingVersions(of old: LockedFile?) -> LockedFile {
    guard let old, old.contentHash == contentHash else { return self }
    let versions = old.other.filter { Self.versionKeys.contains($0.key) }
    let cloud = versions["cloud"]?.map?.elements.first?.value
    guard versions["version_id"] != nil || cloud?["version_id"] != nil else { return self }
    var file = self
    for (key, value) in versions { file.other[key] = value }
    return file
  }

  /// What a folder holds now, in the same way.
  func keepingVersions(of old: LockedFile?, in entries: [DirectoryManifest.Entry]) -> LockedFile {
    guard let items = old?.versionedFiles else { return self }
    var known: [RepoPath: Value] = [:]
    for item in items { if let path = item["relpath"]?.string { known[RepoPath(unchecked: path)] = item } }
    var file = self
    file.other["files"] = .list(
      entries.map { entry in
        if let item = known[RepoPath(unchecked: entry.path)], item["md5"]?.string == entry.md5.hex { return item }
        var map: ValueMap = ["relpath": .string(entry.path), "md5": .string(entry.md5.hex)]
        if let size = entry.size {
          map["size"] = Int(exactly: size).map(Value.int) ?? .bigInt(String(size))
        }
        if entry.isExecutable ?? false { map["isexec"] = true }
        return .map(map)
      })
    return file
  }

  private static let versionKeys: Set<Value> = ["version_id", "etag", "checksum", "remote", "cloud"]

  /// The content alone, whatever remotes know of it.
  var withoutVersions: LockedFile {
    if other.isEmpty { return self }
    var file = self
    for key in Self.versionKeys.union(["files"]) { file.other.removeValue(forKey: key) }
    return file
  }
}

extension LockEntry {
  /// As DVC writes a stage that has ended: a file that is as before keeps its version, a folder is told by its hash until
  /// the next push.
  func keepingVersionsOfFiles(in old: LockEntry?) -> LockEntry {
    guard let old, old.outs.contains(where: { !$0.other.isEmpty }) else { return self }
    var entry = self
    entry.outs = outs.map { out in
      guard out.contentHash?.isDirectory == false else { return out }
      return out.keepingVersions(of: old.out(out.path))
    }
    return entry
  }
}

extension LockFile {
  /// As read from a `dvc.lock`: folders that are told file by file have the hashes of their lists.
  ///
  /// The lock is written with the lists alone, as it was read.
  var withHashesOfFiles: LockFile {
    var lock = self
    for (name, entry) in entries {
      let isListed = { (file: LockedFile) in file.other["files"] != nil }
      // Few locks have such lists, and a long one is not copied for nothing.
      guard entry.outs.contains(where: isListed) || entry.deps.contains(where: isListed) else { continue }
      var entry = entry
      entry.deps = entry.deps.map(\.withHashOfFiles)
      entry.outs = entry.outs.map(\.withHashOfFiles)
      lock.entries[name] = entry
    }
    return lock
  }
}

extension LockedFile {
  /// What `files:` says of the files of a folder; `nil` where there is no such list.
  var listOfFiles: DirectoryManifest? {
    guard let items = versionedFiles else { return nil }
    return DirectoryManifest(
      items.compactMap { item in
        guard let path = item["relpath"]?.string, let md5 = item["md5"]?.string.flatMap({ Digest16(hex: $0) }) else {
          return nil
        }
        return DirectoryManifest.Entry(
          path: path, md5: md5, size: item["size"]?.int.flatMap { UInt64(exactly: $0) },
          isExecutable: item["isexec"]?.bool)
      })
  }
}
