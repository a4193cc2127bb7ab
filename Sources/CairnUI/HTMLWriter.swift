// Writes HTML and SVG piece by piece. Text of others goes in escaped, whatever is in it. Knows nothing of pages.
import CairnCore

struct HTMLWriter {
  private(set) var bytes: [UInt8] = []

  /// Markup of ours.
  mutating func raw(_ markup: String) { bytes.append(contentsOf: markup.utf8) }

  /// Text on one line: bytes that are no UTF-8 and signs that turn or control what stands beside them are shown as
  /// escapes, so that a name says what it is.
  mutating func text(_ text: String) { append(Self.visible(text)) }

  /// The same in lines.
  mutating func lines(_ text: String) {
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if number > 0 { bytes.append(0x0A) }
      append(Self.visible(String(line)))
    }
  }

  /// ` name="value"`.
  mutating func attribute(_ name: String, _ value: String) {
    raw(" " + name + "=\"")
    text(value)
    raw("\"")
  }

  /// A name of somebody's: it reads in its own direction, and turns nothing around it.
  mutating func name(_ text: String, class kind: String? = nil) {
    raw(kind.map { "<bdi class=\"\($0)\">" } ?? "<bdi>")
    self.text(text)
    raw("</bdi>")
  }

  /// As it is shown.
  static func visible(_ text: String) -> String {
    let line = PrintableText.line(text)
    guard FileName.needsEscape(line) else { return line }
    var result = String.UnicodeScalarView()
    for scalar in line.unicodeScalars {
      if let byte = FileName.escapedByte(scalar) {
        result.append(contentsOf: ("\\x" + String(byte, radix: 16)).unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  private mutating func append(_ text: String) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "&"): raw("&amp;")
      case UInt8(ascii: "<"): raw("&lt;")
      case UInt8(ascii: ">"): raw("&gt;")
      case UInt8(ascii: "\""): raw("&quot;")
      case UInt8(ascii: "'"): raw("&#39;")
      default: bytes.append(byte)
      }
    }
  }
}
