// Looks now and then at the inputs of commands that run. Knows when to look; knows nothing of what is seen.
import CairnCore
import CairnSystem
import Dispatch
import Synchronization

/// One timer for all commands, and none at all while nothing runs for as long as a second: a run of ten thousand short
/// stages sets a handful of timers.
package final class InputWatch: Sendable {
  private struct Watched {
    /// By the monotonic clock; `.max` while somebody looks.
    var due: Nanoseconds
    var look: @Sendable () -> Void
  }
  private struct State {
    var watched: [StageID: Watched] = [:]
    var isTicking = false
  }
  private let state = Mutex(State())

  private static let period: Nanoseconds = 1_000_000_000

  package init() {}

  /// Calls `look` on a thread of its own about every second until `end`; one that is slow is called seldom.
  func begin(_ id: StageID, _ look: @escaping @Sendable () -> Void) {
    let due = WallClock.monotonic() + Self.period
    let isFirst = state.withLock { state in
      state.watched[id] = Watched(due: due, look: look)
      defer { state.isTicking = true }
      return !state.isTicking
    }
    if isFirst { tickLater() }
  }

  /// A look that has begun may still be under way.
  func end(_ id: StageID) { state.withLock { $0.watched[id] = nil } }

  private func tickLater() {
    DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(1)) { [weak self] in self?.tick() }
  }

  private func tick() {
    // A little early is not late: the timer and the stages' own seconds need not agree.
    let now = WallClock.monotonic() + Self.period / 10
    let (due, goesOn) = state.withLock { state in
      let due = state.watched.filter { $0.value.due <= now }
      for id in due.keys { state.watched[id]?.due = .max }
      state.isTicking = !state.watched.isEmpty
      return (due, state.isTicking)
    }
    for (id, watched) in due {
      DispatchQueue.global().async { [weak self] in
        let begin = WallClock.monotonic()
        watched.look()
        let end = WallClock.monotonic()
        self?.state.withLock { state in
          // Another try of the stage may have begun meanwhile, with a time of its own.
          guard state.watched[id]?.due == .max else { return }
          state.watched[id]?.due = end + max(Self.period, (end - begin) * 20)
        }
      }
    }
    if goesOn { tickLater() }
  }
}
