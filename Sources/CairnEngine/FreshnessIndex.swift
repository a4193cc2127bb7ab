// Answers "is all as it was when everything was fresh?" by stat alone. Knows paths and stamps; knows no stage.
package import CairnCore
import CairnStore
import CairnSystem
import Dispatch
import Glibc
import Synchronization

/// What a finished `repro` looked at, and what stood there: valid for one command line, until any of it differs.
///
/// The file (`.cairn/fresh/KEY`): `CAIRNF02`, the length and text of the key, the length and text to print, the number
/// of entries, entries of 48 bytes (size, mtime, ctime, inode as 8 bytes each; mode, device, offset and length of the
/// path, 4 each), then the paths, each ended by a zero byte. Numbers are little-endian. Any doubt means "ask properly".
///
/// The first entry is the project's `.dvc` folder, whose inode and ctime nobody can foretell: a file that came with the
/// repository answers nothing.
package struct FreshnessIndex: Sendable {
  /// One look at one path.
  package struct Entry: Sendable {
    var path: String
    /// `nil`: nothing there.
    var stamp: Stamp?
  }

  /// Everything that `stat` tells which a change of content, kind or identity would alter.
  package struct Stamp: Hashable, Sendable {
    var size: UInt64 = 0
    var modified: Int64 = 0
    var changed: Int64 = 0
    var inode: UInt64 = 0
    var mode: UInt32 = 0
    var device: UInt32 = 0

    init(_ stat: stat) {
      size = UInt64(stat.st_size)
      modified = Int64(stat.st_mtim.tv_sec) * 1_000_000_000 + Int64(stat.st_mtim.tv_nsec)
      changed = Int64(stat.st_ctim.tv_sec) * 1_000_000_000 + Int64(stat.st_ctim.tv_nsec)
      inode = UInt64(stat.st_ino)
      mode = stat.st_mode
      device = UInt32(truncatingIfNeeded: stat.st_dev)
    }
  }

  private static let magic = Array("CAIRNF02".utf8)
  private static let entrySize = 48
  private static let witness = ".dvc"
  /// File systems stamp with the kernel's tick, 10 ms at the coarsest.
  package static let granularity: Nanoseconds = 12_000_000

  // MARK: Ask

  /// The text to print when all is as it was; `nil`: ask properly.
  ///
  /// - Parameters:
  ///   - root: the project's folder; relative paths of the index start there.
  ///   - key: everything beside files that the answer depends on.
  package static func answer(root: String, key: String) -> [UInt8]? {
    guard let bytes = (try? Files.read(plain: path(root: root, key: key))) ?? nil else { return nil }
    return bytes.withUnsafeBytes { raw -> [UInt8]? in
      guard var reader = Reader(raw), reader.text() == key, let words = reader.bytes(), let count = reader.count(),
        raw.count >= reader.offset + count * entrySize
      else { return nil }
      let paths = reader.offset + count * entrySize
      guard raw.count > paths, raw[raw.count - 1] == 0 else { return nil }
      guard count > 0, raw[paths...].starts(with: Array(Self.witness.utf8) + [0]),
        raw.loadUnaligned(fromByteOffset: reader.offset + 40, as: UInt32.self) == 0,
        raw.loadUnaligned(fromByteOffset: reader.offset + 44, as: UInt32.self) != 0
      else { return nil }
      let folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard folder >= 0 else { return nil }
      defer { close(folder) }
      return holds(raw, entries: reader.offset, count: count, paths: paths, folder: folder) ? words : nil
    }
  }

  private static func holds(
    _ raw: UnsafeRawBufferPointer, entries: Int, count: Int, paths: Int, folder: Int32
  ) -> Bool {
    let chunk = 2048
    if count <= chunk { return check(raw, entries, 0..<count, paths, folder) }
    let image = Image(raw: raw)
    let differs = Atomic(false)
    DispatchQueue.concurrentPerform(iterations: (count + chunk - 1) / chunk) { part in
      if differs.load(ordering: .relaxed) { return }
      let range = part * chunk..<min(count, (part + 1) * chunk)
      if !check(image.raw, entries, range, paths, folder) { differs.store(true, ordering: .relaxed) }
    }
    return !differs.load(ordering: .relaxed)
  }

  /// Guard for `@unchecked`: the bytes are only read, and outlive the loop that reads them.
  private struct Image: @unchecked Sendable { let raw: UnsafeRawBufferPointer }

  private static func check(
    _ raw: UnsafeRawBufferPointer, _ entries: Int, _ range: Range<Int>, _ paths: Int, _ folder: Int32
  ) -> Bool {
    var found = stat()
    for index in range {
      let at = entries + index * entrySize
      let offset = paths + Int(raw.loadUnaligned(fromByteOffset: at + 40, as: UInt32.self))
      let isPresent = raw.loadUnaligned(fromByteOffset: at + 44, as: UInt32.self) != 0
      guard offset < raw.count, let base = raw.baseAddress else { return false }
      let path = base.advanced(by: offset).assumingMemoryBound(to: CChar.self)
      let code = fstatat(folder, path, &found, 0)
      if code != 0 {
        guard !isPresent, errno == ENOENT || errno == ENOTDIR else { return false }
        continue
      }
      guard isPresent else { return false }
      let stamp = Stamp(found)
      guard raw.loadUnaligned(fromByteOffset: at, as: UInt64.self) == stamp.size,
        raw.loadUnaligned(fromByteOffset: at + 8, as: Int64.self) == stamp.modified,
        raw.loadUnaligned(fromByteOffset: at + 16, as: Int64.self) == stamp.changed,
        raw.loadUnaligned(fromByteOffset: at + 24, as: UInt64.self) == stamp.inode,
        raw.loadUnaligned(fromByteOffset: at + 32, as: UInt32.self) == stamp.mode,
        raw.loadUnaligned(fromByteOffset: at + 36, as: UInt32.self) == stamp.device
      else { return false }
    }
    return true
  }

  // MARK: Look

  /// Stamps of `paths` (relative to `root`, or absolute) as they are now. Links count by what they point at; the
  /// folder that holds them changes when they do.
  package static func look(at paths: [String], root: String) -> [Entry] {
    let folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if folder >= 0 { close(folder) } }
    let chunk = 1024
    if paths.count <= chunk { return look(at: paths[...], folder: folder) }
    let found = Mutex<[Int: [Entry]]>([:])
    let chunks = (paths.count + chunk - 1) / chunk
    DispatchQueue.concurrentPerform(iterations: chunks) { part in
      let entries = look(at: paths[part * chunk..<min(paths.count, (part + 1) * chunk)], folder: folder)
      found.withLock { $0[part] = entries }
    }
    return found.withLock { found in (0..<chunks).flatMap { found[$0] ?? [] } }
  }

  private static func look(at paths: ArraySlice<String>, folder: Int32) -> [Entry] {
    paths.map { path in
      let path = path.isEmpty ? "." : path
      var found = stat()
      let code = FileName.bytes(path).withUnsafeBufferPointer { bytes in
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { name in
          for (index, byte) in bytes.enumerated() { name[index] = CChar(bitPattern: byte) }
          name[bytes.count] = 0
          return name.baseAddress.map { fstatat(folder, $0, &found, 0) } ?? -1
        }
      }
      return Entry(path: path, stamp: code == 0 ? Stamp(found) : nil)
    }
  }

  /// The regular files among `entries`, for judging by this look.
  static func files(_ entries: [Entry], taken: Nanoseconds) -> SeenFiles {
    var files: [RepoPath: SeenFiles.File] = [:]
    files.reserveCapacity(entries.count)
    for entry in entries {
      guard let stamp = entry.stamp, stamp.mode & S_IFMT == S_IFREG else { continue }
      files[RepoPath(unchecked: entry.path)] = SeenFiles.File(
        fingerprint: FileFingerprint(
          size: stamp.size, modified: stamp.modified, inode: stamp.inode, device: UInt64(stamp.device)),
        mode: stamp.mode)
    }
    return SeenFiles(files, taken: taken)
  }

  /// True when a stamp is so young that a later change could leave it as it is.
  package static func isRacy(_ entry: Entry, now: Nanoseconds) -> Bool {
    guard let stamp = entry.stamp else { return false }
    return max(stamp.modified, stamp.changed) > now - granularity
  }

  // MARK: Write

  /// Remembers that everything was fresh when `entries` were looked at. Failing to write is no fault: the next
  /// command asks properly.
  package static func write(_ entries: [Entry], root: String, key: String, words: [UInt8]) {
    let entries = look(at: [witness], root: root) + entries
    var bytes = magic
    func put(_ number: some FixedWidthInteger, to bytes: inout [UInt8]) {
      withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
    for text in [Array(key.utf8), words] {
      put(UInt32(text.count), to: &bytes)
      bytes += text
    }
    put(UInt32(entries.count), to: &bytes)
    var paths: [UInt8] = []
    for entry in entries {
      put(entry.stamp?.size ?? 0, to: &bytes)
      put(entry.stamp?.modified ?? 0, to: &bytes)
      put(entry.stamp?.changed ?? 0, to: &bytes)
      put(entry.stamp?.inode ?? 0, to: &bytes)
      put(entry.stamp?.mode ?? 0, to: &bytes)
      put(entry.stamp?.device ?? 0, to: &bytes)
      put(UInt32(paths.count), to: &bytes)
      put(UInt32(entry.stamp == nil ? 0 : 1), to: &bytes)
      paths += FileName.bytes(entry.path)
      paths.append(0)
    }
    bytes += paths
    let target = path(root: root, key: key)
    let folder = root + "/.cairn/fresh"
    do throws(Diagnostic) {
      try Files.makeDirectories(folder)
      // A handful of command lines are asked again and again; the rest would only pile up.
      let others = try Files.list(folder) ?? []
      if others.count > 32 { for other in others { _ = try Files.remove(folder + "/" + other.name) } }
      try AtomicFile.write(bytes, to: target, sync: false)
    } catch {
      return
    }
  }

  private static func path(root: String, key: String) -> String {
    root + "/.cairn/fresh/" + ContentHasher.md5(of: Array(key.utf8)).hex
  }

  private struct Reader {
    let raw: UnsafeRawBufferPointer
    var offset = 8

    init?(_ raw: UnsafeRawBufferPointer) {
      guard raw.count > 20, raw.prefix(8).elementsEqual(FreshnessIndex.magic) else { return nil }
      self.raw = raw
    }

    mutating func count() -> Int? {
      guard raw.count >= offset + 4 else { return nil }
      defer { offset += 4 }
      return Int(UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    }

    mutating func bytes() -> [UInt8]? {
      guard let length = count(), raw.count >= offset + length else { return nil }
      defer { offset += length }
      return Array(raw[offset..<offset + length])
    }

    mutating func text() -> String? { bytes().map { String(decoding: $0, as: UTF8.self) } }
  }
}
