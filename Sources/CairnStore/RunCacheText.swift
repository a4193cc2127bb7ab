// The JSON whose digests name an entry of DVC's run-cache. Knows lock entries; knows nothing of the cache.
import CairnCore
import CairnFormats

/// As `json.dumps` writes it with sorted keys. An entry with nothing but a command, dependencies and outputs is written
/// without a tree of values: each stage asks for three such texts.
enum RunCacheText {
  /// Of command, dependencies, parameters and the paths of the outputs.
  static func ofInputs(_ entry: LockEntry) -> [UInt8] {
    let plain = text(of: entry) { bytes in
      bytes.append(contentsOf: "\"outs\": [".utf8)
      for (index, out) in entry.outs.enumerated() {
        if index > 0 { bytes.append(contentsOf: ", ".utf8) }
        JSONWriter.append(out.path, to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    }
    if let plain { return plain }
    var map = leavingOutSizes(entry)
    map["outs"] = .list(entry.outs.map { .string($0.path) })
    return JSONWriter.bytes(.map(map), sortKeys: true)
  }

  static func ofAll(_ entry: LockEntry) -> [UInt8] {
    // An empty list is left out.
    let plain =
      entry.outs.isEmpty ? nil : text(of: entry) { bytes in append(entry.outs, named: "\"outs\": [", to: &bytes) }
    return plain ?? JSONWriter.bytes(.map(leavingOutSizes(entry)), sortKeys: true)
  }

  /// The keys in their order, which is that of the letters.
  private static func text(of entry: LockEntry, outs: (inout [UInt8]) -> Void) -> [UInt8]? {
    guard entry.params.isEmpty, case .string(let command) = entry.command, (entry.deps + entry.outs).allSatisfy(isPlain)
    else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(command.utf8.count + 128 * (entry.deps.count + entry.outs.count) + 64)
    bytes.append(contentsOf: "{\"cmd\": ".utf8)
    JSONWriter.append(command, to: &bytes)
    bytes.append(contentsOf: ", ".utf8)
    if !entry.deps.isEmpty {
      append(entry.deps, named: "\"deps\": [", to: &bytes)
      bytes.append(contentsOf: ", ".utf8)
    }
    outs(&bytes)
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }

  private static func isPlain(_ file: LockedFile) -> Bool {
    file.other.isEmpty && (file.hashName == nil || file.hashName == "md5")
  }

  private static func append(_ files: [LockedFile], named title: StaticString, to bytes: inout [UInt8]) {
    bytes.append(title)
    for (index, file) in files.enumerated() {
      bytes.append(contentsOf: (index > 0 ? ", {" : "{").utf8)
      if file.hasHashField { bytes.append(contentsOf: "\"hash\": \"md5\", ".utf8) }
      if file.isExecutable { bytes.append(contentsOf: "\"isexec\": true, ".utf8) }
      if file.hashName != nil, let hash = file.hashText {
        bytes.append(contentsOf: "\"md5\": ".utf8)
        JSONWriter.append(hash, to: &bytes)
        bytes.append(contentsOf: ", ".utf8)
      }
      bytes.append(contentsOf: "\"path\": ".utf8)
      JSONWriter.append(file.path, to: &bytes)
      bytes.append(UInt8(ascii: "}"))
    }
    bytes.append(UInt8(ascii: "]"))
  }

  private static func leavingOutSizes(_ entry: LockEntry) -> ValueMap {
    var entry = entry
    for index in entry.deps.indices { (entry.deps[index].size, entry.deps[index].fileCount) = (nil, nil) }
    for index in entry.outs.indices { (entry.outs[index].size, entry.outs[index].fileCount) = (nil, nil) }
    guard case .map(let map) = LockYAML.value(entry) else { return [:] }
    // Nearly every entry has no other place for such a key.
    if entry.params.isEmpty, (entry.deps + entry.outs).allSatisfy(\.other.isEmpty) { return map }
    return leavingOutSizes(map)
  }

  /// DVC leaves out every key `size` and `nfiles`, however deep, parameters of that name included.
  private static func leavingOutSizes(_ map: ValueMap) -> ValueMap {
    func without(_ value: Value) -> Value {
      switch value {
      case .list(let items): .list(items.map(without))
      case .map(let map): .map(leavingOutSizes(map))
      default: value
      }
    }
    var kept: ValueMap = [:]
    for (key, inner) in map where key != "size" && key != "nfiles" { kept[key] = without(inner) }
    return kept
  }
}
