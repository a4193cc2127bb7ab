// Which values of a lock entry DVC writes once and refers to after that. Knows nothing of how they are written.
import CairnCore
import OrderedCollections

/// Where `&id001` and `*id001` stand, by the way to the value.
typealias YAMLSharing = [[PathStep]: YAMLMark]

enum YAMLMark: Hashable {
  case anchor(String)
  case alias(String)
}

/// Keys of one parameter file may name a map or list and something inside it (`train` and `train.opt`): in DVC both
/// are the same Python object, and its YAML writer writes an object once, with an anchor, and refers to it where it
/// comes again.
enum LockSharing {
  /// - Parameters:
  ///   - prefix: the way to the entry.
  ///   - count: how many anchors stand before it in the document; those of the entry are added.
  static func marks(of entry: LockEntry, below prefix: [PathStep] = [], after count: inout Int) -> YAMLSharing {
    var marks: YAMLSharing = [:]
    for (file, values) in entry.params {
      for (key, value) in values where value.isContainer {
        guard let place = holder(of: key, value, in: values) else { continue }
        let anchored = prefix + [.key("params"), .key(file)] + place
        if case .anchor(let name) = marks[anchored] {
          marks[prefix + [.key("params"), .key(file), .key(key)]] = .alias(name)
          continue
        }
        count += 1
        let number = String(count)
        let name = "id" + String(repeating: "0", count: max(0, 3 - number.utf8.count)) + number
        marks[anchored] = .anchor(name)
        marks[prefix + [.key("params"), .key(file), .key(key)]] = .alias(name)
      }
    }
    return marks
  }

  /// The way to the same object inside the value of a shorter key, the shortest that there is.
  private static func holder(
    of key: String, _ value: Value, in values: OrderedDictionary<String, Value>
  ) -> [PathStep]? {
    let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    for length in 1..<max(1, parts.count) {
      let outer = parts[..<length].joined(separator: ".")
      guard var inner = values[outer] else { continue }
      var way: [PathStep] = [.key(outer)]
      for part in parts[length...] {
        switch inner {
        case .map(let map):
          guard let next = map[.string(part)] else { break }
          inner = next
          way.append(.key(part))
        case .list(let items):
          guard let index = Int(part), items.indices.contains(index) else { break }
          inner = items[index]
          way.append(.index(index))
        default: break
        }
      }
      if way.count == parts.count - length + 1, inner == value { return way }
    }
    return nil
  }
}

extension Value {
  fileprivate var isContainer: Bool {
    switch self {
    case .list, .map: true
    default: false
    }
  }
}
