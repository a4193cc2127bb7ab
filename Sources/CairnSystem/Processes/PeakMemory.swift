// The most memory that a child has held, as far as the kernel tells it from what we hold ourselves.
import Glibc
import Synchronization

/// Until its `exec` a child runs in its parent's memory, and the kernel counts that as the child's
/// (`setmax_mm_hiwater_rss` in `fs/exec.c`): a figure that is not above our own says nothing of the child.
package struct PeakMemory: Hashable, Comparable, Sendable {
  /// What the kernel tells, in bytes: no less than what the child held.
  private let bound: UInt64
  private let mayBeOurs: Bool

  package init(told: UInt64, mayBeOurs: Bool) {
    bound = told
    self.mayBeOurs = mayBeOurs
  }

  init(told: UInt64) { self.init(told: told, mayBeOurs: !OwnMemory.isBelow(told)) }

  /// `nil` where it is not known.
  package var bytes: UInt64? { mayBeOurs ? nil : bound }

  /// By what is told: the greatest of several is known where its own figure is, for the others held no more.
  package static func < (a: PeakMemory, b: PeakMemory) -> Bool {
    a.bound != b.bound ? a.bound < b.bound : a.mayBeOurs && !b.mayBeOurs
  }
}

private enum OwnMemory {
  /// The last answer: it only grows, so what was not above it then is not now, and the system need not be asked.
  private static let known = Atomic<UInt64>(0)
  /// The kernel counts pages for each processor first, so its figures are some off.
  private static let tolerance: UInt64 = 1 << 20
  /// What our own parent's memory made of our figure; the figure says nothing of us until it is above.
  private static let inherited: UInt64 = {
    let figure = told()
    return figure > highWaterMark() ?? 0 ? figure : 0
  }()

  /// Whether we have surely never held so much.
  static func isBelow(_ bytes: UInt64) -> Bool {
    if bytes <= known.load(ordering: .relaxed) + tolerance { return false }
    let figure = told()
    guard let own = figure > inherited ? figure : highWaterMark() else { return false }
    known.store(own, ordering: .relaxed)
    return bytes > own + tolerance
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
