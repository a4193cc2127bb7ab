// Sees which children have ended or written something. Knows descriptors and tokens; knows nothing of processes.
import CSystem
import CairnCore
package import Dispatch
import Glibc
import Synchronization

/// One epoll instance serves all children. One thread at a time sleeps in it, the leader, and everything that happens to a
/// watched child happens on it: so a descriptor may be closed as soon as it is taken out there. What follows from a
/// command's end, the start of the next one, is done by the thread that saw the end, while another one leads: a Dispatch
/// source, or a queue, would wake up to three threads in a row before the next command starts.
package final class ChildWatch: Sendable {
  package static let shared = ChildWatch()

  /// True when the descriptor is to be watched further.
  typealias Handler = @Sendable () -> Bool

  private let watch: Int32
  private let buffer = Buffer()

  /// Guard for `@unchecked`: used by the leader alone, and lives as long as the process.
  private struct Buffer: @unchecked Sendable {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
  }

  private let state = Mutex(State())
  /// Held by the leader, also while it sleeps. Who wants a `Mutex` spins for it first, in vain here.
  private let leadership = DispatchSemaphore(value: 1)
  /// No more threads than can be of use; beyond, what follows goes to a queue.
  private static let mostThreads = Machine.processorCount() + 2

  private struct State {
    var watched: [UInt64: (descriptor: Int32, handler: Handler)] = [:]
    var next: UInt64 = 1
    var leader: pthread_t?
    /// What the leader is to do once another thread leads.
    var following: [@Sendable () -> Void] = []
    var threads = 1
    /// Threads that wait for the leadership.
    var idle = 0
  }

  private init() {
    StandardDescriptors.fill()
    // Were it ignored, as a careless parent leaves it, the kernel would reap the children before we ask.
    signal(SIGCHLD, SIG_DFL)
    watch = cairn_watch_new()
    precondition(watch >= 0, "no epoll instance: \(SystemError.text(-watch))")
    let result = startThread()
    precondition(result == 0, "no thread for the children: \(SystemError.text(result))")
  }

  /// 0 or an `errno`: there may be no room for one more.
  private func startThread() -> Int32 {
    // Signals are for the threads that were there before.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { watch in
        guard let watch else { return nil }
        Unmanaged<ChildWatch>.fromOpaque(watch).takeRetainedValue().deliver()
      }, Unmanaged.passRetained(self).toOpaque())
    if result == 0 { pthread_detach(thread) }
    return result
  }

  /// Calls `handler` on the leader whenever `descriptor` can be read, for as long as it gives true.
  func add(_ descriptor: Int32, _ handler: @escaping Handler) throws(Diagnostic) -> UInt64 {
    let token = state.withLock { state in
      let token = state.next
      state.next += 1
      state.watched[token] = (descriptor, handler)
      return token
    }
    let result = cairn_watch_add(watch, descriptor, token)
    if result < 0 {
      state.withLock { $0.watched[token] = nil }
      throw Diagnostic.system(-result, "watch a child", "epoll")
    }
    return token
  }

  /// On the leader only: closes the descriptor, which takes it out of the watch too. A child that is just being started
  /// may hold it a little longer; since each event is told once, none comes of that.
  func close(_ descriptor: Int32, _ token: UInt64) {
    state.withLock { $0.watched[token] = nil }
    Glibc.close(descriptor)
  }

  /// On the leader only: one read, and what was wrong with it (`errno`). Children end by the thousand, and each
  /// is asked several times for what is mostly nothing.
  func read(_ descriptor: Int32) -> (bytes: [UInt8], failure: Int32) {
    let count = Glibc.read(descriptor, buffer.bytes.baseAddress, buffer.bytes.count)
    return count < 0 ? ([], errno) : (Array(buffer.bytes.prefix(count)), 0)
  }

  /// Does `work` on this thread as soon as another one watches, when this is the leader; else on `queue`. It may wait.
  package func follow(on queue: DispatchQueue, _ work: @escaping @Sendable () -> Void) {
    let isTaken = state.withLock { state in
      guard let leader = state.leader, pthread_equal(leader, pthread_self()) != 0 else { return false }
      state.following.append(work)
      return true
    }
    if !isTaken { queue.async(execute: work) }
  }

  private func deliver() -> Never {
    while true {
      state.withLock { $0.idle += 1 }
      leadership.wait()
      let following = lead()
      leadership.signal()
      for work in following { work() }
    }
  }

  /// Watches until something follows from what was seen, and gives that.
  private func lead() -> [@Sendable () -> Void] {
    var tokens = [UInt64](repeating: 0, count: 64)
    state.withLock { state in
      state.idle -= 1
      state.leader = pthread_self()
    }
    while true {
      let count = Int(cairn_watch_wait(watch, &tokens, 64))
      precondition(count >= 0, "epoll: \(SystemError.text(Int32(-count)))")
      for token in tokens[..<count] {
        // Gone when an event before it in this batch ended its child.
        guard let (descriptor, handler) = state.withLock({ $0.watched[token] }), handler() else { continue }
        _ = cairn_watch_again(watch, descriptor, token)
      }
      let following = state.withLock { state in
        defer { state.following = [] }
        return state.following
      }
      if following.isEmpty { continue }
      if handOver() { return following }
      for work in following { DispatchQueue.global().async(execute: work) }
    }
  }

  /// False where no other thread is there to lead, and none can be made.
  private func handOver() -> Bool {
    let (isIdle, mayStart) = state.withLock { ($0.idle > 0, $0.threads < Self.mostThreads) }
    if !isIdle {
      guard mayStart, startThread() == 0 else { return false }
      state.withLock { $0.threads += 1 }
    }
    state.withLock { $0.leader = nil }
    return true
  }
}

/// 0, 1 and 2 are always open: else the next pipe would get such a number and be mistaken for the user's terminal.
package enum StandardDescriptors {
  package static func fill() {
    for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is the one that is missing; without O_CLOEXEC, as the real ones.
      _ = open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
    }
  }
}
