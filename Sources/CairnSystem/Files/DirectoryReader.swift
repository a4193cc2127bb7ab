// Reads the names in one open folder. Knows readdir's types; knows nothing of trees.
import CSystem
import Glibc

enum DirectoryReader {
  /// Reads all names but `.` and `..` and closes `descriptor`. The name is only good during the call; a negative
  /// result of `body` ends the reading and is returned.
  static func read(
    _ descriptor: Int32, _ body: (UnsafePointer<CChar>, FileStat.Kind, _ folder: Int32) -> Int32
  ) -> Int32 {
    guard let stream = fdopendir(descriptor) else {
      let code = -errno
      close(descriptor)
      return code
    }
    defer { closedir(stream) }
    while true {
      errno = 0
      guard let entry = readdir(stream) else { return -errno }
      let result: Int32 = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { name in
          if name[0] == 0x2E, name[1] == 0 || (name[1] == 0x2E && name[2] == 0) { return 0 }
          return body(name, kind(Int(entry.pointee.d_type), name, descriptor), descriptor)
        }
      }
      if result < 0 { return result }
    }
  }

  private static func kind(_ type: Int, _ name: UnsafePointer<CChar>, _ folder: Int32) -> FileStat.Kind {
    switch type {
    case Int(DT_REG): return .file
    case Int(DT_DIR): return .directory
    case Int(DT_LNK): return .symlink
    case Int(DT_UNKNOWN):
      // Some file systems leave the type out.
      var raw = cairn_file_stat()
      guard cairn_statat(folder, name, 0, &raw) == 0 else { return .other }
      return FileStat.Kind(rawValue: UInt8(raw.kind)) ?? .other
    default: return .other
    }
  }
}
