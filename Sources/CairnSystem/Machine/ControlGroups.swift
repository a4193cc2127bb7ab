// What a container allows: processor and memory limits of the control groups that this process is in. Knows nothing else of the machine.
import CairnCore

/// Reads version 2 and version 1 hierarchies. A limit of any group on the way up counts.
struct ControlGroups {
  /// Where `proc` and `sys` are: `/`, but for tests.
  var root = "/"

  /// How many processors the quotas amount to, perhaps a fraction; `nil` without any.
  func processorQuota() -> Double? {
    var smallest: Double?
    func take(_ quota: Double?, _ period: Double?) {
      guard let quota, let period, quota > 0, period > 0 else { return }
      smallest = min(smallest ?? .infinity, quota / period)
    }
    for folder in folders("") {
      let fields = words(folder + "/cpu.max")
      if fields.count == 2 { take(Double(fields[0]), Double(fields[1])) }
    }
    for folder in folders("cpu") {
      take(
        words(folder + "/cpu.cfs_quota_us").first.flatMap(Double.init),
        words(folder + "/cpu.cfs_period_us").first.flatMap(Double.init))
    }
    return smallest
  }

  /// The smallest limit, and the smallest rest below any limit; `nil` without one.
  func memory() -> (limit: UInt64, available: UInt64)? {
    var result: (limit: UInt64, available: UInt64)?
    func take(_ folder: String, limit: String, usage: String, inactive: String) {
      // Version 1 says "none" by a number beyond any machine.
      guard let limit = words(folder + limit).first.flatMap({ UInt64($0) }), limit < 1 << 60 else { return }
      let used = words(folder + usage).first.flatMap { UInt64($0) } ?? 0
      // Cached file pages go when memory is asked for.
      let statistics = words(folder + "/memory.stat")
      let droppable = statistics.firstIndex(of: inactive).flatMap { UInt64(statistics[$0 + 1]) } ?? 0
      let busy = used > droppable ? used - droppable : 0
      let rest = limit > busy ? limit - busy : 0
      result = (min(result?.limit ?? .max, limit), min(result?.available ?? .max, rest))
    }
    for folder in folders("") {
      take(folder, limit: "/memory.max", usage: "/memory.current", inactive: "inactive_file")
    }
    for folder in folders("memory") {
      take(
        folder, limit: "/memory.limit_in_bytes", usage: "/memory.usage_in_bytes", inactive: "total_inactive_file")
    }
    return result
  }

  /// The folders of this process's group of one controller ("" for version 2) and of all above it.
  private func folders(_ controller: String) -> [String] {
    guard let path = membership(controller) else { return [] }
    let mounts = controller.isEmpty ? ["sys/fs/cgroup", "sys/fs/cgroup/unified"] : ["sys/fs/cgroup/\(controller)"]
    return mounts.flatMap { mount in
      var parts = path.split(separator: "/")
      var folders: [String] = []
      while true {
        folders.append(root + mount + parts.map { "/" + $0 }.joined())
        if parts.isEmpty { return folders }
        parts.removeLast()
      }
    }
  }

  private func membership(_ controller: String) -> String? {
    let text = ((try? Files.readText(root + "proc/self/cgroup")) ?? nil) ?? ""
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      if controller.isEmpty ? fields[1].isEmpty : fields[1].split(separator: ",").contains(Substring(controller)) {
        return String(fields[2])
      }
    }
    return nil
  }

  private func words(_ path: String) -> [String] {
    (((try? Files.readText(path)) ?? nil) ?? "").split(whereSeparator: \.isWhitespace).map(String.init)
  }
}
