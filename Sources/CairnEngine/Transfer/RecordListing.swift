// What of run records a remote has: the layout under `cairn/`, read from a listing. Reads no record.
import CairnCore
import CairnLineage
import CairnStore

/// `cairn/ab/cdef….json` and `cairn/ab/cdef…` as in the store; an empty file `cairn/heads/HASH` for each newest
/// invocation, `cairn/tombstones/HASH/DOCUMENT` for what is erased. DVC looks at none of it.
struct RecordListing: Sendable {
  /// With how many bytes each has, as the remote says.
  var files: [StoredName: UInt64] = [:]
  var heads: Set<Digest32> = []
  var tombstones: Set<TombstoneMark> = []

  static let folder = "cairn/"

  static func key(of name: StoredName) -> String { folder + name.path }
  static func key(ofHead head: Digest32) -> String { folder + headFolder + head.hex }
  static func key(of mark: TombstoneMark) -> String { folder + tombstoneFolder + mark.hash.hex + "/" + mark.document.hex }

  private static let headFolder = "heads/"
  private static let tombstoneFolder = "tombstones/"
  /// More are listed by many at once.
  private static let fewPages = 8

  private init() {}

  /// Lists the remote: by a single request where there is little.
  ///
  /// - Parameter isMeant: only such files are kept in memory.
  init(_ remote: RemoteObjects, isMeant: @Sendable (StoredName) -> Bool) throws(Diagnostic) {
    let few = remote.storage.pageSize.map { $0 * Self.fewPages } ?? .max
    var count = 0
    try remote.storage.list(Self.folder) { (files) throws(Diagnostic) in
      for file in files { add(file, isMeant) }
      count += files.count
      return count < few
    }
    if count < few { return }
    let buckets = (UInt8.min...UInt8.max).map { Hex.encode(CollectionOfOne($0)) + "/" }
    let prefixes = buckets + [Self.headFolder, Self.tombstoneFolder]
    let parts = try Concurrently.each(prefixes.count, threads: remote.jobs) { number throws(Diagnostic) in
      var part = RecordListing()
      try remote.storage.list(Self.folder + prefixes[number]) { (files) throws(Diagnostic) in
        for file in files { part.add(file, isMeant) }
        return true
      }
      return part
    }
    for part in parts {
      files.merge(part.files) { $1 }
      heads.formUnion(part.heads)
      tombstones.formUnion(part.tombstones)
    }
  }

  /// Whatever else lies there, names that lead elsewhere among it, is passed over.
  private mutating func add(_ file: RemoteFile, _ isMeant: (StoredName) -> Bool) {
    guard file.key.utf8.starts(with: Self.folder.utf8) else { return }
    let rest = file.key.dropFirst(Self.folder.count)
    if let name = StoredName(path: rest) {
      if isMeant(name) { files[name] = file.size }
    } else if rest.hasPrefix(Self.headFolder) {
      if let head = Digest32(hex: rest.dropFirst(Self.headFolder.count)) { heads.insert(head) }
    } else if rest.hasPrefix(Self.tombstoneFolder) {
      let parts = rest.dropFirst(Self.tombstoneFolder.count).split(separator: "/", omittingEmptySubsequences: false)
      if parts.count == 2, let hash = Digest32(hex: parts[0]), let document = Digest32(hex: parts[1]) {
        tombstones.insert(TombstoneMark(hash: hash, document: document))
      }
    }
  }
}
