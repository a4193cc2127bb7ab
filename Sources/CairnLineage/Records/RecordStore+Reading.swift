// Reads documents and objects back, and says in one word what is not there.
package import CairnCore
import CairnFormats

/// What became of a document or object, in the words of all commands.
package enum Presence: Sendable, Hashable {
  case present
  /// Taken away on purpose: a tombstone says by whom and why.
  case erased(Tombstone)
  /// Not here, and nothing says why.
  case missing
  /// Here, with other bytes than its name says.
  case altered

  package var word: String {
    switch self {
    case .present: "present"
    case .erased: "erased"
    case .missing: "missing"
    case .altered: "altered"
    }
  }
}

extension RecordStore {
  /// The bytes of a document; `nil` when it is neither here nor in the shared store.
  ///
  /// Throws `record-altered` when the bytes found are not those of the name (and no other copy is right).
  package func document(_ digest: Digest32) throws(Diagnostic) -> [UInt8]? {
    try bytes(digest, suffix: Self.documentSuffix)
  }

  /// The same for an object.
  package func object(_ digest: Digest32) throws(Diagnostic) -> [UInt8]? {
    try bytes(digest, suffix: "")
  }

  /// The record of a run; `nil` when it is nowhere. A document of another schema is refused.
  package func record(_ id: RunID) throws(Diagnostic) -> RunRecord? {
    guard let bytes = try document(id.digest) else { return nil }
    do {
      return try RecordJSON.decode(bytes)
    } catch { throw Diagnostic.unreadableRecord(id.digest).because(of: error) }
  }

  /// What an environment document says; `nil` where it cannot be read.
  package func environment(_ digest: Digest32) -> Value? {
    guard let bytes = (try? document(digest)) ?? nil else { return nil }
    return (try? JSONReader.parse(SourceText(path: digest.hex, bytes: bytes)))?.value
  }

  package func invocation(_ digest: Digest32) throws(Diagnostic) -> InvocationRecord? {
    guard let bytes = try document(digest) else { return nil }
    do {
      return try RecordJSON.decodeInvocation(bytes)
    } catch { throw Diagnostic.unreadableRecord(digest).because(of: error) }
  }

  /// Looks for a document or object of this hash, and reads it to be sure.
  package func presence(of digest: Digest32) throws(Diagnostic) -> Presence {
    do {
      if try document(digest) != nil { return .present }
      if try object(digest) != nil { return .present }
    } catch {
      if error.code == .recordAltered { return .altered }
      throw error
    }
    if let tombstone = try tombstone(of: digest) { return .erased(tombstone) }
    return .missing
  }

  /// Whether a record is that of another repository, which shares the cache: its stages are not ours, whatever their
  /// names. `nil`: it cannot be known now. What lies in our own store is ours.
  func isForeign(_ id: RunID, _ record: RunRecord) -> Bool? {
    if isOwn(id) { return false }
    return isOfThisRepository(record).map { !$0 }
  }

  /// By the repository that it names; `nil`: it cannot be known now.
  package func isOfThisRepository(_ record: RunRecord) -> Bool? { isOurs(record.source.repository) }

  /// The hashes of all documents, of both stores, sorted.
  package func documents() throws(Diagnostic) -> [Digest32] {
    var found: Set<Digest32> = []
    for bucket in UInt8.min...UInt8.max { found.formUnion(try documents(inBucket: bucket)) }
    return found.sorted()
  }

  /// The hashes of documents that begin with these hexadecimal digits (2 or more), sorted. Opens none of them.
  package func documents(startingWith prefix: String) throws(Diagnostic) -> [Digest32] {
    let prefix = prefix.lowercased()
    guard let bucket = UInt8(prefix.prefix(2), radix: 16), prefix.utf8.count >= 2 else { return [] }
    return try documents(inBucket: bucket)
      .filter { $0.hex.hasPrefix(prefix) }
      .sorted()
  }

  /// The first 4 digits of a document's name, or as many as tell it from all others that are here now.
  package func shortName(of run: RunID) -> String {
    let alike = ((try? documents(startingWith: run.short)) ?? []).filter { $0 != run.digest }
    return (4...64).lazy.map { String(run.hex.prefix($0)) }.first { name in !alike.contains { $0.hex.hasPrefix(name) } }
      ?? run.hex
  }

  /// Whether there is any. Stops at the first.
  func hasDocuments() throws(Diagnostic) -> Bool {
    for bucket in UInt8.min...UInt8.max where try !documents(inBucket: bucket).isEmpty { return true }
    return false
  }

  /// Of each folder of the store, by the first byte of the names in it, what tells that something came or went.
  func stamps() -> [(folder: String, stamps: [WriteOnceFolder.Stamp?])] {
    [own, shared].compactMap { $0 }.map { ($0.path, $0.stamps()) }
  }

  func documents(inBucket bucket: UInt8) throws(Diagnostic) -> Set<Digest32> {
    var found: Set<Digest32> = []
    let names = try own.names(inBucket: bucket) + (shared?.names(inBucket: bucket) ?? [])
    for name in names where name.hasSuffix(Self.documentSuffix) {
      if let digest = Digest32(hex: name.dropLast(Self.documentSuffix.utf8.count)) { found.insert(digest) }
    }
    return found
  }

  /// Documents whose bytes are not those of their name in any store, with the bytes of one of them. Reads them all.
  package func alteredDocuments() -> [Digest32: [UInt8]] {
    var found: [Digest32: [UInt8]] = [:]
    for digest in (try? documents()) ?? [] {
      let name = WriteOnceFolder.Name(digest, suffix: Self.documentSuffix)
      let copies = [own, shared].compactMap { folder in (try? folder?.read(name)) ?? nil }
      if !copies.contains(where: { Digest32.sha256($0) == digest }), let copy = copies.first { found[digest] = copy }
    }
    return found
  }

  private func bytes(_ digest: Digest32, suffix: String) throws(Diagnostic) -> [UInt8]? {
    let name = WriteOnceFolder.Name(digest, suffix: suffix)
    var altered: String?
    for folder in [own, shared].compactMap({ $0 }) {
      guard let bytes = try folder.read(name) else { continue }
      if Digest32.sha256(bytes) == digest { return bytes }
      altered = folder.path + "/" + name.text
    }
    if let altered { throw Diagnostic.recordAltered(altered) }
    return nil
  }
}

extension Diagnostic.Code {
  /// A record, document or object whose bytes are not those of its name.
  package static let recordAltered = Diagnostic.Code("record-altered")
  /// A record that this version cannot read.
  package static let recordUnreadable = Diagnostic.Code("record-unreadable")
}

extension Diagnostic {
  static func recordAltered(_ path: String) -> Diagnostic {
    Diagnostic(.recordAltered, "'\(path)' was altered: its bytes are not those of its name")
      .hinting("it is not used; `cairn runs check` looks at all of them")
  }

  static func unreadableRecord(_ digest: Digest32) -> Diagnostic {
    Diagnostic(.recordUnreadable, "cannot read the record \(digest.hex)")
  }
}
