// The INI dialect of DVC's configuration files (ConfigObj's): read with places, edited in place.
// Knows sections, keys and quotes; knows nothing of which settings exist.
package import CairnCore

/// One configuration file. Edits change the lines they must; comments, order and layout of all others stay.
///
/// A file that is made new reads as DVC writes one: `[core]`, four spaces before keys, named sections such as
/// `['remote "origin"']` at the end.
package struct ConfigFile: Sendable {
  package struct Entry: Sendable {
    package var key: String
    /// Text, or a list of texts (`a, b` without quotes).
    package var value: Value
    package var mark: SourceMark
    var lines: Range<Int>
    /// What follows the value on its line: white space and a comment.
    var tail: String
  }

  package struct Section: Sendable {
    /// As written, without brackets and quotes: `core`, `remote "origin"`; empty for what stands before all sections.
    package var name: String
    package var entries: [Entry]
    package var mark: SourceMark?
    var headerLine: Int
    var depth: Int
    /// Written with two brackets or more: part of the section before it.
    package var isNested: Bool { depth > 1 }
  }

  package private(set) var sections: [Section] = []
  private var lines: [String]
  private let path: String

  package init(_ source: SourceText) throws(Diagnostic) {
    path = source.path
    var parser = ConfigParser(source)
    try parser.run()
    sections = parser.sections
    lines = parser.lines
  }

  /// An empty file.
  package init(path: String) {
    self.path = path
    lines = []
  }

  /// The file's text; a file of which nothing is left is one line end, as DVC leaves it.
  package var text: String { lines.isEmpty ? "\n" : lines.joined(separator: "\n") + "\n" }

  /// Names are compared without case, as DVC lowers them.
  package func section(_ name: String) -> Section? { sections.first { Self.matches($0.name, name) } }

  package func value(_ section: String, _ key: String) -> Value? {
    self.section(section)?.entries.last { $0.key.lowercased() == key }?.value
  }

  /// Sets `key` of `section`, making both where they are missing.
  ///
  /// - Parameter order: where a new section goes: before the first section for which this is true.
  package mutating func set(
    _ section: String, _ key: String, to value: String, before order: (String) -> Bool = { _ in false }
  ) throws(Diagnostic) {
    let quoted = try ConfigQuoting.quote(value)
    if let found = self.section(section), found.depth > 0 {
      if let entry = found.entries.last(where: { $0.key.lowercased() == key }) {
        let first = lines[entry.lines.lowerBound]
        let indent = first.prefix { $0 == " " || $0 == "\t" }
        let name = first.dropFirst(indent.count).prefix { $0 != "=" }.trimmingSpaces
        lines.replaceSubrange(entry.lines, with: ["\(indent)\(name) = \(quoted)\(entry.tail)"])
      } else {
        let indent = found.entries.last.map { String(lines[$0.lines.lowerBound].prefix { $0 == " " || $0 == "\t" }) }
        let after = found.entries.last?.lines.upperBound ?? found.headerLine + 1
        lines.insert("\(indent ?? "    ")\(key) = \(quoted)", at: after)
      }
    } else {
      try insertSection(section, ["    \(key) = \(quoted)"], before: order)
    }
    try reread()
  }

  /// Takes `key` out, and the section when nothing is left in it.
  package mutating func remove(_ section: String, _ key: String) throws(Diagnostic) {
    guard let found = self.section(section),
      let entry = found.entries.last(where: { $0.key.lowercased() == key })
    else { return }
    if found.entries.count == 1 { return try removeSection(section) }
    lines.removeSubrange(entry.lines)
    try reread()
  }

  /// Takes a section out, with the comments that stand directly above it.
  package mutating func removeSection(_ name: String) throws(Diagnostic) {
    guard let index = sections.firstIndex(where: { Self.matches($0.name, name) }) else { return }
    let section = sections[index]
    let end = section.entries.last?.lines.upperBound ?? section.headerLine + 1
    var start = section.headerLine
    while index > 0, start > 0, lines[start - 1].trimmingSpaces.hasPrefix("#") { start -= 1 }
    lines.removeSubrange(start..<end)
    while lines.last?.trimmingSpaces.isEmpty ?? false { lines.removeLast() }
    try reread()
  }

  /// Gives a section another name; it stays where it is.
  package mutating func renameSection(_ name: String, to new: String) throws(Diagnostic) {
    guard let section = section(name) else { return }
    let line = lines[section.headerLine]
    let indent = line.prefix { $0 == " " || $0 == "\t" }
    let comment = line.lastIndex(of: "]").map { line[line.index(after: $0)...] } ?? ""
    lines[section.headerLine] = "\(indent)[\(try ConfigQuoting.quoteName(new))]\(comment)"
    try reread()
  }

  /// Puts a section after all others.
  package mutating func moveSectionToEnd(_ name: String) throws(Diagnostic) {
    guard let section = section(name) else { return }
    let end = section.entries.last?.lines.upperBound ?? section.headerLine + 1
    if lines[end...].allSatisfy({ $0.trimmingSpaces.isEmpty }) { return }
    let moved = Array(lines[section.headerLine..<end])
    lines.removeSubrange(section.headerLine..<end)
    lines += moved
    try reread()
  }

  private mutating func insertSection(_ name: String, _ body: [String], before order: (String) -> Bool)
    throws(Diagnostic)
  {
    let header = "[\(try ConfigQuoting.quoteName(name))]"
    if let next = sections.first(where: { $0.depth > 0 && order($0.name) }) {
      var at = next.headerLine
      while at > 0, lines[at - 1].trimmingSpaces.hasPrefix("#") { at -= 1 }
      lines.insert(contentsOf: [header] + body, at: at)
    } else {
      if sections.isEmpty, lines.allSatisfy({ $0.trimmingSpaces.isEmpty }) { lines = [] }
      lines += [header] + body
    }
  }

  private mutating func reread() throws(Diagnostic) {
    self = try ConfigFile(SourceText(path: path, bytes: Array(text.utf8)))
  }

  private static func matches(_ a: String, _ b: String) -> Bool { a.lowercased().hasSameBytes(as: b.lowercased()) }
}

extension StringProtocol {
  /// Without spaces, tabs and carriage returns around it.
  var trimmingSpaces: String {
    let isSpace = { (character: Character) in character == " " || character == "\t" || character == "\r" }
    var rest = self[...].drop(while: isSpace)
    while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
    return String(rest)
  }
}
