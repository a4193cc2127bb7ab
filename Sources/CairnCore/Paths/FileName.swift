// How the bytes of a file name become text and come back. Linux names are bytes, nearly always UTF-8.

package enum FileName {
  /// The text of a name or path. Bytes that are not UTF-8 become scalars U+10FF80…U+10FFFF (byte + 0x10FF00),
  /// as Python maps them to lone surrogates, which Swift's text cannot hold. A name that really contains such a
  /// scalar has its bytes escaped too, so the way back is exact.
  package static func escape(_ bytes: some Collection<UInt8>) -> String {
    if let text = String(validating: bytes, as: UTF8.self), !needsEscape(text) { return text }
    var scalars = String.UnicodeScalarView()
    var rest = Array(bytes)[...]
    while let first = rest.first {
      if let length = validLength(rest), let text = String(validating: rest.prefix(length), as: UTF8.self),
        !needsEscape(text)
      {
        scalars.append(contentsOf: text.unicodeScalars)
        rest = rest.dropFirst(length)
      } else {
        if let scalar = Unicode.Scalar(0x10FF00 + UInt32(first)) { scalars.append(scalar) }
        rest = rest.dropFirst()
      }
    }
    return String(scalars)
  }

  /// The bytes that `escape` read.
  package static func bytes(_ text: String) -> [UInt8] {
    if !needsEscape(text) { return Array(text.utf8) }
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
      if let byte = escapedByte(scalar) {
        bytes.append(byte)
      } else {
        bytes.append(contentsOf: Array(String(Character(scalar)).utf8))
      }
    }
    return bytes
  }

  /// The byte that this scalar stands for, if it is an escape.
  package static func escapedByte(_ scalar: Unicode.Scalar) -> UInt8? {
    scalar.value >= 0x10FF80 ? UInt8(truncatingIfNeeded: scalar.value) : nil
  }

  /// True when the text has an escaped byte (all of them begin with 0xF4 0x8F 0xBE or 0xBF in UTF-8).
  package static func needsEscape(_ text: String) -> Bool {
    // Asked for each path that is used: over a plain buffer, which is searched a word at a time.
    let mayHave = text.utf8.withContiguousStorageIfAvailable { $0.contains(0xF4) } ?? text.utf8.contains(0xF4)
    return mayHave && text.unicodeScalars.contains { $0.value >= 0x10FF80 }
  }

  private static func validLength(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard let first = bytes.first else { return nil }
    let length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    return length > 0 && bytes.count >= length ? length : nil
  }
}
