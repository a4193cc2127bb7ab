// How a surrogate that stands alone, which Python's text can hold and Swift's cannot, is a part of our text.

package enum LoneSurrogate {
  /// The scalar for U+D800…U+DFFF: U+DC80…U+DCFF are bytes of a file's name (`FileName`), the others U+FD800…U+FDFFF,
  /// of a plane that nobody gives a meaning to. A pair of them stays two, as in Python, where it is not the character
  /// that UTF-16 would make of it.
  package static func scalar(_ unit: UInt32) -> Unicode.Scalar? {
    guard 0xD800...0xDFFF ~= unit else { return nil }
    return Unicode.Scalar(0xDC80...0xDCFF ~= unit ? 0x10FF00 + unit & 0xFF : 0xF0000 + unit)
  }

  /// The surrogate that a scalar stands for, file names' aside.
  package static func unit(of scalar: Unicode.Scalar) -> UInt32? {
    0xFD800...0xFDFFF ~= scalar.value ? scalar.value & 0xFFFF : nil
  }

  /// True when the text may have one: all of them begin with 0xF3 in UTF-8.
  package static func mayStand(in text: String) -> Bool {
    text.utf8.withContiguousStorageIfAvailable { $0.contains(0xF3) } ?? text.utf8.contains(0xF3)
  }
}
