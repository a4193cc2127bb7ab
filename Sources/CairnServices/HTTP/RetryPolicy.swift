// When something is tried again, and after how long. Knows no protocol.
import CairnSystem
import Glibc
import Synchronization

package struct RetryPolicy: Sendable {
  /// How often at most, the first time among them.
  package var attempts = 5
  /// The longest first wait, in seconds; each further one may be twice as long.
  package var base = 0.1
  /// The same where the other side asks for less.
  package var throttledBase = 1.0
  package var longest = 20.0
  /// How long a server that had answered may be away, in seconds, and how long the wait between two looks at most.
  package var outage = 30.0
  package var longestOutageWait = 2.0

  package init() {}

  /// A random part of what the wait may be, so that those who failed together do not come back together.
  ///
  /// - Parameter number: of the failure, from 0.
  package func wait(after number: Int, isThrottled: Bool, random: Double = .random(in: 0...1)) -> Double {
    random * min(longest, (isThrottled ? throttledBase : base) * Double(1 << min(number, 20)))
  }

  /// Until the next look at a server that is away, in seconds; `number` as above.
  package func outageWait(after number: Int, random: Double = .random(in: 0.5...1)) -> Double {
    random * min(longestOutageWait, base * Double(1 << min(number, 20)))
  }
}

/// How often one remote may be asked again in all: where everything fails, repeats make it worse. What succeeds at last
/// gives back what its own repeats took, and a little more.
package final class RetryBudget: Sendable {
  private let tokens: Mutex<Int>
  private let capacity: Int

  package init(_ capacity: Int = 500) {
    self.capacity = capacity
    tokens = Mutex(capacity)
  }

  /// - Source: the costs of botocore's standard mode: 14 a repeat, 5 after throttling.
  /// - Returns: what it took; `nil` where there is not as much.
  package func take(isThrottled: Bool) -> Int? {
    tokens.withLock { tokens in
      let cost = isThrottled ? 5 : 14
      if tokens < cost { return nil }
      tokens -= cost
      return cost
    }
  }

  package func giveBack(_ taken: Int) { tokens.withLock { $0 = min(capacity, $0 + taken + 1) } }
}

package enum Pause {
  package static func seconds(_ seconds: Double) {
    var time = timespec(tv_sec: Int(seconds), tv_nsec: Int((seconds - seconds.rounded(.down)) * 1e9))
    var rest = timespec()
    while nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
  }
}
