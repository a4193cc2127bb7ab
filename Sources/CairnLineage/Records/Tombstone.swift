// Says that a document or object was taken away on purpose (`cairn.tombstone/v1`), so that its absence is no riddle.
package import CairnCore
import CairnFormats
import CairnSystem

package struct Tombstone: Sendable, Hashable {
  /// What is gone.
  package var hash: Digest32
  package var reason: String
  /// Who ordered it (a request's number, a rule's name).
  package var authority: String
  /// Who did it.
  package var actor: String
  /// RFC 3339, UTC.
  package var time: String

  package init(hash: Digest32, reason: String, authority: String, actor: String, time: String) {
    self.hash = hash
    self.reason = reason
    self.authority = authority
    self.actor = actor
    self.time = time
  }

  var value: Value {
    .map([
      "schema": .string(Self.schema), "hash": .string(hash.hex), "reason": .string(reason),
      "authority": .string(authority), "actor": .string(actor), "time": .string(time),
    ])
  }

  static let schema = "cairn.tombstone/v1"

  /// `nil` for bytes that are no tombstone.
  init?(_ bytes: [UInt8]) {
    guard let value = try? JSONReader.parse(SourceText(path: "tombstone", bytes: bytes)).value else { return nil }
    self.init(value)
  }

  init?(_ value: Value) {
    guard value["schema"]?.string == Self.schema, let hash = value["hash"]?.string.flatMap({ Digest32(hex: $0) })
    else { return nil }
    self.init(
      hash: hash, reason: value["reason"]?.string ?? "", authority: value["authority"]?.string ?? "",
      // As in records, or a name alone.
      actor: value["actor"]?.string ?? value["actor"]?["name"]?.string ?? "", time: value["time"]?.string ?? "")
  }
}

extension RecordStore {
  /// Writes a tombstone: the document under its own hash, and in `tombstones/`, under the hash of what is gone, a
  /// line with the document's hash. What it speaks of is left alone.
  @discardableResult
  package func put(_ tombstone: Tombstone) throws(Diagnostic) -> Digest32 {
    let digest = try put(document: CanonicalJSON.encode(tombstone.value))
    try add(TombstoneMark(hash: tombstone.hash, document: digest))
    return digest
  }

  /// The tombstone of a document or object; `nil` when there is none.
  package func tombstone(of digest: Digest32) throws(Diagnostic) -> Tombstone? {
    for folder in [folder, sharedFolder].compactMap({ $0 }) {
      guard let lines = try Files.readText(folder + "/tombstones/" + digest.hex) else { continue }
      for line in lines.split(separator: "\n") {
        guard let name = Digest32(hex: line), let bytes = try document(name), let tombstone = Tombstone(bytes)
        else { continue }
        if tombstone.hash == digest { return tombstone }
      }
    }
    return nil
  }
}
