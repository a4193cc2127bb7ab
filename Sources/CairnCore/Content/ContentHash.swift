// Names of contents. Computing them is CairnStore's.

/// 16 bytes of an MD5.
package struct Digest16: Hashable, Comparable, Sendable {
  package var high: UInt64
  package var low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// `bytes` must be 16, most significant first.
  package init(bytes: some Sequence<UInt8>) {
    var high: UInt64 = 0
    var low: UInt64 = 0
    for (index, byte) in bytes.enumerated() {
      if index < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
    }
    self.init(high: high, low: low)
  }

  /// 32 hexadecimal digits, else `nil`.
  package init?(hex: some StringProtocol) { self.init(hexDigits: hex.utf8) }

  /// The same as bytes. Locks and manifests name contents so: some for each stage, one for each file of a folder.
  package init?(hexDigits: some Sequence<UInt8>) {
    let parsed =
      hexDigits.withContiguousStorageIfAvailable { Self(digits: $0) }
      ?? Array(hexDigits).withUnsafeBufferPointer { Self(digits: $0) }
    guard let parsed else { return nil }
    self = parsed
  }

  private init?(digits: UnsafeBufferPointer<UInt8>) {
    if digits.count != 32 { return nil }
    var (high, low): (UInt64, UInt64) = (0, 0)
    for index in 0..<16 {
      guard let upper = Hex.value(of: digits[index]), let lower = Hex.value(of: digits[index + 16]) else { return nil }
      high = high << 4 | UInt64(upper)
      low = low << 4 | UInt64(lower)
    }
    self.init(high: high, low: low)
  }

  package var bytes: [UInt8] {
    Array(unsafeUninitializedCapacity: 16) { buffer, count in
      for index in 0..<8 {
        buffer[index] = UInt8(truncatingIfNeeded: high >> (56 - 8 * UInt64(index)))
        buffer[index + 8] = UInt8(truncatingIfNeeded: low >> (56 - 8 * UInt64(index)))
      }
      count = 16
    }
  }

  package var hex: String {
    String(unsafeUninitializedCapacity: 32) { buffer in
      write(to: buffer)
      return 32
    }
  }

  /// Appends the 32 digits.
  package func appendHex(to bytes: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32) { digits in
      write(to: digits)
      bytes.append(contentsOf: digits)
    }
  }

  /// Writes 32 digits in lower case to the beginning of `buffer`.
  private func write(to buffer: UnsafeMutableBufferPointer<UInt8>) {
    for index in 0..<16 {
      let shift = 60 - 4 * UInt64(index)
      buffer[index] = Hex.character(UInt8(truncatingIfNeeded: high >> shift & 15))
      buffer[index + 16] = Hex.character(UInt8(truncatingIfNeeded: low >> shift & 15))
    }
  }

  package static func < (a: Digest16, b: Digest16) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

/// 32 bytes of a SHA-256.
package struct Digest32: Hashable, Comparable, Sendable {
  package var high: Digest16
  package var low: Digest16

  package init(high: Digest16, low: Digest16) {
    self.high = high
    self.low = low
  }

  /// `bytes` must be 32.
  package init(bytes: some Sequence<UInt8>) {
    let all = Array(bytes)
    high = Digest16(bytes: all.prefix(16))
    low = Digest16(bytes: all.dropFirst(16))
  }

  package init?(hex: some StringProtocol) {
    guard let bytes = Hex.decode(hex), bytes.count == 32 else { return nil }
    self.init(bytes: bytes)
  }

  package var bytes: [UInt8] { high.bytes + low.bytes }
  package var hex: String { high.hex + low.hex }

  package static func < (a: Digest32, b: Digest32) -> Bool { (a.high, a.low) < (b.high, b.low) }
}

package enum Hex {
  /// Of 0…15, lower case.
  static func character(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x57 + digit }

  /// The value of a hexadecimal digit of either case; `nil` for another character.
  package static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x57
    case 0x41...0x46: digit - 0x37
    default: nil
    }
  }

  /// Lower case.
  package static func encode(_ bytes: some Collection<UInt8>) -> String {
    String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
      var index = 0
      for byte in bytes {
        buffer[index] = character(byte >> 4)
        buffer[index + 1] = character(byte & 15)
        index += 2
      }
      return index
    }
  }

  /// Either case; `nil` for an odd length or another character.
  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    var bytes: [UInt8] = []
    var pending: UInt8?
    for character in text.utf8 {
      guard let value = value(of: character) else { return nil }
      if let high = pending {
        bytes.append(high << 4 | value)
        pending = nil
      } else {
        pending = value
      }
    }
    return pending == nil ? bytes : nil
  }
}

/// The name of an object in DVC's cache: an MD5, with `.dir` behind it where it names a directory's manifest.
package struct ContentHash: Hashable, Sendable {
  package enum Algorithm: Hashable, Sendable {
    /// Plain MD5: DVC 3's cache, `files/md5/xx/…`.
    case md5
    /// MD5 after `\r\n` became `\n` in text files: DVC 2's cache, `xx/…`, no `hash:` in the entry.
    case md5Dos2unix
  }

  package var algorithm: Algorithm
  package var digest: Digest16
  package var isDirectory: Bool

  package init(_ algorithm: Algorithm, _ digest: Digest16, isDirectory: Bool = false) {
    self.algorithm = algorithm
    self.digest = digest
    self.isDirectory = isDirectory
  }

  /// Reads `text` (32 digits, perhaps `.dir`); `nil` when it is anything else. Capitals are something else: DVC writes
  /// none, and no object of its cache has a name with them.
  package init?(_ text: some StringProtocol, algorithm: Algorithm = .md5) {
    if text.utf8.contains(where: { 0x41...0x46 ~= $0 }) { return nil }
    let isDirectory = text.utf8.suffix(4).elementsEqual(".dir".utf8)
    guard let digest = Digest16(hex: isDirectory ? text.dropLast(4) : text[...]) else { return nil }
    self.init(algorithm, digest, isDirectory: isDirectory)
  }

  /// As DVC writes it: `d41d…427e` or `….dir`.
  package var text: String { digest.hex + (isDirectory ? ".dir" : "") }
}
