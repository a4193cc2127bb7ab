// Git's own patterns for paths, by bytes: `*`, `?`, `[…]`, `**`. Works on bytes alone.

/// A pattern as git holds it against a path or a name.
///
/// - Source: gitignore(5) and gitattributes(5); what they leave open (sets, classes, `**` behind a literal start,
///   escapes) is held against `git check-attr` by a test.
struct GitPattern: Sendable {
  private let pattern: [UInt8]
  /// A `*` stands for no `/`, as in patterns for paths.
  private let keepsSlashes: Bool
  /// `core.ignorecase`: ASCII letters alone are folded.
  private let ignoresCase: Bool

  init(_ pattern: some Sequence<UInt8>, keepsSlashes: Bool, ignoresCase: Bool) {
    self.pattern = Array(pattern)
    self.keepsSlashes = keepsSlashes
    self.ignoresCase = ignoresCase
  }

  /// How many bytes at its start mean just themselves.
  static func plainLength(_ pattern: some Collection<UInt8>) -> Int {
    pattern.prefix { !special.contains($0) }.count
  }

  private static let special = Set("*?[\\".utf8)

  func matches(_ text: ArraySlice<UInt8>) -> Bool {
    let text = Array(text)
    // Each pair of places is looked at once: a pattern of many `*` would otherwise take forever.
    var failed: Set<Int> = []
    return matches(0, text, 0, &failed)
  }

  private func matches(_ start: Int, _ text: [UInt8], _ begin: Int, _ failed: inout Set<Int>) -> Bool {
    let pair = start * (text.count + 1) + begin
    if failed.contains(pair) { return false }
    let result = matchesAnew(start, text, begin, &failed)
    if !result { failed.insert(pair) }
    return result
  }

  private func matchesAnew(_ start: Int, _ text: [UInt8], _ begin: Int, _ failed: inout Set<Int>) -> Bool {
    var place = start
    var index = begin
    while place < pattern.count {
      let byte = pattern[place]
      if byte == UInt8(ascii: "*") { return matchesStars(place, text, index, &failed) }
      guard index < text.count else { return false }
      switch byte {
      case UInt8(ascii: "?"):
        if keepsSlashes, text[index] == UInt8(ascii: "/") { return false }
        place += 1
      case UInt8(ascii: "["):
        guard let end = matchesSet(place + 1, text[index]) else { return false }
        place = end
      case UInt8(ascii: "\\"):
        guard place + 1 < pattern.count, Self.isSame(pattern[place + 1], text[index], ignoringCase: ignoresCase) else { return false }
        place += 2
      default:
        guard Self.isSame(byte, text[index], ignoringCase: ignoresCase) else { return false }
        place += 1
      }
      index += 1
    }
    return index == text.count
  }

  private func matchesStars(_ start: Int, _ text: [UInt8], _ begin: Int, _ failed: inout Set<Int>) -> Bool {
    let slash = UInt8(ascii: "/")
    var place = start
    while place < pattern.count, pattern[place] == UInt8(ascii: "*") { place += 1 }
    let rest = pattern[place...]
    var crosses = !keepsSlashes
    if keepsSlashes, place - start > 1 {
      // `**` counts for folders only between slashes; elsewhere it is a `*`.
      let opens = start == 0 || pattern[start - 1] == slash
      let closes = rest.isEmpty || rest.first == slash || rest.starts(with: [UInt8(ascii: "\\"), slash])
      crosses = opens && closes
      // It may stand for no folder at all.
      if crosses, rest.first == slash, matches(place + 1, text, begin, &failed) { return true }
    }
    var index = begin
    while true {
      if matches(place, text, index, &failed) { return true }
      guard index < text.count, crosses || text[index] != slash else { return false }
      index += 1
    }
  }

  static func isSame(_ byte: UInt8, _ other: UInt8, ignoringCase: Bool) -> Bool {
    ignoringCase ? lower(byte) == lower(other) : byte == other
  }

  private static func lower(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
  }

  /// - Parameter start: just behind the `[`.
  /// - Returns: the place behind the `]` when `byte` is in the set.
  private func matchesSet(_ start: Int, _ original: UInt8) -> Int? {
    let byte = ignoresCase ? Self.lower(original) : original
    var place = start
    func at(_ place: Int) -> UInt8? { place < pattern.count ? pattern[place] : nil }
    let isNegated = at(place) == UInt8(ascii: "!") || at(place) == UInt8(ascii: "^")
    if isNegated { place += 1 }
    var isIn = false
    /// The lower end of a range that a `-` may go on from.
    var before: UInt8?
    var isFirst = true
    while let current = at(place), isFirst || current != UInt8(ascii: "]") {
      isFirst = false
      if current == UInt8(ascii: "\\") {
        guard let literal = at(place + 1) else { return nil }
        if literal == byte { isIn = true }
        before = literal
        place += 2
      } else if current == UInt8(ascii: "-"), let low = before, let next = at(place + 1), next != UInt8(ascii: "]") {
        place += 1
        if next == UInt8(ascii: "\\") { place += 1 }
        guard let high = at(place) else { return nil }
        if low <= byte, byte <= high { isIn = true }
        if ignoresCase, (0x61...0x7A).contains(byte), low <= byte - 0x20, byte - 0x20 <= high { isIn = true }
        before = nil
        place += 1
      } else if current == UInt8(ascii: "["), at(place + 1) == UInt8(ascii: ":"),
        let end = pattern[(place + 2)...].firstIndex(of: UInt8(ascii: "]"))
      {
        // Without its `:]` it is a `[` like any other byte.
        guard end > place + 2, pattern[end - 1] == UInt8(ascii: ":") else {
          if byte == current { isIn = true }
          before = current
          place += 1
          continue
        }
        guard let holds = Self.classes[String(decoding: pattern[(place + 2)..<(end - 1)], as: UTF8.self)] else { return nil }
        if holds(byte) { isIn = true }
        if ignoresCase, (0x61...0x7A).contains(byte), holds(byte - 0x20) { isIn = true }
        before = nil
        place = end + 1
      } else {
        if current == byte { isIn = true }
        before = current
        place += 1
      }
    }
    guard place < pattern.count, isIn != isNegated else { return nil }
    return keepsSlashes && original == UInt8(ascii: "/") ? nil : place + 1
  }

  private static let classes: [String: @Sendable (UInt8) -> Bool] = [
    "alnum": { isAlpha($0) || isDigit($0) }, "alpha": { isAlpha($0) }, "blank": { $0 == 0x20 || $0 == 0x09 },
    "cntrl": { $0 < 0x20 || $0 == 0x7F }, "digit": { isDigit($0) }, "graph": { (0x21...0x7E).contains($0) },
    "lower": { (0x61...0x7A).contains($0) }, "print": { (0x20...0x7E).contains($0) },
    "punct": { (0x21...0x7E).contains($0) && !isAlpha($0) && !isDigit($0) },
    "space": { $0 == 0x20 || (0x09...0x0D).contains($0) }, "upper": { (0x41...0x5A).contains($0) },
    "xdigit": { isDigit($0) || (0x41...0x46).contains($0) || (0x61...0x66).contains($0) },
  ]

  private static func isAlpha(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) }
  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
