// Ends what a dead process has left running. Knows processes by a value in their environment; knows nothing of stages.
import CairnCore
import Glibc

package enum LeftProcesses {
  /// Kills the process groups in which a process has `entry` (`NAME=value`) in its environment, and waits until they
  /// are gone, at most `seconds`. Sessions of their own, which daemons make, are left alone.
  package static func end(withEnvironment entry: String, seconds: Double = 2) {
    let wanted = Array(entry.utf8)
    var groups: Set<pid_t> = []
    for name in ((try? Files.list("/proc")) ?? nil) ?? [] {
      guard let pid = pid_t(name.name), pid > 1, pid != getpid() else { continue }
      let group = getpgid(pid)
      guard group > 1, group != getpgrp(), group != getsid(pid) else { continue }
      guard let bytes = (try? Files.read("/proc/\(pid)/environ")) ?? nil,
        bytes.split(separator: 0).contains(where: { $0.elementsEqual(wanted) })
      else { continue }
      groups.insert(group)
    }
    for group in groups { kill(-group, SIGKILL) }
    var left = Int(seconds * 200)
    while left > 0, groups.contains(where: { isRunning($0) }) {
      usleep(5000)
      left -= 1
    }
  }

  /// Zombies of a group do not count: whoever must reap them may be slow.
  private static func isRunning(_ group: pid_t) -> Bool {
    guard kill(-group, 0) == 0 else { return false }
    return ProcessIdentity.local(group).liveness() == .alive
  }
}
