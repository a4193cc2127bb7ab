// Cairn's own text of a directory (`cairn.dir/v1`), which names every file by SHA-256, too.
package import CairnCore

/// Canonical JSON of
/// `{"files":[{"executable":false,"md5":HEX,"path":TEXT,"sha256":HEX,"size":INT}, …],"schema":"cairn.dir/v1"}`,
/// the files in the order of the bytes of their paths, one newline at the end. The SHA-256 of these bytes is the
/// `sha256` of a directory in a run record.
package enum DirectoryDocument {
  package static let schema = "cairn.dir/v1"

  /// `nil` when the size or SHA-256 of a file is unknown. An unknown `isExecutable` counts as false.
  package static func encode(_ manifest: DirectoryManifest) -> [UInt8]? {
    var entries = manifest.entries
    if entries.contains(where: { FileName.needsEscape($0.path) }) {
      let keyed = entries.map { (FileName.bytes($0.path), $0) }
      entries = keyed.sorted { $0.0.lexicographicallyPrecedes($1.0) }.map(\.1)
    }
    var out = CanonicalWriter()
    out.reserve(entries.count * 180 + 40)
    out.raw("{\"files\":[")
    var isFirst = true
    for entry in entries {
      guard let size = entry.size, let sha256 = entry.sha256 else { return nil }
      if !isFirst { out.raw(",") }
      isFirst = false
      out.raw("{\"executable\":")
      out.bool(entry.isExecutable ?? false)
      out.raw(",\"md5\":\"")
      out.hex(entry.md5)
      out.raw("\",\"path\":")
      out.string(entry.path)
      out.raw(",\"sha256\":")
      out.digest(sha256)
      out.raw(",\"size\":")
      out.integer(size)
      out.raw("}")
    }
    out.raw("],\"schema\":\"cairn.dir/v1\"}\n")
    return out.bytes
  }

  package static func decode(_ bytes: [UInt8]) throws(Diagnostic) -> DirectoryManifest {
    let document = try CanonicalJSON.decode(bytes, name: schema)
    guard document["schema"]?.string == schema, let files = document["files"]?.list else {
      throw Diagnostic.corruptDirectoryDocument("not \(schema)")
    }
    var entries: [DirectoryManifest.Entry] = []
    entries.reserveCapacity(files.count)
    for file in files {
      guard let path = file["path"]?.string, let md5 = file["md5"]?.string.flatMap({ Digest16(hex: $0) }),
        let sha256 = file["sha256"]?.string.flatMap({ Digest32(hex: $0) }),
        let size = file["size"]?.int.flatMap(UInt64.init(exactly:))
      else { throw Diagnostic.corruptDirectoryDocument("an entry lacks 'path', 'md5', 'sha256' or 'size'") }
      entries.append(
        .init(path: path, md5: md5, size: size, sha256: sha256, isExecutable: file["executable"]?.bool ?? false))
    }
    return DirectoryManifest(entries)
  }
}

extension Diagnostic {
  fileprivate static func corruptDirectoryDocument(_ why: String) -> Diagnostic {
    Diagnostic(.corruptManifest, "directory document is corrupted: \(why)")
  }
}
