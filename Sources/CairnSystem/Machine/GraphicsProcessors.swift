// Which GPUs this process may use. Knows CUDA's variable and the driver's files; starts no program.
import CairnCore

package enum GraphicsProcessors {
  /// The names by which `CUDA_VISIBLE_DEVICES` takes the visible ones: indexes, or UUIDs where the caller gave those.
  package static func visible() -> [String] {
    visible(variable: Environment.value("CUDA_VISIBLE_DEVICES"), root: "/")
  }

  static func visible(variable: String?, root: String) -> [String] {
    if let variable { return named(variable) }
    return (0..<installed(root)).map(String.init)
  }

  /// As CUDA reads it: the list ends at the first entry that names nothing, `-1` for one, and a device counts once.
  private static func named(_ list: String) -> [String] {
    var names: [String] = []
    for part in list.split(separator: ",", omittingEmptySubsequences: false) {
      let name = part.trimmingWhitespace()
      let isIndex = !name.isEmpty && name.utf8.allSatisfy { 0x30...0x39 ~= $0 }
      guard isIndex || name.hasPrefix("GPU-") || name.hasPrefix("MIG-") else { break }
      if !names.contains(name) { names.append(name) }
    }
    return names
  }

  private static func installed(_ root: String) -> Int {
    if let listed = (try? Files.list(root + "proc/driver/nvidia/gpus")) ?? nil, !listed.isEmpty { return listed.count }
    let devices = ((try? Files.list(root + "dev")) ?? nil) ?? []
    return devices.count { device in
      let digits = device.name.utf8.dropFirst(6)
      return device.name.hasPrefix("nvidia") && !digits.isEmpty && digits.allSatisfy { 0x30...0x39 ~= $0 }
    }
  }
}

extension StringProtocol {
  func trimmingWhitespace() -> String {
    var rest = Substring(self)
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }
}
