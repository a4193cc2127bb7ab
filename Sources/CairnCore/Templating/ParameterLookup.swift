// Finds a dotted key in a parameter document, as DVC's `dpath` does. Knows nothing of files.

package struct ParameterLookup {
  private let document: MarkedValue
  private let top: Level?

  package init(_ document: MarkedValue, forMany: Bool) {
    self.document = document
    top = forMany ? Level(document) : nil
  }

  /// The entries of a map by their names: a long list of keys is not held against a long file one by one.
  private final class Level {
    private var places: [RepoPath: Int] = [:]
    private let entries: [MarkedValue.MarkedEntry]
    /// Made where somebody asks.
    private var below: [Int: Level] = [:]

    /// `nil` for what is no map, and for one that has other keys than text.
    init?(_ value: MarkedValue) {
      guard case .map(let entries) = value.node else { return nil }
      self.entries = entries
      for (place, entry) in entries.enumerated() {
        guard let name = entry.key.string else { return nil }
        let key = RepoPath(unchecked: name)
        if places[key] == nil { places[key] = place }
      }
    }

    func value(_ parts: ArraySlice<String>) -> MarkedValue? {
      guard let part = parts.first, let place = places[RepoPath(unchecked: part)] else { return nil }
      let value = entries[place].value
      if parts.count == 1 { return value }
      // A small map is searched as fast.
      guard let inner = value.entries, inner.count > 16, let level = below[place] ?? Level(value) else {
        return ParameterLookup.plain(parts.dropFirst(), in: value)
      }
      below[place] = level
      return level.value(parts.dropFirst())
    }
  }

  /// As the function of the same name.
  package func value(_ key: String) throws(Diagnostic) -> MarkedValue? {
    guard let top, !key.hasPrefix("."), !key.isEmpty, !key.contains(where: { $0 == "*" || $0 == "?" || $0 == "[" })
    else {
      return try Self.value(key, in: document)
    }
    return top.value(key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)[...])
  }

  /// The value at `key` (`train.lr`, `layers.0`; `*`, `?` and `[…]` match names); `nil` when there is none.
  ///
  /// - Throws: when a pattern matches more than one value.
  package static func value(_ key: String, in document: MarkedValue) throws(Diagnostic) -> MarkedValue? {
    var text = key[...]
    while text.hasPrefix(".") { text.removeFirst() }
    if text.isEmpty { return document }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if !text.contains(where: { $0 == "*" || $0 == "?" || $0 == "[" }) { return plain(parts[...], in: document) }
    var found: [MarkedValue] = []
    search(parts[...], in: document, &found)
    if found.count > 1 {
      throw Diagnostic.unexpected(.parameterPattern, "dpath.get() globs must match only one leaf: \(key)")
    }
    return found.first
  }

  /// The value that keys and indices lead to; `nil` when there is none.
  package static func value(at steps: [String], in document: MarkedValue) -> MarkedValue? {
    plain(steps[...], in: document)
  }

  private static func plain(_ parts: ArraySlice<String>, in value: MarkedValue) -> MarkedValue? {
    var value = value
    for part in parts {
      switch value.node {
      case .scalar: return nil
      case .list(let items):
        guard let index = Int(part), items.indices.contains(index) else { return nil }
        value = items[index]
      case .map(let entries):
        guard let entry = entries.first(where: { isNamed($0.key, part) }) else { return nil }
        value = entry.value
      }
    }
    return value
  }

  private static func isNamed(_ key: MarkedValue, _ part: String) -> Bool {
    switch key.scalar {
    case .string(let text): text.hasSameBytes(as: part)
    case .int(let number): number == Int(part)
    case let other?: PythonText.str(other) == part
    case nil: false
    }
  }

  private static func search(_ parts: ArraySlice<String>, in value: MarkedValue, _ found: inout [MarkedValue]) {
    guard let part = parts.first else {
      found.append(value)
      return
    }
    let glob = NameGlob(part, negations: "!", escapes: false)
    switch value.node {
    case .scalar: return
    case .list(let items):
      for (index, item) in items.enumerated() where Int(part) == index || (glob?.matches(String(index)) ?? false) {
        search(parts.dropFirst(), in: item, &found)
      }
    case .map(let entries):
      for entry in entries
      where isNamed(entry.key, part) || (glob?.matches(PythonText.str(entry.key.value)) ?? false) {
        search(parts.dropFirst(), in: entry.value, &found)
      }
    }
  }
}

extension Diagnostic.Code {
  package static let parameterPattern = Diagnostic.Code("parameter-pattern")
}
