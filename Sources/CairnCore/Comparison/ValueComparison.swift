// Compares the values of files between two states of a project, as DVC counts a change. Knows nothing of revisions,
// and nothing of how files are read.
package import OrderedCollections

/// One key that differs, or that is shown although it does not.
package struct ValueChange: Sendable, Hashable {
  /// Null where there is none.
  package var old: Value
  package var new: Value
  /// `new - old`, where both are numbers.
  package var difference: Value?

  package init(old: Value, new: Value, difference: Value? = nil) {
    self.old = old
    self.new = new
    self.difference = difference
  }
}

/// Values by path, or by dotted key, in order.
package typealias NamedValues = OrderedDictionary<String, Value>
package typealias FileChanges = OrderedDictionary<String, OrderedDictionary<String, ValueChange>>

package struct ValueComparison: Sendable {
  /// Path → key → change, files in the order of the old state, then of the new one; keys by their bytes. The key of a
  /// file that holds nothing but a value is empty.
  package var files: FileChanges = [:]

  /// - Parameters:
  ///   - old: path → what the file holds; files that could not be read are left out.
  ///   - all: unchanged keys too.
  ///   - parse: what a file that is a mere text means as JSON; `nil` when it is none.
  /// - Throws: DVC's words when two keys of a file are the same once they are dotted.
  package init(
    from old: NamedValues, to new: NamedValues, all: Bool,
    parse: (String) -> Value?
  ) throws(Diagnostic) {
    for path in Array(old.keys) + new.keys.filter({ old[$0] == nil }) {
      let was = Self.meaning(old[path] ?? .emptyMap, parse)
      let now = Self.meaning(new[path] ?? .emptyMap, parse)
      var changes: OrderedDictionary<String, ValueChange> = [:]
      if was.map != nil || now.map != nil {
        let a = try ValueTree.flattened(was)
        let b = try ValueTree.flattened(now)
        let keys = Array(a.keys) + b.keys.filter { a[$0] == nil }
        for key in keys.sorted(by: { $0.precedesInBytes($1) }) {
          // What is no map has no keys, and DVC says so in the place of each value.
          let missing: (Value) -> Value = { $0.map == nil && $0.isTruthy ? "unable to parse" : .null }
          changes[key] = Self.change(a[key] ?? missing(was), b[key] ?? missing(now), all)
        }
      } else {
        changes[""] = Self.change(was, now, all)
      }
      if !changes.isEmpty { files[path] = changes }
    }
  }

  private static func meaning(_ value: Value, _ parse: (String) -> Value?) -> Value {
    switch ValueTree.listsAsText(value) {
    case .string(let text): parse(text) ?? .string(text)
    case let other: other
    }
  }

  private static func change(_ old: Value, _ new: Value, _ all: Bool) -> ValueChange? {
    if case .list(let a) = old, case .list(let b) = new, a.count == 1, b.count == 1 { return change(a[0], b[0], all) }
    if !all, old.isEqualInPython(to: new) { return nil }
    return ValueChange(old: old, new: new, difference: difference(new, old))
  }

  private static func difference(_ a: Value, _ b: Value) -> Value? {
    guard let x = a.number, let y = b.number else { return nil }
    return a.wholeDifference(from: b) ?? .float(x - y)
  }
}

/// Maps in maps as dotted keys.
package enum ValueTree {
  /// The leaves by their dotted keys; empty maps leave nothing. What is no map gives nothing.
  ///
  /// - Throws: DVC's words when two of them are the same.
  package static func flattened(_ value: Value) throws(Diagnostic) -> NamedValues {
    var leaves: NamedValues = [:]
    if case .map(let map) = value { try add(map, below: nil, to: &leaves) }
    return leaves
  }

  private static func add(
    _ map: ValueMap, below parent: String?, to leaves: inout NamedValues
  ) throws(Diagnostic) {
    for (key, value) in map {
      let name = (parent.map { $0 + "." } ?? "") + PythonText.str(key)
      if case .map(let inner) = value {
        try add(inner, below: name, to: &leaves)
      } else if leaves.updateValue(value, forKey: name) != nil {
        throw Diagnostic.unexpected(.duplicatedKey, "duplicated key '\(name)'")
      }
    }
  }

  /// Lists in maps as Python shows them: DVC compares and prints them as one text.
  package static func listsAsText(_ value: Value) -> Value {
    switch value {
    case .map(let map): .map(map.mapValues(listsAsText))
    case .list: .string(PythonText.repr(value))
    default: value
    }
  }
}

extension Diagnostic.Code {
  package static let duplicatedKey = Diagnostic.Code("duplicated-key")
}
