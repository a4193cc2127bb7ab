// Which attributes git gives a path, by the attribute files that count for it. Works on bytes; reads no file itself.
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

  /// - Parameter files: the ones that count, the weakest first.
  package init(of path: RepoPath, by files: [GitAttributeFile]) {
    // The one that git brings along, of which only this counts here.
    var macros: [String: [GitAttributeFile.Assignment]] = ["binary": [("text", .unset)]]
    for file in files where !file.macros.isEmpty { macros.merge(file.macros) { $1 } }
    var known: [String: State] = [:]
    // From the strongest word to the weakest: what is known already is not said again, and a macro counts where
    // its own name becomes set.
    func say(_ states: [GitAttributeFile.Assignment]) {
      for (name, state) in states.reversed() where known[name] == nil {
        known[name] = state
        if state == .set, let more = macros[name] { say(more) }
      }
    }
    for file in files.reversed() {
      for rule in file.rules.reversed() where rule.matches(path) { say(rule.states) }
    }
    func state(_ name: String) -> State { known[name] ?? .unspecified }
    text = state("text")
    crlf = state("crlf")
    eol = state("eol")
    filter = state("filter")
    ident = state("ident")
    encoding = state("working-tree-encoding")
  }
}

/// The rules of one attribute file. Later lines win over earlier ones.
///
/// - Source: gitattributes(5), and what `git check-attr` answers.
package struct GitAttributeFile: Sendable {
  typealias Assignment = (name: String, state: GitAttributes.State)

  struct Rule: Sendable {
    /// The folder that the pattern starts in.
    var folder: RepoPath
    /// How it starts up to its first special byte: git compares that by itself, so a `**` right behind it is at
    /// the start of a pattern.
    var plain: [UInt8]
    var pattern: GitPattern
    var ignoresCase: Bool
    /// The pattern has no slash: it is held against the last name alone.
    var isName: Bool
    var states: [Assignment]
  }

  private(set) var rules: [Rule] = []
  /// `[attr]NAME …` of the file.
  private(set) var macros: [String: [Assignment]] = [:]

  /// Files and lines of more bytes are passed over, as git does.
  private static let limit = 100 << 20
  private static let lineLimit = 2048

  /// - Parameters:
  ///   - folder: the file's.
  ///   - definesMacros: git reads `[attr]` in the files of the user, of the clone and of the top folder alone.
  ///   - ignoresCase: `core.ignorecase`.
  package init(_ bytes: [UInt8], in folder: RepoPath, definesMacros: Bool, ignoresCase: Bool) {
    guard bytes.count <= Self.limit else { return }
    for var line in bytes.split(separator: 0x0A) where line.count < Self.lineLimit {
      line = line.drop(while: Self.isBlank)
      if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
      let (pattern, rest) = Self.pattern(line)
      guard let states = Self.states(rest) else { continue }
      let mark = Array("[attr]".utf8)
      if pattern.starts(with: mark), pattern.count > mark.count {
        let name = String(
          decoding: pattern.dropFirst(mark.count).drop(while: Self.isBlank).prefix { !Self.isBlank($0) }, as: UTF8.self)
        if definesMacros, Self.isValid(name) { macros[name] = states }
      } else if let rule = Rule(pattern, states, in: folder, ignoresCase) {
        rules.append(rule)
      }
    }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }

  private static func pattern(_ line: ArraySlice<UInt8>) -> (pattern: [UInt8], rest: ArraySlice<UInt8>) {
    if let quoted = unquoted(line) { return quoted }
    let pattern = line.prefix { !isBlank($0) }
    return (Array(pattern), line[pattern.endIndex...])
  }

  /// A pattern in double quotes, with the escapes of C; `nil` where it is none.
  private static func unquoted(_ line: ArraySlice<UInt8>) -> (pattern: [UInt8], rest: ArraySlice<UInt8>)? {
    guard line.first == UInt8(ascii: "\"") else { return nil }
    var text: [UInt8] = []
    var rest = line.dropFirst()
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\"") { return (text, rest) }
      guard byte == UInt8(ascii: "\\") else {
        text.append(byte)
        continue
      }
      guard let escaped = rest.popFirst() else { return nil }
      if let plain = escapes[escaped] {
        text.append(plain)
      } else {
        // Three octal digits, of one byte.
        let digits = [escaped] + rest.prefix(2)
        guard digits.count == 3, (0x30...0x33).contains(escaped), digits.allSatisfy({ (0x30...0x37).contains($0) }) else { return nil }
        text.append(digits.reduce(0) { $0 << 3 | ($1 & 7) })
        rest.removeFirst(2)
      }
    }
    return nil
  }

  private static let escapes: [UInt8: UInt8] = [
    UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
    UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11, UInt8(ascii: "\\"): UInt8(ascii: "\\"), UInt8(ascii: "\""): UInt8(ascii: "\""),
  ]

  /// `nil` where one of them has a name that is none: git passes over the whole line.
  private static func states(_ rest: ArraySlice<UInt8>) -> [Assignment]? {
    var result: [Assignment] = []
    for bytes in rest.split(whereSeparator: isBlank) {
      let word = String(decoding: bytes, as: UTF8.self)
      let isMarked = word.hasPrefix("-") || word.hasPrefix("!")
      let parts = word.dropFirst(isMarked ? 1 : 0).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = parts.first.map(String.init), isValid(name) else { return nil }
      let state: GitAttributes.State =
        word.hasPrefix("-") ? .unset : isMarked ? .unspecified : parts.count > 1 ? .value(String(parts[1])) : .set
      result.append((name, state))
    }
    return result
  }

  private static func isValid(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix("-")
      && name.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
      }
  }
}

extension GitAttributeFile.Rule {
  fileprivate init?(
    _ text: [UInt8], _ states: [GitAttributeFile.Assignment], in folder: RepoPath, _ ignoresCase: Bool
  ) {
    // There are no exceptions here, and a pattern for folders matches no file.
    let slash = UInt8(ascii: "/")
    if text.first == UInt8(ascii: "!") || text.last == slash || states.isEmpty { return nil }
    self.folder = folder
    self.states = states
    self.ignoresCase = ignoresCase
    isName = !text.contains(slash)
    let own = text.first == slash ? text.dropFirst() : text[...]
    plain = Array(own.prefix(isName ? 0 : GitPattern.plainLength(own)))
    pattern = GitPattern(own.dropFirst(plain.count), keepsSlashes: !isName, ignoresCase: ignoresCase)
  }

  fileprivate func matches(_ path: RepoPath) -> Bool {
    guard path.isInside(folder) else { return false }
    let bytes = Array(path.text.utf8)
    if isName {
      let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
      return pattern.matches(bytes[start...])
    }
    let rest = folder.isRoot ? bytes[...] : bytes.dropFirst(folder.text.utf8.count + 1)
    guard plain.count <= rest.count,
      zip(plain, rest).allSatisfy({ GitPattern.isSame($0, $1, ignoringCase: ignoresCase) })
    else { return false }
    return pattern.matches(rest.dropFirst(plain.count))
  }
}
