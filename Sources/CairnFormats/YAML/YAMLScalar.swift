// What a YAML 1.2 scalar means, as ruamel.yaml resolves it for DVC. Knows nothing of documents.
import CairnCore

/// A fault of one scalar: its words, without a place.
struct YAMLScalarFault: Error {
  var message: String
  init(_ message: String) { self.message = message }
}

enum YAMLScalar {
  /// What implicit resolution makes of a plain scalar.
  enum Kind { case string, null, bool, int, float, timestamp, merge, value }

  /// The kind of a plain scalar, by its text alone.
  static func kind(_ text: UnsafeBufferPointer<UInt8>) -> Kind {
    guard let first = text.first else { return .null }
    switch first {
    case UInt8(ascii: "t"), UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"):
      return isBool(text) ? .bool : .string
    case UInt8(ascii: "n"), UInt8(ascii: "N"):
      return text.count == 4 && (matches(text, "null") || matches(text, "Null") || matches(text, "NULL"))
        ? .null : .string
    case UInt8(ascii: "~"): return text.count == 1 ? .null : .string
    case UInt8(ascii: "<"): return matches(text, "<<") ? .merge : .string
    case UInt8(ascii: "="): return text.count == 1 ? .value : .string
    case UInt8(ascii: "0")...UInt8(ascii: "9"):
      if isInt(text) { return .int }
      if isFloat(text) { return .float }
      return isTimestamp(text) ? .timestamp : .string
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      if isInt(text) { return .int }
      return isFloat(text) ? .float : .string
    case UInt8(ascii: "."): return isFloat(text) ? .float : .string
    default: return .string
    }
  }

  /// The value of a plain scalar of a kind other than `merge` and `value`.
  static func value(_ text: UnsafeBufferPointer<UInt8>, as kind: Kind) throws(YAMLScalarFault) -> Value {
    switch kind {
    case .string, .merge, .value: return .string(String(decoding: text, as: UTF8.self))
    case .null: return .null
    case .bool: return try bool(text)
    case .int: return try int(text)
    case .float: return try float(text)
    case .timestamp: return .timestamp(try YAMLTimestamp.canonical(text))
    }
  }

  static func bool(_ text: UnsafeBufferPointer<UInt8>) throws(YAMLScalarFault) -> Value {
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "true", "yes", "y", "on": return .bool(true)
    case "false", "no", "n", "off": return .bool(false)
    case let other: throw YAMLScalarFault("'\(other)' is not a boolean")
    }
  }

  static func int(_ text: UnsafeBufferPointer<UInt8>) throws(YAMLScalarFault) -> Value {
    var digits = text.filter { $0 != UInt8(ascii: "_") }
    var isNegative = false
    if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      isNegative = sign == UInt8(ascii: "-")
      digits.removeFirst()
    }
    var radix = 10
    if digits.count >= 2, digits[0] == UInt8(ascii: "0") {
      switch digits[1] {
      case UInt8(ascii: "b"): radix = 2
      case UInt8(ascii: "o"): radix = 8
      case UInt8(ascii: "x"): radix = 16
      default: break
      }
      if radix != 10 { digits.removeFirst(2) }
    }
    let number = String(decoding: digits, as: UTF8.self)
    guard !digits.isEmpty, digits[0] != UInt8(ascii: "-"), digits[0] != UInt8(ascii: "+"),
      digits.allSatisfy({ digitValue($0) < radix })
    else { throw YAMLScalarFault("invalid literal for int() with base \(radix): '\(number)'") }
    if let value = Int((isNegative ? "-" : "") + number, radix: radix) { return .int(value) }
    guard digits.count <= DecimalText.mostDigits else {
      throw YAMLScalarFault("Exceeds the limit (\(DecimalText.mostDigits) digits) for integer string conversion")
    }
    let decimal = radix == 10 ? String(number.drop { $0 == "0" }) : decimalDigits(digits, radix: radix)
    return .bigInt((isNegative ? "-" : "") + decimal)
  }

  static func float(_ text: UnsafeBufferPointer<UInt8>) throws(YAMLScalarFault) -> Value {
    let number = String(decoding: text.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self).lowercased()
    switch number {
    case ".inf", "+.inf": return .float(.infinity)
    case "-.inf": return .float(-.infinity)
    case ".nan", "+.nan", "-.nan": return .float(.nan)
    default:
      // `strtod`'s hexadecimal and named forms are not Python's.
      let isDecimal = number.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.e".utf8.contains($0) }
      guard isDecimal, let value = Double(normalized(number)) else {
        throw YAMLScalarFault("could not convert string to float: '\(number)'")
      }
      return .float(value)
    }
  }

  /// Swift's `Double` wants digits on both sides of the point; Python on one.
  private static func normalized(_ number: String) -> String {
    var bytes = Array(number.utf8)
    guard let point = bytes.firstIndex(of: UInt8(ascii: ".")) else { return number }
    let hasBefore = point > 0 && (0x30...0x39).contains(bytes[point - 1])
    let hasAfter = point + 1 < bytes.count && (0x30...0x39).contains(bytes[point + 1])
    guard hasBefore || hasAfter else { return "" }
    if !hasAfter { bytes.insert(0x30, at: point + 1) }
    if !hasBefore { bytes.insert(0x30, at: point) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Big numbers in bases 2, 8, 16: schoolbook, quadratic, of a few thousand digits at most.
  private static func decimalDigits(_ digits: [UInt8], radix: Int) -> String {
    var decimal: [Int] = [0]
    for digit in digits {
      var carry = digitValue(digit)
      for index in decimal.indices {
        let sum = decimal[index] * radix + carry
        decimal[index] = sum % 1_000_000_000
        carry = sum / 1_000_000_000
      }
      if carry > 0 { decimal.append(carry) }
    }
    var text = String(decimal[decimal.count - 1])
    for part in decimal.dropLast().reversed() {
      let piece = String(part)
      text += String(repeating: "0", count: 9 - piece.count) + piece
    }
    return text
  }

  private static func digitValue(_ byte: UInt8) -> Int {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x41...0x46: Int(byte) - 0x37
    case 0x61...0x66: Int(byte) - 0x57
    default: 99
    }
  }
}

// MARK: - The grammars, by hand: a regular expression each would cost more than the whole parse

extension YAMLScalar {
  static func matches(_ text: UnsafeBufferPointer<UInt8>, _ word: StaticString) -> Bool {
    guard text.count == word.utf8CodeUnitCount else { return false }
    for index in 0..<text.count where text[index] != word.utf8Start[index] { return false }
    return true
  }

  private static func isBool(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    if text.count == 4 { return matches(text, "true") || matches(text, "True") || matches(text, "TRUE") }
    if text.count == 5 { return matches(text, "false") || matches(text, "False") || matches(text, "FALSE") }
    return false
  }

  @inline(__always)
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  @inline(__always)
  private static func isSign(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") }

  /// `[-+]?0b[01_]+ | [-+]?0o?[0-7_]+ | [-+]?[0-9_]+ | [-+]?0x[0-9a-fA-F_]+`
  private static func isInt(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    var index = isSign(text[0]) ? 1 : 0
    guard index < text.count else { return false }
    var radix = 10
    if text[index] == UInt8(ascii: "0"), index + 1 < text.count {
      switch text[index + 1] {
      case UInt8(ascii: "b"): radix = 2
      case UInt8(ascii: "o"): radix = 8
      case UInt8(ascii: "x"): radix = 16
      default: break
      }
      if radix != 10 { index += 2 }
    }
    guard index < text.count else { return false }
    while index < text.count {
      let byte = text[index]
      guard byte == UInt8(ascii: "_") || digitValue(byte) < radix else { return false }
      index += 1
    }
    return true
  }

  /// `[-+]?[0-9][0-9_]*\.[0-9_]*(e[-+]?[0-9]+)? | [-+]?[0-9][0-9_]*e[-+]?[0-9]+ | [-+]?\.[0-9_]+(e[-+][0-9]+)?`
  /// and `[-+]?.inf`, `.nan` in three spellings.
  private static func isFloat(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let count = text.count
    var index = isSign(text[0]) ? 1 : 0
    guard index < count else { return false }
    func run(_ start: Int, underscores: Bool) -> Int {
      var end = start
      while end < count, isDigit(text[end]) || (underscores && text[end] == UInt8(ascii: "_")) { end += 1 }
      return end
    }
    func exponent(_ start: Int, signRequired: Bool) -> Bool {
      guard start < count, text[start] | 0x20 == UInt8(ascii: "e") else { return false }
      var digits = start + 1
      if digits < count, isSign(text[digits]) { digits += 1 } else if signRequired { return false }
      return digits < count && run(digits, underscores: false) == count
    }
    if isDigit(text[index]) {
      index = run(index, underscores: true)
      guard index < count else { return false }
      if text[index] != UInt8(ascii: ".") { return exponent(index, signRequired: false) }
      index = run(index + 1, underscores: true)
      return index == count || exponent(index, signRequired: false)
    }
    guard text[index] == UInt8(ascii: ".") else { return false }
    let rest = UnsafeBufferPointer(rebasing: text[index...])
    if matches(rest, ".inf") || matches(rest, ".Inf") || matches(rest, ".INF") { return true }
    if index == 0, matches(rest, ".nan") || matches(rest, ".NaN") || matches(rest, ".NAN") { return true }
    let end = run(index + 1, underscores: true)
    return end > index + 1 && (end == count || exponent(end, signRequired: true))
  }

  /// The resolver's form: a date alone wants two digits for month and day.
  private static func isTimestamp(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard text.count >= 8, text[4] == UInt8(ascii: "-"), let parts = YAMLTimestamp(text) else { return false }
    return parts.time != nil || text.count == 10
  }
}

// MARK: - `%YAML 1.1`, where somebody asks for it

extension YAMLScalar {
  static func kind11(_ text: UnsafeBufferPointer<UInt8>) -> Kind {
    switch String(decoding: text, as: UTF8.self) {
    case "y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF": return .bool
    default: break
    }
    let kind = kind(text)
    // `0o14` is text in YAML 1.1.
    if kind == .int, text.contains(UInt8(ascii: "o")) { return .string }
    return kind
  }

  static func value11(_ text: UnsafeBufferPointer<UInt8>, as kind: Kind) throws(YAMLScalarFault) -> Value {
    let digits = String(decoding: text.filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    let unsigned = digits.drop { $0 == "-" || $0 == "+" }
    if kind == .int, unsigned.hasPrefix("0"), unsigned.count > 1, let value = Int(unsigned, radix: 8) {
      return .int(digits.hasPrefix("-") ? -value : value)
    }
    return try value(text, as: kind)
  }
}
