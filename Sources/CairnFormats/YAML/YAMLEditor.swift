// Changes single values in a YAML text and leaves the rest as its author wrote it. Knows nothing of what they mean.
package import CairnCore

extension Diagnostic.Code {
  /// A YAML text that cannot be edited in place.
  package static let yamlEdit = Diagnostic.Code("yaml-edit")
}

/// Splices values into a text and keeps its layout, comments, order and quotes everywhere else.
///
/// After each edit the text is read again; if it does not mean exactly what was asked for (an anchor that other
/// places use, say), the edit is thrown out and the text stays as it was.
package struct YAMLEditor {
  private var source: SourceText
  private var value: Value

  package init(_ source: SourceText) throws(Diagnostic) {
    self.source = source
    value = try YAMLReader.parse(source).value
  }

  package var text: String { String(decoding: source.bytes, as: UTF8.self) }
  package var bytes: [UInt8] { source.bytes }

  /// Replaces the value at the path, or adds it: a key at the end of its map, an item (at the index just past the
  /// last) to its list, and the maps that are missing on the way. The empty path replaces all.
  package mutating func set(_ path: [PathStep], to new: Value) throws(Diagnostic) {
    guard let wanted = ValueEdit.setting(value, path[...], to: new) else { throw refusal(path, "there is no such place") }
    if ValueEdit.isSame(wanted, value) { return }
    let layout = YAMLLayout(try YAMLTree(source))
    try accept(try splices(path) { () throws(Diagnostic) in try layout.set(path, to: new) }, wanted, path)
  }

  /// Removes a key with its value, or an item. A map or list that this empties becomes `{}` or `[]`.
  /// Comments above it stay, those beside and inside it go.
  package mutating func remove(_ path: [PathStep]) throws(Diagnostic) {
    guard let wanted = ValueEdit.removing(value, path[...]) else { throw refusal(path, "there is no such place") }
    let layout = YAMLLayout(try YAMLTree(source))
    try accept(try splices(path) { () throws(Diagnostic) in try layout.remove(path) }, wanted, path)
  }

  private func splices(
    _ path: [PathStep], _ body: () throws(Diagnostic) -> [YAMLSplice]?
  ) throws(Diagnostic) -> [YAMLSplice] {
    guard let result = try body() else {
      throw refusal(path, "it comes from an alias or a merged map, which other places share")
    }
    return result
  }

  private mutating func accept(_ splices: [YAMLSplice], _ wanted: Value, _ path: [PathStep]) throws(Diagnostic) {
    let edited = SourceText(path: source.path, bytes: YAMLSplice.apply(splices, to: source.bytes))
    let result: Value
    do throws(Diagnostic) {
      result = try YAMLReader.parse(edited).value
    } catch {
      let losesAnchor = error.notes.first?.message.hasPrefix("Found undefined alias") ?? false
      throw refusal(path, losesAnchor ? Self.shared : "the result would not be valid YAML")
    }
    guard ValueEdit.isSame(result, wanted) else {
      throw refusal(path, source.bytes.contains(UInt8(ascii: "&")) ? Self.shared : "the edit would change more than that")
    }
    source = edited
    value = result
  }

  private static let shared = "other places of the file share it by an anchor, or it would uncover a merged key"

  private func refusal(_ path: [PathStep], _ reason: String) -> Diagnostic {
    var place = ""
    for step in path {
      switch step {
      case .key(let key): place += place.isEmpty ? key : ".\(key)"
      case .index(let index): place += "[\(index)]"
      }
    }
    return Diagnostic(.yamlEdit, "cannot edit '\(place)' in '\(source.path)' in place: \(reason)")
  }
}

/// Bytes that take the place of others.
struct YAMLSplice {
  var range: Range<Int>
  var bytes: [UInt8]

  /// Applies splices that do not overlap.
  static func apply(_ splices: [YAMLSplice], to bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + splices.reduce(0) { $0 + $1.bytes.count })
    var position = 0
    let isWindows = bytes.firstIndex(of: 0x0A).map { $0 > 0 && bytes[$0 - 1] == 0x0D } ?? false
    for splice in splices.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      guard splice.range.lowerBound >= position else { continue }
      result += bytes[position..<splice.range.lowerBound]
      for byte in splice.bytes {
        if byte == 0x0A, isWindows { result.append(0x0D) }
        result.append(byte)
      }
      position = splice.range.upperBound
    }
    return result + bytes[position...]
  }
}

/// The same edits on values: what a text must mean afterwards.
enum ValueEdit {
  static func setting(_ value: Value, _ path: ArraySlice<PathStep>, to new: Value) -> Value? {
    guard let step = path.first else { return new }
    switch (step, value) {
    case (.key(let key), .map(var map)):
      guard let inner = setting(map[.string(key)] ?? .null, path.dropFirst(), to: new) else { return nil }
      map[.string(key)] = inner
      return .map(map)
    case (.key(let key), .null):
      return setting(.null, path.dropFirst(), to: new).map { .map([.string(key): $0]) }
    case (.index(let index), .list(var items)):
      guard index >= 0, index <= items.count,
        let inner = setting(index < items.count ? items[index] : .null, path.dropFirst(), to: new)
      else { return nil }
      if index < items.count { items[index] = inner } else { items.append(inner) }
      return .list(items)
    case (.index(0), .null):
      return setting(.null, path.dropFirst(), to: new).map { .list([$0]) }
    default: return nil
    }
  }

  static func removing(_ value: Value, _ path: ArraySlice<PathStep>) -> Value? {
    guard let step = path.first else { return nil }
    let rest = path.dropFirst()
    switch (step, value) {
    case (.key(let key), .map(var map)):
      guard let old = map[.string(key)] else { return nil }
      if rest.isEmpty {
        map.removeValue(forKey: .string(key))
      } else {
        guard let inner = removing(old, rest) else { return nil }
        map[.string(key)] = inner
      }
      return .map(map)
    case (.index(let index), .list(var items)):
      guard items.indices.contains(index) else { return nil }
      if rest.isEmpty {
        items.remove(at: index)
      } else {
        guard let inner = removing(items[index], rest) else { return nil }
        items[index] = inner
      }
      return .list(items)
    default: return nil
    }
  }

  /// Equal in type and content; maps in any order, NaN equal to NaN.
  static func isSame(_ a: Value, _ b: Value) -> Bool {
    switch (a, b) {
    case (.float(let a), .float(let b)): a == b || (a.isNaN && b.isNaN)
    case (.list(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy(isSame)
    case (.map(let a), .map(let b)):
      a.count == b.count && a.allSatisfy { key, value in b[key].map { isSame(value, $0) } ?? false }
    default: a == b
    }
  }
}
