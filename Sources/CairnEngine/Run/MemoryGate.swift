// The memory budget of one run, against this machine. Knows nothing of what a stage does with its memory.
package import CairnCore
import CairnSystem
import Synchronization

package final class MemoryGate: Sendable {
  private let budget = Mutex(MemoryBudget())
  private let peak: @Sendable (Stage) -> UInt64?

  /// `peak`: bytes that earlier runs of a stage took; `nil` where none is recorded.
  package init(peak: @escaping @Sendable (Stage) -> UInt64?) { self.peak = peak }

  func enter(_ id: StageID, _ stage: Stage) -> Bool {
    let peak = peak(stage)
    let now = Double(WallClock.monotonic()) / 1e9
    return budget.withLock { $0.enter(id, peak: peak, now: now) { Machine.memoryAvailable() } }
  }

  func leave(_ id: StageID) { budget.withLock { $0.leave(id) } }
}
