// The XML that services of AWS answer with: elements and their text. Of a document type nothing is read, no entity but
// XML's own five is known, and nesting has an end: what a hostile server sends ends in a refusal.
import CairnCore

package struct XMLElement: Sendable {
  /// Without a prefix.
  package let name: String
  package fileprivate(set) var text = ""
  package fileprivate(set) var children: [XMLElement] = []

  /// The first child of that name.
  package subscript(name: String) -> XMLElement? { children.first { $0.name == name } }
  package func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  /// The outermost element; `nil` for what is no XML.
  package init?(_ bytes: [UInt8]) {
    let root = bytes.withUnsafeBufferPointer { bytes in
      var reader = XMLReader(bytes)
      return reader.root()
    }
    guard let root else { return nil }
    self = root
  }

  fileprivate init(name: String) { self.name = name }
}

/// By bytes: a page of a listing has some hundred thousand of them.
private struct XMLReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var index = 0

  private static let deepest = 32

  init(_ bytes: UnsafeBufferPointer<UInt8>) {
    self.bytes = bytes
    if starts(with: "\u{FEFF}") { index = 3 }
  }

  mutating func root() -> XMLElement? {
    while true {
      skipBlanks()
      if starts(with: "<?") {
        guard skip(past: "?>") else { return nil }
      } else if starts(with: "<!--") {
        guard skip(past: "-->") else { return nil }
      } else {
        return starts(with: "<!") ? nil : element(depth: 0)
      }
    }
  }

  private func starts(with text: StaticString) -> Bool {
    guard index + text.utf8CodeUnitCount <= bytes.count else { return false }
    for offset in 0..<text.utf8CodeUnitCount where bytes[index + offset] != text.utf8Start[offset] { return false }
    return true
  }

  private mutating func skip(past mark: StaticString) -> Bool {
    while index < bytes.count {
      if starts(with: mark) {
        index += mark.utf8CodeUnitCount
        return true
      }
      index += 1
    }
    return false
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

  private mutating func skipBlanks() { while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 } }

  private func string(_ range: Range<Int>) -> String {
    String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
  }

  private mutating func element(depth: Int) -> XMLElement? {
    guard depth < Self.deepest, starts(with: "<") else { return nil }
    index += 1
    let start = index
    var nameStart = index
    while index < bytes.count, !Self.isBlank(bytes[index]), bytes[index] != UInt8(ascii: ">"), bytes[index] != UInt8(ascii: "/") {
      if bytes[index] == UInt8(ascii: ":") { nameStart = index + 1 }
      index += 1
    }
    let full = start..<index
    guard nameStart < index else { return nil }
    var element = XMLElement(name: string(nameStart..<index))
    guard let isEmpty = skipAttributes() else { return nil }
    if isEmpty { return element }
    while index < bytes.count {
      let textStart = index
      while index < bytes.count, bytes[index] != UInt8(ascii: "<") { index += 1 }
      if index > textStart {
        guard let text = unescaped(textStart..<index) else { return nil }
        element.text += text
      }
      if starts(with: "</") {
        index += 2
        guard index + full.count <= bytes.count,
          bytes[index..<index + full.count].elementsEqual(bytes[full])
        else { return nil }
        index += full.count
        skipBlanks()
        guard starts(with: ">") else { return nil }
        index += 1
        return element
      } else if starts(with: "<![CDATA[") {
        index += 9
        let inner = index
        guard skip(past: "]]>") else { return nil }
        element.text += string(inner..<index - 3)
      } else if starts(with: "<!--") {
        guard skip(past: "-->") else { return nil }
      } else if starts(with: "<?") {
        guard skip(past: "?>") else { return nil }
      } else {
        guard let child = self.element(depth: depth + 1) else { return nil }
        element.children.append(child)
      }
    }
    return nil
  }

  /// Whether the element ends with them; `nil` for what is no list of attributes.
  private mutating func skipAttributes() -> Bool? {
    while true {
      skipBlanks()
      if starts(with: "/>") {
        index += 2
        return true
      }
      if starts(with: ">") {
        index += 1
        return false
      }
      while index < bytes.count, bytes[index] != UInt8(ascii: "="), bytes[index] != UInt8(ascii: ">") { index += 1 }
      guard index < bytes.count, bytes[index] == UInt8(ascii: "=") else { return nil }
      index += 1
      skipBlanks()
      guard index < bytes.count else { return nil }
      let quote = bytes[index]
      guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else { return nil }
      index += 1
      while index < bytes.count, bytes[index] != quote { index += 1 }
      guard index < bytes.count else { return nil }
      index += 1
    }
  }

  private static let entities: [String: String] = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]

  private func unescaped(_ range: Range<Int>) -> String? {
    guard bytes[range].contains(UInt8(ascii: "&")) else { return string(range) }
    var result = ""
    var start = range.lowerBound
    while let mark = bytes[start..<range.upperBound].firstIndex(of: UInt8(ascii: "&")) {
      result += string(start..<mark)
      guard let end = bytes[mark..<range.upperBound].firstIndex(of: UInt8(ascii: ";")) else { return nil }
      let name = string(mark + 1..<end)
      start = end + 1
      if name.hasPrefix("#") {
        let digits = name.dropFirst()
        let code = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        guard let scalar = code.flatMap(Unicode.Scalar.init) else { return nil }
        result.unicodeScalars.append(scalar)
      } else {
        guard let plain = Self.entities[name] else { return nil }
        result += plain
      }
    }
    return result + string(start..<range.upperBound)
  }
}
