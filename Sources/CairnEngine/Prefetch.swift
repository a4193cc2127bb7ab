// One value that is worked out beside other work.
import Dispatch
import Synchronization

/// Whoever wants the value before it is there waits for it; where nobody began, it is worked out then and there.
package final class Prefetch<Value: Sendable>: Sendable {
  private let known = Mutex<Value?>(nil)
  private let make: @Sendable () -> Value

  package init(_ make: @escaping @Sendable () -> Value) { self.make = make }

  /// Begins on another thread.
  package func begin() { DispatchQueue.global().async { _ = self.value } }

  package var value: Value {
    known.withLock { known in
      let value = known ?? make()
      known = value
      return value
    }
  }
}
