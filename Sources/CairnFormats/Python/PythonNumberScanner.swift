// Where a number in Python's source ends, by CPython's own rules. Knows nothing of the value.
import CairnCore

struct PythonNumberScanner {
  let bytes: [UInt8]
  private(set) var index: Int
  /// More digits than CPython makes an integer of, unless it is told to.
  private static let mostDigits = 4300

  /// `index` is at a digit, or at a point before one.
  init(_ bytes: [UInt8], at index: Int) {
    self.bytes = bytes
    self.index = index
  }

  private func byte(_ offset: Int = 0) -> UInt8 { index + offset < bytes.count ? bytes[index + offset] : 0 }

  private func isDigit(_ offset: Int = 0) -> Bool { 0x30...0x39 ~= byte(offset) }

  /// Steps behind the number.
  mutating func scan() throws(PythonFault) {
    if byte() == 0x30 {
      switch byte(1) | 0x20 {
      case UInt8(ascii: "x"): return try prefixed("hexadecimal", radix: 16)
      case UInt8(ascii: "o"): return try prefixed("octal", radix: 8)
      case UInt8(ascii: "b"): return try prefixed("binary", radix: 2)
      default: break
      }
    }
    let start = index
    var isInteger = true
    if isDigit() { try decimals() }
    let integer = start..<index
    if byte() == UInt8(ascii: ".") {
      isInteger = false
      index += 1
      if isDigit() { try decimals() }
    }
    if byte() | 0x20 == UInt8(ascii: "e") {
      let isSigned = byte(1) == UInt8(ascii: "+") || byte(1) == UInt8(ascii: "-")
      if isSigned || isDigit(1) {
        isInteger = false
        index += isSigned ? 2 : 1
        guard isDigit() else { throw fault("invalid decimal literal") }
        try decimals()
      }
    }
    if byte() | 0x20 == UInt8(ascii: "j") {
      index += 1
      return try end(of: "imaginary")
    }
    if isInteger { try checkInteger(integer) }
    try end(of: "decimal")
  }

  private mutating func decimals() throws(PythonFault) {
    while true {
      while isDigit() { index += 1 }
      guard byte() == UInt8(ascii: "_") else { return }
      index += 1
      guard isDigit() else { throw fault("invalid decimal literal") }
    }
  }

  private func checkInteger(_ range: Range<Int>) throws(PythonFault) {
    let digits = bytes[range].lazy.filter { $0 != UInt8(ascii: "_") }
    if bytes[range.lowerBound] == 0x30 {
      guard digits.contains(where: { $0 != 0x30 }) else { return }
      let what = "leading zeros in decimal integer literals are not permitted"
      throw PythonFault(message: "\(what); use an 0o prefix for octal integers", offset: range.lowerBound)
    }
    let count = range.count > Self.mostDigits ? digits.reduce(0) { count, _ in count + 1 } : 0
    guard count <= Self.mostDigits else {
      let limit = "Exceeds the limit (\(Self.mostDigits) digits) for integer string conversion"
      throw PythonFault(message: "\(limit): value has \(count) digits", offset: range.lowerBound)
    }
  }

  private mutating func prefixed(_ kind: String, radix: UInt8) throws(PythonFault) {
    index += 2
    repeat {
      if byte() == UInt8(ascii: "_") { index += 1 }
      guard isDigit(of: radix) else { throw strayDigit(kind) ?? fault("invalid \(kind) literal") }
      while isDigit(of: radix) { index += 1 }
    } while byte() == UInt8(ascii: "_")
    if let stray = strayDigit(kind) { throw stray }
    try end(of: kind)
  }

  private func isDigit(of radix: UInt8) -> Bool { Hex.value(of: byte()).map { $0 < radix } ?? false }

  private func strayDigit(_ kind: String) -> PythonFault? {
    isDigit() ? fault("invalid digit '\(Character(Unicode.Scalar(byte())))' in \(kind) literal") : nil
  }

  /// A number may run into one of the few keywords that can follow it, `1if x else 2`, and into no other name.
  private func end(of kind: String) throws(PythonFault) {
    let next = byte()
    guard PythonTokenizer.isNamePart(next) else { return }
    let keywords = ["and", "else", "for", "if", "in", "is", "or", "not"]
    guard keywords.contains(where: { bytes[index...].starts(with: $0.utf8) }) else {
      throw fault("invalid \(kind) literal")
    }
  }

  private func fault(_ message: String) -> PythonFault {
    PythonFault(message: message, offset: min(index, bytes.count))
  }
}
