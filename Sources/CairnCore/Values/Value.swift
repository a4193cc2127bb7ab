// Data as configuration languages have it: what a parameter, a setting or a field of a lock holds.
package import OrderedCollections

/// A tree of scalars, lists and maps. Maps keep the order in which their keys were read.
///
/// Equal when it is the same value to the byte: texts that only Unicode takes for equal (`é` as one character or as two)
/// are two, as they are for everybody else who reads the files.
package enum Value: Hashable, Sendable {
  case null
  case bool(Bool)
  case int(Int)
  /// An integer beyond 64 bits, in decimal, without leading zeros or plus sign.
  case bigInt(String)
  case float(Double)
  case string(String)
  /// A YAML or TOML date or time, in the canonical text that Python's `str()` gives
  /// (`2001-12-14`, `2001-12-14 21:59:43.100000+00:00`).
  case timestamp(String)
  case list([Value])
  case map(ValueMap)

  package static let emptyMap = Value.map([:])

  package static func == (a: Value, b: Value) -> Bool {
    switch (a, b) {
    case (.null, .null): true
    case (.bool(let x), .bool(let y)): x == y
    case (.int(let x), .int(let y)): x == y
    case (.float(let x), .float(let y)): x == y
    case (.bigInt(let x), .bigInt(let y)), (.timestamp(let x), .timestamp(let y)): x == y
    case (.string(let x), .string(let y)): x.hasSameBytes(as: y)
    case (.list(let x), .list(let y)): x == y
    case (.map(let x), .map(let y)): x == y
    default: false
    }
  }

  package func hash(into hasher: inout Hasher) {
    switch self {
    case .null: hasher.combine(0)
    case .bool(let flag): hasher.combine(flag)
    case .int(let number): hasher.combine(number)
    case .float(let number): hasher.combine(number)
    case .bigInt(let text), .timestamp(let text): hasher.combine(text)
    case .string(var text): text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    case .list(let items): hasher.combine(items)
    case .map(let map): hasher.combine(map)
    }
  }
}

extension OrderedDictionary where Key == String {
  /// The value of a key that is the same to the byte.
  package subscript(exactly key: String) -> Value? {
    guard let index = index(forKey: key), keys[index].hasSameBytes(as: key) else { return nil }
    return values[index]
  }
}

/// A map with keys in the order read. A key is nearly always a string, but YAML allows any scalar.
package typealias ValueMap = OrderedDictionary<Value, Value>

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByFloatLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .int(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(floatLiteral value: Double) { self = .float(value) }
}

extension Value {
  package subscript(key: String) -> Value? {
    if case .map(let map) = self { return map[.string(key)] }
    return nil
  }

  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }
  package var int: Int? { if case .int(let number) = self { number } else { nil } }
  package var list: [Value]? { if case .list(let items) = self { items } else { nil } }
  package var map: ValueMap? { if case .map(let map) = self { map } else { nil } }
  package var isNull: Bool { if case .null = self { true } else { false } }

  /// The number, for `int`, `float` and `bool` (as Python counts them).
  package var number: Double? {
    switch self {
    case .int(let number): Double(number)
    case .float(let number): number
    case .bool(let flag): flag ? 1 : 0
    case .bigInt(let digits): Double(digits)
    default: nil
    }
  }

  /// False for what Python calls falsy: null, false, zero, empty text, list or map.
  package var isTruthy: Bool {
    switch self {
    case .null: false
    case .bool(let flag): flag
    case .int(let number): number != 0
    case .bigInt: true
    case .float(let number): number != 0
    case .string(let text): !text.isEmpty
    case .timestamp: true
    case .list(let items): !items.isEmpty
    case .map(let map): !map.isEmpty
    }
  }

  /// Equality as Python's `==` sees it, which DVC compares parameters with: `1 == 1.0 == True`,
  /// maps equal in any order of keys, NaN equal to nothing.
  package func isEqualInPython(to other: Value) -> Bool { equals(other) { $0 == $1 } }

  /// Whether a value that was looked at twice is still the same: as in Python, but NaN is still NaN.
  package func isStill(_ other: Value) -> Bool { equals(other) { $0 == $1 || $0.isNaN && $1.isNaN } }

  /// As DVC compares what was locked of a parameter file with what is there. Python finds an object in a list equal to
  /// itself, and all NaN of YAML files and locks are one object.
  package func isEqualParameter(to other: Value, inYAML: @autoclosure () -> Bool) -> Bool {
    if isEqualInPython(to: other) { return true }
    switch (self, other) {
    case (.list, .list), (.map, .map): return inYAML() && isStill(other)
    default: return false
    }
  }

  private func equals(_ other: Value, numbers: (Double, Double) -> Bool) -> Bool {
    switch (self, other) {
    case (.null, .null): return true
    case (.string(let a), .string(let b)): return a.utf8.elementsEqual(b.utf8)
    case (.timestamp(let a), .timestamp(let b)): return a == b
    case (.int(let a), .int(let b)): return a == b
    // Exactly: as doubles, neighbours beyond 2^53 would be the same.
    case (.int, .float(let b)), (.bigInt, .float(let b)): return ExactInteger.value(of: b) == self
    case (.float(let a), .int), (.float(let a), .bigInt): return ExactInteger.value(of: a) == other
    case (.bigInt(let a), .bigInt(let b)): return a == b
    case (.list(let a), .list(let b)):
      return a.count == b.count && zip(a, b).allSatisfy { $0.equals($1, numbers: numbers) }
    case (.map(let a), .map(let b)):
      return a.count == b.count
        && a.allSatisfy { key, value in b[key].map { value.equals($0, numbers: numbers) } ?? false }
    default:
      if case .bigInt = self, case .int = other { return false }
      if case .int = self, case .bigInt = other { return false }
      guard let a = number, let b = other.number else { return false }
      return numbers(a, b)
    }
  }
}
