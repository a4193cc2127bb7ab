// Reads a `dvc.lock` that looks as DVC writes it, line by line: a tenth of the time that YAML takes. What it reads is
// written again and compared, so that it can only ever be right; anything else is the YAML reader's.
package import CairnCore
import OrderedCollections

extension LockYAML {
  /// What a lock says.
  ///
  /// - Throws: what `YAMLReader.parse` and `parse` throw.
  package static func read(_ source: SourceText) throws(Diagnostic) -> LockFile {
    if let lock = scan(source.bytes) { return lock }
    return try parse(YAMLReader.parse(source))
  }

  /// `nil` for whatever is not, to the byte, what the writer writes of plain entries.
  package static func scan(_ bytes: [UInt8]) -> LockFile? {
    bytes.withUnsafeBufferPointer { buffer in
      var scanner = LockScanner(buffer)
      return scanner.lock()
    }
  }
}

private struct LockScanner {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var start = 0
  private var writer = PlainLockWriter(bytes: [])

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func lock() -> LockFile? {
    guard bytes.last == 0x0A, take("schema: '2.0'\n"), take("stages:\n") else { return nil }
    var lock = LockFile()
    var others = 0
    while start < bytes.count {
      guard let (name, entry) = plainEntry() ?? otherEntry(&others),
        lock.entries.updateValue(entry, forKey: name) == nil,
        // To read most of it twice would take longer than to read all of it once.
        others < 64 || others * 8 < lock.entries.count
      else { return nil }
    }
    // Nothing behind `stages:` is a fault, which YAML's reader tells.
    return lock.entries.isEmpty ? nil : lock
  }

  /// `nil`, and nothing passed over, for an entry that is not written plainly.
  private mutating func plainEntry() -> (String, LockEntry)? {
    let from = start
    if let (name, entry) = entry() {
      // The proof: these bytes are how this entry is written.
      writer.bytes.removeAll(keepingCapacity: true)
      if writer.entry(name, entry), writer.bytes.count == start - from, writer.bytes.elementsEqual(bytes[from..<start])
      {
        return (name, entry)
      }
    }
    start = from
    return nil
  }

  /// One with quotes, folded text or nested values: YAML's, alone, with the same proof.
  private mutating func otherEntry(_ count: inout Int) -> (String, LockEntry)? {
    let from = start
    _ = rest()
    // To the next name.
    while start < bytes.count,
      !(start + 2 < bytes.count && bytes[start] == 0x20 && bytes[start + 1] == 0x20
        && bytes[start + 2] != 0x20)
    { _ = rest() }
    let document = Array("schema: '2.0'\nstages:\n".utf8) + bytes[from..<min(start, bytes.count)]
    guard let parsed = try? LockYAML.parse(YAMLReader.parse(SourceText(path: "dvc.lock", bytes: document))),
      parsed.entries.count == 1, let (name, entry) = parsed.entries.elements.first
    else { return nil }
    // Anchors are numbered through the whole file: such a lock is read as a whole.
    let written = LockYAML.document(of: name, entry).bytes
    guard written == document, !written.contains(UInt8(ascii: "&")) || written.firstRange(of: Array("&id".utf8)) == nil
    else { return nil }
    count += 1
    return (name, entry)
  }

  private mutating func take(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard start + count <= bytes.count, let base = bytes.baseAddress else { return false }
    for offset in 0..<count where base[start + offset] != text.utf8Start[offset] { return false }
    start += count
    return true
  }

  /// The rest of the line, its end passed over.
  private mutating func rest() -> UnsafeBufferPointer<UInt8> {
    let from = start
    while start < bytes.count, bytes[start] != 0x0A { start += 1 }
    let line = UnsafeBufferPointer(rebasing: bytes[from..<start])
    start += 1
    return line
  }

  private mutating func text() -> String { String(decoding: rest(), as: UTF8.self) }

  /// A line that ends in a colon, without it.
  private mutating func key() -> String? {
    let line = rest()
    guard line.last == UInt8(ascii: ":") else { return nil }
    return String(decoding: line.dropLast(), as: UTF8.self)
  }

  private mutating func entry() -> (String, LockEntry)? {
    guard take("  "), let name = key() else { return nil }
    var entry = LockEntry(command: .null)
    if take("    cmd: ") {
      entry.command = .string(text())
    } else {
      guard take("    cmd:\n") else { return nil }
      var commands: [Value] = []
      while take("    - ") { commands.append(.string(text())) }
      entry.command = .list(commands)
    }
    if take("    deps:\n") { entry.deps = files() }
    if take("    params:\n") {
      guard let params = parameters() else { return nil }
      entry.params = params
    }
    if take("    outs:\n") { entry.outs = files() }
    return (name, entry)
  }

  private mutating func files() -> [LockedFile] {
    var files: [LockedFile] = []
    while take("    - path: ") {
      var file = LockedFile(path: text(), hasHashField: false)
      if take("      hash: md5\n") { file.hasHashField = true }
      if take("      md5: ") {
        file.hashName = "md5"
        file.hashText = text()
      }
      if take("      size: ") { file.size = UInt64(text()) }
      if take("      nfiles: ") { file.fileCount = Int(text()) }
      if take("      isexec: true\n") { file.isExecutable = true }
      files.append(file)
    }
    return files
  }

  private mutating func parameters() -> OrderedDictionary<String, OrderedDictionary<String, Value>>? {
    var files: OrderedDictionary<String, OrderedDictionary<String, Value>> = [:]
    while take("      ") {
      guard let file = key() else { return nil }
      var keys: OrderedDictionary<String, Value> = [:]
      while take("        ") {
        let line = rest()
        // Only the writer knows where a key with a colon in it ends: it would quote that.
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon + 2 < line.count, line[colon + 1] == 0x20,
          let value = scalar(UnsafeBufferPointer(rebasing: line[(colon + 2)...]))
        else { return nil }
        keys[String(decoding: line[..<colon], as: UTF8.self)] = value
      }
      files[file] = keys
    }
    return files
  }

  private func scalar(_ text: UnsafeBufferPointer<UInt8>) -> Value? {
    let kind = YAMLScalar.kind(text)
    if case .merge = kind { return nil }
    if case .value = kind { return nil }
    return try? YAMLScalar.value(text, as: kind)
  }
}
