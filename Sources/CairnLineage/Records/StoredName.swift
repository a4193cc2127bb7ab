// The name of a file in a store of records, here and on a remote alike. Knows nothing of what is in it.
package import CairnCore

/// `ab/cdef….json` for a document, `ab/cdef…` for an object.
package struct StoredName: Hashable, Sendable, Comparable {
  package var digest: Digest32
  package var isDocument: Bool

  package init(_ digest: Digest32, isDocument: Bool) {
    self.digest = digest
    self.isDocument = isDocument
  }

  /// `nil` for a text that is not exactly such a name: one that leads elsewhere, or is written otherwise.
  package init?(path: some StringProtocol) {
    let bytes = Array(path.utf8)
    guard bytes.count == 65 || bytes.count == 70, bytes[2] == UInt8(ascii: "/") else { return nil }
    let isDocument = bytes.count == 70
    let hex = String(decoding: bytes[..<2] + bytes[3..<65], as: UTF8.self)
    guard let digest = Digest32(hex: hex) else { return nil }
    self.init(digest, isDocument: isDocument)
    if !self.path.utf8.elementsEqual(bytes) { return nil }
  }

  /// Below the store's folder.
  package var path: String {
    let hex = digest.hex
    return hex.prefix(2) + "/" + hex.dropFirst(2) + suffix
  }

  var suffix: String { isDocument ? RecordStore.documentSuffix : "" }

  package static func < (a: StoredName, b: StoredName) -> Bool {
    (a.digest, a.isDocument ? 1 : 0) < (b.digest, b.isDocument ? 1 : 0)
  }
}
