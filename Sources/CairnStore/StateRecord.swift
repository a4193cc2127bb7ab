// The fixed-size record by which `StateIndex` remembers one file. Knows its bytes and their checksum, no file.
import CairnCore

/// Sixteen little-endian words: key, fingerprint (size, modified, inode, device), the time of observation, digests
/// (MD5, MD5 with line ends unified, SHA-256), which of them are known, and a checksum of the fifteen before.
struct StateRecord: Equatable {
  static let size = 128

  /// `StateKey.of(path)`.
  var key: UInt64
  var fingerprint: FileFingerprint
  /// When, by the file system's clock, the observation began: before the fingerprint was taken.
  var observed: Nanoseconds
  var digests: Digests

  init(key: UInt64, fingerprint: FileFingerprint, observed: Nanoseconds, digests: Digests) {
    self.key = key
    self.fingerprint = fingerprint
    self.observed = observed
    self.digests = digests
  }

  /// `nil` when the checksum does not fit: a torn or altered record.
  init?(_ bytes: UnsafeRawBufferPointer) {
    func word(_ index: Int) -> UInt64 {
      UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
    }
    guard bytes.count >= Self.size, word(15) == Self.checksum(word) else { return nil }
    key = word(0)
    fingerprint = FileFingerprint(
      size: word(1), modified: Int64(bitPattern: word(2)), inode: word(3), device: word(4))
    observed = Int64(bitPattern: word(5))
    let kinds = DigestKinds(rawValue: UInt8(truncatingIfNeeded: word(14)))
    digests = Digests(
      md5: kinds.contains(.md5) ? Digest16(high: word(6), low: word(7)) : nil,
      md5Dos2unix: kinds.contains(.md5Dos2unix) ? Digest16(high: word(8), low: word(9)) : nil,
      sha256: kinds.contains(.sha256)
        ? Digest32(high: Digest16(high: word(10), low: word(11)), low: Digest16(high: word(12), low: word(13))) : nil)
  }

  func append(to bytes: inout [UInt8]) {
    let (md5, dos2unix, sha256) = (digests.md5, digests.md5Dos2unix, digests.sha256)
    func word(_ index: Int) -> UInt64 {
      switch index {
      case 0: key
      case 1: fingerprint.size
      case 2: UInt64(bitPattern: fingerprint.modified)
      case 3: fingerprint.inode
      case 4: fingerprint.device
      case 5: UInt64(bitPattern: observed)
      case 6: md5?.high ?? 0
      case 7: md5?.low ?? 0
      case 8: dos2unix?.high ?? 0
      case 9: dos2unix?.low ?? 0
      case 10: sha256?.high.high ?? 0
      case 11: sha256?.high.low ?? 0
      case 12: sha256?.low.high ?? 0
      case 13: sha256?.low.low ?? 0
      default: UInt64(digests.kinds.rawValue)
      }
    }
    for index in 0..<15 { withUnsafeBytes(of: word(index).littleEndian) { bytes.append(contentsOf: $0) } }
    withUnsafeBytes(of: Self.checksum(word).littleEndian) { bytes.append(contentsOf: $0) }
  }

  private static func checksum(_ word: (Int) -> UInt64) -> UInt64 {
    var sum: UInt64 = 0x6361_6972_6E2D_7331
    for index in 0..<15 { sum = StateKey.mix(sum ^ word(index)) }
    return sum
  }
}

enum StateKey {
  /// A 64-bit hash of the path's bytes. Two paths that share it do no harm: a record also says inode and device.
  static func of(_ path: String) -> UInt64 {
    var path = path
    return path.withUTF8 { bytes in
      let raw = UnsafeRawBufferPointer(bytes)
      var hash = mix(UInt64(raw.count) ^ 0x9E37_79B9_7F4A_7C15)
      var index = 0
      while index + 8 <= raw.count {
        hash = mix(hash ^ UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)))
        index += 8
      }
      var tail: UInt64 = 0
      while index < raw.count {
        tail = tail << 8 | UInt64(raw[index])
        index += 1
      }
      return mix(hash ^ tail)
    }
  }

  /// The finaliser of SplitMix64: every bit of the input moves every bit of the result.
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
