// Fits text into the width of the output as DVC's console does: tabs become columns, long lines are broken.
internal import Glibc

enum TextLayout {
  /// `COLUMNS`, else the terminal's width, else 80.
  static var outputWidth: Int {
    if let text = getenv("COLUMNS"), let width = Int(String(cString: text)), width > 0 { return width }
    var size = winsize()
    if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    return 80
  }

  /// The lines that `text` is broken into. Words are kept whole unless one is wider than a line; white space stays
  /// with the word before it, as far as the line reaches.
  static func wrapped(_ text: String, width: Int) -> [String] {
    let characters = Array(expandingTabs(text))
    var breaks: [Int] = []
    var offset = 0
    var start = 0
    while start < characters.count {
      var end = start
      while end < characters.count, characters[end] == " " { end += 1 }
      while end < characters.count, characters[end] != " " { end += 1 }
      let wordEnd = end
      while end < characters.count, characters[end] == " " { end += 1 }
      let length = wordEnd - start
      if width - offset >= length {
        offset += end - start
      } else if length > width {
        var at = start
        while at < end {
          if at > 0 { breaks.append(at) }
          let next = min(at + width, end)
          if next == end { offset = next - at }
          at = next
        }
      } else if offset > 0, start > 0 {
        breaks.append(start)
        offset = end - start
      }
      start = end
    }
    var lines: [String] = []
    var from = 0
    for at in breaks + [characters.count] {
      var line = characters[from..<at]
      while line.count > width, line.last == " " { line.removeLast() }
      lines.append(String(line))
      from = at
    }
    return lines
  }

  private static func expandingTabs(_ text: String) -> String {
    var result: [Character] = []
    for character in text {
      if character == "\t" {
        repeat { result.append(" ") } while result.count % 8 != 0
      } else {
        result.append(character)
      }
    }
    return String(result)
  }
}
