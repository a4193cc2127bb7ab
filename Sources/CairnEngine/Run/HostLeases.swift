// What stages of all Cairn processes of a user on this host may not use at once: GPUs and exclusive names.
// Knows lock files; knows nothing of the order of stages.
package import CairnCore
import CairnSystem
import Glibc
import Synchronization

/// Each GPU and each mutex has a file in `HostFolder`, locked while a stage holds it; the kernel releases the lock when
/// the process dies. All that a stage needs is taken at once or not at all, so nobody waits while holding something.
package final class HostLeases: Sendable {
  /// As `CUDA_VISIBLE_DEVICES` names them.
  private let devices: [String]
  private let command: String
  private let folder = Mutex<String?>(nil)

  package init(devices: [String], command: String) {
    self.devices = devices
    self.command = command
  }

  /// Held as long as the value lives.
  package struct Lease: Sendable {
    package var devices: [String] = []
    fileprivate var locks: [OpenFileLock] = []
  }

  package enum Answer: Sendable {
    case granted(Lease)
    case blocked(PathLocks.Blocker)
  }

  package func acquire(_ settings: StageSettings) throws(Diagnostic) -> Answer {
    let wanted = Int(settings.resources["gpu"] ?? 0)
    if wanted == 0, settings.mutex.isEmpty { return .granted(Lease()) }
    let folder = try sharedFolder()
    var lease = Lease()
    for name in Set(settings.mutex).sorted(by: { $0.precedesInBytes($1) }) {
      let path = folder + "/mutex-" + Self.fileName(name)
      guard let lock = try take(path) else { return .blocked(holder(of: path, named: name)) }
      lease.locks.append(lock)
    }
    var busy: String?
    for device in devices where lease.devices.count < wanted {
      let path = folder + "/gpu-" + Self.fileName(device)
      if let lock = try take(path) {
        lease.locks.append(lock)
        lease.devices.append(device)
      } else {
        busy = busy ?? path
      }
    }
    // Fewer devices than wanted and none of them busy: a capacity that the settings claim; they get what there is.
    if lease.devices.count < wanted, let busy { return .blocked(holder(of: busy, named: "a GPU")) }
    return .granted(lease)
  }

  private func sharedFolder() throws(Diagnostic) -> String {
    if let known = folder.withLock({ $0 }) { return known }
    let path = try HostFolder.path()
    folder.withLock { $0 = path }
    return path
  }

  private func take(_ path: String) throws(Diagnostic) -> OpenFileLock? {
    guard let lock = try OpenFileLock.tryLock(path, .exclusive) else { return nil }
    // For the message of whoever waits; the lock itself is what counts.
    try? Files.write(Array("\(getpid()) \(command)\n".utf8), to: path, mode: 0o600)
    return lock
  }

  private func holder(of path: String, named name: String) -> PathLocks.Blocker {
    let text = ((try? Files.readText(path)) ?? nil) ?? ""
    let words = text.split(separator: " ", maxSplits: 1)
    return PathLocks.Blocker(
      path: name, pid: words.first.flatMap { Int($0) } ?? 0,
      command: words.count > 1 ? words[1].split(separator: "\n").first.map(String.init) ?? "" : "")
  }

  /// A name for a file: what is no letter, digit, `-`, `_` or `.` as `%XX`.
  static func fileName(_ name: String) -> String {
    name.utf8.map { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: String(UnicodeScalar(byte))
      default: "%" + Hex.encode([byte])
      }
    }.joined()
  }
}
