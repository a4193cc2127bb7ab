// Names that nobody else has: ULIDs, UUIDs of chance and of a name. Knows nothing of what they name.
import CSystem
package import CairnCore
import Glibc
import Synchronization

package enum Identifier {
  /// 26 characters of Crockford's base 32: 48 bits of milliseconds, 80 of chance. Those of one process ascend.
  package static func ulid() -> String {
    let (time, high, low) = last.withLock { (last: inout ULIDState) -> (UInt64, UInt16, UInt64) in
      let now = UInt64(clamping: WallClock.now() / 1_000_000) & 0xFFFF_FFFF_FFFF
      if now > last.time {
        // The top bit stays clear, so that counting on within a millisecond cannot overflow.
        last = ULIDState(time: now, high: UInt16(truncatingIfNeeded: random64()) & 0x7FFF, low: random64())
      } else {
        let (sum, overflow) = last.low.addingReportingOverflow(1)
        last.low = sum
        if overflow { last.high &+= 1 }
      }
      return (last.time, last.high, last.low)
    }
    return ulid(time: time, high: high, low: low)
  }

  /// The text of a ULID with these bits.
  package static func ulid(time: UInt64, high: UInt16, low: UInt64) -> String {
    var text: [UInt8] = (0..<10).map { crockford[Int(time >> UInt64(45 - 5 * $0) & 31)] }
    // 80 bits in 16 groups of five.
    for group in 0..<16 {
      let shift = 75 - 5 * group
      var bits: UInt64 = 0
      if shift < 64 { bits |= low >> UInt64(shift) }
      if shift >= 64 { bits |= UInt64(high) >> UInt64(shift - 64) } else if shift > 59 { bits |= UInt64(high) << UInt64(64 - shift) }
      text.append(crockford[Int(bits & 31)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// When the ULID was made; `nil` for what is none.
  package static func moment(ofULID text: String) -> Nanoseconds? {
    guard text.utf8.count == 26 else { return nil }
    var milliseconds: Int64 = 0
    for byte in text.utf8.prefix(10) {
      guard let digit = crockford.firstIndex(of: byte) else { return nil }
      milliseconds = milliseconds << 5 | Int64(digit)
    }
    // Beyond what nanoseconds can say.
    return milliseconds < Int64.max / 1_000_000 ? milliseconds * 1_000_000 : nil
  }

  /// A UUID of chance (version 4), lower case with dashes.
  package static func uuid() -> String {
    var bytes = [UInt8](repeating: 0, count: 16)
    fill(&bytes)
    return uuid(bytes, version: 4)
  }

  /// The UUID of a name in a name space (version 5); `nil` when the name space is no UUID.
  package static func uuid(namespace: String, name: [UInt8]) -> String? {
    guard let space = uuidBytes(namespace) else { return nil }
    return uuid(SHA1.digest(space + name), version: 5)
  }

  package static func uuid(namespace: String, name: String) -> String? {
    uuid(namespace: namespace, name: Array(name.utf8))
  }

  package static let dnsNamespace = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

  /// Chance from the kernel.
  package static func random64() -> UInt64 {
    var value: UInt64 = 0
    let result = withUnsafeMutableBytes(of: &value) { cairn_random($0.baseAddress, $0.count) }
    precondition(result == 0, "the kernel gives no random numbers")
    return value
  }

  package static func fill(_ bytes: inout [UInt8]) {
    let result = bytes.withUnsafeMutableBytes { cairn_random($0.baseAddress, $0.count) }
    precondition(result == 0, "the kernel gives no random numbers")
  }

  private struct ULIDState: Sendable { var time: UInt64 = 0, high: UInt16 = 0, low: UInt64 = 0 }
  private static let last = Mutex(ULIDState())
  private static let crockford = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

  /// Of the first 16 of `bytes`.
  private static func uuid(_ bytes: [UInt8], version: UInt8) -> String {
    String(unsafeUninitializedCapacity: 36) { text in
      var end = 0
      func put(_ byte: UInt8) {
        text[end] = byte
        end += 1
      }
      func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
      for index in 0..<16 {
        if index == 4 || index == 6 || index == 8 || index == 10 { put(UInt8(ascii: "-")) }
        let byte =
          switch index {
          case 6: bytes[index] & 0x0F | version << 4
          case 8: bytes[index] & 0x3F | 0x80
          default: bytes[index]
          }
        put(digit(byte >> 4))
        put(digit(byte & 15))
      }
      return end
    }
  }

  private static func uuidBytes(_ text: String) -> [UInt8]? {
    guard let bytes = Hex.decode(String(decoding: text.utf8.filter { $0 != UInt8(ascii: "-") }, as: UTF8.self)) else {
      return nil
    }
    return bytes.count == 16 ? bytes : nil
  }
}

/// SHA-1, for UUIDs of names and git's object names alone: it protects nothing.
enum SHA1 {
  static func digest(_ message: [UInt8]) -> [UInt8] {
    var padded = message
    padded.append(0x80)
    padded.append(contentsOf: repeatElement(0, count: (119 - message.count % 64) % 64))
    let bits = UInt64(message.count) * 8
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      padded.append(UInt8(truncatingIfNeeded: bits >> shift))
    }
    var state: State = (0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0)
    // Each attempt of a stage has such a name: no list is made on the way.
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 80) { words in
      padded.withUnsafeBufferPointer { padded in
        for block in stride(from: 0, to: padded.count, by: 64) { compress(padded, at: block, words, into: &state) }
      }
    }
    var digest: [UInt8] = []
    digest.reserveCapacity(20)
    for word in [state.0, state.1, state.2, state.3, state.4] {
      for shift in stride(from: UInt32(24), through: 0, by: -8) {
        digest.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return digest
  }

  private typealias State = (UInt32, UInt32, UInt32, UInt32, UInt32)

  /// `words` is scratch.
  private static func compress(
    _ bytes: UnsafeBufferPointer<UInt8>, at block: Int, _ words: UnsafeMutableBufferPointer<UInt32>,
    into state: inout State
  ) {
    for index in 0..<16 {
      let place = block + 4 * index
      let high = UInt32(bytes[place]) << 24 | UInt32(bytes[place + 1]) << 16
      words[index] = high | UInt32(bytes[place + 2]) << 8 | UInt32(bytes[place + 3])
    }
    for index in 16..<80 {
      words[index] = rotate(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], 1)
    }
    var (a, b, c, d, e) = state
    for index in 0..<80 {
      let (mixed, constant): (UInt32, UInt32) =
        switch index / 20 {
        case 0: (b & c | ~b & d, 0x5A82_7999)
        case 1: (b ^ c ^ d, 0x6ED9_EBA1)
        case 2: (b & c | b & d | c & d, 0x8F1B_BCDC)
        default: (b ^ c ^ d, 0xCA62_C1D6)
        }
      let next = rotate(a, 5) &+ mixed &+ e &+ constant &+ words[index]
      (a, b, c, d, e) = (next, a, rotate(b, 30), c, d)
    }
    state = (state.0 &+ a, state.1 &+ b, state.2 &+ c, state.3 &+ d, state.4 &+ e)
  }

  private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
}
