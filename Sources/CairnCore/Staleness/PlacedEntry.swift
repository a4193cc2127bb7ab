// A lock entry whose paths are places: so can the one of another commit, folder or file be held against it.
// Knows nothing of where entries come from.
package import OrderedCollections

package struct PlacedEntry: Sendable {
  package struct File: Sendable {
    /// Its path is that of `location`, from the project's root.
    package var locked: LockedFile
    package var location: Location
  }
  package struct Parameters: Sendable {
    package var location: Location
    package var values: OrderedDictionary<String, Value>
  }

  /// String or list of strings; null for data.
  package var command: Value
  package var deps: [File]
  package var params: [Parameters]
  package var outs: [File]

  /// - Parameters:
  ///   - stage: as declared beside the entry; of an import it says where its dependencies lie.
  ///   - paths: of the project.
  package init(_ entry: LockEntry, of stage: Stage, paths: PathResolver) {
    func place(_ locked: LockedFile) -> File {
      let location = paths.location(of: locked.path, in: stage.wdir)
      var locked = locked
      locked.path = location.recordPath
      return File(locked: locked, location: location)
    }
    command = entry.command
    outs = entry.outs.map(place)
    params = entry.params.map { Parameters(location: paths.location(of: $0.key, in: stage.wdir), values: $0.value) }
    deps = entry.deps.enumerated().map { index, locked in
      var file = place(locked)
      // The dependencies of a `.dvc` file stand in its order.
      guard stage.kind == .tracked, stage.dependencies.indices.contains(index) else { return file }
      let dependency = stage.dependencies[index]
      file.location = dependency.location
      file.locked.path = dependency.location.recordPath
      // What another repository has is known by its commit.
      if let repository = dependency.source?.repository { file.locked.other["dataset"] = .map(repository) }
      return file
    }
  }

  package func dep(_ location: Location) -> File? { deps.first { $0.location == location } }
  package func out(_ location: Location) -> File? { outs.first { $0.location == location } }

  /// As a lock has it, its paths from the project's root.
  var entry: LockEntry {
    LockEntry(
      command: command, deps: deps.map(\.locked),
      params: OrderedDictionary(params.map { ($0.location.recordPath, $0.values) }, uniquingKeysWith: { $1 }),
      outs: outs.map(\.locked))
  }
}

extension LockedFile {
  /// The same bytes, by all that the two hashes tell; `nil` where they are of two kinds that do not compare, and where
  /// only one is known.
  package func isSame(as other: LockedFile) -> Bool? {
    guard let a = contentHash, let b = other.contentHash else {
      return isKnown == other.isKnown ? identity.isEqualInPython(to: other.identity) : nil
    }
    if a.digest == b.digest { return true }
    return a.algorithm == b.algorithm ? false : nil
  }

  private var isKnown: Bool { hashText != nil || dataset != nil }

  /// What stands for the content of what has no MD5: the lock of a dataset, a commit of another repository, an ETag.
  var identity: Value {
    if let dataset { return .map(dataset) }
    guard let hashName, let hashText else { return .map(["md5": .null]) }
    return .map([.string(hashName): .string(hashText)])
  }

  /// Known as a dataset is, by `identity` instead of a hash.
  func knownByIdentity() -> LockedFile {
    var file = self
    file.other["dataset"] = identity
    file.hashName = nil
    file.hashText = nil
    return file
  }

  /// As a comparison takes it: by a hash, or by what stands for one.
  package var withComparableHash: LockedFile { contentHash == nil ? knownByIdentity() : self }

  /// What was there when the entry was written, as a comparison takes it.
  package var content: Content {
    guard let hash = contentHash else { return .dataset(.locked(identity.map ?? [:])) }
    let size = size ?? 0
    if hash.isDirectory {
      return .directory(
        DirectoryContent(
          hash: hash, sha256: nil, size: size, fileCount: fileCount ?? 0, manifest: DirectoryManifest([]),
          fingerprints: []))
    }
    return .file(
      FileContent(
        hash: hash, sha256: nil, size: size, isExecutable: isExecutable,
        fingerprint: FileFingerprint(size: size, modified: 0, inode: 0, device: 0)))
  }
}
