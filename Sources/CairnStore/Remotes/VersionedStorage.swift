// What a remote can do beside that keeps every version of a file under its plain path. Knows keys, versions and bytes;
// knows nothing of outputs and of the files that name versions.
package import CairnCore

/// One version of a file of a remote, as the remote named it.
package struct FileVersion: Hashable, Sendable {
  /// Opaque, without quotes. The MD5 of the bytes only where they went in one piece and the remote did not encrypt them
  /// with a key of somebody's own.
  package var etag: String
  package var id: String
  /// Bytes.
  package var size: UInt64

  package init(etag: String, id: String, size: UInt64) {
    self.etag = etag
    self.id = id
    self.size = size
  }
}

/// What a remote has under one key.
package struct FileVersions: Sendable {
  /// `nil` where the newest thing there is a mark of deletion, or nothing is there.
  package var latest: FileVersion?
  package var all: Set<String> = []

  package init(latest: FileVersion? = nil, all: Set<String> = []) {
    self.latest = latest
    self.all = all
  }
}

/// Used by several threads at once.
///
/// What is written under a key that has something MUST leave the older version readable by its id.
package protocol VersionedStorage: RemoteStorage {
  /// Whether it keeps older versions; `nil` where we may not ask.
  func keepsVersions() throws(Diagnostic) -> Bool?
  /// The newest version; `nil` where none is there, or the remote names no version.
  func latest(_ key: String) throws(Diagnostic) -> FileVersion?
  func has(_ version: String, of key: String) throws(Diagnostic) -> Bool
  /// What lies below a folder of keys, `prefix` with a slash at its end.
  func versions(below prefix: String) throws(Diagnostic) -> [RepoPath: FileVersions]
  /// Sends the file at `path` as a new version.
  ///
  /// - Throws: also when the remote took it and named no version.
  func uploadVersion(
    _ path: String, to key: String, as hash: ContentHash, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> FileVersion
  /// As `download`, of one version; `nil` when that is not there.
  func download(
    _ key: String, version: String, to path: String, _ kinds: DigestKinds, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> Digests?
  /// What lies beside the project's files: where Cairn's own records go. Its keys begin below `folder`.
  func beside(_ folder: String) -> any RemoteStorage
}

extension Diagnostic.Code {
  /// A remote that should keep versions keeps none.
  package static let noVersions = Diagnostic.Code("no-versions")
}

extension Diagnostic {
  /// DVC's words.
  ///
  /// - Parameter place: of the file, as `bucket/prefix/path`.
  package static func noVersions(_ place: String, isSent: Bool) -> Diagnostic {
    .unexpected(
      .noVersions, "while uploading '\(place)', support for versioning could not be detected",
      hint: isSent
        ? "it was sent, over what may have been there before; switch the bucket's versioning on before the next push"
        : "nothing was sent: switch the bucket's versioning on, or unset version_aware and worktree of the remote")
  }
}
