// Texts as formats of others can carry them: UTF-8 whatever a file is called, and addresses that are URIs.
import CairnCore

enum ExportText {
  /// A byte that is no UTF-8, and a surrogate that stands alone, become what people would type for them: `\xff`,
  /// `\ud800`. Readers of JSON refuse them, or make one sign of all.
  static func text(_ text: String) -> String {
    guard FileName.needsEscape(text) || LoneSurrogate.mayStand(in: text) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if let byte = FileName.escapedByte(scalar) {
        result.append(contentsOf: ("\\x" + String(byte, radix: 16)).unicodeScalars)
      } else if let unit = LoneSurrogate.unit(of: scalar) {
        result.append(contentsOf: ("\\u" + String(unit, radix: 16)).unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// A parameter's or metric's value where only text is allowed: a text as it is, other values as JSON.
  static func value(_ value: Value) -> String {
    switch value {
    case .string(let text), .timestamp(let text): self.text(text)
    case .list, .map: self.text(ExportJSON.line(value))
    case .float(let number) where number.isNaN: "nan"
    default: value.scalarText
    }
  }

  /// Each byte that may not stand in a URI becomes `%XX`; what is encoded already stays.
  ///
  /// - Source: RFC 3986, 2.
  static func uri(_ text: String) -> String {
    encoded(FileName.bytes(text), mark: UInt8(ascii: "%")) { byte in
      isLetterOrDigit(byte) || "-._~:/?@!$&'()*+,;=%".utf8.contains(byte)
    }
  }

  /// The same of a path inside a URI, in which nothing is encoded yet.
  static func uriPath(_ text: String) -> String {
    encoded(FileName.bytes(text), mark: UInt8(ascii: "%")) { isLetterOrDigit($0) || "-._~/@!$&'()*+,;=".utf8.contains($0) }
  }

  /// A name space of datasets: Marquez answers 400 to anything but letters, digits and `:;=/_-.@+`, and to more than 1024
  /// of them. Other bytes become `=XX`.
  static func namespace(_ text: String) -> String {
    let text = encoded(FileName.bytes(text), mark: UInt8(ascii: "=")) { isLetterOrDigit($0) || ":;=/_-.@+".utf8.contains($0) }
    return String(text.prefix(1024))
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    0x30...0x39 ~= byte || 0x41...0x5A ~= byte || 0x61...0x7A ~= byte
  }

  private static func encoded(_ bytes: [UInt8], mark: UInt8, keeping isKept: (UInt8) -> Bool) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    for byte in bytes {
      if isKept(byte) { result.append(byte) } else { result += [mark, digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
