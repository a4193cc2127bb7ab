// The scalars of TOML: strings of four kinds, numbers, words, dates and times.
import CairnCore

enum TOMLScalar {
  static func isBareKey(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39,
      UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// Reads the string that begins at the cursor, of whichever kind.
  static func string(_ cursor: inout TextCursor) throws(TOMLFault) -> String {
    let quote = cursor.current ?? 0
    let start = cursor.index
    let isMultiline = cursor.peek(1) == quote && cursor.peek(2) == quote
    cursor.index += isMultiline ? 3 : 1
    if isMultiline { skipLineEnd(&cursor) }
    var text: [UInt8] = []
    while let byte = cursor.current {
      if byte == quote {
        if !isMultiline {
          cursor.index += 1
          return String(decoding: text, as: UTF8.self)
        }
        if cursor.peek(1) == quote, cursor.peek(2) == quote {
          cursor.index += 3
          // Up to two quotes may stand right before the closing three.
          var extra = 0
          while extra < 2, cursor.skip(quote) {
            text.append(quote)
            extra += 1
          }
          return String(decoding: text, as: UTF8.self)
        }
      } else if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        try escape(&cursor, into: &text, isMultiline: isMultiline)
        continue
      } else if byte == 0x0D, cursor.peek(1) == 0x0A, isMultiline {
        cursor.index += 1
        continue
      } else if byte < 0x20 && byte != 0x09 && !(byte == 0x0A && isMultiline) || byte == 0x7F {
        throw TOMLFault(
          message: "Control characters (codes less than 0x1f and 0x7f) are not allowed in strings",
          offset: cursor.index)
      }
      text.append(byte)
      cursor.index += 1
    }
    throw TOMLFault(message: "Unexpected end of file", offset: start)
  }

  private static func skipLineEnd(_ cursor: inout TextCursor) {
    if cursor.current == 0x0D, cursor.peek(1) == 0x0A { cursor.index += 1 }
    if cursor.current == 0x0A { cursor.index += 1 }
  }

  private static func escape(_ cursor: inout TextCursor, into text: inout [UInt8], isMultiline: Bool) throws(TOMLFault)
  {
    let at = cursor.index
    cursor.index += 1
    let letter = cursor.current ?? 0
    cursor.index += 1
    switch letter {
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "e"): text.append(0x1B)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(letter)
    case UInt8(ascii: "x"), UInt8(ascii: "u"), UInt8(ascii: "U"):
      let digits = letter == UInt8(ascii: "x") ? 2 : letter == UInt8(ascii: "u") ? 4 : 8
      var point: UInt32 = 0
      for _ in 0..<digits {
        guard let digit = cursor.current.flatMap(Hex.value(of:)), point < 0x1000_0000 else {
          throw TOMLFault(message: "Invalid unicode value", offset: at)
        }
        point = point << 4 | UInt32(digit)
        cursor.index += 1
      }
      guard let scalar = Unicode.Scalar(point), let encoded = UTF8.encode(scalar) else {
        throw TOMLFault(message: "Invalid unicode value", offset: at)
      }
      text.append(contentsOf: encoded)
    case 0x20, 0x09, 0x0A, 0x0D:
      guard isMultiline else { fallthrough }
      // A line that ends in a backslash goes on at the next text.
      var hasBreak = letter == 0x0A
      while let byte = cursor.current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
        if byte == 0x0A { hasBreak = true }
        cursor.index += 1
      }
      guard hasBreak else { throw TOMLFault(message: "Invalid character in string", offset: at) }
    default: throw TOMLFault(message: "Invalid character in string", offset: at)
    }
  }

  /// Reads a number, `true`, `false`, `inf`, `nan`, a date or a time.
  static func bare(_ cursor: inout TextCursor) throws(TOMLFault) -> Value {
    let start = cursor.index
    func isPart(_ byte: UInt8) -> Bool {
      isBareKey(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }
    while let byte = cursor.current, isPart(byte) { cursor.index += 1 }
    if cursor.index == start { throw TOMLFault.unexpected(cursor) }
    let isDate = cursor.index - start == 10 && cursor.bytes[start + 4] == UInt8(ascii: "-")
    if isDate, cursor.current == 0x20, let digit = cursor.peek(1), 0x30...0x39 ~= digit {
      cursor.index += 1
      while let byte = cursor.current, isPart(byte) { cursor.index += 1 }
    }
    let text = cursor.text(start..<cursor.index)
    switch text {
    case "true": return true
    case "false": return false
    case "inf", "+inf": return .float(.infinity)
    case "-inf": return .float(-.infinity)
    case "nan", "+nan", "-nan": return .float(.nan)
    default: break
    }
    if let value = number(text) ?? TOMLMoment.text(Array(text.utf8)).map(Value.timestamp) { return value }
    let first = cursor.bytes[start]
    if 0x30...0x39 ~= first || first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      throw TOMLFault(message: "Invalid number", offset: start)
    }
    cursor.index = start
    throw TOMLFault.unexpected(cursor)
  }

  static func number(_ text: String) -> Value? {
    let bytes = Array(text.utf8)
    if bytes.count > 2, bytes[0] == 0x30 {
      let radix =
        switch bytes[1] {
        case UInt8(ascii: "x"): 16
        case UInt8(ascii: "o"): 8
        case UInt8(ascii: "b"): 2
        default: 10
        }
      if radix != 10 { return digits(bytes[2...], radix: radix).flatMap { DecimalText.value($0, radix: radix) } }
    }
    var rest = bytes[...]
    var sign: [UInt8] = []
    if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
      if rest.first == UInt8(ascii: "-") { sign = [UInt8(ascii: "-")] }
      rest = rest.dropFirst()
    }
    let integer = rest.prefix { 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "_") }
    guard let whole = digits(integer, radix: 10), whole.count == 1 || whole[0] != 0x30 else { return nil }
    rest = rest.dropFirst(integer.count)
    if rest.isEmpty { return DecimalText.value(sign + whole, radix: 10) }
    var plain = sign + whole
    if rest.first == UInt8(ascii: ".") {
      let fraction = rest.dropFirst().prefix { 0x30...0x39 ~= $0 || $0 == UInt8(ascii: "_") }
      guard let decimals = digits(fraction, radix: 10) else { return nil }
      plain += [UInt8(ascii: ".")] + decimals
      rest = rest.dropFirst(fraction.count + 1)
    }
    if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
      rest = rest.dropFirst()
      plain.append(UInt8(ascii: "e"))
      if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { plain.append(rest.removeFirst()) }
      guard let exponent = digits(rest, radix: 10) else { return nil }
      plain += exponent
      rest = []
    }
    return rest.isEmpty ? Double(String(decoding: plain, as: UTF8.self)).map(Value.float) : nil
  }

  /// Digits of `radix` without the underscores, which stand only between two of them.
  private static func digits(_ bytes: ArraySlice<UInt8>, radix: Int) -> [UInt8]? {
    var out: [UInt8] = []
    var wasDigit = false
    for byte in bytes {
      if byte == UInt8(ascii: "_") {
        guard wasDigit else { return nil }
        wasDigit = false
      } else {
        guard let digit = Hex.value(of: byte), digit < radix else { return nil }
        out.append(byte)
        wasDigit = true
      }
    }
    return wasDigit ? out : nil
  }
}

/// Integers of any size in decimal.
enum DecimalText {
  /// Python's limit of an integer's digits.
  static let mostDigits = 4_300

  /// `digits` in `radix`, perhaps after a minus sign, as an `.int` or, beyond 64 bits, a `.bigInt`.
  static func value(_ digits: [UInt8], radix: Int) -> Value? {
    if let number = Int(String(decoding: digits, as: UTF8.self), radix: radix) { return .int(number) }
    // What Python neither reads nor writes; the work below is quadratic.
    guard digits.count <= Self.mostDigits else { return nil }
    var rest = digits[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest = rest.dropFirst() }
    // Base 1e9, least significant first.
    var limbs: [UInt64] = [0]
    for byte in rest {
      guard let digit = Hex.value(of: byte), digit < radix else { return nil }
      var carry = UInt64(digit)
      for index in limbs.indices {
        let product = limbs[index] * UInt64(radix) + carry
        limbs[index] = product % 1_000_000_000
        carry = product / 1_000_000_000
      }
      if carry > 0 { limbs.append(carry) }
    }
    var text = isNegative ? "-" : ""
    text += String(limbs[limbs.count - 1])
    for limb in limbs.dropLast().reversed() {
      let part = String(limb)
      text += String(repeating: "0", count: 9 - part.utf8.count) + part
    }
    return .bigInt(text)
  }
}

/// Dates and times of TOML, as Python's `str()` shows them.
enum TOMLMoment {
  static func text(_ bytes: [UInt8]) -> String? {
    if bytes.count >= 3, bytes[2] == UInt8(ascii: ":") { return time(bytes[...]) }
    guard bytes.count >= 10, let date = date(bytes[..<10]) else { return nil }
    if bytes.count == 10 { return date }
    guard bytes[10] == 0x20 || bytes[10] | 0x20 == UInt8(ascii: "t") else { return nil }
    var rest = bytes[11...]
    var zone = ""
    if let last = rest.last, last | 0x20 == UInt8(ascii: "z") {
      rest = rest.dropLast()
      zone = "+00:00"
    } else if rest.count > 6, let sign = rest.dropLast(5).last, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      let offset = rest.suffix(5)
      guard let shown = time(offset), offset.first != nil else { return nil }
      zone = String(decoding: [sign], as: UTF8.self) + shown.prefix(5)
      rest = rest.dropLast(6)
    }
    return time(rest).map { date + " " + $0 + zone }
  }

  private static func number(_ bytes: ArraySlice<UInt8>, _ range: ClosedRange<Int>) -> Bool {
    guard bytes.allSatisfy({ 0x30...0x39 ~= $0 }) else { return false }
    return range ~= bytes.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  private static func date(_ bytes: ArraySlice<UInt8>) -> String? {
    let bytes = Array(bytes)
    guard bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), number(bytes[..<4], 1...9999),
      number(bytes[5..<7], 1...12), number(bytes[8...], 1...31)
    else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// `HH:MM` or `HH:MM:SS` with any number of decimals, of which six count.
  private static func time(_ bytes: ArraySlice<UInt8>) -> String? {
    let bytes = Array(bytes)
    guard bytes.count >= 5, bytes[2] == UInt8(ascii: ":"), number(bytes[..<2], 0...23), number(bytes[3..<5], 0...59)
    else { return nil }
    var text = String(decoding: bytes[..<5], as: UTF8.self)
    guard bytes.count > 5 else { return text + ":00" }
    guard bytes.count >= 8, bytes[5] == UInt8(ascii: ":"), number(bytes[6..<8], 0...59) else { return nil }
    text += String(decoding: bytes[5..<8], as: UTF8.self)
    guard bytes.count > 8 else { return text }
    let decimals = bytes[9...]
    guard bytes[8] == UInt8(ascii: "."), !decimals.isEmpty, decimals.allSatisfy({ 0x30...0x39 ~= $0 }) else {
      return nil
    }
    let six = Array(decimals.prefix(6)) + Array(repeating: 0x30, count: max(0, 6 - decimals.count))
    return six.allSatisfy { $0 == 0x30 } ? text : text + "." + String(decoding: six, as: UTF8.self)
  }
}
