// Keys of a map as a Python dictionary tells them apart. Knows nothing of syntax.
import CairnCore

/// A key by Python's `==` and `hash`: `1`, `1.0` and `true` are one key, text is compared by its code points.
struct PythonKey: Hashable {
  private let value: Value

  init(_ value: Value) {
    switch value {
    case .bool(let flag): self.value = .int(flag ? 1 : 0)
    case .float(let number): self.value = ExactInteger.value(of: number) ?? value
    default: self.value = value
    }
  }

  static func == (a: PythonKey, b: PythonKey) -> Bool {
    switch (a.value, b.value) {
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    default: a.value == b.value
    }
  }

  func hash(into hasher: inout Hasher) {
    if case .string(let text) = value {
      var text = text
      text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    } else {
      hasher.combine(value)
    }
  }

  /// The positions of the first key that repeats an earlier one.
  static func firstDuplicate(_ entries: [MarkedValue.MarkedEntry]) -> (Int, Int)? {
    if entries.count < 2 { return nil }
    if entries.count <= 8, let result = firstDuplicateOfFew(entries) { return result.pair }
    var seen: [PythonKey: Int] = [:]
    seen.reserveCapacity(entries.count)
    for (index, entry) in entries.enumerated() {
      if let first = seen.updateValue(index, forKey: PythonKey(entry.key.value)) { return (first, index) }
    }
    return nil
  }

  private struct Answer { var pair: (Int, Int)? }

  /// Without hashing, which would cost more than the rest of a small map; `nil` when not all keys are text.
  private static func firstDuplicateOfFew(_ entries: [MarkedValue.MarkedEntry]) -> Answer? {
    for second in entries.indices {
      guard case .scalar(.string(let b)) = entries[second].key.node else { return nil }
      for first in 0..<second {
        guard case .scalar(.string(let a)) = entries[first].key.node else { return nil }
        if a.utf8.count == b.utf8.count, a.utf8.elementsEqual(b.utf8) { return Answer(pair: (first, second)) }
      }
    }
    return Answer(pair: nil)
  }

  /// One entry for each key, at its first place, with its last value.
  static func lastOfEach(_ entries: [MarkedValue.MarkedEntry]) -> [MarkedValue.MarkedEntry] {
    var places: [PythonKey: Int] = [:]
    var result: [MarkedValue.MarkedEntry] = []
    for entry in entries {
      let key = PythonKey(entry.key.value)
      if let place = places[key] {
        result[place].value = entry.value
        result[place].key.mark = entry.key.mark
      } else {
        places[key] = result.count
        result.append(entry)
      }
    }
    return result
  }
}

/// Values inside a message, as Python's `str()` shows them there.
enum YAMLWords {
  static func text(_ node: MarkedValue.Node) -> String {
    switch node {
    case .list: "[]"  // DVC's parser has not filled lists and maps when it complains
    case .map: "{}"
    case .scalar(.null): "None"
    case .scalar(.bool(let flag)): flag ? "True" : "False"
    case .scalar(.int(let number)): String(number)
    case .scalar(.bigInt(let digits)): digits
    case .scalar(.float(let number)): YAMLFloat.repr(number)
    case .scalar(.string(let text)), .scalar(.timestamp(let text)): text
    case .scalar: ""
    }
  }
}
