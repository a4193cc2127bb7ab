// A value that knows where it was read: what the parsers of CairnFormats make and the domain gives meaning to.

/// A scalar, list or map with the place where it stands. `value` forgets the places.
package struct MarkedValue: Sendable {
  package enum Node: Sendable {
    /// Any `Value` but a list or a map.
    case scalar(Value)
    case list([MarkedValue])
    case map([MarkedEntry])
  }

  package struct MarkedEntry: Sendable {
    package var key: MarkedValue
    package var value: MarkedValue
    package init(key: MarkedValue, value: MarkedValue) {
      self.key = key
      self.value = value
    }
  }

  package var node: Node
  /// `nil` for a value that no file holds (made by interpolation or on the command line).
  package var mark: SourceMark?

  package init(_ node: Node, at mark: SourceMark?) {
    self.node = node
    self.mark = mark
  }

  /// Gives every part of `value` the same mark.
  package init(_ value: Value, at mark: SourceMark? = nil) {
    self.mark = mark
    switch value {
    case .list(let items): node = .list(items.map { MarkedValue($0, at: mark) })
    case .map(let map):
      node = .map(map.map { MarkedEntry(key: MarkedValue($0, at: mark), value: MarkedValue($1, at: mark)) })
    default: node = .scalar(value)
    }
  }

  package var value: Value {
    switch node {
    case .scalar(let value): value
    case .list(let items): .list(items.map(\.value))
    case .map(let entries): .map(ValueMap(entries.map { ($0.key.value, $0.value.value) }, uniquingKeysWith: { $1 }))
    }
  }

  package subscript(key: String) -> MarkedValue? { entry(key)?.value }

  package func entry(_ key: String) -> MarkedEntry? {
    guard case .map(let entries) = node else { return nil }
    return entries.first {
      if case .scalar(.string(let text)) = $0.key.node { text == key } else { false }
    }
  }

  package var entries: [MarkedEntry]? { if case .map(let entries) = node { entries } else { nil } }
  package var items: [MarkedValue]? { if case .list(let items) = node { items } else { nil } }
  package var scalar: Value? { if case .scalar(let value) = node { value } else { nil } }
  package var string: String? { scalar?.string }
  package var bool: Bool? { scalar?.bool }
  package var isNull: Bool { scalar?.isNull ?? false }
}

extension MarkedValue {
  /// What Python calls falsy: an empty document, an empty list, zero.
  package var isFalsy: Bool {
    switch node {
    case .scalar(let value): !value.isTruthy
    case .list(let items): items.isEmpty
    case .map(let entries): entries.isEmpty
    }
  }
}
