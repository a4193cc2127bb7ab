// Draws a diagnostic: the words, the line with a caret, other places, and the next step. The only place that does.
internal import CairnCore

struct DiagnosticPrinter {
  var usesColor: Bool

  func text(_ diagnostic: Diagnostic) -> String {
    var lines: [String] = []
    let words = diagnostic.fullMessage
    lines.append(diagnostic.hasErrorPrefix ? Color.red.paint("ERROR", if: usesColor) + ": " + words : words)
    if let mark = diagnostic.mark { lines += place(mark) }
    for note in diagnostic.notes {
      lines.append(Color.blue.paint("note", if: usesColor) + ": " + note.message)
      if let mark = note.mark { lines += place(mark) }
    }
    if let hint = diagnostic.hint { lines.append(Color.cyan.paint("hint", if: usesColor) + ": " + hint) }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The widest line that is drawn whole; of a longer one only the part around the caret.
  private static let widest = 120

  private func place(_ mark: SourceMark) -> [String] {
    var lines = [Color.blue.paint("  --> ", if: usesColor) + "\(mark.source.path):\(mark.line):\(mark.column)"]
    let line = Array(mark.source.line(mark.line))
    guard !line.isEmpty, mark.column >= 1, mark.column <= line.count + 1 else { return lines }

    let skipped = max(0, line.count > Self.widest ? mark.column - 1 - Self.widest / 2 : 0)
    let shown = line[skipped..<min(line.count, skipped + Self.widest)]
    let before = mark.column - 1 - skipped
    let carets = max(1, min(mark.length, shown.count - before))
    let number = "\(mark.line)"
    let gutter = String(repeating: " ", count: max(0, 5 - number.count)) + number
    let padding = String(shown.prefix(before).map { $0 == "\t" ? "\t" : " " })
    lines.append(Color.blue.paint(gutter + " |", if: usesColor) + " " + PrintableText.aligned(shown))
    lines.append(
      Color.blue.paint(String(repeating: " ", count: gutter.count) + " |", if: usesColor) + " " + padding
        + Color.red.paint(String(repeating: "^", count: carets), if: usesColor))
    return lines
  }
}
