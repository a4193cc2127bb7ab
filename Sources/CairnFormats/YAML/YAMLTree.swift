// A YAML document as a tree of places in its bytes. Knows nothing of how it is edited.
import CYAML
import CairnCore

/// A node and where it stands; offsets are of bytes.
final class YAMLNode {
  enum Kind { case scalar, alias, list, map }

  struct Entry {
    var key: YAMLNode
    var value: YAMLNode
  }

  let kind: Kind
  /// Where it starts, its anchor and tag included.
  let start: Int
  /// Where it starts after its anchor and tag.
  fileprivate(set) var contentStart: Int
  /// Where it ends: after the last character that belongs to it, before white space and comments.
  fileprivate(set) var end: Int
  /// Written in brackets.
  var isFlow = false
  /// `|` or `>`.
  var isBlockScalar = false
  /// The text of a key that is text.
  var text: String?
  fileprivate(set) var items: [YAMLNode] = []
  fileprivate(set) var entries: [Entry] = []

  init(_ kind: Kind, start: Int, end: Int) {
    self.kind = kind
    self.start = start
    contentStart = start
    self.end = end
  }

  /// A null of no characters.
  var isAbsent: Bool { kind == .scalar && start == end }
  var isBlockCollection: Bool { (kind == .list || kind == .map) && !isFlow }
  var isEmptyCollection: Bool { (kind == .list || kind == .map) && items.isEmpty && entries.isEmpty }
  var firstStart: Int { (entries.first?.key ?? items.first)?.start ?? contentStart }
}

struct YAMLTree {
  let bytes: [UInt8]
  private(set) var root: YAMLNode?

  init(_ source: SourceText) throws(Diagnostic) {
    let bytes = source.bytes
    self.bytes = bytes
    let skipped = YAMLParser.byteOrderMark(bytes)
    let offsets = Self.characterOffsets(bytes, from: skipped)
    let result = bytes.withUnsafeBufferPointer { buffer -> Result<YAMLNode?, Diagnostic> in
      var parser = YAMLParser(source, UnsafeBufferPointer(rebasing: buffer[skipped...]))
      do throws(Diagnostic) {
        return .success(try Self.read(&parser, bytes) { offsets.isEmpty ? $0 + skipped : offsets[min($0, offsets.count - 1)] })
      } catch {
        return .failure(error)
      }
    }
    root = try result.get()
  }

  /// The byte at which each character starts; empty for ASCII, where they are the same.
  private static func characterOffsets(_ bytes: [UInt8], from start: Int) -> [Int] {
    guard bytes[start...].contains(where: { $0 >= 0x80 }) else { return [] }
    return bytes.indices[start...].filter { bytes[$0] & 0xC0 != 0x80 } + [bytes.count]
  }

  private static func read(
    _ parser: inout YAMLParser, _ bytes: [UInt8], _ offset: (Int) -> Int
  ) throws(Diagnostic) -> YAMLNode? {
    var open: [(node: YAMLNode, key: YAMLNode?)] = []
    var root: YAMLNode?
    func add(_ node: YAMLNode) {
      guard let (parent, key) = open.last else {
        root = node
        return
      }
      if parent.kind == .list {
        parent.items.append(node)
      } else if let key {
        parent.entries.append(YAMLNode.Entry(key: key, value: node))
        open[open.count - 1].key = nil
      } else {
        open[open.count - 1].key = node
      }
    }
    while true {
      let event = try parser.next()
      let start = offset(event.pointee.start_mark.index)
      let end = offset(event.pointee.end_mark.index)
      switch event.pointee.type {
      case YAML_STREAM_END_EVENT: return root
      case YAML_ALIAS_EVENT: add(YAMLNode(.alias, start: start, end: end))
      case YAML_SCALAR_EVENT:
        let node = YAMLNode(.scalar, start: start, end: end)
        let style = event.pointee.data.scalar.style
        node.contentStart = afterProperties(bytes, start, end)
        node.isBlockScalar = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE
        if node.isBlockScalar { node.end = blockScalarEnd(bytes, node.contentStart, end) }
        let isText =
          event.pointee.data.scalar.plain_implicit == 0 || YAMLScalar.kind(event.scalarText) == .string
          || YAMLScalar.kind(event.scalarText) == .value
        if isText { node.text = String(decoding: event.scalarText, as: UTF8.self) }
        add(node)
      case YAML_SEQUENCE_START_EVENT, YAML_MAPPING_START_EVENT:
        let isMap = event.pointee.type == YAML_MAPPING_START_EVENT
        let node = YAMLNode(isMap ? .map : .list, start: start, end: end)
        node.isFlow =
          isMap
          ? event.pointee.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
          : event.pointee.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
        // A block collection starts where its first key or dash is, an anchor stands on the line before.
        node.contentStart = afterProperties(bytes, start, bytes.count)
        open.append((node, nil))
      case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
        let node = open.removeLast().node
        let last = node.entries.last?.value ?? node.items.last
        // The event of a block's end stands at whatever comes next.
        if node.isFlow { node.end = end } else if let last { node.end = max(last.end, node.contentStart) }
        add(node)
      default: break
      }
    }
  }

  /// Skips `&anchor` and `!tag`, without leaving the line.
  private static func afterProperties(_ bytes: [UInt8], _ start: Int, _ limit: Int) -> Int {
    var index = start
    while index < limit, bytes[index] == UInt8(ascii: "&") || bytes[index] == UInt8(ascii: "!") {
      var end = index
      while end < limit, !isBlank(bytes[end]), !isBreak(bytes[end]) { end += 1 }
      index = end
      while index < limit, isBlank(bytes[index]) { index += 1 }
      // Nothing more on this line: what follows the anchor is a block below.
      if index >= limit || isBreak(bytes[index]) || bytes[index] == UInt8(ascii: "#") { return end }
    }
    return index
  }

  /// A block scalar without the blank lines after it, unless it keeps them (`+`).
  private static func blockScalarEnd(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Int {
    var header = start
    var keeps = false
    while header < end, !isBreak(bytes[header]), bytes[header] != UInt8(ascii: "#") {
      if bytes[header] == UInt8(ascii: "+") { keeps = true }
      header += 1
    }
    var last = end
    if keeps {
      // The end mark may stand after the indentation of the next line.
      while last > start, isBlank(bytes[last - 1]) { last -= 1 }
      if last > start, bytes[last - 1] == 0x0A { last -= 1 }
    } else {
      while last > start, isBlank(bytes[last - 1]) || isBreak(bytes[last - 1]) { last -= 1 }
    }
    if last > start, bytes[last - 1] == 0x0D { last -= 1 }
    return last
  }

  @inline(__always) static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
  @inline(__always) static func isBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
}

// MARK: - Lines

extension YAMLTree {
  func lineStart(_ offset: Int) -> Int {
    var index = min(offset, bytes.count)
    while index > 0, bytes[index - 1] != 0x0A { index -= 1 }
    return index
  }

  /// The start of the next line, or the end of the text.
  func nextLine(_ offset: Int) -> Int {
    var index = offset
    while index < bytes.count, bytes[index] != 0x0A { index += 1 }
    return min(index + 1, bytes.count)
  }

  func column(_ offset: Int) -> Int {
    let start = lineStart(offset)
    let skipped = start == 0 ? YAMLParser.byteOrderMark(bytes) : 0
    return offset - start - skipped
  }

  /// Whether only blanks stand between the line's start and here.
  func isFirstOnLine(_ offset: Int) -> Bool {
    bytes[(offset - column(offset))..<offset].allSatisfy(Self.isBlank)
  }

  enum Trivia { case blank, comment(column: Int) }

  /// What the line that starts here holds when it is only white space or a comment.
  func trivia(_ lineStart: Int) -> Trivia? {
    guard lineStart < bytes.count else { return nil }
    var index = lineStart
    while index < bytes.count, Self.isBlank(bytes[index]) { index += 1 }
    if index == bytes.count || Self.isBreak(bytes[index]) { return .blank }
    return bytes[index] == UInt8(ascii: "#") ? .comment(column: index - lineStart) : nil
  }

  /// The start of the line after a node and after the comments below it that stand at `column` or further right.
  func afterNode(_ node: YAMLNode, commentsFrom column: Int) -> Int {
    var result = nextLine(node.end)
    var line = result
    while line < bytes.count, let kind = trivia(line) {
      let next = nextLine(line)
      if case .comment(let at) = kind {
        guard at >= column else { break }
        result = next
      }
      if next == line { break }
      line = next
    }
    return result
  }
}
