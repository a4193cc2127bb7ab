// The same work on many things that wait, by several threads, with its results in order. Knows nothing of the work.
package import CairnCore
import CairnSystem
import Synchronization

package enum Concurrently {
  /// `body` for each number, by at most so many threads.
  ///
  /// - Throws: the failure of the lowest number that was reached; nothing new is begun after one.
  package static func each<Value: Sendable>(
    _ count: Int, threads: Int, _ body: @Sendable (Int) throws(Diagnostic) -> Value
  ) throws(Diagnostic) -> [Value] {
    let results = Mutex<[Result<Value, Diagnostic>?]>(Array(repeating: nil, count: count))
    let hasFailed = Atomic(false)
    withoutActuallyEscaping(body) { body in
      WorkerThreads.run(count, threads: threads) { number in
        if hasFailed.load(ordering: .relaxed) { return }
        let result: Result<Value, Diagnostic>
        do throws(Diagnostic) { result = .success(try body(number)) } catch {
          result = .failure(error)
          hasFailed.store(true, ordering: .relaxed)
        }
        results.withLock { $0[number] = result }
      }
    }
    var values: [Value] = []
    values.reserveCapacity(count)
    for result in results.withLock({ $0 }) { if let result { values.append(try result.get()) } }
    return values
  }
}
