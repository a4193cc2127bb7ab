// Turns a document into another value with the fewest edits, as DVC's update of a file it has read.
package import CairnCore

extension YAMLEditor {
  /// Makes the document say `new` where it says `old`: keys that differ are set, new ones follow at the end, others go.
  /// Lists of one length are compared item by item, others are replaced.
  package mutating func apply(_ new: Value, over old: Value, at path: [PathStep] = []) throws(Diagnostic) {
    switch (new, old) {
    case (.map(let new), .map(let old)):
      for (key, value) in new {
        let place = path + [.key(key.string ?? "")]
        if let present = old[key] {
          try apply(value, over: present, at: place)
        } else {
          try set(place, to: value)
        }
      }
      for key in old.keys where new[key] == nil { try remove(path + [.key(key.string ?? "")]) }
    case (.list(let new), .list(let old)) where new.count == old.count:
      for (index, value) in new.enumerated() { try apply(value, over: old[index], at: path + [.index(index)]) }
    default:
      if !new.isEqualInPython(to: old) { try set(path, to: new) }
    }
  }
}
