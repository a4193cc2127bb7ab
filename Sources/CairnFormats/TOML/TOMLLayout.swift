// Where each header and assignment of a TOML text stands, for editing in place. The text is known to be valid.
import CairnCore

struct TOMLLayout {
  struct Assignment {
    /// From the root: the section's path and the dotted key.
    var path: [String]
    var section: Int
    /// The whole lines, the comment behind the value and the line end included.
    var lines: Range<Int>
    var value: Range<Int>
  }

  struct Section {
    /// Empty for what stands before the first header.
    var path: [String]
    var isArray: Bool
    var header: Range<Int>
    /// Behind the last line that says something in it.
    var end: Int
  }

  private(set) var sections = [Section(path: [], isArray: false, header: 0..<0, end: 0)]
  private(set) var assignments: [Assignment] = []
  private var cursor: TextCursor

  init(_ source: SourceText) throws(TOMLFault) {
    cursor = TextCursor(source)
    try scan()
  }

  private mutating func scan() throws(TOMLFault) {
    while !cursor.isAtEnd {
      let start = cursor.index
      skipSpace()
      switch cursor.current {
      case nil: return
      case 0x0A, 0x0D, UInt8(ascii: "#"): skipLine()
      case UInt8(ascii: "["):
        let isArray = cursor.peek(1) == UInt8(ascii: "[")
        cursor.index += isArray ? 2 : 1
        let path = try key()
        skipLine()
        sections.append(
          Section(path: path, isArray: isArray, header: start..<cursor.index, end: cursor.index))
      default:
        let path = try key()
        guard cursor.skip(UInt8(ascii: "=")) else { throw TOMLFault.unexpected(cursor) }
        skipSpace()
        let value = cursor.index
        try skipValue()
        let end = cursor.index
        skipLine()
        let section = sections.count - 1
        assignments.append(
          Assignment(
            path: sections[section].path + path, section: section, lines: start..<cursor.index, value: value..<end))
        sections[section].end = cursor.index
      }
    }
  }

  private mutating func skipSpace() {
    while cursor.current == 0x20 || cursor.current == 0x09 { cursor.index += 1 }
  }

  private mutating func skipLine() {
    while let byte = cursor.current, byte != 0x0A { cursor.index += 1 }
    if !cursor.isAtEnd { cursor.index += 1 }
  }

  private mutating func key() throws(TOMLFault) -> [String] {
    var path: [String] = []
    repeat {
      skipSpace()
      let start = cursor.index
      if cursor.current == UInt8(ascii: "\"") || cursor.current == UInt8(ascii: "'") {
        path.append(try TOMLScalar.string(&cursor))
      } else {
        while let byte = cursor.current, TOMLScalar.isBareKey(byte) { cursor.index += 1 }
        path.append(cursor.text(start..<cursor.index))
      }
      skipSpace()
    } while cursor.skip(UInt8(ascii: "."))
    return path
  }

  private mutating func skipValue() throws(TOMLFault) {
    var depth = 0
    repeat {
      switch cursor.current {
      case nil: return
      case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = try TOMLScalar.string(&cursor)
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        cursor.index += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        cursor.index += 1
      case UInt8(ascii: "#"): skipLine()
      default:
        if depth > 0 { cursor.index += 1 } else { _ = try TOMLScalar.bare(&cursor) }
      }
    } while depth > 0
  }
}
