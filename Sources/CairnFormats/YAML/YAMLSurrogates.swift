// Escapes of surrogates in double quotes (`"\ud83d"`), which DVC's parser takes and writes and libyaml refuses. Knows
// nothing of values.
import CYAML
import CairnCore

/// A text in which libyaml reads each of them as the scalar of a plane that stands for it (`LoneSurrogate`), with the
/// way back: for marks, which are those of the text as written, and for scalars in which a backslash is one.
///
/// A class with a buffer of its own: libyaml reads the bytes for as long as it is there. (As a structure, optional in
/// the parser that is no copy of another, it was released before it was set in optimised builds.)
final class YAMLSurrogates {
  /// With `\U000fd83d` where the text has `\ud83d`, and `\U000Fd83d` for `\U0000d83d`: the digits stay as they are.
  let text: UnsafeBufferPointer<UInt8>
  private let buffer: UnsafeMutableBufferPointer<UInt8>
  /// Where each `\u` that became longer ends in `text`, in characters and in bytes.
  private let longer: [Int]
  private let longerInBytes: [Int]

  /// Characters by which a `\u` becomes longer.
  private static let growth = 4

  private init(_ bytes: [UInt8], longer: [Int], longerInBytes: [Int]) {
    buffer = .allocate(capacity: bytes.count)
    _ = buffer.initialize(from: bytes)
    text = UnsafeBufferPointer(buffer)
    self.longer = longer
    self.longerInBytes = longerInBytes
  }

  deinit { buffer.deallocate() }

  /// `nil` where there is none, as nearly always; and where the text has itself what they would become, since then
  /// there is no way back: libyaml refuses such a text.
  static func replaced(in source: UnsafeBufferPointer<UInt8>) -> YAMLSurrogates? {
    guard source.contains(backslash), next(source, from: 0) != nil, !hasOwn(source) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(source.count + source.count / 8)
    var longer: [Int] = []
    var longerInBytes: [Int] = []
    var characters = 0
    var copied = 0
    func take(_ range: Range<Int>) {
      for byte in source[range] where byte & 0xC0 != 0x80 { characters += 1 }
      bytes.append(contentsOf: source[range])
    }
    while let escape = next(source, from: copied) {
      take(copied..<escape.start)
      bytes.append(contentsOf: escape.isLong ? Array("\\U000F".utf8) : Array("\\U000f".utf8))
      bytes.append(contentsOf: source[(escape.end - 4)..<escape.end])
      characters += 10
      if !escape.isLong {
        longer.append(characters)
        longerInBytes.append(bytes.count)
      }
      copied = escape.end
    }
    take(copied..<source.count)
    return YAMLSurrogates(bytes, longer: longer, longerInBytes: longerInBytes)
  }

  private static let backslash = UInt8(ascii: "\\")

  /// The next `\uD8…DF` or `\U0000D8…DF` whose backslash is not itself escaped.
  private static func next(
    _ bytes: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> (start: Int, end: Int, isLong: Bool)? {
    var index = start
    while index + 5 < bytes.count {
      guard bytes[index] == backslash else {
        index += 1
        continue
      }
      if bytes[index + 1] == UInt8(ascii: "u"), isSurrogate(bytes, index + 2) { return (index, index + 6, false) }
      if bytes[index + 1] == UInt8(ascii: "U"), index + 9 < bytes.count, isSurrogate(bytes, index + 6),
        bytes[(index + 2)..<(index + 6)].allSatisfy({ $0 == 0x30 })
      {
        return (index, index + 10, true)
      }
      index += 2
    }
    return nil
  }

  private static func isSurrogate(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Bool {
    guard bytes[start] | 0x20 == UInt8(ascii: "d"), let second = Hex.value(of: bytes[start + 1]), second >= 8 else {
      return false
    }
    return Hex.value(of: bytes[start + 2]) != nil && Hex.value(of: bytes[start + 3]) != nil
  }

  /// `\U000fd8…` stands in the text already.
  private static func hasOwn(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var index = 0
    while index + 9 < bytes.count {
      if bytes[index] == backslash, bytes[index + 1] == UInt8(ascii: "U"),
        bytes[(index + 2)..<(index + 5)].allSatisfy({ $0 == 0x30 }), bytes[index + 5] | 0x20 == UInt8(ascii: "f"),
        isSurrogate(bytes, index + 6)
      {
        return true
      }
      index += 1
    }
    return false
  }

  /// Where a place of `text` is in the text as written.
  func original(_ mark: yaml_mark_t) -> yaml_mark_t {
    var mark = mark
    let before = Self.count(longer, upTo: mark.index)
    let onLine = before - Self.count(longer, upTo: mark.index - mark.column)
    mark.index -= Self.growth * before
    mark.column -= Self.growth * onLine
    return mark
  }

  /// The same for a number of bytes.
  func original(byte: Int) -> Int { byte - Self.growth * Self.count(longerInBytes, upTo: byte) }

  private static func count(_ longer: [Int], upTo index: Int) -> Int {
    var (low, high) = (0, longer.count)
    while low < high {
      let middle = (low + high) / 2
      if longer[middle] <= index { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Gives a scalar its text: in double quotes what stands for bytes of file names is put as those, elsewhere all is
  /// again as it was written.
  func restore(_ event: UnsafeMutablePointer<yaml_event_t>) {
    guard event.pointee.type == YAML_SCALAR_EVENT, let text = event.pointee.data.scalar.value else { return }
    let count = event.pointee.data.scalar.length
    if event.pointee.data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE { return Self.nameBytes(text, count) }
    var (from, to) = (0, 0)
    while from < count {
      if Self.hasOwn(UnsafeBufferPointer(start: text + from, count: min(10, count - from))) {
        let isLong = text[from + 5] == UInt8(ascii: "F")
        let digits = (6..<10).map { text[from + $0] }
        for byte in (isLong ? Array("\\U0000".utf8) : Array("\\u".utf8)) + digits {
          text[to] = byte
          to += 1
        }
        from += 10
      } else {
        text[to] = text[from]
        from += 1
        to += 1
      }
    }
    event.pointee.data.scalar.length = to
  }

  /// U+FDC80…U+FDCFF as U+10FF80…U+10FFFF: both are four bytes.
  private static func nameBytes(_ text: UnsafeMutablePointer<UInt8>, _ count: Int) {
    var index = 0
    while index + 3 < count {
      if text[index] == 0xF3, text[index + 1] == 0xBD, text[index + 2] == 0xB2 || text[index + 2] == 0xB3 {
        (text[index], text[index + 1]) = (0xF4, 0x8F)
        text[index + 2] += 0xBE - 0xB2
        index += 4
      } else {
        index += 1
      }
    }
  }
}
