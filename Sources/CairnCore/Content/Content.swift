// What was seen at a path, as one observation: staleness and explanation are both judged from it.

package enum Content: Sendable {
  case missing
  case file(FileContent)
  case directory(DirectoryContent)
  /// An entry of `datasets:`, of which the lock alone is known.
  case dataset(DatasetReading)
  /// Neither "there" nor "not there" could be established.
  case unknown(Diagnostic)

  /// `nil` when missing or unknown.
  package var hash: ContentHash? {
    switch self {
    case .file(let file): file.hash
    case .directory(let directory): directory.hash
    case .missing, .dataset, .unknown: nil
    }
  }

  package var sha256: Digest32? {
    switch self {
    case .file(let file): file.sha256
    case .directory(let directory): directory.sha256
    case .missing, .dataset, .unknown: nil
    }
  }

  package var size: UInt64? {
    switch self {
    case .file(let file): file.size
    case .directory(let directory): directory.size
    case .missing, .dataset, .unknown: nil
    }
  }

  package var isMissing: Bool { if case .missing = self { true } else { false } }
}

package struct FileContent: Hashable, Sendable {
  package var hash: ContentHash
  /// `nil` when it was not asked for (only what runs read and write has it).
  package var sha256: Digest32?
  package var size: UInt64
  package var isExecutable: Bool
  package var fingerprint: FileFingerprint

  package init(hash: ContentHash, sha256: Digest32?, size: UInt64, isExecutable: Bool, fingerprint: FileFingerprint) {
    self.hash = hash
    self.sha256 = sha256
    self.size = size
    self.isExecutable = isExecutable
    self.fingerprint = fingerprint
  }
}

package struct DirectoryContent: Hashable, Sendable {
  /// Of the `.dir` object.
  package var hash: ContentHash
  /// Of the `cairn.dir/v1` document; `nil` when it was not asked for.
  package var sha256: Digest32?
  package var size: UInt64
  package var fileCount: Int
  package var manifest: DirectoryManifest
  /// Of each file, in the manifest's order; tells cheaply whether something changed since.
  package var fingerprints: [FileFingerprint]

  package init(
    hash: ContentHash, sha256: Digest32?, size: UInt64, fileCount: Int, manifest: DirectoryManifest,
    fingerprints: [FileFingerprint]
  ) {
    self.hash = hash
    self.sha256 = sha256
    self.size = size
    self.fileCount = fileCount
    self.manifest = manifest
    self.fingerprints = fingerprints
  }
}

package enum DatasetReading: Sendable {
  /// What the lock says of it, with DVC's keys in DVC's order.
  case locked(ValueMap)
  /// There is no entry in the lock, or one of another place than the declared: what DVC says of that.
  case unlocked(Diagnostic)
}
