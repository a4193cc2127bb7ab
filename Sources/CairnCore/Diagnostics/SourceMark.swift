// Where in a text something stands. Knows nothing of syntax.

/// The bytes of a file as it was read, shared by all marks that point into it.
package final class SourceText: Sendable {
  /// The name to show: the path relative to the project's root (or to the working directory for files outside).
  package let path: String
  package let bytes: [UInt8]

  package init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }

  /// The text of a line (1-based) without its line end; empty when there is no such line.
  package func line(_ number: Int) -> String {
    var current = 1
    var start = 0
    for (index, byte) in bytes.enumerated() where byte == 0x0A {
      if current == number { return Self.text(bytes[start..<index]) }
      current += 1
      start = index + 1
    }
    return current == number ? Self.text(bytes[start...]) : ""
  }

  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    var bytes = bytes
    if bytes.last == 0x0D { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A place in a text: 1-based line and column (in characters), and how many characters it covers (0: unknown).
package struct SourceMark: Hashable, Sendable {
  package let source: SourceText
  package let line: Int
  package let column: Int
  package let length: Int

  package init(source: SourceText, line: Int, column: Int, length: Int = 0) {
    self.source = source
    self.line = line
    self.column = column
    self.length = length
  }

  package static func == (a: SourceMark, b: SourceMark) -> Bool {
    a.source.path == b.source.path && a.line == b.line && a.column == b.column && a.length == b.length
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(source.path)
    hasher.combine(line)
    hasher.combine(column)
  }
}
