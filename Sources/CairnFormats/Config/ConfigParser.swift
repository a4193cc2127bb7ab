// Reads ConfigObj's syntax line by line. All faults are found before the first is told, as ConfigObj does.
package import CairnCore

struct ConfigParser {
  private let source: SourceText
  private(set) var lines: [String]
  private(set) var sections: [ConfigFile.Section] = []
  private var faults: [(text: String, line: Int)] = []

  init(_ source: SourceText) {
    self.source = source
    var bytes = source.bytes[...]
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    lines = String(decoding: bytes, as: UTF8.self).split(
      omittingEmptySubsequences: false, whereSeparator: { $0 == "\n" || $0 == "\r\n" }
    ).map(String.init)
    while lines.last?.isEmpty ?? false { lines.removeLast() }
  }

  mutating func run() throws(Diagnostic) {
    guard String(validating: source.bytes, as: UTF8.self) != nil else {
      throw .configuration("'utf-8' codec can't decode '\(source.path)'")
    }
    sections = [ConfigFile.Section(name: "", entries: [], mark: nil, headerLine: -1, depth: 0)]
    var index = 0
    while index < lines.count {
      let line = lines[index]
      let text = line.trimmingSpaces
      if text.isEmpty || text.hasPrefix("#") {
        index += 1
      } else if let header = Self.header(text) {
        readHeader(header, at: index)
        index += 1
      } else {
        index = readEntry(line, at: index)
      }
    }
    if sections[0].entries.isEmpty { sections.removeFirst() }
    if let first = faults.first {
      let mark = mark(first.line)
      throw .configuration(
        faults.count > 1
          ? "Parsing failed with several errors.\nFirst error at line \(first.line + 1)."
          : "\(first.text) at line \(first.line + 1)."
      ).located(at: mark)
    }
  }

  private func mark(_ index: Int) -> SourceMark {
    let indent = lines[index].prefix { $0 == " " || $0 == "\t" }.count
    return SourceMark(
      source: source, line: index + 1, column: indent + 1, length: lines[index].trimmingSpaces.count)
  }

  private static func header(_ text: String) -> (depth: Int, close: Int, name: String)? {
    guard text.hasPrefix("[") else { return nil }
    var rest = text[...]
    var depth = 0
    while rest.first == "[" || (depth > 0 && rest.first == " ") {
      if rest.first == "[" { depth += 1 }
      rest = rest.dropFirst()
    }
    // The comment, if any, begins behind the last bracket that is followed by nothing else.
    var end = rest.endIndex
    while let bracket = rest[..<end].lastIndex(of: "]") {
      let behind = rest[rest.index(after: bracket)...].trimmingSpaces
      if behind.isEmpty || behind.hasPrefix("#") {
        var name = rest[..<bracket]
        var close = 1
        while let last = name.last, last == "]" || last == " " {
          if last == "]" { close += 1 }
          name = name.dropLast()
        }
        // A `]` inside of a comment is not the section's.
        if name.contains("]"), name.contains("#") {
          end = bracket
          continue
        }
        return name.isEmpty ? nil : (depth, close, unquoted(String(name)))
      }
      end = bracket
    }
    return nil
  }

  private mutating func readHeader(_ header: (depth: Int, close: Int, name: String), at index: Int) {
    let current = sections.last?.depth ?? 0
    if header.depth != header.close {
      faults.append(("Cannot compute the section depth", index))
    } else if header.depth > current + 1 {
      faults.append(("Section too nested", index))
    } else if header.depth == 1, sections.contains(where: { $0.depth == 1 && $0.name.hasSameBytes(as: header.name) }) {
      faults.append(("Duplicate section name", index))
    } else {
      sections.append(
        ConfigFile.Section(
          name: header.name, entries: [], mark: mark(index), headerLine: index, depth: header.depth))
    }
  }

  /// Reads one `key = value`; the index behind it.
  private mutating func readEntry(_ line: String, at index: Int) -> Int {
    guard let (key, valueStart) = Self.key(line) else {
      faults.append(("Invalid line (\(Self.repr(line))) (matched as neither section nor keyword)", index))
      return index + 1
    }
    let text = String(line[valueStart...]).trimmingSpaces
    var next = index + 1
    let value: Value
    var tail = ""
    if text.hasPrefix("\"\"\"") || text.hasPrefix("'''") {
      guard let (whole, behind, after) = multiline(text, from: index) else {
        faults.append(("Parse error in multiline value", index))
        return index + 1
      }
      (value, tail, next) = (.string(whole), behind, after)
    } else {
      guard let read = ConfigValueReader.read(text) else {
        faults.append(("Parse error in value", index))
        return index + 1
      }
      (value, tail) = read
    }
    let name = Self.unquoted(key)
    let last = sections.count - 1
    if sections[last].entries.contains(where: { $0.key.hasSameBytes(as: name) }) {
      faults.append(("Duplicate keyword name", index))
      return next
    }
    sections[last].entries.append(
      ConfigFile.Entry(key: name, value: value, mark: mark(index), lines: index..<next, tail: tail))
    return next
  }

  private static func key(_ line: String) -> (String, String.Index)? {
    let start = line.firstIndex { $0 != " " && $0 != "\t" } ?? line.endIndex
    guard start < line.endIndex, line[start] != "=" else { return nil }
    var from = line.index(after: start)
    if line[start] == "\"" || line[start] == "'" {
      guard let close = line[from...].firstIndex(of: line[start]) else { return nil }
      from = line.index(after: close)
    }
    guard let equals = line[from...].firstIndex(of: "=") else { return nil }
    return (line[start..<equals].trimmingSpaces, line.index(after: equals))
  }

  private func multiline(_ text: String, from index: Int) -> (String, String, Int)? {
    let quote = String(text.prefix(3))
    var rest = String(text.dropFirst(3))
    var whole = ""
    var at = index
    while true {
      if let end = rest.firstRange(of: quote) {
        let behind = String(rest[end.upperBound...])
        guard behind.trimmingSpaces.isEmpty || behind.trimmingSpaces.hasPrefix("#") else { return nil }
        return (whole + rest[..<end.lowerBound], behind, at + 1)
      }
      whole += rest + "\n"
      at += 1
      guard at < lines.count else { return nil }
      rest = lines[at]
    }
  }

  static func unquoted(_ text: String) -> String {
    guard text.count > 1, let first = text.first, first == text.last, first == "\"" || first == "'" else { return text }
    return String(text.dropFirst().dropLast())
  }

  /// As Python's `repr` shows a line in the message.
  private static func repr(_ text: String) -> String {
    let escaped = text.replacing("\\", with: "\\\\").replacing("\t", with: "\\t").replacing("\r", with: "\\r")
    return escaped.contains("'") && !escaped.contains("\"")
      ? "\"\(escaped)\"" : "'\(escaped.replacing("'", with: "\\'"))'"
  }
}

/// What stands behind `=` on one line: a text, quoted or not, or a list of them, and a comment.
enum ConfigValueReader {
  /// `nil` for a broken value; `tail` is the white space and comment behind it.
  static func read(_ text: String) -> (value: Value, tail: String)? {
    if text.isEmpty { return (.string(""), "") }
    var items: [String] = []
    var isList = false
    var rest = text[...]
    if rest.first == "," {
      let behind = rest.dropFirst()
      return isComment(behind) ? (.list([]), String(behind)) : nil
    }
    while true {
      rest = rest.drop { $0 == " " || $0 == "\t" }
      guard let first = rest.first, first != "#" else {
        if !isList { return items.isEmpty ? (.string(""), tail(of: text, rest)) : nil }
        return (.list(items.map { .string($0) }), tail(of: text, rest))
      }
      if first == "," { return nil }
      let item: String
      if first == "\"" || first == "'" {
        guard let close = rest.dropFirst().firstIndex(of: first) else { return nil }
        item = String(rest[rest.index(after: rest.startIndex)..<close])
        rest = rest[rest.index(after: close)...]
      } else {
        let end = rest.firstIndex { $0 == "," || $0 == "#" } ?? rest.endIndex
        item = rest[..<end].trimmingSpaces
        rest = rest[end...]
      }
      items.append(item)
      let behind = rest.drop { $0 == " " || $0 == "\t" }
      if behind.first == "," {
        isList = true
        rest = behind.dropFirst()
      } else if isComment(behind) {
        let value: Value = isList ? .list(items.map { .string($0) }) : .string(item)
        return (value, tail(of: text, behind))
      } else {
        return nil
      }
    }
  }

  private static func isComment(_ text: Substring) -> Bool {
    let text = text.trimmingSpaces
    return text.isEmpty || text.hasPrefix("#")
  }

  private static func tail(of whole: String, _ comment: Substring) -> String {
    guard !comment.isEmpty else { return "" }
    var start = comment.startIndex
    while start > whole.startIndex, [" ", "\t"].contains(whole[whole.index(before: start)]) {
      start = whole.index(before: start)
    }
    return String(whole[start...])
  }
}

extension Diagnostic {
  /// A fault in a configuration file or of a setting, in DVC's frame, with its exit code.
  package static func configuration(_ message: String) -> Diagnostic {
    var diagnostic = Diagnostic(.configuration, "configuration error - config file error: \(message)")
    diagnostic.exitCode = 251
    return diagnostic
  }
}
