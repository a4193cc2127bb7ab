// What `dvc.lock` says: for each stage, the command, inputs, parameters and outputs of its last good run.
package import OrderedCollections

package struct LockFile: Sendable {
  /// By full stage name, in file order: an entry that is written again keeps its place, a new one goes last.
  package var entries: OrderedDictionary<String, LockEntry>
  /// Schema `1.0` of DVC 1 (stages at the top level) is read, and rewritten as `2.0`.
  package var isVersion1 = false
  /// `datasets:` of the lock, as read.
  package var datasets: [Value] = []
  /// The keys of the file in their order, which stays: DVC puts what it writes first before the others.
  package var keys = ["schema", "stages"]

  package init(entries: OrderedDictionary<String, LockEntry> = [:]) { self.entries = entries }
}

package struct LockEntry: Hashable, Sendable {
  /// String or list of strings.
  package var command: Value
  package var deps: [LockedFile] { didSet { depPlaces = LockedPlaces(for: deps) } }
  /// File → key → value, in file order.
  package var params: OrderedDictionary<String, OrderedDictionary<String, Value>>
  package var outs: [LockedFile] { didSet { outPlaces = LockedPlaces(for: outs) } }
  private var depPlaces: LockedPlaces?
  private var outPlaces: LockedPlaces?

  package init(
    command: Value, deps: [LockedFile] = [], params: OrderedDictionary<String, OrderedDictionary<String, Value>> = [:],
    outs: [LockedFile] = []
  ) {
    self.command = command
    self.deps = deps
    self.params = params
    self.outs = outs
    depPlaces = LockedPlaces(for: deps)
    outPlaces = LockedPlaces(for: outs)
  }

  /// Of a path that is there twice the last one counts, as for DVC.
  package func dep(_ path: String) -> LockedFile? {
    if let depPlaces { return depPlaces.last(path, in: deps) }
    return deps.last { $0.path.hasSameBytes(as: path) }
  }

  package func out(_ path: String) -> LockedFile? {
    if let outPlaces { return outPlaces.last(path, in: outs) }
    return outs.last { $0.path.hasSameBytes(as: path) }
  }
}

/// A path with its hash, as the lock and `.dvc` files hold it.
package struct LockedFile: Hashable, Sendable {
  /// As declared, relative to the stage's `wdir`.
  package var path: String
  /// `md5`, `etag`, `checksum`, …: the key that holds the hash; `nil` when there is none.
  package var hashName: String?
  /// Its value, such as `d41d8cd98f00b204e9800998ecf8427e` or `….dir`.
  package var hashText: String?
  /// `hash: md5` stands in the entry: DVC 3's plain MD5. Without it an `md5` is DVC 2's (`md5-dos2unix`).
  package var hasHashField: Bool
  package var size: UInt64?
  package var fileCount: Int?
  package var isExecutable: Bool
  /// What `hash:` says where it is no kind of hash that a cache of DVC's has.
  package var strangeHash: String?
  /// Keys that this type does not name (`version_id`, `files`, `cloud`, `remote`, …), in file order.
  package var other: ValueMap

  package init(
    path: String, hashName: String? = nil, hashText: String? = nil, hasHashField: Bool = true, size: UInt64? = nil,
    fileCount: Int? = nil, isExecutable: Bool = false, other: ValueMap = [:]
  ) {
    self.path = path
    self.hashName = hashName
    self.hashText = hashText
    self.hasHashField = hasHashField
    self.size = size
    self.fileCount = fileCount
    self.isExecutable = isExecutable
    self.other = other
  }

  /// Takes what `hash:` says. DVC leaves the key out for the other kind, and understands it there.
  package mutating func readHashField(_ value: Value) {
    hasHashField = value.string != "md5-dos2unix"
    if let text = value.string, text != "md5", text != "md5-dos2unix" { strangeHash = text }
  }

  /// `dataset:` of a dependency on `ds://NAME`: the lock of the dataset that the stage ran with.
  package var dataset: ValueMap? {
    guard let map = other["dataset"]?.map, !map.isEmpty else { return nil }
    return map
  }

  /// The hash as a name in DVC's cache; `nil` for none, or one of another kind (`etag`).
  package var contentHash: ContentHash? {
    guard hashName == "md5", strangeHash == nil, let hashText else { return nil }
    return ContentHash(hashText, algorithm: hasHashField ? .md5 : .md5Dos2unix)
  }
}
