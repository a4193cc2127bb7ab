// Words that every document of a kind has, appended as they stand in the program.

extension [UInt8] {
  /// Appends the text's UTF-8.
  package mutating func append(_ text: StaticString) {
    append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}
