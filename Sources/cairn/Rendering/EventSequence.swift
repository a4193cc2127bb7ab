// Puts what is told of stages into an order in which nothing precedes its cause. Knows nothing of what is told.
internal import CairnCore
internal import Synchronization

/// A consumer may start when its producer's result is known, before that is durable and so before it may be told: what
/// there is to tell of the consumer waits here meanwhile.
final class EventSequence: Sendable {
  private let state = Mutex(State())

  private struct State {
    /// Ended well enough for consumers to start, and not told yet.
    var owed: Set<StageID> = []
    /// Told before the result was known to anybody else.
    var told: Set<StageID> = []
    var waiting: [Event] = []
  }

  private struct Event {
    let id: StageID
    let isEnd: Bool
    let producers: [StageID]
    let write: @Sendable () -> Void
  }

  /// Calls `write`, one call at a time, as soon as the ends of `producers` have been told.
  func tell(_ id: StageID, isEnd: Bool, after producers: [StageID], _ write: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.waiting.append(Event(id: id, isEnd: isEnd, producers: producers, write: write))
      while let next = state.waiting.firstIndex(where: { state.owed.isDisjoint(with: $0.producers) }) {
        let event = state.waiting.remove(at: next)
        event.write()
        if event.isEnd, state.owed.remove(event.id) == nil { state.told.insert(event.id) }
      }
    }
  }

  /// The stage's result is known: its end will be told, or has been.
  func ended(_ id: StageID) {
    state.withLock { state in
      if state.told.remove(id) == nil { state.owed.insert(id) }
    }
  }
}
