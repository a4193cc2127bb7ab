// SHA-256 of bytes at hand, as the domain holds it.
package import CairnCore
import Crypto

extension Digest32 {
  package static func sha256(_ bytes: [UInt8]) -> Digest32 {
    bytes.withUnsafeBytes { sha256($0) }
  }

  static func sha256(_ bytes: UnsafeRawBufferPointer) -> Digest32 {
    var hash = SHA256()
    hash.update(bufferPointer: bytes)
    return Digest32(hash.finalize())
  }

  init(_ digest: SHA256.Digest) {
    self = digest.withUnsafeBytes { bytes in
      func word(_ offset: Int) -> UInt64 { UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
      return Digest32(
        high: Digest16(high: word(0), low: word(8)), low: Digest16(high: word(16), low: word(24)))
    }
  }
}
