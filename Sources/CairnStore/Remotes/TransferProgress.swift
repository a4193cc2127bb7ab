// How far a transfer is: counted by many threads, read by the screen. Prints nothing.
import CairnCore
import Synchronization

package final class TransferProgress: Sendable {
  package struct State: Sendable, Equatable {
    /// Files that are to go, and those that went or failed.
    package var files = 0
    package var doneFiles = 0
    /// Bytes; all of them are known only where the sizes are.
    package var bytes: UInt64 = 0
    package var doneBytes: Int = 0
  }

  private let state = Mutex(State())

  package init() {}

  package var now: State { state.withLock { $0 } }

  package func expect(files: Int, bytes: UInt64) {
    state.withLock {
      $0.files += files
      $0.bytes += bytes
    }
  }

  package func add(bytes: Int) { state.withLock { $0.doneBytes += bytes } }

  package func finishedFile() { state.withLock { $0.doneFiles += 1 } }
}
