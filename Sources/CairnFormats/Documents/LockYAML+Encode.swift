// Writing `dvc.lock`, to the byte as DVC does. Scalars that need thought are YAMLWriter's.
package import CairnCore

extension LockYAML {
  /// The whole file, its keys in the order that they had; `stages` in the lock's order.
  ///
  /// - Parameter known: of a stage, the `EntryDocument` of its entry where that is at hand.
  package static func encode(_ lock: LockFile, known: (String) -> EntryDocument? = { _ in nil }) -> [UInt8] {
    var bytes: [UInt8] = []
    // As large as it will be, for a long lock would be copied each time that it has grown.
    bytes.reserveCapacity(lock.entries.keys.reduce(64) { $0 + (known($1)?.bytes.count ?? 300) })
    for key in lock.keys + ["schema", "stages"].filter({ !lock.keys.contains($0) }) {
      switch key {
      case "schema": bytes.append(schema)
      case "stages" where lock.entries.isEmpty: bytes.append("stages: {}\n")
      case "stages": appendStages(lock, known, to: &bytes)
      default: bytes.append(contentsOf: YAMLWriter.dump(.map(["datasets": .list(lock.datasets)])).utf8)
      }
    }
    return bytes
  }

  private static func appendStages(
    _ lock: LockFile, _ known: (String) -> EntryDocument?, to bytes: inout [UInt8]
  ) {
    bytes.append(stages)
    var anchors = 0
    for (name, entry) in lock.entries {
      if let known = known(name), known.isPlain {
        bytes.append(contentsOf: known.bytes[(schema.utf8CodeUnitCount + stages.utf8CodeUnitCount)...])
      } else {
        append(name, entry, to: &bytes, anchors: &anchors)
      }
    }
  }

  private static let schema: StaticString = "schema: '2.0'\n"
  private static let stages: StaticString = "stages:\n"

  /// A whole lock that holds one entry.
  package struct EntryDocument: Sendable {
    package var bytes: [UInt8]
    /// The entry's lines are the same whatever stands before them.
    package var isPlain: Bool
  }

  package static func document(of name: String, _ entry: LockEntry) -> EntryDocument {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(512)
    bytes.append(schema)
    bytes.append(stages)
    var anchors = 0
    let isPlain = append(name, entry, to: &bytes, anchors: &anchors)
    return EntryDocument(bytes: bytes, isPlain: isPlain)
  }

  /// The entry as a document of its own, as the run-cache holds it.
  package static func encodeAlone(_ entry: LockEntry) -> [UInt8] {
    var writer = PlainLockWriter(bytes: [])
    // What is plain below a stage's name is so further to the left.
    guard writer.entry("x", entry) else {
      var anchors = 0
      return YAMLWriter.bytes(value(entry), sharing: LockSharing.marks(of: entry, after: &anchors))
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(writer.bytes.count)
    writer.bytes.withUnsafeBufferPointer { lines in
      // Behind the stage's name.
      var start = (lines.firstIndex(of: 0x0A) ?? 0) + 1
      while start < lines.count {
        let end = (lines[start...].firstIndex(of: 0x0A) ?? lines.count - 1) + 1
        bytes.append(contentsOf: lines[(start + 4)..<end])
        start = end
      }
    }
    return bytes
  }

  /// `cmd`, `deps`, `params`, `outs`, those that the entry has, as DVC orders them.
  package static func value(_ entry: LockEntry) -> Value {
    var map: ValueMap = ["cmd": entry.command]
    if !entry.deps.isEmpty { map["deps"] = .list(entry.deps.map(\.lockValue)) }
    if !entry.params.isEmpty {
      var params: ValueMap = [:]
      for (file, keys) in entry.params {
        params[.string(file)] = .map(ValueMap(keys.map { (.string($0), $1) }, uniquingKeysWith: { $1 }))
      }
      map["params"] = .map(params)
    }
    if !entry.outs.isEmpty { map["outs"] = .list(entry.outs.map(\.lockValue)) }
    return .map(map)
  }

  /// True when nothing needed thought. `anchors`: how many the entries before this one have.
  @discardableResult
  private static func append(
    _ name: String, _ entry: LockEntry, to bytes: inout [UInt8], anchors: inout Int
  ) -> Bool {
    let start = bytes.count
    var writer = PlainLockWriter(bytes: bytes)
    bytes = []
    if writer.entry(name, entry) {
      bytes = writer.bytes
      return true
    }
    bytes = writer.bytes
    bytes.removeLast(bytes.count - start)
    let text = YAMLWriter.bytes(
      .map(["stages": .map([.string(name): value(entry)])]),
      sharing: LockSharing.marks(of: entry, below: [.key("stages"), .key(name)], after: &anchors))
    bytes.append(contentsOf: text.dropFirst("stages:\n".utf8.count))
    return false
  }
}

extension LockedFile {
  /// The item of a lock: path, hash, size, file count, executable bit, then whatever else it has.
  package var lockValue: Value {
    var map: ValueMap = ["path": .string(path)]
    if hasHashField { map["hash"] = "md5" }
    map.merge(isListed ? other : hashAndMeta) { $1 }
    return .map(map)
  }

  /// A folder that `files:` tells file by file, as remotes that keep versions want it: hash, size and count follow from the
  /// list, and are not written.
  private var isListed: Bool {
    guard let items = other["files"]?.list, !items.isEmpty else { return false }
    return contentHash?.isDirectory ?? false
  }

  /// The hash and what else tells the content, in DVC's order.
  var hashAndMeta: ValueMap {
    var map: ValueMap = [:]
    if let hashName, let hashText { map[.string(hashName)] = .string(hashText) }
    if let size { map["size"] = Int(exactly: size).map(Value.int) ?? .bigInt(String(size)) }
    if let fileCount { map["nfiles"] = .int(fileCount) }
    if isExecutable { map["isexec"] = true }
    for (key, value) in other { map[key] = value }
    return map
  }
}

/// Writes entries whose scalars all stand as plain text on one line, which is nearly all: ten times faster than a
/// tree of values and the analysis of each scalar.
struct PlainLockWriter {
  var bytes: [UInt8]

  /// False, with part of the entry written, when a scalar wants quotes, folding or anything else.
  mutating func entry(_ name: String, _ entry: LockEntry) -> Bool {
    guard write("  ", key: name) else { return false }
    raw("\n    cmd:")
    switch entry.command {
    case .string(let command): guard write(" ", text: command, column: 9) else { return false }
    case .list(let commands) where !commands.isEmpty:
      for command in commands {
        raw("\n    -")
        guard let text = command.string, write(" ", text: text, column: 6) else { return false }
      }
    default: return false
    }
    raw("\n")
    return files(entry.deps, "    deps:\n") && params(entry) && files(entry.outs, "    outs:\n")
  }

  private mutating func files(_ files: [LockedFile], _ title: StaticString) -> Bool {
    if files.isEmpty { return true }
    raw(title)
    for file in files {
      guard file.other.isEmpty else { return false }
      raw("    - path:")
      guard write(" ", text: file.path, column: 12) else { return false }
      if file.hasHashField { raw("\n      hash: md5") }
      if let name = file.hashName, let text = file.hashText {
        raw("\n      ")
        bytes.append(contentsOf: name.utf8)
        raw(": ")
        guard Self.isPlainHash(text) else { return false }
        bytes.append(contentsOf: text.utf8)
      }
      if let size = file.size {
        raw("\n      size: ")
        integer(size)
      }
      if let count = file.fileCount {
        raw("\n      nfiles: ")
        integer(count)
      }
      if file.isExecutable { raw("\n      isexec: true") }
      raw("\n")
    }
    return true
  }

  private mutating func params(_ entry: LockEntry) -> Bool {
    if entry.params.isEmpty { return true }
    raw("    params:\n")
    for (file, keys) in entry.params {
      guard !keys.isEmpty, write("      ", key: file) else { return false }
      raw("\n")
      for (key, value) in keys {
        guard write("        ", key: key) else { return false }
        switch value {
        case .int(let number):
          raw(" ")
          integer(number)
        case .bool(let flag): flag ? raw(" true") : raw(" false")
        case .string(let text): guard write(" ", text: text, column: 10 + key.utf8.count) else { return false }
        default: return false
        }
        raw("\n")
      }
    }
    return true
  }

  private mutating func raw(_ text: StaticString) { bytes.append(text) }

  private mutating func integer(_ number: some BinaryInteger) { bytes.append(contentsOf: String(number).utf8) }

  private mutating func write(_ before: StaticString, key: String) -> Bool {
    guard key.utf8.count < 100, Self.isPlain(key, column: 0), !key.utf8.contains(0x20), !key.utf8.contains(0x3A) else {
      return false
    }
    raw(before)
    bytes.append(contentsOf: key.utf8)
    raw(":")
    return true
  }

  private mutating func write(_ before: StaticString, text: String, column: Int) -> Bool {
    guard Self.isPlain(text, column: column) else { return false }
    raw(before)
    bytes.append(contentsOf: text.utf8)
    return true
  }

  /// A letter that no number has, in a text that cannot be a word such as `true`.
  private static func isPlainHash(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { buffer in
      guard buffer.count >= 32, !(buffer[0] == 0x30 && buffer[1] == UInt8(ascii: "b")) else { return false }
      var hasLetter = false
      for byte in buffer {
        switch byte {
        case 0x30...0x39, UInt8(ascii: "e"): break
        case UInt8(ascii: "a")...UInt8(ascii: "z"): hasLetter = true
        case UInt8(ascii: "."): break
        default: return false
        }
      }
      return hasLetter
    }
  }

  /// True only when `text`, begun at `column`, is surely written as it is.
  static func isPlain(_ text: String, column: Int) -> Bool {
    var text = text
    return text.withUTF8 { buffer in
      guard let first = buffer.first, let last = buffer.last, last != 0x20, last != UInt8(ascii: ":") else {
        return false
      }
      // A letter that stands in no number and no date.
      var hasLetter = false
      for (index, byte) in buffer.enumerated() {
        switch byte {
        case UInt8(ascii: ":"):
          if buffer[index + 1] == 0x20 { return false }
        case UInt8(ascii: "#"):
          if index > 0, buffer[index - 1] == 0x20 { return false }
        case UInt8(ascii: "g")...UInt8(ascii: "n"), UInt8(ascii: "p")...UInt8(ascii: "s"),
          UInt8(ascii: "u")...UInt8(ascii: "w"), UInt8(ascii: "y"):
          hasLetter = true
        case 0x20...0x7E: break
        default: return false
        }
      }
      // Beyond this column a word goes to a line of its own.
      if column + buffer.count > 79 { return false }
      switch first {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
        return buffer.count > 5 || !words.contains { $0.utf8.elementsEqual(buffer.lazy.map { $0 | 0x20 }) }
      case UInt8(ascii: "/"): return true
      case UInt8(ascii: "."):
        return buffer.starts(with: [first, UInt8(ascii: "/")])
          || buffer.starts(with: [first, first, UInt8(ascii: "/")])
      case 0x30...0x39: return hasLetter && !buffer.contains(UInt8(ascii: ":"))
      default: return false
      }
    }
  }

  /// In any spelling something else than text, to one version of YAML or another.
  private static let words = ["null", "true", "false", "y", "n", "no", "on", "yes", "off"]
}
