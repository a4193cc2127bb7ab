// Names one process so that a reused pid is not taken for it. Knows nothing of what the process does.
import CairnCore
import Glibc

package struct ProcessIdentity: Hashable, Sendable {
  package var host: String
  package var bootID: String
  package var pid: Int32
  /// Clock ticks after boot at which it began; `nil` where the system did not tell.
  package var startTime: UInt64?

  package init(host: String, bootID: String, pid: Int32, startTime: UInt64?) {
    self.host = host
    self.bootID = bootID
    self.pid = pid
    self.startTime = startTime
  }

  /// A process of this host, by default this one.
  package static func local(_ pid: Int32 = getpid()) -> ProcessIdentity {
    ProcessIdentity(
      host: Machine.hostName(), bootID: Machine.bootID(), pid: pid, startTime: Self.startTime(of: pid))
  }

  /// This process, looked at once.
  package static let this = local()

  package enum Liveness: Sendable { case alive, dead, unknown }

  /// `unknown` for a process of another host. A zombie is dead: nothing of it runs any more.
  package func liveness() -> Liveness {
    guard host.hasSameBytes(as: Machine.hostName()) else { return .unknown }
    guard bootID.hasSameBytes(as: Machine.bootID()) else { return .dead }
    guard let (state, _, start) = Self.stat(of: pid) else {
      // Without /proc only the pid can be asked.
      if Files.exists("/proc/self/stat") { return .dead }
      return Self.exists(pid) ? .alive : .dead
    }
    if state == "Z" || state == "X" { return .dead }
    return startTime == nil || startTime == start ? .alive : .dead
  }

  /// Whether a process of this host has the number now, whoever owns it; one that has ended unheeded has it too.
  package static func exists(_ pid: Int32) -> Bool { kill(pid, 0) == 0 || errno == EPERM }

  /// `nil` when there is no such process.
  package static func startTime(of pid: Int32) -> UInt64? { stat(of: pid)?.start }

  /// True when this process was started by `pid`, or by one that was started by it, and so on.
  package static func isAncestor(_ pid: Int32) -> Bool {
    var current = getppid()
    while current > 1 {
      if current == pid { return true }
      guard let parent = stat(of: current)?.parent, parent != current else { return false }
      current = parent
    }
    return false
  }

  private static func stat(of pid: Int32) -> (state: Character, parent: Int32, start: UInt64)? {
    guard let text = (try? Files.readText("/proc/\(pid)/stat")) ?? nil, let end = text.lastIndex(of: ")") else {
      return nil
    }
    // The name may contain spaces and brackets; what follows it does not. State is field 3, start time field 22.
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count > 19, let state = fields[0].first, let parent = Int32(fields[1]),
      let start = UInt64(fields[19])
    else { return nil }
    return (state, parent, start)
  }
}
