// Text as Python holds it, where Swift's differs: surrogates that stand alone, bytes of a file name that are not UTF-8
// among them.
import CairnCore

enum PythonText {
  /// The code points of Python's `str`: those of `text`, but each escaped byte (`FileName`) as U+DC80…U+DCFF, and the
  /// other surrogates (`LoneSurrogate`) as themselves.
  static func codePoints(_ text: String) -> [UInt32] {
    func points(_ text: String) -> [UInt32] {
      guard LoneSurrogate.mayStand(in: text) else { return text.unicodeScalars.map(\.value) }
      return text.unicodeScalars.map { LoneSurrogate.unit(of: $0) ?? $0.value }
    }
    guard FileName.needsEscape(text) else { return points(text) }
    return escapedCodePoints(text, points)
  }

  private static func escapedCodePoints(_ text: String, _ valid: (String) -> [UInt32]) -> [UInt32] {
    var points: [UInt32] = []
    var rest = FileName.bytes(text)[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      if length > 0, rest.count >= length, let part = String(validating: rest.prefix(length), as: UTF8.self) {
        points.append(contentsOf: valid(part))
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
    if a.utf8.contains(where: { $0 == 0xF3 || $0 == 0xF4 }) || b.utf8.contains(where: { $0 == 0xF3 || $0 == 0xF4 }) {
      return codePoints(a).lexicographicallyPrecedes(codePoints(b))
    }
    return a.precedesInBytes(b)
  }
}
