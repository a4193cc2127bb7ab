// The part of a parameter document that some dotted keys name, as a tree. Knows nothing of files.

package enum ParameterSubtree {
  /// What `keys` name in `document`, in maps as deep as the document's; all of it when there are none. A key that names
  /// nothing adds nothing.
  package static func select(_ keys: [String], from document: Value) -> Value {
    if keys.isEmpty { return document }
    var result = Value.emptyMap
    var seen: Set<String> = []
    for key in keys where seen.insert(key).inserted {
      var parts = key.split(separator: ".", omittingEmptySubsequences: false)[...]
      while parts.first?.isEmpty ?? false { parts.removeFirst() }
      if parts.isEmpty { continue }
      if let found = search(parts.map { Part(String($0)) }[...], in: document) { result = merged(result, found) }
    }
    return result
  }

  private struct Part {
    var text: String
    /// `nil` for a plain name.
    var glob: NameGlob?

    init(_ text: String) {
      self.text = text
      if text.contains(where: { $0 == "*" || $0 == "?" || $0 == "[" }) {
        glob = NameGlob(text, negations: "!", escapes: false)
      }
    }

    func matches(_ name: String) -> Bool { glob?.matches(name) ?? name.hasSameBytes(as: text) }
  }

  private static func search(_ parts: ArraySlice<Part>, in value: Value) -> Value? {
    guard let part = parts.first else { return value }
    let rest = parts.dropFirst()
    switch value {
    case .map(let map):
      var found: ValueMap = [:]
      for (key, inner) in map where part.matches(PythonText.str(key)) {
        if let below = search(rest, in: inner) { found[key] = below }
      }
      return found.isEmpty ? nil : .map(found)
    case .list(let items):
      var found: [Value] = []
      for (index, inner) in items.enumerated() where part.matches(String(index)) {
        guard let below = search(rest, in: inner) else { continue }
        // What stands before it in the list is a hole.
        while found.count < index { found.append(.null) }
        found.append(below)
      }
      return found.isEmpty ? nil : .list(found)
    default: return nil
    }
  }

  /// Maps are joined, lists put behind each other, and anything else is replaced, as `dpath` merges.
  private static func merged(_ value: Value, _ more: Value) -> Value {
    switch (value, more) {
    case (.map(var map), .map(let added)):
      for (key, inner) in added { map[key] = map[key].map { merged($0, inner) } ?? inner }
      return .map(map)
    case (.list(let items), .list(let added)): return .list(items + added)
    default: return more
    }
  }
}
