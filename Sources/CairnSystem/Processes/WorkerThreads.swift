// Threads for work that waits: for a disk, for another machine. Knows nothing of what the work is.
import Glibc
import Synchronization

/// Dispatch gives as many threads as there are processors, and what waits in one of them keeps others from working.
package enum WorkerThreads {
  private final class Work: Sendable {
    let count: Int
    let body: @Sendable (Int) -> Void
    private let next = Atomic(0)

    init(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
      self.count = count
      self.body = body
    }

    func run() {
      while true {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if number >= count { return }
        body(number)
      }
    }
  }

  private final class Errand: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// A thread of its own for `body`, for which nobody waits; false where the system refuses one.
  package static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Errand(body)).toOpaque()
    let result = pthread_create(&thread, nil, { argument in
      Unmanaged<Errand>.fromOpaque(argument!).takeRetainedValue().body()
      return nil
    }, argument)
    if result != 0 {
      Unmanaged<Errand>.fromOpaque(argument).release()
      return false
    }
    pthread_detach(thread)
    return true
  }

  /// `body(0)…body(count - 1)`, each once, by at most `threads` threads; comes back when all have ended.
  ///
  /// Where the system refuses a thread, fewer do it.
  package static func run(_ count: Int, threads: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let work = Work(count, body)
    var started: [pthread_t] = []
    for _ in 1..<max(1, min(threads, count)) {
      var thread = pthread_t()
      let argument = Unmanaged.passRetained(work).toOpaque()
      let result = pthread_create(&thread, nil, { argument in
        Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, argument)
      if result != 0 {
        Unmanaged<Work>.fromOpaque(argument).release()
        break
      }
      started.append(thread)
    }
    work.run()
    for thread in started { pthread_join(thread, nil) }
  }
}
