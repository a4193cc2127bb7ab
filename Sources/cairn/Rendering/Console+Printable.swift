// Lines that hold text of others. Knows nothing of what they mean.
internal import CairnCore

extension Console {
  /// A line of Cairn's own, without colours, that may hold text of others.
  func write(line: String) { write(PrintableText.line(line)) }
}
