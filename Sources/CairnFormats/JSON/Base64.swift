// Base64 of RFC 4648 with padding.

package enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  package static func encode(_ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var start = 0
    while start < bytes.count {
      let chunk = bytes[start..<min(start + 3, bytes.count)]
      var word: UInt32 = 0
      for offset in 0..<3 { word = word << 8 | (offset < chunk.count ? UInt32(chunk[start + offset]) : 0) }
      for offset in 0..<4 {
        out.append(offset <= chunk.count ? alphabet[Int(word >> (18 - 6 * UInt32(offset)) & 63)] : UInt8(ascii: "="))
      }
      start += 3
    }
    return out
  }

  /// `nil` for anything that `encode` would not write.
  package static func decode(_ text: some StringProtocol) -> [UInt8]? {
    let characters = Array(text.utf8)
    guard characters.count % 4 == 0 else { return nil }
    let padding = characters.reversed().prefix { $0 == UInt8(ascii: "=") }.count
    guard padding < 3 else { return nil }
    var out: [UInt8] = []
    var word: UInt32 = 0
    for (index, character) in characters.dropLast(padding).enumerated() {
      guard let digit = alphabet.firstIndex(of: character) else { return nil }
      word = word << 6 | UInt32(digit)
      if index % 4 == 3 {
        out.append(contentsOf: [UInt8(word >> 16), UInt8(word >> 8 & 255), UInt8(word & 255)])
        word = 0
      }
    }
    switch padding {
    case 1: out.append(contentsOf: [UInt8(word >> 10), UInt8(word >> 2 & 255)])
    case 2: out.append(UInt8(word >> 4))
    default: break
    }
    return encode(out) == characters ? out : nil
  }
}
