// A server that was there and takes no connections now: restarted, most likely. Knows no protocol.
import CairnCore
import CairnSystem
import Synchronization

/// What fails meanwhile is no fault of the single request. For a while it does not count.
final class ServerOutage: Sendable {
  private let patience: Nanoseconds
  private let state = Mutex(State())

  private struct State {
    var hasAnswered = false
    /// A monotonic moment.
    var began: Nanoseconds?
  }

  /// - Parameter patience: in seconds.
  init(patience: Double) { self.patience = Nanoseconds(patience * 1e9) }

  func answered() {
    state.withLock { state in
      state.hasAnswered = true
      state.began = nil
    }
  }

  /// Whether a failure that may pass is one of the server's absence, and is to be forgotten.
  ///
  /// - Parameter isConnection: there was no connection at all.
  func excuses(isConnection: Bool, at now: Nanoseconds = WallClock.monotonic()) -> Bool {
    state.withLock { state in
      if isConnection, state.hasAnswered, state.began == nil { state.began = now }
      return state.began.map { now - $0 < patience } ?? false
    }
  }
}
