// That no more threads work at once than were asked for, and that each number comes once.
import CairnSystem
import Glibc
import Synchronization
import Testing

struct WorkerThreadsTests {
  private struct State {
    var working = 0
    var most = 0
    var numbers: [Int] = []
  }

  @Test("each number comes once, and no more threads work at once than may", arguments: [1, 2, 5])
  func atMost(threads: Int) {
    let state = Mutex(State())
    WorkerThreads.run(40, threads: threads) { number in
      state.withLock { state in
        state.working += 1
        state.most = max(state.most, state.working)
        state.numbers.append(number)
      }
      usleep(500)
      state.withLock { $0.working -= 1 }
    }
    #expect(state.withLock { $0.most } <= threads)
    #expect(state.withLock { $0.numbers.sorted() } == Array(0..<40))
  }

  @Test("of one thread, it is the caller's, and the numbers come in order")
  func one() {
    let seen = Mutex<[(number: Int, thread: pthread_t)]>([])
    WorkerThreads.run(20, threads: 1) { number in seen.withLock { $0.append((number, pthread_self())) } }
    #expect(seen.withLock { $0.map(\.number) } == Array(0..<20))
    #expect(seen.withLock { $0.allSatisfy { $0.thread == pthread_self() } })
  }
}
