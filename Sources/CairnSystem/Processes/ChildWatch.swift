// Sees which children have ended or written something. Knows descriptors and tokens; knows nothing of processes.
import CSystem
import CairnCore
import Glibc
import Synchronization

/// One epoll instance and one thread that sleeps in it serve all children, and everything that happens to a watched child
/// happens on that thread: so a descriptor may be closed as soon as it is taken out there. A Dispatch source would do the
/// same with two more threads woken for each event, and a command's end is what the next one waits for.
final class ChildWatch: Sendable {
  static let shared = ChildWatch()

  private let watch: Int32
  private let buffer = Buffer()

  /// Guard for `@unchecked`: used on the watch's thread alone, and lives as long as the process.
  private struct Buffer: @unchecked Sendable {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
  }

  private let state = Mutex(State())

  private struct State {
    var handlers: [UInt64: @Sendable () -> Void] = [:]
    var next: UInt64 = 1
  }

  private init() {
    StandardDescriptors.fill()
    // Were it ignored, as a careless parent leaves it, the kernel would reap the children before we ask.
    signal(SIGCHLD, SIG_DFL)
    watch = cairn_watch_new()
    precondition(watch >= 0, "no epoll instance: \(SystemError.text(-watch))")
    startThread()
  }

  private func startThread() {
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
    precondition(result == 0, "no thread for the children: \(SystemError.text(result))")
    pthread_detach(thread)
  }

  /// Calls `handler` on the watch's thread whenever `descriptor` can be read, until `remove`.
  func add(_ descriptor: Int32, _ handler: @escaping @Sendable () -> Void) throws(Diagnostic) -> UInt64 {
    let token = state.withLock { state in
      let token = state.next
      state.next += 1
      state.handlers[token] = handler
      return token
    }
    let result = cairn_watch_add(watch, descriptor, token)
    if result < 0 {
      state.withLock { $0.handlers[token] = nil }
      throw Diagnostic.system(-result, "watch a child", "epoll")
    }
    return token
  }

  /// On the watch's thread only; afterwards the descriptor may be closed.
  func remove(_ descriptor: Int32, _ token: UInt64) {
    state.withLock { $0.handlers[token] = nil }
    _ = cairn_watch_remove(watch, descriptor)
  }

  /// On the watch's thread only: one read, and what was wrong with it (`errno`). Children end by the thousand, and each
  /// is asked several times for what is mostly nothing.
  func read(_ descriptor: Int32) -> (bytes: [UInt8], failure: Int32) {
    let count = Glibc.read(descriptor, buffer.bytes.baseAddress, buffer.bytes.count)
    return count < 0 ? ([], errno) : (Array(buffer.bytes.prefix(count)), 0)
  }

  private func deliver() -> Never {
    var tokens = [UInt64](repeating: 0, count: 64)
    while true {
      let count = Int(cairn_watch_wait(watch, &tokens, 64))
      precondition(count >= 0, "epoll: \(SystemError.text(Int32(-count)))")
      for token in tokens[..<count] {
        // Gone when an event before it in this batch ended its child.
        state.withLock { $0.handlers[token] }?()
      }
    }
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
