// Reading `dvc.lock`: from the YAML document to the lock's values, with DVC's words for what is wrong in it.
// Writing it: `LockYAML+Encode.swift`.
package import CairnCore
import OrderedCollections

package enum LockYAML {
  /// Reads a parsed `dvc.lock`, checked as DVC checks it. An entirely empty file is a fault, as it is for DVC.
  ///
  /// - Throws: "'./dvc.lock' validation failed", each fault ("expected str, in stages -> a -> cmd") a note.
  package static func parse(_ document: MarkedValue) throws(Diagnostic) -> LockFile {
    var checker = SchemaChecker()
    // Python: `load(…) or {}`.
    let document = document.isFalsy ? MarkedValue(.map([]), at: document.mark) : document
    checker.check(document, LockSchema.file, at: [])
    try checker.finish(document, path: document.mark?.source.path ?? "dvc.lock")

    var lock = LockFile()
    lock.keys = document.entries?.compactMap(\.key.string) ?? []
    lock.datasets = document["datasets"]?.items?.map(\.value) ?? []
    for entry in document["stages"]?.entries ?? [] {
      lock.entries[entry.key.string ?? ""] = self.entry(entry.value)
    }
    return lock
  }

  private static func entry(_ stage: MarkedValue) -> LockEntry {
    var entry = LockEntry(command: .null)
    for field in stage.entries ?? [] {
      switch field.key.string {
      case "cmd": entry.command = field.value.value
      case "deps": entry.deps = (field.value.items ?? []).map { LockedFile.parse($0) }
      case "outs": entry.outs = (field.value.items ?? []).map { LockedFile.parse($0) }
      case "params":
        for file in field.value.entries ?? [] {
          var keys: OrderedDictionary<String, Value> = [:]
          for key in file.value.entries ?? [] { keys[key.key.string ?? ""] = key.value.value }
          entry.params[file.key.string ?? ""] = keys
        }
      default: break
      }
    }
    return entry
  }
}

extension LockedFile {
  /// Reads one item of `deps:` or `outs:` of a lock or `.dvc` file that has passed its schema.
  package static func parse(_ item: MarkedValue) -> LockedFile {
    var file = LockedFile(path: "", hasHashField: false)
    for field in item.entries ?? [] {
      guard let key = field.key.string else { continue }
      let value = field.value.value
      switch key {
      case "path": file.path = value.string ?? ""
      case "md5", "etag", "checksum":
        // DVC takes the first of md5, checksum and etag that it finds; the others stay as they are.
        guard file.hashName == nil, let text = hashText(value) else {
          if !value.isNull { file.other[.string(key)] = value }
          continue
        }
        file.hashName = key
        file.hashText = text
      case "hash": file.readHashField(value)
      case "size":
        if let size = value.int.flatMap(UInt64.init(exactly:)) { file.size = size } else { file.other["size"] = value }
      case "nfiles": file.fileCount = value.int
      case "isexec": file.isExecutable = value.bool ?? false
      default: file.other[.string(key)] = value
      }
    }
    return file
  }

  private static func hashText(_ value: Value) -> String? {
    let text: String
    switch value {
    case .string(let string): text = string
    case .int(let number): text = String(number)
    case .bigInt(let digits): text = digits
    default: return nil
    }
    return text.isEmpty ? nil : text
  }
}

enum LockSchema {
  static let checksum = Schema.anyOf([.null, .checksum])
  static let meta: [(String, Schema)] = [
    ("size", .integer), ("nfiles", .integer), ("isexec", .boolean), ("version_id", .text),
  ]
  static let checksums: [(String, Schema)] = [("md5", checksum), ("checksum", checksum), ("etag", checksum)]
  static let cloud = Schema.mapOf(.map(checksums + meta), maximum: 1)
  static let file = Schema.map(
    [("schema", .version), ("datasets", .anything), ("stages", .mapOf(stage))], required: ["schema"])
  static let stage = Schema.map(
    [
      ("cmd", .anyOf([.text, .list(.anything)])), ("deps", .list(data)), ("params", .mapOf(.mapOf(.anything))),
      ("outs", .list(data)),
    ], required: ["cmd"])
  static let data = Schema.map(
    checksums + meta + [
      ("path", .text), ("cloud", cloud), ("files", .list(directoryFile)), ("hash", .text),
      ("dataset", .mapOf(.anything)),
    ], required: ["path"])
  static let directoryFile = Schema.map(
    checksums + meta + [("relpath", .text), ("cloud", cloud)], required: ["relpath"])
}
