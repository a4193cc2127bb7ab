// Text as Python holds it, where Swift's differs: bytes of a file name that are not UTF-8 are lone surrogates there.
import CairnCore

enum PythonText {
  /// The code points of Python's `str`: those of `text`, but each escaped byte (`FileName`) as U+DC80…U+DCFF.
  static func codePoints(_ text: String) -> [UInt32] {
    guard FileName.needsEscape(text) else { return text.unicodeScalars.map(\.value) }
    var points: [UInt32] = []
    var rest = FileName.bytes(text)[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      if length > 0, rest.count >= length, let part = String(validating: rest.prefix(length), as: UTF8.self) {
        points.append(contentsOf: part.unicodeScalars.map(\.value))
        rest = rest.dropFirst(length)
      } else {
        points.append(0xDC00 + UInt32(first))
        rest = rest.dropFirst()
      }
    }
    return points
  }

  /// The order of Python's `str`: by code points. That is the order of the bytes but for escaped ones.
  static func precedes(_ a: String, _ b: String) -> Bool {
    if a.utf8.contains(0xF4) || b.utf8.contains(0xF4) {
      return codePoints(a).lexicographicallyPrecedes(codePoints(b))
    }
    return a.precedesInBytes(b)
  }
}
