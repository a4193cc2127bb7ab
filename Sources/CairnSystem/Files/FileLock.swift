// Locks between processes on one host, by flock(2). Knows zc.lockfile's file, which DVC uses; knows nothing of what is guarded.
import CSystem
package import CairnCore
import Glibc
import Synchronization

/// An exclusive lock as DVC takes it: `flock` on a file that then holds the owner's pid as text.
///
/// The file stays when the lock is released, as DVC leaves it. The lock also ends with the process. Children never
/// inherit it.
package final class FileLock: Sendable {
  package let path: String
  private let held = Mutex<Int32?>(nil)

  package init(_ path: String) { self.path = path }

  deinit { release() }

  package var isHeld: Bool { held.withLock { $0 != nil } }

  /// False when another process (or another `FileLock` of this one) has it.
  package func tryLock() throws(Diagnostic) -> Bool {
    let outcome = held.withLock { (descriptor: inout Int32?) -> Int32 in
      precondition(descriptor == nil, "the lock is already held here")
      let opened = path.asSystemPath { cairn_open($0, O_RDWR | O_CREAT, 0o666) }
      if opened < 0 { return opened }
      let locked = restarting(flock(opened, LOCK_EX | LOCK_NB))
      if locked < 0 {
        close(opened)
        return locked
      }
      // Nobody else had it since we did: a run takes this lock for every stage.
      let text = Self.ownText
      if Self.holds(opened, text) {
        descriptor = opened
        return 0
      }
      // Written before it is shortened, as zc.lockfile does: a reader never meets an empty file.
      var written = restarting(Int32(pwrite(opened, text, text.count, 0)))
      if written >= 0 { written = restarting(ftruncate(opened, text.count)) }
      // The text is for people; a full disk must not keep anybody from the lock.
      if written < 0, written != -ENOSPC, written != -EDQUOT {
        close(opened)
        return written
      }
      descriptor = opened
      return 0
    }
    if outcome == -EWOULDBLOCK { return false }
    if outcome < 0 { throw Diagnostic.system(-outcome, "take the lock", path) }
    return true
  }

  /// Cairn never forks without an exec: the pid stays.
  private static let ownText = Array(" \(getpid())\n".utf8)

  private static func holds(_ descriptor: Int32, _ text: [UInt8]) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: text.count + 1, alignment: 1) { buffer in
      pread(descriptor, buffer.baseAddress, buffer.count, 0) == text.count
        && memcmp(buffer.baseAddress!, text, text.count) == 0
    }
  }

  /// Tries until `deadline` has passed (`nil`: for ever); false when it passed.
  ///
  /// `waiting` is called once, after the first try that failed, with the holder's pid where the file tells it. Blocks
  /// the thread: never call it on a Dispatch worker.
  package func lock(
    within timeout: Duration?, every pause: Duration = .milliseconds(20), waiting: (Int32?) -> Void = { _ in }
  ) throws(Diagnostic) -> Bool {
    if try tryLock() { return true }
    waiting(holder())
    let start = ContinuousClock.now
    while timeout.map({ ContinuousClock.now - start < $0 }) ?? true {
      let microseconds = pause.components.seconds * 1_000_000 + pause.components.attoseconds / 1_000_000_000_000
      usleep(UInt32(clamping: max(1, microseconds)))
      if try tryLock() { return true }
    }
    return false
  }

  /// Does nothing when it is not held.
  package func release() {
    held.withLock { descriptor in
      if let open = descriptor {
        // Said, not only closed: a child that is being started holds a copy of the descriptor until its program begins.
        _ = flock(open, LOCK_UN)
        close(open)
      }
      descriptor = nil
    }
  }

  /// The pid that the file names: the present holder's, or the last one's when nobody has the lock.
  package func holder() -> Int32? {
    guard let text = (try? Files.readText(path)) ?? nil else { return nil }
    return text.split(whereSeparator: \.isWhitespace).first.flatMap { Int32($0) }
  }
}

/// A lock of Cairn's own on any file or folder, shared or exclusive; the file's content is not touched.
package final class OpenFileLock: Sendable {
  package enum Mode: Sendable { case shared, exclusive }

  package let path: String
  private let descriptor: Int32

  /// `nil` when another holds it in a way that excludes `mode`. Makes the file where it is missing.
  package static func tryLock(_ path: String, _ mode: Mode) throws(Diagnostic) -> OpenFileLock? {
    try open(path, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB)
  }

  /// Waits for it, blocking the thread.
  package static func lock(_ path: String, _ mode: Mode) throws(Diagnostic) -> OpenFileLock {
    while true {
      if let lock = try open(path, mode == .shared ? LOCK_SH : LOCK_EX) { return lock }
    }
  }

  /// True when somebody, this process included, holds the file exclusively. Changes nothing; a missing file is free.
  package static func isLocked(_ path: String) -> Bool {
    let opened = path.asSystemPath { cairn_open($0, O_RDONLY, 0) }
    if opened < 0 { return false }
    defer { close(opened) }
    return restarting(flock(opened, LOCK_SH | LOCK_NB)) == -EWOULDBLOCK
  }

  private static func open(_ path: String, _ operation: Int32) throws(Diagnostic) -> OpenFileLock? {
    var opened = path.asSystemPath { cairn_open($0, O_RDWR | O_CREAT, 0o666) }
    // Folders, and files that we may only read, can be locked all the same.
    if opened == -EISDIR || opened == -EACCES || opened == -EROFS {
      opened = path.asSystemPath { cairn_open($0, O_RDONLY, 0) }
    }
    if opened < 0 { throw Diagnostic.system(-opened, "open it", path) }
    let locked = restarting(flock(opened, operation))
    if locked < 0 {
      close(opened)
      if locked == -EWOULDBLOCK { return nil }
      throw Diagnostic.system(-locked, "take the lock", path)
    }
    return OpenFileLock(path: path, descriptor: opened)
  }

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }
}
