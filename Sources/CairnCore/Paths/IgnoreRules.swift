// What `.dvcignore` (and `.gitignore`) patterns match, as the `pathspec` library reads them for DVC. Works on text alone.

/// One line of an ignore file.
package struct IgnorePattern: Hashable, Sendable {
  /// The pattern, relative to the folder of the `IgnoreRules` that hold it.
  package var text: String
  /// Where it stands, as `check-ignore --details` shows it: `.dvcignore:3:*.tmp`.
  package var origin: String

  package init(_ text: String, origin: String = "") {
    self.text = text
    self.origin = origin
  }

  package var shown: String { origin.isEmpty ? ":" + text : origin }
}

/// Patterns of one folder; later ones win.
package struct IgnoreRules: Sendable {
  /// Patterns and paths are relative to it.
  package let folder: RepoPath
  package let patterns: [IgnorePattern]
  private let groups: [Group]

  /// Neighbouring patterns of one kind. DVC asks the last group first, and inside one takes the first that matches.
  private struct Group: Sendable {
    var ignores: Bool
    var onlyFolders: Bool
    var rules: [(matcher: IgnoreMatcher, pattern: IgnorePattern)]
  }

  package init(_ patterns: [IgnorePattern], in folder: RepoPath) {
    self.folder = folder
    var kept: [IgnorePattern] = []
    var groups: [Group] = []
    for pattern in patterns {
      guard let (matcher, ignores) = IgnoreMatcher.parse(pattern.text) else { continue }
      kept.append(pattern)
      let onlyFolders = pattern.text.hasSuffix("/")
      // Patterns that take back are asked one by one, the last first.
      if let last = groups.last, ignores, last.ignores, last.onlyFolders == onlyFolders {
        groups[groups.count - 1].rules.append((matcher, pattern))
      } else {
        groups.append(Group(ignores: ignores, onlyFolders: onlyFolders, rules: [(matcher, pattern)]))
      }
    }
    self.patterns = kept
    self.groups = groups
  }

  /// The lines of an ignore file; `name` is the file as `--details` shows it.
  package static func lines(of text: String, name: String) -> [IgnorePattern] {
    var patterns: [IgnorePattern] = []
    var number = 0
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      number += 1
      let trimmed = trimming(line)
      if trimmed.isEmpty || trimmed.hasPrefix("#") { continue }
      patterns.append(IgnorePattern(String(trimmed), origin: "\(name):\(number):\(trimmed)"))
    }
    return patterns
  }

  private static func trimming(_ text: Substring) -> Substring {
    var text = text
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return text
  }

  /// These rules with those of a folder below after them.
  package func adding(_ patterns: [IgnorePattern], of inner: RepoPath) -> IgnoreRules {
    if patterns.isEmpty { return self }
    if self.patterns.isEmpty { return IgnoreRules(patterns, in: inner) }
    if inner == folder { return IgnoreRules(self.patterns + patterns, in: folder) }
    let prefix = inner.relative(to: folder)
    return IgnoreRules(self.patterns + patterns.map { $0.moved(below: prefix) }, in: folder)
  }

  /// Whether `path` is ignored, itself or through a folder above it, and the patterns that decided.
  package func match(_ path: RepoPath, isDirectory: Bool) -> (isIgnored: Bool, patterns: [IgnorePattern]) {
    guard path.isInside(folder), path != folder, !groups.isEmpty else { return (false, []) }
    let bytes = Array(path.text.utf8.dropFirst(folder.isRoot ? 0 : folder.text.utf8.count + 1))
    var decided: [IgnorePattern] = []
    var end = 0
    while end < bytes.count {
      end = bytes[end...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.count
      let isLast = end == bytes.count
      let found = match(bytes[..<end], isDirectory: isDirectory || !isLast)
      if isLast || found?.ignores == true { decided += found.map { [$0.pattern] } ?? [] }
      if found?.ignores == true { return (true, decided) }
      end += 1
    }
    return (false, decided)
  }

  package func isIgnored(_ path: RepoPath, isDirectory: Bool) -> Bool { match(path, isDirectory: isDirectory).isIgnored }

  /// As `isIgnored`, for a path whose folder is known not to be ignored: looks at the path itself alone.
  package func isIgnoredItself(_ path: RepoPath, isDirectory: Bool) -> Bool {
    guard path.isInside(folder), path != folder else { return false }
    let bytes = Array(path.text.utf8.dropFirst(folder.isRoot ? 0 : folder.text.utf8.count + 1))
    return match(bytes[...], isDirectory: isDirectory)?.ignores ?? false
  }

  private func match(_ path: ArraySlice<UInt8>, isDirectory: Bool) -> (ignores: Bool, pattern: IgnorePattern)? {
    for group in groups.reversed() where isDirectory || !group.onlyFolders {
      for (matcher, pattern) in group.rules where matcher.matches(path, hasSlash: false) {
        return (group.ignores, pattern)
      }
      guard isDirectory else { continue }
      for (matcher, pattern) in group.rules where matcher.matches(path, hasSlash: true) {
        return (group.ignores, pattern)
      }
    }
    return nil
  }
}

extension IgnorePattern {
  /// The same pattern seen from a folder above: `*.tmp` of `sub` is `/sub/**/*.tmp`.
  fileprivate func moved(below prefix: String) -> IgnorePattern {
    var rule = text
    if rule.hasPrefix("#") { return self }
    let takesBack = rule.hasPrefix("!")
    if takesBack { rule.removeFirst() }
    var isAnywhere = true
    if rule.dropLast().contains("/"), !rule.hasPrefix("**/") {
      isAnywhere = false
      if rule.hasPrefix("/") { rule.removeFirst() }
    } else if rule.hasPrefix("**/") {
      rule.removeFirst(3)
    }
    if rule.hasPrefix("\\") { rule.removeFirst() }
    return IgnorePattern(
      (takesBack ? "!/" : "/") + prefix + (isAnywhere ? "/**/" : "/") + rule, origin: origin)
  }
}
