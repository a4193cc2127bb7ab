// The hash by which a page's policy allows a text of its own.
import CairnCore
import CairnFormats
import CairnLineage

enum PageHash {
  /// - Source: Content Security Policy Level 3, 2.3.1.
  static func base64(_ text: [UInt8]) -> String {
    let digest = Digest32.sha256(text)
    return String(decoding: Base64.encode(digest.high.bytes + digest.low.bytes), as: UTF8.self)
  }
}
