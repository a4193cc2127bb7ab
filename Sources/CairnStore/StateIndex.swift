// Remembers the digests of files by path and fingerprint, so that an unchanged file is hashed once in its life.
// Knows nothing of what the digests are for. Losing the file costs time, never truth.
package import CairnCore
import CairnSystem
import Glibc
import Synchronization

/// A file of checksummed records under `.cairn/`, appended to by any number of processes; the last record of a path
/// counts. What cannot be read is left out, and a file of another version is replaced.
///
/// An entry is trusted only when the file's time stamp lies so far before the observation that every later write
/// must have moved it. A stamp within the clock's granularity of the observation, or after it (a clock that jumped),
/// is *racy*: `digests` answers `nil`, and the file is hashed again.
package final class StateIndex: Sendable {
  /// How far a time stamp must lie before the observation, on a disk of this machine.
  package static let localGranularity: Nanoseconds = 20_000_000
  /// On a network file system, and wherever stamps are whole seconds.
  package static let coarseGranularity: Nanoseconds = 2_000_000_000

  private struct State {
    var isLoaded = false
    var records: [UInt64: StateRecord] = [:]
    /// Records in the file, live or superseded.
    var stored = 0
    var pending: [UInt64] = []
    /// How far the file server's clock is ahead of ours; `nil` until it was asked.
    var clockOffset: Nanoseconds?
  }

  private let path: String
  private let isNetwork: Bool
  private let state = Mutex(State())

  /// - Parameter isNetworkFileSystem: the index or the workspace lies on one: the server's clock is asked, and time
  ///   stamps are taken for coarse.
  package init(path: String, isNetworkFileSystem: Bool) {
    self.path = path
    isNetwork = isNetworkFileSystem
  }

  /// The time by which observations are judged. Take it *before* the `stat` of what is observed.
  package func now() -> Nanoseconds {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    let local = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    guard isNetwork else { return local }
    return state.withLock { state in
      if let offset = state.clockOffset { return local + offset }
      let offset = Self.serverTime(beside: path).map { $0 - local } ?? 0
      state.clockOffset = offset
      return local + offset
    }
  }

  /// What is known of the content behind `fingerprint` at `path`, if it has at least `kinds`.
  package func digests(_ path: String, _ fingerprint: FileFingerprint, _ kinds: DigestKinds) -> Digests? {
    let key = StateKey.of(path)
    let record = state.withLock { state in
      load(&state)
      return state.records[key]
    }
    guard let record, record.fingerprint == fingerprint, record.digests.kinds.isSuperset(of: kinds),
      !isRacy(fingerprint, observed: record.observed)
    else { return nil }
    return record.digests
  }

  /// Remembers `digests`. `observed` is what `now()` gave before `fingerprint` was taken, which was before the bytes
  /// were read.
  package func remember(
    _ path: String, _ fingerprint: FileFingerprint, _ digests: Digests, observed: Nanoseconds
  ) {
    let key = StateKey.of(path)
    state.withLock { state in
      load(&state)
      var record = StateRecord(key: key, fingerprint: fingerprint, observed: observed, digests: digests)
      if let old = state.records[key], old.fingerprint == fingerprint,
        !isRacy(fingerprint, observed: old.observed)
      {
        record.digests = digests.merging(old.digests)
        if record.digests == old.digests { return }
      }
      state.records[key] = record
      state.pending.append(key)
    }
  }

  /// True when a write after `observed` might have left this time stamp as it is.
  package func isRacy(_ fingerprint: FileFingerprint, observed: Nanoseconds) -> Bool {
    let isCoarse = isNetwork || fingerprint.modified % 1_000_000_000 == 0
    if fingerprint.modified > observed - (isCoarse ? Self.coarseGranularity : Self.localGranularity) { return true }
    // A write that put the old time back.
    guard let changed = fingerprint.changed else { return false }
    return changed > observed - (isNetwork ? Self.coarseGranularity : Self.localGranularity)
  }

  package var count: Int {
    state.withLock { state in
      load(&state)
      return state.records.count
    }
  }

  // MARK: - The file

  /// Magic, version, and the size of a record.
  private static let header: [UInt8] =
    Array("cairn.state/1\n".utf8) + Array(repeating: 0, count: StateRecord.size - 14)

  private func load(_ state: inout State) {
    if state.isLoaded { return }
    state.isLoaded = true
    // An index that cannot be read is an empty one.
    guard let bytes = (try? Files.read(plain: path, limit: .max)) ?? nil else { return }
    bytes.withUnsafeBytes { bytes in
      guard bytes.count >= StateRecord.size, bytes.prefix(StateRecord.size).elementsEqual(Self.header) else { return }
      state.stored = bytes.count / StateRecord.size - 1
      state.records.reserveCapacity(state.stored)
      var offset = StateRecord.size
      while offset + StateRecord.size <= bytes.count {
        let slice = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + StateRecord.size])
        if let record = StateRecord(slice) { state.records[record.key] = record }
        offset += StateRecord.size
      }
    }
  }

  /// Appends what is new. A failure (a full disk, no permission) is swallowed: the next process hashes again.
  package func flush() {
    state.withLock { state in
      guard !state.pending.isEmpty else { return }
      var keys = Set<UInt64>()
      var bytes: [UInt8] = []
      bytes.reserveCapacity(state.pending.count * StateRecord.size)
      for key in state.pending where keys.insert(key).inserted { state.records[key]?.append(to: &bytes) }
      state.pending.removeAll()
      state.stored += keys.count
      if state.stored > 4096 + 2 * state.records.count, compact(state.records) {
        state.stored = state.records.count
      } else {
        append(bytes)
      }
    }
  }

  private func append(_ bytes: [UInt8]) {
    // A process that compacts puts another file under the name: then what we hold is the old one.
    for _ in 0..<8 {
      let descriptor = openForAppending()
      guard descriptor >= 0 else { return }
      defer { close(descriptor) }
      guard flock(descriptor, LOCK_EX) == 0 else { return }
      var mine = Glibc.stat()
      guard fstat(descriptor, &mine) == 0, case .success(let named) = RawFile.stat(path, followLinks: true) else {
        return
      }
      if mine.st_ino != named.st_ino { continue }
      var all: [UInt8] = []
      if !hasHeader(descriptor) {
        guard ftruncate(descriptor, 0) == 0 else { return }
        all = Self.header
      } else if Int(mine.st_size) % StateRecord.size != 0 {
        // A writer was killed in the middle of a record.
        guard ftruncate(descriptor, mine.st_size - mine.st_size % off_t(StateRecord.size)) == 0 else { return }
      }
      all += bytes
      _ = all.withUnsafeBytes { RawFile.writeAll($0, to: descriptor) }
      return
    }
  }

  private func openForAppending() -> Int32 {
    let descriptor = RawFile.open(path, O_RDWR | O_CREAT | O_APPEND, 0o666)
    if descriptor != -ENOENT { return descriptor }
    try? Files.makeDirectories(folder)
    return RawFile.open(path, O_RDWR | O_CREAT | O_APPEND, 0o666)
  }

  private func hasHeader(_ descriptor: Int32) -> Bool {
    var bytes = [UInt8](repeating: 0, count: StateRecord.size)
    return pread(descriptor, &bytes, bytes.count, 0) == bytes.count && bytes == Self.header
  }

  /// Rewrites the file with `records` alone; entries that another process added meanwhile are lost, which costs a
  /// second hashing.
  private func compact(_ records: [UInt64: StateRecord]) -> Bool {
    var bytes = Self.header
    bytes.reserveCapacity((records.count + 1) * StateRecord.size)
    for record in records.values { record.append(to: &bytes) }
    do {
      try AtomicFile.write(bytes, to: path, sync: false)
      return true
    } catch {
      return false
    }
  }

  private var folder: String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return String(path[..<slash])
  }

  /// The time that the file server gives to a file that is made now.
  private static func serverTime(beside path: String) -> Nanoseconds? {
    let probe = path + RawFile.temporaryName()
    if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) { try? Files.makeDirectories(String(path[..<slash])) }
    let descriptor = RawFile.open(probe, O_WRONLY | O_CREAT | O_EXCL, 0o600)
    guard descriptor >= 0 else { return nil }
    defer {
      close(descriptor)
      _ = RawFile.unlink(probe)
    }
    var found = Glibc.stat()
    // Only what has reached the server bears its time.
    guard write(descriptor, "x", 1) == 1, fsync(descriptor) == 0, fstat(descriptor, &found) == 0 else { return nil }
    return found.fingerprint.modified
  }
}
