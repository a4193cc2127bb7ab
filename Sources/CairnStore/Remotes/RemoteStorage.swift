// What a place can do that keeps files for a team: a folder, a bucket. Knows keys and bytes; knows nothing of objects
// and stages.
package import CairnCore

/// A file of a remote; its key is relative to the remote.
package struct RemoteFile: Hashable, Sendable {
  package var key: String
  /// Bytes.
  package var size: UInt64

  package init(key: String, size: UInt64) {
    self.key = key
    self.size = size
  }
}

/// What was found under an object's key.
package enum RemotePresence: Sendable {
  case there, absent
  /// It had other bytes than its name says, and was removed.
  case removed
}

/// Told of bytes as they go over the wire; negative when some of them have to go again.
package typealias ByteReport = @Sendable (Int) -> Void

/// Used by several threads at once. What is transient an implementation tries again by itself: what it throws, another
/// try would not mend.
///
/// Implementations MUST never show a file that is not whole under its key, and writing what is there already MUST do no
/// harm, also when two processes do it at once.
package protocol RemoteStorage: Sendable {
  /// Where it is, as messages say it: a folder, a URL. Nothing secret is in it.
  var place: String { get }
  /// How many transfers run at once, where nobody says otherwise.
  var jobs: Int { get }
  /// How many names one request lists; `nil` where asking for each file is as cheap.
  var pageSize: Int? { get }

  /// - Throws: when it cannot be known.
  func size(of key: String) throws(Diagnostic) -> UInt64?
  /// Whether there is an object that may be taken on trust under this key.
  func holds(_ hash: ContentHash, at key: String) throws(Diagnostic) -> Bool
  /// The same, which tells what was removed from what was not there.
  func presence(of hash: ContentHash, at key: String) throws(Diagnostic) -> RemotePresence
  /// All files whose keys begin with `prefix`, some at a time, until `use` says false.
  func list(_ prefix: String, _ use: ([RemoteFile]) throws(Diagnostic) -> Bool) throws(Diagnostic)
  /// The whole file; `nil` when it is not there.
  ///
  /// - Throws: also where it has more than `limit` bytes.
  func read(_ key: String, limit: Int) throws(Diagnostic) -> [UInt8]?
  /// Brings the file to `path`, where nothing is, protected against writing, and says what it hashed on the way; `nil` when
  /// it is not there. On a failure nothing is left.
  func download(
    _ key: String, to path: String, _ kinds: DigestKinds, _ report: @escaping ByteReport
  ) throws(Diagnostic) -> Digests?
  /// The same without a file: the bytes are hashed as they come, and nothing is kept.
  func digests(of key: String, _ kinds: DigestKinds, _ report: @escaping ByteReport) throws(Diagnostic) -> Digests?
  /// Sends the file at `path`.
  ///
  /// - Parameter hash: what it is, for an object: bytes that are other ones MUST NOT get its name.
  func upload(_ path: String, to key: String, as hash: ContentHash?, _ report: @escaping ByteReport) throws(Diagnostic)
  /// Those that are not there are no fault.
  func remove(_ keys: [String]) throws(Diagnostic)
}

extension RemoteStorage {
  package var pageSize: Int? { nil }

  package func holds(_ hash: ContentHash, at key: String) throws(Diagnostic) -> Bool { try size(of: key) != nil }

  package func presence(of hash: ContentHash, at key: String) throws(Diagnostic) -> RemotePresence {
    try holds(hash, at: key) ? .there : .absent
  }

  /// How messages call the file.
  package func name(of key: String) -> String { place + "/" + key }
}
