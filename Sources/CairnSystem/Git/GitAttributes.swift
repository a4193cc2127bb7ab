// Which attributes git gives a path, by the `.gitattributes` of its folders. Works on text; reads no file itself.
package import CairnCore

/// Those that decide which bytes a checkout gives.
package struct GitAttributes: Sendable {
  package enum State: Hashable, Sendable {
    case unspecified, set, unset
    case value(String)
  }

  package var text = State.unspecified
  /// The older name of `text`.
  package var crlf = State.unspecified
  package var eol = State.unspecified
  package var filter = State.unspecified
  package var ident = State.unspecified
  package var encoding = State.unspecified

  package init() {}

  fileprivate mutating func apply(_ name: String, _ state: State) {
    switch name {
    case "text": text = state
    case "crlf": crlf = state
    case "eol": eol = state
    case "filter": filter = state
    case "ident": ident = state
    case "working-tree-encoding": encoding = state
    default: break
    }
  }
}

/// The rules of one attribute file. Later lines win over earlier ones.
///
/// - Source: gitattributes(5).
package struct GitAttributeFile: Sendable {
  private struct Rule: Sendable {
    /// The names of the pattern, each a glob, `nil` for `**`; relative to `folder`.
    var parts: [NameGlob?]
    /// The pattern has no slash: it is held against the last name alone.
    var isName: Bool
    var states: [(name: String, state: GitAttributes.State)]
  }

  private let folder: RepoPath
  private var rules: [Rule] = []
  /// `[attr]NAME …` of the file.
  private var macros: [String: [(name: String, state: GitAttributes.State)]] = [:]

  /// Lines beyond this many bytes in a file are passed over, as git does.
  private static let limit = 100 << 20

  /// - Parameter folder: the file's.
  package init(_ bytes: [UInt8], in folder: RepoPath) {
    self.folder = folder
    guard bytes.count <= Self.limit else { return }
    let text = String(decoding: bytes, as: UTF8.self)
    for raw in text.split(whereSeparator: \.isNewline) {
      let line = raw.trimmingWhitespace()
      if line.isEmpty || line.hasPrefix("#") || line.hasPrefix("!") { continue }
      guard let (pattern, rest) = Self.pattern(line) else { continue }
      let states = rest.split(whereSeparator: { $0 == " " || $0 == "\t" }).flatMap { self.states(String($0)) }
      if pattern.hasPrefix("[attr]") {
        macros[String(pattern.dropFirst(6))] = states
      } else if let rule = Self.rule(pattern, states) {
        rules.append(rule)
      }
    }
  }

  private static func pattern(_ line: String) -> (pattern: String, rest: Substring)? {
    guard line.hasPrefix("\"") else {
      let pattern = line.prefix { $0 != " " && $0 != "\t" }
      return (String(pattern), line[pattern.endIndex...])
    }
    var text = ""
    var isEscaped = false
    for index in line.indices.dropFirst() {
      let character = line[index]
      if isEscaped {
        text.append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else if character == "\"" {
        return (text, line[line.index(after: index)...])
      } else {
        text.append(character)
      }
    }
    return nil
  }

  private func states(_ word: String) -> [(name: String, state: GitAttributes.State)] {
    if word.hasPrefix("-") { return [(String(word.dropFirst()), .unset)] }
    if word.hasPrefix("!") { return [(String(word.dropFirst()), .unspecified)] }
    if let equals = word.firstIndex(of: "=") {
      return [(String(word[..<equals]), .value(String(word[word.index(after: equals)...])))]
    }
    // `binary` is a macro that git brings along.
    if word == "binary" { return [("binary", .set), ("text", .unset)] }
    return [(word, .set)] + (macros[word] ?? [])
  }

  private static func rule(
    _ pattern: String, _ states: [(name: String, state: GitAttributes.State)]
  ) -> Rule? {
    // A pattern for folders matches no file.
    if pattern.hasSuffix("/") || states.isEmpty { return nil }
    let isName = !pattern.contains("/")
    let names = pattern.split(separator: "/", omittingEmptySubsequences: true)
    var parts: [NameGlob?] = []
    for name in names {
      if name == "**" {
        parts.append(nil)
      } else {
        guard let glob = NameGlob(String(name), negations: "!^", escapes: true) else { return nil }
        parts.append(glob)
      }
    }
    return parts.isEmpty ? nil : Rule(parts: parts, isName: isName, states: states)
  }

  /// Sets what the file says of `path`.
  package func apply(to attributes: inout GitAttributes, of path: RepoPath) {
    guard !rules.isEmpty, path.isInside(folder) else { return }
    let rest = folder.isRoot ? path.text[...] : path.text.dropFirst(folder.text.count + 1)
    let names = rest.split(separator: "/").map { Array($0.utf8)[...] }
    guard let last = names.last else { return }
    for rule in rules {
      let matches: Bool
      if rule.isName {
        matches = rule.parts.first.map { $0?.matches(last) ?? true } ?? false
      } else {
        matches = Self.matches(rule.parts[...], names[...])
      }
      if matches { for (name, state) in rule.states { attributes.apply(name, state) } }
    }
  }

  private static func matches(_ parts: ArraySlice<NameGlob?>, _ names: ArraySlice<ArraySlice<UInt8>>) -> Bool {
    guard let part = parts.first else { return names.isEmpty }
    guard let glob = part else {
      var tail = names
      // `a/**` is everything inside, but not the folder itself.
      if parts.count == 1 { return !names.isEmpty }
      while true {
        if matches(parts.dropFirst(), tail) { return true }
        if tail.isEmpty { return false }
        tail = tail.dropFirst()
      }
    }
    guard let name = names.first, glob.matches(name) else { return false }
    return matches(parts.dropFirst(), names.dropFirst())
  }
}
