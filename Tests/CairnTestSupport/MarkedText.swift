// Text in which a test marks the expected place with ▸ instead of counting. Knows nothing of what the text is.

/// `MarkedText("stages: {a: {▸dep: [x]}}")`: the text without the mark, and where the mark stood.
package struct MarkedText: Sendable {
  /// The text without its marks.
  package let text: String
  /// The places of the marks, in order: 1-based line and column, the column in characters.
  package let marks: [Place]

  package struct Place: Hashable, Sendable {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }
  }

  package var line: Int { marks[0].line }
  package var column: Int { marks[0].column }

  package init(_ marked: String) {
    var text = ""
    var marks: [Place] = []
    var line = 1
    var column = 1
    for character in marked {
      if character == "▸" {
        marks.append(Place(line: line, column: column))
        continue
      }
      text.append(character)
      if character == "\n" {
        line += 1
        column = 1
      } else {
        column += 1
      }
    }
    self.text = text
    self.marks = marks
  }
}
