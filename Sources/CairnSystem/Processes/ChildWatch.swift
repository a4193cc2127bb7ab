// Sees which children have ended or written something. Knows descriptors and tokens; knows nothing of processes.
import CSystem
import CairnCore
@preconcurrency import Dispatch
import Glibc
import Synchronization

/// One epoll instance behind one Dispatch source serves all children: a child then costs two system calls instead of
/// two sources, and its descriptors may be closed as soon as they are taken out here, on this queue.
final class ChildWatch: Sendable {
  static let shared = ChildWatch()

  /// Serial; everything that happens to a watched child happens here.
  let queue = DispatchQueue(label: "cairn.children", qos: .userInitiated)
  private let watch: Int32
  private let source: any DispatchSourceRead
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
    source = DispatchSource.makeReadSource(fileDescriptor: watch, queue: queue)
    source.setEventHandler { [unowned self] in self.deliver() }
    source.activate()
  }

  /// Calls `handler` on `queue` whenever `descriptor` can be read, until `remove`.
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

  /// On `queue` only; afterwards the descriptor may be closed.
  func remove(_ descriptor: Int32, _ token: UInt64) {
    state.withLock { $0.handlers[token] = nil }
    _ = cairn_watch_remove(watch, descriptor)
  }

  private func deliver() {
    var tokens = [UInt64](repeating: 0, count: 64)
    while true {
      let count = Int(cairn_watch_ready(watch, &tokens, 64, 0))
      guard count > 0 else { return }
      for token in tokens[..<count] {
        // Gone when an event before it in this batch ended its child.
        state.withLock { $0.handlers[token] }?()
      }
      if count < 64 { return }
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
