// Parameters in a Python file, as DVC takes them from its syntax tree. Nothing is executed, only literals are read.
package import CairnCore

package enum PythonParameters {
  /// The assignments of literals at the top of the file; of each class a map of those in its body and of
  /// `self.x = …` directly in its `__init__`. A name that is assigned again keeps its place and gets the new value.
  /// Other statements, chained and unpacking assignments and values that are no literals are passed over.
  ///
  /// - Throws: DVC's "unable to read: 'PATH', Python file structure is corrupted", with the fault as its cause, for
  ///   whatever Python's parser refuses, be it in a statement that does not matter here.
  package static func parse(_ source: SourceText) throws(Diagnostic) -> MarkedValue {
    guard String(validating: source.bytes, as: UTF8.self) != nil else { throw Diagnostic.notUTF8(source) }
    do {
      let tokens = try PythonTokenizer.tokens(source.bytes)
      try PythonGrammar.check(tokens, of: source.bytes)
      var reader = PythonParameterReader(cursor: TextCursor(source), tokens: tokens)
      let entries = try reader.block(onlySelf: false)
      return MarkedValue(.map(entries.list), at: SourceMark(source: source, line: 1, column: 1))
    } catch {
      throw Diagnostic.corruptPython(source, error)
    }
  }
}

/// The names found in one body, in the order in which they were first assigned.
private struct PythonNames {
  private(set) var list: [MarkedValue.MarkedEntry] = []
  private var places: [String: Int] = [:]

  mutating func set(_ name: String, _ key: MarkedValue, _ value: MarkedValue) {
    if let place = places[name] {
      list[place] = .init(key: key, value: value)
    } else {
      places[name] = list.count
      list.append(.init(key: key, value: value))
    }
  }

  mutating func merge(_ other: PythonNames) {
    for entry in other.list { set(entry.key.string ?? "", entry.key, entry.value) }
  }
}

/// Reads tokens whose grammar has been checked: headers have their colons, colons their blocks.
private struct PythonParameterReader {
  var cursor: TextCursor
  let tokens: [PythonToken]
  private var position = 0

  init(cursor: TextCursor, tokens: [PythonToken]) {
    self.cursor = cursor
    self.tokens = tokens
  }

  private func text(_ index: Int) -> String { cursor.text(tokens[index].start..<tokens[index].end) }

  private func isOp(_ index: Int, _ op: String) -> Bool {
    tokens[index].kind == .op && cursor.bytes[tokens[index].start..<tokens[index].end].elementsEqual(op.utf8)
  }

  /// Reads statements up to the end of this indentation, which is passed.
  mutating func block(onlySelf: Bool) throws(PythonFault) -> PythonNames {
    var names = PythonNames()
    while position < tokens.count {
      switch tokens[position].kind {
      case .dedent:
        position += 1
        return names
      case .newline: position += 1
      default: try statement(onlySelf: onlySelf, into: &names)
      }
    }
    return names
  }

  /// One logical line, with the block below it if it has one.
  private mutating func statement(onlySelf: Bool, into names: inout PythonNames) throws(PythonFault) {
    let start = position
    let first = tokens[start].kind == .name ? text(start) : ""
    if first == "class" || first == "def", let colon = headerEnd(from: start) {
      let name = text(start + 1)
      if first == "class" {
        position = colon + 1
        // Before the body: a mark behind the last one is found by counting lines from the start of the file.
        let mark = cursor.mark(tokens[start + 1].start, to: tokens[start + 1].end)
        let body = try suite(onlySelf: false)
        names.set(
          name, MarkedValue(.scalar(.string(name)), at: mark), MarkedValue(.map(body.list), at: mark))
        return
      }
      if name == "__init__" {
        position = colon + 1
        names.merge(try suite(onlySelf: true))
        return
      }
    }
    let end = lineEnd(from: start)
    position = min(end + 1, tokens.count)
    if position < tokens.count, tokens[position].kind == .indent { return skipBlock() }
    if Self.headers.contains(first) { return }
    try simpleStatements(start..<end, onlySelf: onlySelf, into: &names)
  }

  /// Words that begin what has a block, though it be on the same line; none of DVC's business.
  private static let headers: Set<String> = [
    "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "async", "def",
  ]

  private func lineEnd(from start: Int) -> Int {
    tokens[start...].firstIndex { $0.kind == .newline } ?? tokens.count
  }

  /// The colon that ends the header of a class or function, within its line.
  private func headerEnd(from start: Int) -> Int? {
    first(":", in: start..<lineEnd(from: start))
  }

  /// The first `op` outside all brackets.
  private func first(_ op: String, in range: Range<Int>) -> Int? {
    var depth = 0
    for index in range where tokens[index].kind == .op {
      switch cursor.bytes[tokens[index].start] {
      case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: if depth == 0, isOp(index, op) { return index }
      }
    }
    return nil
  }

  /// What follows the colon of a header: statements on the same line, or an indented block.
  private mutating func suite(onlySelf: Bool) throws(PythonFault) -> PythonNames {
    var names = PythonNames()
    let end = lineEnd(from: position)
    if end > position {
      try simpleStatements(position..<end, onlySelf: onlySelf, into: &names)
      position = min(end + 1, tokens.count)
      return names
    }
    position = min(end + 2, tokens.count)
    return try block(onlySelf: onlySelf)
  }

  private mutating func skipBlock() {
    var depth = 0
    repeat {
      switch tokens[position].kind {
      case .indent: depth += 1
      case .dedent: depth -= 1
      default: break
      }
      position += 1
    } while depth > 0 && position < tokens.count
  }

  private mutating func simpleStatements(_ range: Range<Int>, onlySelf: Bool, into names: inout PythonNames)
    throws(PythonFault)
  {
    var rest = range
    while !rest.isEmpty {
      let end = first(";", in: rest) ?? rest.upperBound
      try assignment(rest.lowerBound..<end, onlySelf: onlySelf, into: &names)
      rest = min(end + 1, rest.upperBound)..<rest.upperBound
    }
  }

  private mutating func assignment(_ range: Range<Int>, onlySelf: Bool, into names: inout PythonNames)
    throws(PythonFault)
  {
    guard let equals = first("=", in: range) else { return }
    let value = (equals + 1)..<range.upperBound
    if first("=", in: value) != nil { return }
    let colon = first(":", in: range.lowerBound..<equals)
    guard let name = target(range.lowerBound..<(colon ?? equals), onlySelf: onlySelf),
      let literal = try PythonLiteral.value(tokens[value], of: cursor)
    else { return }
    let key = MarkedValue(
      .scalar(.string(text(name))), at: cursor.mark(tokens[name].start, to: tokens[name].end))
    let mark = cursor.mark(tokens[value.lowerBound].start, to: tokens[value.upperBound - 1].end)
    names.set(text(name), key, MarkedValue(literal, at: mark))
  }

  /// The token of the name that is assigned: of `x`, or of `self.x`, where alone `onlySelf` looks.
  private func target(_ range: Range<Int>, onlySelf: Bool) -> Int? {
    let range = withoutParentheses(range)
    let last = range.upperBound - 1
    guard !range.isEmpty, tokens[last].symbol == .name else { return nil }
    if range.count == 1 { return onlySelf ? nil : last }
    guard range.count >= 3, isOp(last - 1, ".") else { return nil }
    let owner = withoutParentheses(range.lowerBound..<(last - 1))
    return owner.count == 1 && text(owner.lowerBound) == "self" ? last : nil
  }

  /// `range` without parentheses around all of it.
  private func withoutParentheses(_ range: Range<Int>) -> Range<Int> {
    var range = range
    while range.count > 2, isOp(range.lowerBound, "("), isOp(range.upperBound - 1, ")") {
      range = (range.lowerBound + 1)..<(range.upperBound - 1)
    }
    return range
  }
}

extension Diagnostic {
  fileprivate static func corruptPython(_ source: SourceText, _ fault: PythonFault) -> Diagnostic {
    let mark = source.place(ofByte: fault.offset).mark
    var diagnostic = Diagnostic(
      .unreadableFile, "unable to read: '\(source.path)', Python file structure is corrupted", at: mark)
    let name = source.path.split(separator: "/").last.map(String.init) ?? source.path
    diagnostic.causes = [Diagnostic(.unreadableFile, "\(fault.message) (\(name), line \(mark.line))")]
    return diagnostic
  }
}
