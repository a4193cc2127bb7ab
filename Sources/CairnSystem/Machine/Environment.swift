// The variables of this process, and those that its children get. Knows no variable's meaning.
import CSystem
import CairnCore
import Glibc

package enum Environment {
  /// Bytes that are not UTF-8 come in FileName's escaping. `nil` when it is unset; an empty one is "".
  package static func value(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    return String(systemName: value)
  }

  /// True when it is set to something other than nothing, `0`, `false` or `no`.
  package static func isSet(_ name: String) -> Bool {
    guard let value = value(name) else { return false }
    return !["", "0", "false", "no"].contains(value.lowercased())
  }

  /// The names of those that begin so, sorted.
  package static func names(startingWith prefix: String) -> [String] {
    var names: [String] = []
    guard var next = cairn_environment() else { return names }
    let length = prefix.utf8.count
    while let entry = next.pointee {
      if strncmp(entry, prefix, length) == 0, let equals = strchr(entry + length, 0x3D) {
        names.append(String.systemName(entry, count: equals - entry))
      }
      next += 1
    }
    return names.sorted()
  }

  /// All of them; of a name that stands twice, the first counts, as `getenv` has it.
  package static func all() -> [String: String] {
    var all: [String: String] = [:]
    guard var next = cairn_environment() else { return all }
    while let entry = next.pointee {
      if let equals = strchr(entry, 0x3D) {
        let name = String.systemName(entry, count: equals - entry)
        if all[name] == nil { all[name] = String(systemName: equals + 1) }
      }
      next += 1
    }
    return all
  }
}

/// A child's environment, laid out once as C wants it and then shared by any number of children.
///
/// Guard for `@unchecked`: the memory is written in `init` alone, before anybody else has the object, and freed in
/// `deinit`.
package final class ChildEnvironment: @unchecked Sendable {
  /// NULL-terminated; entries of `base` are borrowed from it.
  let entries: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int
  private let owned: [UnsafeMutablePointer<CChar>]
  private let base: ChildEnvironment?

  /// This process's own variables, as they are now.
  package convenience init() {
    var texts: [[CChar]] = []
    if var next = cairn_environment() {
      while let entry = next.pointee {
        texts.append(Array(UnsafeBufferPointer(start: entry, count: strlen(entry) + 1)))
        next += 1
      }
    }
    self.init(borrowed: [], owning: texts, base: nil)
  }

  package convenience init(_ variables: [String: String]) {
    self.init(borrowed: [], owning: variables.map { Self.entry($0.key, $0.value) }, base: nil)
  }

  private init(
    borrowed: [UnsafeMutablePointer<CChar>], owning texts: [[CChar]], base: ChildEnvironment?
  ) {
    owned = texts.map { text in
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: text.count)
      copy.initialize(from: text, count: text.count)
      return copy
    }
    count = borrowed.count + owned.count + 1
    entries = .allocate(capacity: count)
    for (index, entry) in (borrowed + owned).enumerated() { (entries + index).initialize(to: entry) }
    (entries + (count - 1)).initialize(to: nil)
    self.base = base
  }

  deinit {
    owned.forEach { $0.deallocate() }
    entries.deallocate()
  }

  /// The same with some variables set or, with `nil`, taken away. Costs a copy of the pointers only.
  package func setting(_ changes: [(name: String, value: String?)]) -> ChildEnvironment {
    let names = changes.map { (FileName.bytes($0.name) + [0x3D]).map { CChar(bitPattern: $0) } }
    var kept: [UnsafeMutablePointer<CChar>] = []
    kept.reserveCapacity(count)
    for index in 0..<count - 1 {
      guard let entry = entries[index] else { continue }
      if !names.contains(where: { strncmp(entry, $0, $0.count) == 0 }) {
        kept.append(entry)
      }
    }
    let added = changes.compactMap { change in change.value.map { Self.entry(change.name, $0) } }
    return ChildEnvironment(borrowed: kept, owning: added, base: self)
  }

  package func value(_ name: String) -> String? {
    let prefix = name + "="
    return all.first { $0.utf8.starts(with: prefix.utf8) }.map { String($0.dropFirst(prefix.count)) }
  }

  /// `NAME=value` texts in their order.
  package var all: [String] { (0..<count - 1).compactMap { entries[$0].map { String(systemName: $0) } } }

  private static func entry(_ name: String, _ value: String) -> [CChar] {
    (FileName.bytes(name) + [0x3D] + FileName.bytes(value)).filter { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
  }
}
