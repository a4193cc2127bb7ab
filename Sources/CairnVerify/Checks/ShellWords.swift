// Takes a shell command apart into words, as far as reading it goes: quotes, escapes, comments, ends of commands, texts
// that stand in it for a command's input. Expands nothing and runs nothing.

struct ShellWord: Sendable {
  var text = ""
  /// Some of it stood in quotes.
  var isQuoted = false
  /// No word: what stands behind it is another command.
  var endsCommand = false
}

enum ShellWords {
  static func words(_ command: String) -> [ShellWord] {
    var words: [ShellWord] = []
    var word = ShellWord()
    var quote: Character?
    var isEscaped = false
    // Ends of texts that begin on the next line, and the line that is read of one.
    var ends: [String] = []
    var line: String?
    var namesEnd = false
    var isComment = false
    var previous: Character = "\n"
    func finish() {
      defer { word = ShellWord() }
      guard !word.text.isEmpty || word.isQuoted else { return }
      if namesEnd {
        ends.append(word.text.first == "-" ? String(word.text.dropFirst()) : word.text)
        namesEnd = false
      } else {
        words.append(word)
      }
    }
    for character in command {
      defer { previous = character }
      if let text = line {
        line = character.isNewline ? "" : text + String(character)
        guard character.isNewline, text.drop(while: { $0 == "\t" }) == ends[0] else { continue }
        ends.removeFirst()
        if ends.isEmpty { line = nil }
      } else if isComment, !character.isNewline {
        continue
      } else if isEscaped {
        word.text.append(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word.text.append(character) }
      } else if character == "\"" || character == "'" {
        quote = character
        word.isQuoted = true
      } else if character == " " || character == "\t" {
        finish()
      } else if character.isNewline || ";|&()`".contains(character) {
        finish()
        words.append(ShellWord(text: "", isQuoted: false, endsCommand: true))
        if character.isNewline {
          isComment = false
          if !ends.isEmpty { line = "" }
        }
      } else if character == "<" || character == ">" {
        // Behind `<<` the end of a text is named; `<<<` has a word.
        let isSecond = character == "<" && previous == "<"
        finish()
        namesEnd = isSecond && !namesEnd
      } else if character == "#", word.text.isEmpty, !word.isQuoted, " \t\n;|&(".contains(previous) {
        isComment = true
      } else {
        word.text.append(character)
      }
    }
    finish()
    return words
  }
}
