// Takes a shell command apart into words, as far as reading it goes: quotes, escapes, ends of commands. Expands
// nothing and runs nothing.

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
    func finish() {
      if !word.text.isEmpty || word.isQuoted { words.append(word) }
      word = ShellWord()
    }
    for character in command {
      if isEscaped {
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
      } else if character == "<" || character == ">" {
        finish()
      } else {
        word.text.append(character)
      }
    }
    finish()
    return words
  }
}
