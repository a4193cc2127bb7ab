// This host: what it has, who uses it, which file systems are remote. Knows nothing of stages or their needs.
import CSystem
import CairnCore
import Glibc

package enum Machine {
  /// Processors that this process may use: by affinity and by the container's quota, rounded up; at least 1.
  package static func processorCount() -> Int {
    let affinity = Int(cairn_affinity_count())
    let allowed = affinity > 0 ? affinity : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    guard let quota = ControlGroups().processorQuota() else { return allowed }
    return max(1, min(allowed, Int(quota.rounded(.up))))
  }

  /// Bytes of memory: the machine's, or the container's limit where that is smaller.
  package static func memoryTotal() -> UInt64 {
    let machine = meminfo("MemTotal:") ?? 0
    return min(machine == 0 ? .max : machine, ControlGroups().memory()?.limit ?? .max)
  }

  /// Bytes that can be had without swapping, within the container's limit.
  package static func memoryAvailable() -> UInt64 {
    let machine = meminfo("MemAvailable:") ?? meminfo("MemFree:") ?? .max
    return min(machine, ControlGroups().memory()?.available ?? .max)
  }

  /// From here on large blocks of memory go back to the system as soon as they are freed, and small ones stay.
  package static func tuneMemory() { cairn_tune_memory() }

  package static func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard gethostname(&name, 255) == 0 else { return "localhost" }
    return name.withUnsafeBufferPointer { $0.baseAddress.map { String(systemName: $0) } ?? "localhost" }
  }

  /// As Python's `getpass.getuser`: the first of LOGNAME, USER, LNAME, USERNAME, else what the user database says,
  /// else the number.
  package static func userName() -> String {
    for variable in ["LOGNAME", "USER", "LNAME", "USERNAME"] {
      if let name = Environment.value(variable), !name.isEmpty { return name }
    }
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    if getpwuid_r(geteuid(), &entry, &buffer, buffer.count, &found) == 0, found != nil {
      return String(systemName: entry.pw_name)
    }
    return String(geteuid())
  }

  /// `HOME`, else what the user database says.
  package static func homeDirectory() -> String? {
    if let home = Environment.value("HOME"), !home.isEmpty { return home }
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    guard getpwuid_r(geteuid(), &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
    return String(systemName: entry.pw_dir)
  }

  /// `Linux-6.1.0-x86_64`.
  package static func operatingSystem() -> String {
    var names = utsname()
    guard uname(&names) == 0 else { return "Linux" }
    func text<T>(_ field: T) -> String {
      withUnsafeBytes(of: field) { bytes in FileName.escape(bytes.prefix { $0 != 0 }) }
    }
    return "\(text(names.sysname))-\(text(names.release))-\(text(names.machine))"
  }

  /// The kernel's name for this boot; empty where it has none.
  package static func bootID() -> String {
    let text = ((try? Files.readText("/proc/sys/kernel/random/boot_id")) ?? nil) ?? ""
    return text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
  }

  /// Does the path, or the nearest folder above it that exists, lie on a file system of another host?
  ///
  /// `CAIRN_NETWORK_FS=1` says yes to all. What FUSE serves counts as remote: nobody can tell what stands behind it.
  package static func isNetworkFileSystem(_ path: String) -> Bool {
    if Environment.value("CAIRN_NETWORK_FS") == "1" { return true }
    var path = path.isEmpty ? "." : path
    while true {
      var type: UInt64 = 0
      let result = path.asSystemPath { cairn_filesystem_type($0, &type) }
      if result == 0 { return networkTypes.contains(type) }
      guard result == -ENOENT || result == -ENOTDIR else { return false }
      guard let parent = Files.parent(of: path) else {
        let fallback = path.utf8.first == UInt8(ascii: "/") ? "/" : "."
        if path.hasSameBytes(as: fallback) { return false }
        path = fallback
        continue
      }
      path = parent
    }
  }

  // linux/magic.h, and the like of file systems outside the kernel's tree.
  private static let networkTypes: Set<UInt64> = [
    0x6969, /* NFS */ 0x517B, 0xFF53_4D42, 0xFE53_4D42, /* SMB */ 0x00C3_6400, /* Ceph */ 0x5346_414F,
    0x6B41_4653, /* AFS */ 0x7375_7245, /* Coda */ 0x0102_1997, /* 9P */ 0x0BD0_0BD0, /* Lustre */ 0x4750_4653,
    /* GPFS */ 0x1983_0326, /* BeeGFS */ 0x7461_636F, /* OCFS2 */ 0x0116_1970, /* GFS2 */ 0xAAD7_AAEA,
    /* PanFS */ 0x6573_5546, /* FUSE */ 0x786F_4256, /* VirtualBox */ 0x2030_528D, /* OrangeFS */
  ]

  private static func meminfo(_ key: String) -> UInt64? {
    guard let text = (try? Files.readText("/proc/meminfo")) ?? nil else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix(key) {
      let fields = line.split(separator: " ")
      return fields.count > 1 ? UInt64(fields[1]).map { $0 * 1024 } : nil
    }
    return nil
  }
}
