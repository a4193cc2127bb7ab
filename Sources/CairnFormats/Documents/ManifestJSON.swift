// The `.dir` objects of DVC's cache. Knows their bytes; knows nothing of where they lie.
package import CairnCore

/// DVC's text of a directory: one line of JSON, a list of `{"md5": …, "relpath": …}` ordered by `relpath`'s code
/// points, `", "` and `": "` between, everything but printable ASCII escaped, no newline at the end. The object's
/// name is the MD5 of exactly these bytes followed by `.dir`.
package enum ManifestJSON {
  /// The text of a folder in which links lead nowhere, as DVC compares it: it names them without a hash.
  package static func encode(_ manifest: DirectoryManifest, deadLinks: [String]) -> [UInt8] {
    let items = manifest.entries.map { ($0.path, ["md5": .string($0.md5.hex), "relpath": .string($0.path)]) }
      + deadLinks.map { ($0, ["relpath": .string($0)] as ValueMap) }
    return JSONWriter.bytes(.list(items.sorted { PythonText.precedes($0.0, $1.0) }.map { .map($0.1) }))
  }

  package static func encode(_ manifest: DirectoryManifest) -> [UInt8] {
    var entries = manifest.entries
    // The order of bytes is that of code points, but for bytes that are not UTF-8 (Python: U+DC80…U+DCFF).
    if entries.contains(where: { FileName.needsEscape($0.path) }) {
      entries.sort { PythonText.precedes($0.path, $1.path) }
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(entries.reduce(2) { $0 + $1.path.utf8.count + 66 })
    bytes.append(UInt8(ascii: "["))
    for (index, entry) in entries.enumerated() {
      if index > 0 { bytes.append(contentsOf: Self.comma) }
      bytes.append(contentsOf: Self.beforeHash)
      entry.md5.appendHex(to: &bytes)
      bytes.append(contentsOf: Self.beforePath)
      JSONWriter.appendASCII(entry.path, to: &bytes)
      bytes.append(UInt8(ascii: "}"))
    }
    bytes.append(UInt8(ascii: "]"))
    return bytes
  }

  private static let comma = Array(", ".utf8)
  private static let beforeHash = Array("{\"md5\": \"".utf8)
  private static let beforePath = Array("\", \"relpath\": ".utf8)

  /// Reads what any DVC wrote; `size` and `isexec` are taken where an entry has them.
  package static func decode(_ bytes: [UInt8]) throws(Diagnostic) -> DirectoryManifest {
    if let entries = fastEntries(bytes) { return try manifest(entries) }
    guard let items = try JSONReader.value(bytes, name: "directory manifest").list else {
      throw Diagnostic.corruptManifest("expected a list")
    }
    var entries: [DirectoryManifest.Entry] = []
    entries.reserveCapacity(items.count)
    for item in items {
      guard let path = item["relpath"]?.string, let hex = item["md5"]?.string, let md5 = Digest16(hex: hex) else {
        throw Diagnostic.corruptManifest("an entry lacks 'relpath' or 'md5'")
      }
      entries.append(
        .init(
          path: path, md5: md5, size: item["size"]?.int.flatMap(UInt64.init(exactly:)),
          isExecutable: item["isexec"]?.bool))
    }
    return try manifest(entries)
  }

  /// - Throws: for a path that would lead out of the folder.
  private static func manifest(_ entries: [DirectoryManifest.Entry]) throws(Diagnostic) -> DirectoryManifest {
    if let entry = entries.first(where: { !DirectoryManifest.staysInside($0.path) }) {
      throw Diagnostic.corruptManifest("the path '\(entry.path)' does not stay in the folder")
    }
    return DirectoryManifest(entries)
  }

  /// Reads exactly what `encode` writes, where no path holds an escape; `nil` for anything else.
  private static func fastEntries(_ bytes: [UInt8]) -> [DirectoryManifest.Entry]? {
    bytes.withUnsafeBufferPointer { buffer in
      var entries: [DirectoryManifest.Entry] = []
      entries.reserveCapacity(buffer.count / 80)
      var index = 1
      func skip(_ text: [UInt8]) -> Bool {
        guard index + text.count <= buffer.count else { return false }
        for (offset, byte) in text.enumerated() where buffer[index + offset] != byte { return false }
        index += text.count
        return true
      }
      guard buffer.count > 2, buffer[0] == UInt8(ascii: "["), buffer[buffer.count - 1] == UInt8(ascii: "]") else {
        return nil
      }
      while true {
        guard skip(beforeHash), index + 32 < buffer.count,
          let md5 = Digest16(hexDigits: buffer[index..<(index + 32)])
        else { return nil }
        index += 32
        guard skip(beforePath), skip([UInt8(ascii: "\"")]) else { return nil }
        let start = index
        while index < buffer.count, buffer[index] != UInt8(ascii: "\"") {
          if buffer[index] == UInt8(ascii: "\\") || buffer[index] < 0x20 || buffer[index] > 0x7E { return nil }
          index += 1
        }
        entries.append(.init(path: String(decoding: buffer[start..<index], as: UTF8.self), md5: md5))
        guard skip([UInt8(ascii: "\""), UInt8(ascii: "}")]) else { return nil }
        if index == buffer.count - 1 { return entries }
        guard skip(comma) else { return nil }
      }
    }
  }
}

extension Diagnostic.Code {
  package static let corruptManifest = Self("corrupt-manifest")
}

extension Diagnostic {
  fileprivate static func corruptManifest(_ why: String) -> Diagnostic {
    Diagnostic(.corruptManifest, "directory manifest is corrupted: \(why)")
  }
}
