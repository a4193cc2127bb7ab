// What git's index names, read from its file: for where no git can be asked. Knows nothing of contents.
import CairnCore

enum GitIndexFile {
  /// What the index has, paths relative to the work tree; `nil` where it is of a kind that is not read here: another
  /// version, one that shares its entries with another file, one of a sparse checkout that names folders.
  static func entries(_ bytes: [UInt8]) -> [(path: RepoPath, file: GitFile)]? {
    guard bytes.count >= 12, bytes.starts(with: Array("DIRC".utf8)) else { return nil }
    func number(_ offset: Int, _ width: Int) -> Int { bytes[offset..<(offset + width)].reduce(0) { $0 << 8 | Int($1) } }
    let version = number(4, 4)
    let count = number(8, 4)
    guard (2...4).contains(version) else { return nil }
    // Which hash the repository uses the file does not say: entries of another length do not end where they must.
    for hashLength in [20, 32] {
      if let entries = entries(bytes, version, count, hashLength: hashLength) { return entries }
    }
    return nil
  }

  private static func entries(
    _ bytes: [UInt8], _ version: Int, _ count: Int, hashLength: Int
  ) -> [(path: RepoPath, file: GitFile)]? {
    var entries: [(path: RepoPath, file: GitFile)] = []
    var name: [UInt8] = []
    var offset = 12
    for _ in 0..<count {
      let start = offset
      // Ten numbers of four bytes, the object's name, flags.
      offset += 40 + hashLength
      guard offset + 2 <= bytes.count else { return nil }
      let isExtended = bytes[offset] & 0x40 != 0 && version > 2
      // Announced by `git add -N`, and not added.
      let isAnnounced = isExtended && offset + 2 < bytes.count && bytes[offset + 2] & 0x20 != 0
      let isLeftOut = isExtended && offset + 2 < bytes.count && bytes[offset + 2] & 0x40 != 0
      // A folder of a sparse checkout stands for all that is in it.
      if bytes[start + 24...start + 27].elementsEqual([0, 0, 0x40, 0]) { return nil }
      offset += isExtended ? 4 : 2
      if version == 4 {
        guard let removed = variableNumber(bytes, &offset), removed <= name.count else { return nil }
        name.removeLast(removed)
      } else {
        name = []
      }
      guard offset < bytes.count, let end = bytes[offset...].firstIndex(of: 0) else { return nil }
      name += bytes[offset..<end]
      guard !name.isEmpty else { return nil }
      let mode = String(bytes[(start + 24)..<(start + 28)].reduce(0) { $0 << 8 | Int($1) }, radix: 8)
      let object = Hex.encode(bytes[(start + 40)..<(start + 40 + hashLength)])
      if var file = GitFile(mode: mode, object: object, isLeftOut: isLeftOut) {
        file.isAnnounced = isAnnounced
        entries.append((RepoPath(unchecked: FileName.escape(name)), file))
      }
      offset = version == 4 ? end + 1 : start + (end - start + 8) / 8 * 8
    }
    // Behind the entries come extensions, each with its length, and the file's own hash.
    while offset + hashLength < bytes.count {
      guard offset + 8 <= bytes.count else { return nil }
      let kind = bytes[offset..<(offset + 4)]
      if kind.elementsEqual("link".utf8) || kind.elementsEqual("sdir".utf8) { return nil }
      offset += 8 + bytes[(offset + 4)..<(offset + 8)].reduce(0) { $0 << 8 | Int($1) }
    }
    return offset + hashLength == bytes.count ? entries : nil
  }

  /// As git writes offsets: seven bits a byte, the highest first, one added for each byte but the first.
  private static func variableNumber(_ bytes: [UInt8], _ offset: inout Int) -> Int? {
    var value = 0
    for round in 0..<5 {
      guard offset < bytes.count else { return nil }
      let byte = bytes[offset]
      offset += 1
      if round > 0 { value += 1 }
      value = value << 7 | Int(byte & 0x7F)
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }
}

extension GitRepository {
  /// What `git ls-files --stage` would list; `nil` where the index is of a kind that is not read without git.
  func entriesInIndex() -> [(path: RepoPath, file: GitFile)]? {
    do {
      // Before the first `git add` there is none.
      guard let bytes = try Files.read(plain: gitDirectory + "/index", limit: 1 << 30) else { return [] }
      return GitIndexFile.entries(bytes)
    } catch { return nil }
  }

  /// The paths alone.
  func namesInIndex() -> [String]? { entriesInIndex().map { $0.map(\.path.text) } }
}
