// The most memory that this process has held.
import Glibc
import Synchronization

/// What a child's own peak cannot be told from below: until its `exec` a child runs in its parent's memory, and the
/// kernel counts that as the child's (`setmax_mm_hiwater_rss` in `fs/exec.c`).
enum OwnMemory {
  /// What our own parent's memory made of our figure; the figure says nothing of us until it is above.
  private static let inherited: UInt64 = {
    let figure = told()
    return figure > highWaterMark() ?? 0 ? figure : 0
  }()

  /// In bytes; `nil` where the system does not say.
  static func peak() -> UInt64? {
    let figure = told()
    return figure > inherited ? figure : highWaterMark()
  }

  private static func told() -> UInt64 {
    var usage = rusage()
    return getrusage(RUSAGE_SELF.rawValue, &usage) == 0 ? UInt64(max(0, usage.ru_maxrss)) * 1024 : 0
  }

  /// `VmHWM` of `/proc/self/status`.
  private static func highWaterMark() -> UInt64? {
    guard let bytes = (try? Files.read("/proc/self/status")) ?? nil else { return nil }
    for line in bytes.split(separator: 0x0A) where line.starts(with: "VmHWM:".utf8) {
      let words = String(decoding: line, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\t" })
      return words.count > 1 ? UInt64(words[1]).map { $0 * 1024 } : nil
    }
    return nil
  }
}
