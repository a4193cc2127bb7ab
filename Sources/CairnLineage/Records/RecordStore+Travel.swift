// What leaves a store for another one, and what comes in from there, its bytes held against its name. Knows no remote.
package import CairnCore
import CairnFormats
import CairnSystem

/// A document, as far as it says what it is.
package enum StoredDocument: Sendable {
  case run(RunRecord)
  case invocation(InvocationRecord)
  case tombstone(Tombstone)
  /// An environment, the files of a directory, what later versions know.
  case other
  /// It calls itself a record, and is none that this version can read.
  case unreadable

  package init(_ bytes: [UInt8]) {
    switch LineageIndex.schema(of: bytes) {
    case RecordJSON.runSchema: self = (try? RecordJSON.decode(bytes)).map { .run($0) } ?? .unreadable
    case RecordJSON.invocationSchema:
      self = (try? RecordJSON.decodeInvocation(bytes)).map { .invocation($0) } ?? .unreadable
    case Tombstone.schema: self = Tombstone(bytes).map { .tombstone($0) } ?? .unreadable
    default: self = .other
    }
  }
}

extension RecordStore {
  /// All files of our own store, sorted; what others put beside a shared cache is not among them.
  package func ownNames() throws(Diagnostic) -> [StoredName] {
    var names: [StoredName] = []
    for bucket in UInt8.min...UInt8.max {
      for name in try own.names(inBucket: bucket) {
        if let name = StoredName(path: name.prefix(2) + "/" + name.dropFirst(2)) { names.append(name) }
      }
    }
    return names.sorted()
  }

  package func hasOwnFiles() throws(Diagnostic) -> Bool {
    for bucket in UInt8.min...UInt8.max where try !own.names(inBucket: bucket).isEmpty { return true }
    return false
  }

  package func hasOwn(_ name: StoredName) -> Bool { own.contains(WriteOnceFolder.Name(name.digest, suffix: name.suffix)) }

  package func path(of name: StoredName) -> String { folder + "/" + name.path }

  /// The bytes of a file of our own store; `nil` where there is none.
  ///
  /// - Throws: `record-altered` where they are not those of its name.
  package func ownBytes(_ name: StoredName) throws(Diagnostic) -> [UInt8]? {
    guard let bytes = try own.read(WriteOnceFolder.Name(name.digest, suffix: name.suffix)) else { return nil }
    guard Digest32.sha256(bytes) == name.digest else { throw .recordAltered(path(of: name)) }
    return bytes
  }

  /// Takes in a file of another store.
  ///
  /// - Returns: false, and nothing is taken, where the bytes are not those of the name.
  package func take(_ bytes: [UInt8], as name: StoredName) throws(Diagnostic) -> Bool {
    guard Digest32.sha256(bytes) == name.digest else { return false }
    if name.isDocument { try put(document: bytes) } else { try put(object: bytes) }
    return true
  }

  // MARK: Tombstones

  /// What is erased here, and the documents that say so.
  package func tombstoneMarks() throws(Diagnostic) -> Set<TombstoneMark> {
    var marks: Set<TombstoneMark> = []
    for entry in try Files.list(folder + "/tombstones") ?? [] {
      guard let hash = Digest32(hex: entry.name), let lines = try Files.readText(folder + "/tombstones/" + entry.name)
      else { continue }
      for line in lines.split(separator: "\n") {
        if let document = Digest32(hex: line) { marks.insert(TombstoneMark(hash: hash, document: document)) }
      }
    }
    return marks
  }

  /// Notes a tombstone whose document is in the store.
  package func add(_ mark: TombstoneMark) throws(Diagnostic) {
    for folder in [folder, sharedFolder].compactMap({ $0 }) {
      try Files.makeDirectories(folder + "/tombstones")
      let path = folder + "/tombstones/" + mark.hash.hex
      let lines = try Files.readText(path) ?? ""
      if lines.split(separator: "\n").contains(mark.document.hex[...]) { continue }
      try AtomicFile.write(Array((lines + mark.document.hex + "\n").utf8), to: path, sync: false)
    }
  }

  // MARK: Heads

  /// The newest invocations of our own store.
  package func ownHeads() -> [Digest32] { Heads(in: folder).all.sorted() }

  /// Makes invocations that were taken in heads, and those no longer that one of them follows.
  ///
  /// - Parameters:
  ///   - fresh: all that were taken in just now, with what each names as `previous`.
  ///   - newest: what another store has as its heads, and this one has too.
  package func joinHeads(_ fresh: [Digest32: [Digest32]], newest: [Digest32]) throws(Diagnostic) {
    let passed = Set(fresh.values.joined())
    var added = Set(fresh.keys).subtracting(passed)
    let known = Set(ownHeads())
    // Who came before cannot follow who has come just now.
    let older = Set(newest).subtracting(known).subtracting(fresh.keys)
    added.formUnion(older.subtracting(try followed(among: older)).subtracting(passed))
    for folder in [folder, sharedFolder].compactMap({ $0 }) {
      let heads = Heads(in: folder)
      for head in added.sorted() { try heads.advance(to: head, from: []) }
      try heads.remove(passed)
    }
  }

  /// Those of the invocations that another one of our own store follows, as far as the newest ones lead to them.
  package func followed(among wanted: Set<Digest32>) throws(Diagnostic) -> Set<Digest32> {
    if wanted.isEmpty { return [] }
    var found: Set<Digest32> = []
    var next = ownHeads()
    var seen = Set(next)
    var index = 0
    // An ancestor among the heads does no harm: not all of a long story is read to find it.
    while index < next.count, index < Self.storyLimit, found.count < wanted.count {
      let digest = next[index]
      index += 1
      guard let bytes = try? ownBytes(StoredName(digest, isDocument: true)),
        let invocation = try? RecordJSON.decodeInvocation(bytes)
      else { continue }
      for previous in invocation.previous {
        if wanted.contains(previous) { found.insert(previous) }
        if seen.insert(previous).inserted { next.append(previous) }
      }
    }
    return found
  }

  private static let storyLimit = 4000
}

/// That a tombstone's document speaks of a hash.
package struct TombstoneMark: Hashable, Sendable, Comparable {
  /// Of what is gone.
  package var hash: Digest32
  package var document: Digest32
  package init(hash: Digest32, document: Digest32) {
    self.hash = hash
    self.document = document
  }

  package static func < (a: TombstoneMark, b: TombstoneMark) -> Bool { (a.hash, a.document) < (b.hash, b.document) }
}
