// Which file system a path lies on, as people name it. Reads what the kernel says of this process's mounts.
import CairnCore

package struct MountTable: Sendable {
  private var mounts: [(point: String, name: String)] = []

  /// Empty where the kernel says nothing.
  package init() { self.init((try? Files.readText("/proc/self/mounts")) ?? nil ?? "") }

  /// `text`: lines of `DEVICE POINT TYPE OPTIONS …`, as in `/proc/self/mounts`.
  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 2 else { continue }
      mounts.append((Self.unescaped(fields[1]), "\(fields[2]) on \(Self.unescaped(fields[0]))"))
    }
  }

  /// `ext4 on /dev/vda`, links followed; `unknown on none` where that cannot be told.
  package func fileSystem(of path: String) -> String {
    let real = ((try? Files.realPath(path)) ?? nil) ?? path
    var found: (point: String, name: String)?
    // Of two at one point the later covers the earlier.
    for mount in mounts where mount.point.utf8.count >= found?.point.utf8.count ?? 0 {
      let inside = mount.point == "/" ? "/" : mount.point + "/"
      if real.hasSameBytes(as: mount.point) || real.utf8.starts(with: inside.utf8) { found = mount }
    }
    return found?.name ?? "unknown on none"
  }

  /// Blanks, tabs, line ends and backslashes stand as `\040`, in octal.
  private static func unescaped(_ field: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = field.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3, let code = UInt8(String(rest.prefix(3)) ?? "", radix: 8) {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
