// The text that a Python string token stands for.
import CairnCore

enum PythonString {
  /// Appends what `token` (prefix and quotes included, no f-string) means; false when it is no plain text, but bytes.
  static func append(_ token: ArraySlice<UInt8>, at offset: Int, to bytes: inout [UInt8]) throws(PythonFault) -> Bool {
    let prefix = token.prefix { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'") }
    let letters = prefix.map { $0 | 0x20 }
    let quoted = token.dropFirst(prefix.count)
    let isTriple = quoted.count >= 6 && quoted.prefix(3).allSatisfy { $0 == quoted[quoted.startIndex] }
    let body = quoted.dropFirst(isTriple ? 3 : 1).dropLast(isTriple ? 3 : 1)
    let isRaw = letters.contains(UInt8(ascii: "r"))
    if letters.contains(UInt8(ascii: "b")) {
      try checkBytes(body, isRaw: isRaw, at: offset)
      return false
    }
    if isRaw { appendLines(body, to: &bytes) } else { try appendText(body, at: offset, to: &bytes) }
    return true
  }

  /// Appends what stands between quotes, its escapes replaced.
  static func appendText(_ body: ArraySlice<UInt8>, at offset: Int, to bytes: inout [UInt8]) throws(PythonFault) {
    var rest = body
    while let slash = rest.firstIndex(of: UInt8(ascii: "\\")) {
      appendLines(rest[..<slash], to: &bytes)
      rest = rest[(slash + 1)...]
      try escape(&rest, at: offset, to: &bytes)
    }
    appendLines(rest, to: &bytes)
  }

  /// Bytes are no value of ours, but they may be faulty.
  private static func checkBytes(_ body: ArraySlice<UInt8>, isRaw: Bool, at offset: Int) throws(PythonFault) {
    guard body.allSatisfy({ $0 < 0x80 }) else {
      throw PythonFault(message: "bytes can only contain ASCII literal characters", offset: offset)
    }
    guard !isRaw else { return }
    var rest = body
    while let slash = rest.firstIndex(of: UInt8(ascii: "\\")) {
      rest = rest[(slash + 1)...]
      guard rest.popFirst() == UInt8(ascii: "x") else { continue }
      guard rest.prefix(2).count(where: { Hex.value(of: $0) != nil }) == 2 else {
        let place = slash - body.startIndex
        throw PythonFault(message: "(value error) invalid \\x escape at position \(place)", offset: offset)
      }
    }
  }

  /// Line ends of every kind are `\n` in Python's eyes.
  private static func appendLines(_ part: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
    guard part.contains(0x0D) else { return bytes.append(contentsOf: part) }
    for (index, byte) in zip(part.indices, part) {
      if byte != 0x0D {
        bytes.append(byte)
      } else if index + 1 >= part.endIndex || part[index + 1] != 0x0A {
        bytes.append(0x0A)
      }
    }
  }

  private static func escape(_ rest: inout ArraySlice<UInt8>, at offset: Int, to bytes: inout [UInt8])
    throws(PythonFault)
  {
    guard let letter = rest.popFirst() else { return }
    switch letter {
    case 0x0A: break
    case 0x0D: if rest.first == 0x0A { rest.removeFirst() }
    case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""): bytes.append(letter)
    case UInt8(ascii: "a"): bytes.append(0x07)
    case UInt8(ascii: "b"): bytes.append(0x08)
    case UInt8(ascii: "f"): bytes.append(0x0C)
    case UInt8(ascii: "n"): bytes.append(0x0A)
    case UInt8(ascii: "r"): bytes.append(0x0D)
    case UInt8(ascii: "t"): bytes.append(0x09)
    case UInt8(ascii: "v"): bytes.append(0x0B)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      var point = UInt32(letter - 0x30)
      for _ in 0..<2 {
        guard let digit = rest.first, 0x30...0x37 ~= digit else { break }
        point = point << 3 | UInt32(digit - 0x30)
        rest.removeFirst()
      }
      append(point, to: &bytes)
    case UInt8(ascii: "x"): try hex(2, "\\xXX", &rest, at: offset, to: &bytes)
    case UInt8(ascii: "u"): try hex(4, "\\uXXXX", &rest, at: offset, to: &bytes)
    case UInt8(ascii: "U"): try hex(8, "\\UXXXXXXXX", &rest, at: offset, to: &bytes)
    case UInt8(ascii: "N"):
      guard rest.first == UInt8(ascii: "{"), let end = rest.firstIndex(of: UInt8(ascii: "}")),
        let scalar = PythonCharacterNames.scalar(
          named: String(decoding: rest[(rest.startIndex + 1)..<end], as: UTF8.self))
      else { throw fault("unknown Unicode character name", at: offset) }
      rest = rest[(end + 1)...]
      append(scalar.value, to: &bytes)
    default: bytes.append(contentsOf: [UInt8(ascii: "\\"), letter])
    }
  }

  private static func hex(
    _ count: Int, _ form: String, _ rest: inout ArraySlice<UInt8>, at offset: Int, to bytes: inout [UInt8]
  ) throws(PythonFault) {
    var point: UInt32 = 0
    for _ in 0..<count {
      guard let digit = rest.first.flatMap(Hex.value(of:)) else { throw fault("truncated \(form) escape", at: offset) }
      point = point << 4 | UInt32(digit)
      rest.removeFirst()
    }
    guard point <= 0x10FFFF else { throw fault("illegal Unicode character", at: offset) }
    append(point, to: &bytes)
  }

  /// A lone surrogate is the byte of a file name or, since Swift's text cannot hold it, U+FFFD.
  private static func append(_ point: UInt32, to bytes: inout [UInt8]) {
    let scalar = Unicode.Scalar(0xDC80...0xDCFF ~= point ? 0x10FF00 + point & 0xFF : point) ?? "\u{FFFD}"
    bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }

  private static func fault(_ what: String, at offset: Int) -> PythonFault {
    PythonFault(message: "(unicode error) 'unicodeescape' codec can't decode bytes: \(what)", offset: offset)
  }
}
