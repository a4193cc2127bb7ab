// One ignore pattern, taken apart. The cases are those of `pathspec`'s regular expressions, odd ones included.

struct IgnoreMatcher: Sendable {
  private enum Part: Sendable {
    /// `**`
    case anyFolders
    /// `*` alone: any whole name.
    case anyName
    case name(NameGlob)
  }

  private enum Shape: Sendable {
    /// Matches whatever is asked.
    case everything
    /// Never matches the start of a relative path: what `*/` and `**/` come to in DVC.
    case nothing
    case parts([Part], onlyFolders: Bool)
  }

  private var shape: Shape
  /// What a path must hold to match: a name of the pattern without anything special in it; empty where there is none.
  private var required: [UInt8] = []

  /// `nil` for what is no pattern: blank, a comment, `/`, an unclosed `[`.
  static func parse(_ pattern: String) -> (matcher: IgnoreMatcher, ignores: Bool)? {
    var text = pattern[...]
    if !text.hasSuffix("\\ ") {
      while let last = text.last, last.isWhitespace { text.removeLast() }
    }
    if text.isEmpty || text.hasPrefix("#") || text == "/" { return nil }
    let ignores = !text.hasPrefix("!")
    if !ignores { text.removeFirst() }

    var segments = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let onlyFolders = segments.last?.isEmpty ?? false
    if segments[0].isEmpty {
      segments.removeFirst()
    } else if segments.count == 1 || (segments.count == 2 && segments[1].isEmpty) {
      if segments[0] != "**" { segments.insert("**", at: 0) }
    }
    if segments.isEmpty { return nil }
    if segments[segments.count - 1].isEmpty { segments[segments.count - 1] = "**" }
    var index = segments.count - 1
    while index > 0 {
      if segments[index] == "**", segments[index - 1] == "**" { segments.remove(at: index) }
      index -= 1
    }
    if segments == ["**"] { return (IgnoreMatcher(shape: onlyFolders ? .nothing : .everything), ignores) }
    if segments == ["**", "*"] { return (IgnoreMatcher(shape: .everything), ignores) }
    if segments == ["**", "*", "**"] { return (IgnoreMatcher(shape: .nothing), ignores) }

    var parts: [Part] = []
    for segment in segments {
      switch segment {
      case "**": parts.append(.anyFolders)
      case "*": parts.append(.anyName)
      default:
        guard let glob = NameGlob(segment, negations: "!^", escapes: true) else { return nil }
        parts.append(.name(glob))
      }
    }
    var matcher = IgnoreMatcher(shape: .parts(parts, onlyFolders: onlyFolders))
    let plain = segments.filter { !$0.utf8.contains(where: Self.special.contains) }
    matcher.required = plain.max { $0.utf8.count < $1.utf8.count }.map { Array($0.utf8) } ?? []
    return (matcher, ignores)
  }

  /// `hasSlash`: the path is looked at with a `/` behind it, as folders are.
  func matches(_ path: ArraySlice<UInt8>, hasSlash: Bool) -> Bool {
    switch shape {
    case .everything: return !path.isEmpty
    case .nothing: return false
    case .parts(let parts, _):
      // Nearly every path of a project is asked for, and nearly none holds the name.
      guard Self.contains(path, required) else { return false }
      let names = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      return Self.matches(parts[...], names[...], hasSlash: hasSlash)
    }
  }

  private static let special = Array("*?[\\".utf8)

  private static func contains(_ path: ArraySlice<UInt8>, _ name: [UInt8]) -> Bool {
    guard let first = name.first else { return true }
    return path.withUnsafeBufferPointer { path in
      var start = 0
      while start + name.count <= path.count {
        if path[start] == first, name.indices.allSatisfy({ path[start + $0] == name[$0] }) { return true }
        start += 1
      }
      return false
    }
  }

  /// Whether the parts match a beginning of the names, at whose end nothing or a `/` follows.
  private static func matches(
    _ parts: ArraySlice<Part>, _ names: ArraySlice<ArraySlice<UInt8>>, hasSlash: Bool
  ) -> Bool {
    guard let part = parts.first else { return true }
    let rest = parts.dropFirst()
    switch part {
    case .anyFolders:
      if rest.isEmpty {
        // Something must follow the folder: a name, or the slash of a folder asked for as one.
        return !names.isEmpty || hasSlash
      }
      var tail = names
      while true {
        if matches(rest, tail, hasSlash: hasSlash) { return true }
        if tail.isEmpty { return false }
        tail = tail.dropFirst()
      }
    case .anyName:
      guard let name = names.first, !name.isEmpty else { return false }
      return matches(rest, names.dropFirst(), hasSlash: hasSlash)
    case .name(let glob):
      guard let name = names.first, glob.matches(name) else { return false }
      return matches(rest, names.dropFirst(), hasSlash: hasSlash)
    }
  }
}
