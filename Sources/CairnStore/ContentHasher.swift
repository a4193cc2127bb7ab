// Computes the digests by which content is named: MD5 as DVC has it, and SHA-256, in one pass over the bytes.
// Knows nothing of caches or of what was hashed before.
package import CairnCore
import CairnSystem
import Crypto
import Glibc

/// Which digests are wanted.
package struct DigestKinds: OptionSet, Hashable, Sendable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }

  package static let md5 = DigestKinds(rawValue: 1)
  /// MD5 after `\r\n` became `\n` in text: DVC 2's.
  package static let md5Dos2unix = DigestKinds(rawValue: 2)
  package static let sha256 = DigestKinds(rawValue: 4)

  package init(_ algorithm: ContentHash.Algorithm, sha256: Bool) {
    self = algorithm == .md5 ? .md5 : .md5Dos2unix
    if sha256 { insert(.sha256) }
  }
}

/// The digests of one content; `nil` where not known.
package struct Digests: Hashable, Sendable {
  package var md5: Digest16?
  package var md5Dos2unix: Digest16?
  package var sha256: Digest32?

  package init(md5: Digest16? = nil, md5Dos2unix: Digest16? = nil, sha256: Digest32? = nil) {
    self.md5 = md5
    self.md5Dos2unix = md5Dos2unix
    self.sha256 = sha256
  }

  package subscript(algorithm: ContentHash.Algorithm) -> Digest16? {
    algorithm == .md5 ? md5 : md5Dos2unix
  }

  package var kinds: DigestKinds {
    var kinds: DigestKinds = []
    if md5 != nil { kinds.insert(.md5) }
    if md5Dos2unix != nil { kinds.insert(.md5Dos2unix) }
    if sha256 != nil { kinds.insert(.sha256) }
    return kinds
  }

  /// What this and `other`, of the same content, know together.
  package func merging(_ other: Digests) -> Digests {
    Digests(
      md5: md5 ?? other.md5, md5Dos2unix: md5Dos2unix ?? other.md5Dos2unix, sha256: sha256 ?? other.sha256)
  }
}

/// Takes content piece by piece.
package struct ContentHasher {
  private var md5: Insecure.MD5?
  private var dos2unix: Insecure.MD5?
  private var sha256: SHA256?

  package init(_ kinds: DigestKinds) {
    if kinds.contains(.md5) { md5 = Insecure.MD5() }
    if kinds.contains(.md5Dos2unix) { dos2unix = Insecure.MD5() }
    if kinds.contains(.sha256) { sha256 = SHA256() }
  }

  /// Pieces must be of 1 MiB but for the last: DVC 2 judges "text" and joins `\r\n` piece by piece.
  package mutating func update(_ piece: UnsafeRawBufferPointer) {
    md5?.update(bufferPointer: piece)
    sha256?.update(bufferPointer: piece)
    guard dos2unix != nil, piece.count > 0 else { return }
    if Self.isText(UnsafeRawBufferPointer(rebasing: piece.prefix(512))), piece.contains(0x0D) {
      let unified = Self.unifyingLineEnds(piece)
      unified.withUnsafeBytes { dos2unix?.update(bufferPointer: $0) }
    } else {
      dos2unix?.update(bufferPointer: piece)
    }
  }

  package func finish() -> Digests {
    Digests(
      md5: md5.map { Digest16($0.finalize()) }, md5Dos2unix: dos2unix.map { Digest16($0.finalize()) },
      sha256: sha256.map { Digest32($0.finalize()) })
  }

  package static func digests(of bytes: [UInt8], _ kinds: DigestKinds) -> Digests {
    var hasher = ContentHasher(kinds)
    bytes.withUnsafeBytes { all in
      var start = 0
      while start < all.count {
        let end = min(start + ReadBuffer.pieceSize, all.count)
        hasher.update(UnsafeRawBufferPointer(rebasing: all[start..<end]))
        start = end
      }
    }
    return hasher.finish()
  }

  package static func md5(of bytes: [UInt8]) -> Digest16 { bytes.withUnsafeBytes { md5(of: $0) } }

  package static func md5(of bytes: UnsafeRawBufferPointer) -> Digest16 {
    var md5 = Insecure.MD5()
    md5.update(bufferPointer: bytes)
    return Digest16(md5.finalize())
  }

  package static func sha256(of bytes: [UInt8]) -> Digest32 {
    bytes.withUnsafeBytes { bytes in
      var sha256 = SHA256()
      sha256.update(bufferPointer: bytes)
      return Digest32(sha256.finalize())
    }
  }

  /// Reads the whole file, following links; `nil` when nothing is there.
  package static func digests(ofFile path: String, _ kinds: DigestKinds) throws(Diagnostic) -> Digests? {
    let descriptor = RawFile.open(path, O_RDONLY)
    if descriptor == -ENOENT || descriptor == -ENOTDIR { return nil }
    if descriptor < 0 { throw .system(-descriptor, "open it", path) }
    defer { close(descriptor) }
    return try digests(of: descriptor, path: path, kinds, ReadBuffer())
  }

  /// Reads `descriptor` to its end.
  ///
  /// - Parameter size: what `stat` said of it, so that a small file needs no read that finds nothing.
  static func digests(
    of descriptor: Int32, path: String, size: UInt64? = nil, _ kinds: DigestKinds, _ buffer: borrowing ReadBuffer
  ) throws(Diagnostic) -> Digests {
    var hasher = ContentHasher(kinds)
    var rest = size
    while true {
      let count = buffer.fill(from: descriptor, expecting: rest)
      rest = nil
      if count < 0 { throw .system(Int32(-count), "read it", path) }
      hasher.update(buffer.prefix(count))
      if count < ReadBuffer.pieceSize { return hasher.finish() }
    }
  }

  /// DVC's guess whether the beginning of a file (512 bytes) is text: no NUL, and at most 30 % of its bytes outside
  /// printable ASCII and `\n \r \t \f \b`.
  package static func isText(_ block: UnsafeRawBufferPointer) -> Bool {
    var odd = 0
    for byte in block {
      if byte == 0 { return false }
      if byte >= 0x20 && byte < 0x7F { continue }
      if byte == 0x0A || byte == 0x0D || byte == 0x09 || byte == 0x0C || byte == 0x08 { continue }
      odd += 1
    }
    return odd * 10 <= block.count * 3
  }

  private static func unifyingLineEnds(_ piece: UnsafeRawBufferPointer) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: piece.count) { result, count in
      var index = 0
      while index < piece.count {
        let byte = piece[index]
        index += 1
        if byte == 0x0D, index < piece.count, piece[index] == 0x0A { continue }
        result[count] = byte
        count += 1
      }
    }
  }
}

extension Digest16 {
  init(_ digest: Insecure.MD5.Digest) {
    self = digest.withUnsafeBytes { bytes in
      Digest16(
        high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
        low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
  }
}

extension Digest32 {
  init(_ digest: SHA256.Digest) {
    self = digest.withUnsafeBytes { bytes in
      func word(_ index: Int) -> UInt64 {
        UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
      }
      return Digest32(high: Digest16(high: word(0), low: word(1)), low: Digest16(high: word(2), low: word(3)))
    }
  }
}
