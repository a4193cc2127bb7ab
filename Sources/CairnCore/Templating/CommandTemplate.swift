// How a stage's command is made: literal text, and values that stand in files. Tells which of them made it another.

package struct CommandTemplate: Sendable {
  /// A value that the command takes, where it stands now.
  package struct Source: Sendable {
    package var mark: SourceMark
    package var value: Value
    /// It is all of a command, and so is written as Python writes it.
    fileprivate var isWhole: Bool
  }

  private enum Piece: Sendable {
    case literal(String)
    /// In `sources`.
    case source(Int)
  }

  /// As the file has it.
  package let written: Value
  /// In the order of the text; one that is named twice is there twice.
  package private(set) var sources: [Source] = []
  private var commands: [[Piece]] = []
  private let isList: Bool
  private let interpolation: Interpolation

  package init?(_ command: MarkedValue?, in context: TemplateContext, _ interpolation: Interpolation) throws(TemplateFault) {
    guard let command else { return nil }
    written = command.value
    self.interpolation = interpolation
    isList = command.items != nil
    for item in command.items ?? [command] {
      guard let scalar = item.scalar else { return nil }
      guard let text = scalar.string else {
        commands.append([.literal(PythonText.str(scalar))])
        continue
      }
      var pieces: [Piece] = []
      for piece in try interpolation.pieces(of: text, in: context) {
        switch piece {
        case .literal(let text): pieces.append(.literal(text))
        case .value(let node, let isWhole):
          if let mark = node.mark {
            pieces.append(.source(sources.count))
            sources.append(Source(mark: mark, value: node.value, isWhole: isWhole))
          } else {
            // Of the stage's own name: another one would be another stage.
            pieces.append(.literal(try Self.text(of: node.value, isWhole: isWhole, interpolation)))
          }
        }
      }
      commands.append(pieces)
    }
  }

  private static func text(
    of value: Value, isWhole: Bool, _ interpolation: Interpolation
  ) throws(TemplateFault) -> String {
    isWhole ? PythonText.str(value) : try interpolation.text(of: value)
  }

  /// How the value of a source looks in the command; `nil` for one that has no place there.
  package func text(of value: Value, in source: Int) -> String? {
    try? Self.text(of: value, isWhole: sources[source].isWhole, interpolation)
  }

  /// The command that other values give; `nil` where one of them is not there.
  package func command(with value: (Int) -> Value?) -> Value? {
    var texts: [Value] = []
    for pieces in commands {
      var text = ""
      for piece in pieces {
        switch piece {
        case .literal(let literal): text += literal
        case .source(let number):
          guard let value = value(number), let part = self.text(of: value, in: number) else { return nil }
          text += part
        }
      }
      texts.append(.string(text))
    }
    return isList ? .list(texts) : texts.first
  }

  /// What a command of this template had where a source stands.
  package enum Match: Sendable {
    /// The text of each source; `nil` where it cannot be told from its neighbour's.
    case texts([String?])
    /// No values give this command.
    case none
  }

  /// Reads `command` as one that this template gave. What can be read in two ways is not told.
  package func match(_ command: Value) -> Match {
    let texts: [String]
    switch command {
    case .list(let items) where isList: texts = items.map { $0.string ?? PythonText.str($0) }
    case .string(let text) where !isList: texts = [text]
    default: return .none
    }
    guard texts.count == commands.count else { return .none }
    var found = [String?](repeating: nil, count: sources.count)
    for (pieces, text) in zip(commands, texts) {
      var search = Search(
        pieces: pieces.map { piece in
          switch piece {
          case .literal(let text): .literal(Array(text.utf8))
          case .source(let number): .source(number)
          }
        }, text: Array(text.utf8))
      search.run()
      guard let ranges = search.ranges else {
        if search.isExhausted { continue }
        return .none
      }
      for (number, range) in ranges where !search.isAmbiguous && !search.isExhausted {
        found[number] = String(decoding: search.text[range], as: UTF8.self)
      }
    }
    return .texts(found)
  }

  /// Looks for the ranges of the sources in a text.
  private struct Search {
    enum Piece {
      case literal([UInt8])
      case source(Int)
    }
    let pieces: [Piece]
    let text: [UInt8]
    /// The first way that was found, as ranges of the sources.
    private(set) var ranges: [(Int, Range<Int>)]?
    private(set) var isAmbiguous = false
    private var steps = 0
    private static let stepLimit = 20_000
    var isExhausted: Bool { steps >= Self.stepLimit }

    init(pieces: [Piece], text: [UInt8]) {
      self.pieces = pieces
      self.text = text
    }

    mutating func run() { visit(0, 0, []) }

    private mutating func visit(_ piece: Int, _ position: Int, _ found: [(Int, Range<Int>)]) {
      steps += 1
      if isAmbiguous || isExhausted { return }
      guard piece < pieces.count else {
        guard position == text.count else { return }
        if ranges == nil { ranges = found } else { isAmbiguous = true }
        return
      }
      switch pieces[piece] {
      case .literal(let literal):
        guard text[position...].starts(with: literal) else { return }
        visit(piece + 1, position + literal.count, found)
      case .source(let number):
        for end in position...text.count {
          if case .literal(let next)? = pieces.dropFirst(piece + 1).first, !text[end...].starts(with: next) { continue }
          visit(piece + 1, end, found + [(number, position..<end)])
        }
      }
    }
  }
}
