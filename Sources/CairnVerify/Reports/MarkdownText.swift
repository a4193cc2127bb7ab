// Names and words of others in Markdown, so that they are shown and not obeyed. Knows nothing of reports.
import CairnCore

/// What GitHub and GitLab would make of a text when it comes from a repository: mentions that call people (`@name`),
/// links (`#1`, `www.…`, commits), HTML, emphasis, new cells of a table. None of it happens in a code span, and a
/// backslash does not help, since mentions are looked for in what has been rendered.
enum MarkdownText {
  /// Characters of a value that are shown.
  private static let longest = 300

  /// A code span that shows the text on one line, whatever is in it.
  ///
  /// Ends of lines are `⏎`. What cannot be seen, or turns the direction of what can, is U+FFFD.
  static func code(_ text: String) -> String {
    let shown = ReportText.cut(ReportText.replacing(oneLine(text), by: hidden), to: longest)
    if shown.isEmpty { return "`\"\"`" }
    // Longer than any run inside. A space at both ends is taken away again, and keeps a backtick off the fence.
    let fence = String(repeating: "`", count: longestRun(shown) + 1)
    let needsSpace = shown.first == "`" || shown.last == "`" || shown.first == " " || shown.last == " "
    return fence + (needsSpace ? " \(shown) " : shown) + fence
  }

  /// A sentence: plain words as they are, code spans of it kept, and everything else that a renderer could take for
  /// more than a word in code spans of its own.
  ///
  /// - Parameter path: what the sentence is about; of it, or its end, the name is kept whole where it has blanks.
  static func prose(_ text: String, about path: String? = nil) -> String {
    let text = ReportText.cut(text, to: 4 * longest)
    guard let name = path.flatMap({ longName($0, in: text) }) else { return prose(parts(text)) }
    // A backtick of the name opens no code of the sentence's.
    if name.contains("`") { return prose(split(text[...], at: name).flatMap { $1 ? [($0, true)] : parts($0) }) }
    return prose(parts(text).flatMap { $1 ? [($0, true)] : split($0, at: name) })
  }

  /// The text in turn between the names, and the names.
  private static func split(_ text: Substring, at name: String) -> [(Substring, Bool)] {
    var pieces: [(Substring, Bool)] = []
    var rest = text
    while let found = rest.firstRange(of: name) {
      pieces += [(rest[..<found.lowerBound], false), (rest[found], true)]
      rest = rest[found.upperBound...]
    }
    return pieces + [(rest, false)]
  }

  /// The longest end of a path that the text has, where its blanks or backticks would tear it apart.
  private static func longName(_ path: String, in text: String) -> String? {
    let starts = [path.startIndex] + path.indices.filter { path[$0] == "/" }.map { path.index(after: $0) }
    let name = starts.lazy.map { String(path[$0...]) }.first { text.contains($0) }
    return name.flatMap { $0.contains { $0.isWhitespace || $0 == "`" } ? $0 : nil }
  }

  private static func prose(_ parts: [(Substring, Bool)]) -> String {
    var out = ""
    for (part, isCode) in parts {
      if isCode { append(code(part), to: &out); continue }
      if part.first?.isWhitespace == true { out += " " }
      for (index, word) in part.split(whereSeparator: \.isWhitespace).enumerated() {
        if index > 0 { out += " " }
        append(marked(word), to: &out)
      }
      if part.last?.isWhitespace == true, out.last != " " { out += " " }
    }
    return out.trimming(" ")
  }

  /// Finished Markdown in a cell of a table: there, a bar ends the cell even within a code span.
  static func cell(_ markdown: String) -> String { ReportText.replacing(markdown) { $0 == "|" ? "\\|" : nil } }

  /// Two code spans beside each other would be one with other fences.
  private static func append(_ piece: String, to out: inout String) {
    if out.last == "`", piece.first == "`" { out += " " }
    out += piece
  }

  /// The text in turn outside and inside of pairs of equal runs of backticks.
  private static func parts(_ text: some StringProtocol) -> [(Substring, Bool)] {
    let text = Substring(text)
    var parts: [(Substring, Bool)] = []
    var rest = text
    var plain = rest.startIndex
    while let start = rest.firstIndex(of: "`") {
      let fence = rest[start...].prefix { $0 == "`" }
      let inner = rest[fence.endIndex...]
      guard let end = closing(fence.count, in: inner) else {
        rest = inner
        continue
      }
      if plain < start { parts.append((text[plain..<start], false)) }
      parts.append((inner[..<end], true))
      rest = inner[end...].dropFirst(fence.count)
      plain = rest.startIndex
    }
    if plain < text.endIndex { parts.append((text[plain...], false)) }
    return parts
  }

  /// Where the next run of just so many backticks begins.
  private static func closing(_ count: Int, in text: Substring) -> Substring.Index? {
    var rest = text
    while let start = rest.firstIndex(of: "`") {
      let run = rest[start...].prefix { $0 == "`" }
      if run.count == count { return start }
      rest = rest[run.endIndex...]
    }
    return nil
  }

  private static func code(_ text: Substring) -> String { code(String(text)) }

  /// A word, its core in a code span unless it is plain; the marks around it stay outside.
  private static func marked(_ word: Substring) -> String {
    let front = word.prefix { "'\"(".contains($0) }
    var core = word[front.endIndex...]
    while let last = core.last, "'\",.;:!?)%".contains(last) { core.removeLast() }
    if core.isEmpty { return word.allSatisfy { "'\",.;:!?()%".contains($0) } ? String(word) : code(word) }
    return isPlain(core) ? String(word) : front + code(core) + word[core.endIndex...]
  }

  /// Letters, digits, and marks between them that mean nothing to a renderer; no number of an issue or a commit.
  private static func isPlain(_ word: Substring) -> Bool {
    let scalars = Array(word.unicodeScalars)
    let isDigit = { (index: Int) in scalars.indices.contains(index) && ("0"..."9").contains(scalars[index]) }
    for (index, scalar) in scalars.enumerated() {
      switch scalar {
      case ".", ",": if !isDigit(index - 1) || !isDigit(index + 1) { return false }
      case "-": if index == 0, scalars.count > 1, !isDigit(1) { return false }
      case "'", "’", "+", "=", "→", "…", "≈", "×", "·", "–", "—": break
      default: if !scalar.properties.isAlphabetic, scalar.properties.numericType == nil { return false }
      }
    }
    let isHex = scalars.allSatisfy { Hex.isDigit($0) }
    if isHex, scalars.count >= 7, !scalars.allSatisfy({ ("0"..."9").contains($0) }) { return false }
    // `GH-12` and the keys of trackers.
    if let dash = word.lastIndex(of: "-"), word[..<dash].allSatisfy(\.isLetter), !word[..<dash].isEmpty {
      return !word[word.index(after: dash)...].allSatisfy(\.isNumber)
    }
    return true
  }

  private static func oneLine(_ text: String) -> String {
    text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).joined(separator: " ⏎ ")
  }

  private static func hidden(_ scalar: Unicode.Scalar) -> String? {
    switch scalar.properties.generalCategory {
    case .control: scalar == "\t" ? " " : "\u{FFFD}"
    case .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: "\u{FFFD}"
    default: nil
    }
  }

  private static func longestRun(_ text: String) -> Int {
    var (longest, current) = (0, 0)
    for scalar in text.unicodeScalars {
      current = scalar == "`" ? current + 1 : 0
      longest = max(longest, current)
    }
    return longest
  }
}

extension Hex {
  fileprivate static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII && value(of: UInt8(scalar.value)) != nil
  }
}

extension String {
  fileprivate func trimming(_ mark: Character) -> String {
    var rest = self[...]
    while rest.first == mark { rest.removeFirst() }
    while rest.last == mark { rest.removeLast() }
    return String(rest)
  }
}
