// A place in a text that moves forward, and the marks for what it passed. Knows nothing of any syntax.
import CairnCore

struct TextCursor {
  let source: SourceText
  let bytes: [UInt8]
  var index = 0

  private var markIndex = 0
  private var markLine = 1
  private var markColumn = 1

  init(_ source: SourceText) {
    self.source = source
    bytes = source.bytes
  }

  var current: UInt8? { index < bytes.count ? bytes[index] : nil }
  var isAtEnd: Bool { index >= bytes.count }

  func peek(_ offset: Int) -> UInt8? { index + offset < bytes.count ? bytes[index + offset] : nil }

  func starts(with text: StaticString) -> Bool {
    bytes[index...].starts(with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Steps over `byte` if it stands here.
  mutating func skip(_ byte: UInt8) -> Bool {
    guard current == byte else { return false }
    index += 1
    return true
  }

  /// Where the bytes from `start` to `end` stand. Cheap when asked in the order of the text.
  mutating func mark(_ start: Int, to end: Int? = nil) -> SourceMark {
    if start < markIndex { (markIndex, markLine, markColumn) = (0, 1, 1) }
    for byte in bytes[markIndex..<min(start, bytes.count)] {
      if byte == 0x0A {
        markLine += 1
        markColumn = 1
      } else if byte & 0xC0 != 0x80 {
        markColumn += 1
      }
    }
    markIndex = min(start, bytes.count)
    let length = end.map { $0 > start ? characters(start..<$0) : 1 } ?? 1
    return SourceMark(source: source, line: markLine, column: markColumn, length: length)
  }

  /// How many characters the bytes are, up to the end of the line.
  func characters(_ range: Range<Int>) -> Int {
    var length = 0
    for byte in bytes[range.lowerBound..<min(range.upperBound, bytes.count)] {
      if byte == 0x0A { break }
      if byte & 0xC0 != 0x80 { length += 1 }
    }
    return length
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}
