// Spreads work on many small things over the processors. Knows nothing of what the work is.
import CairnSystem
import Dispatch
import Synchronization

package enum Parallel {
  /// `body(0)…body(count - 1)` in their order, computed by several threads, each of which makes one tool (a buffer,
  /// say). Of several errors the one of the lowest number that was reached is thrown; nothing new is begun after one.
  static func map<Value: Sendable, Tool: ~Copyable, Failure: Error>(
    _ count: Int, chunk: Int = 32, makeTool: @Sendable () -> Tool,
    _ body: @Sendable (Int, borrowing Tool) throws(Failure) -> Value
  ) throws(Failure) -> [Value] {
    let chunks = (count + chunk - 1) / chunk
    if chunks <= 1 {
      let tool = makeTool()
      return try run(0..<count, tool, body)
    }
    let progress = Progress<Value, Failure>(chunks: chunks)
    DispatchQueue.concurrentPerform(iterations: min(chunks, Machine.processorCount())) { _ in
      let tool = makeTool()
      while let number = progress.take() {
        do throws(Failure) {
          let start = number * chunk
          progress.finish(number, .success(try run(start..<min(start + chunk, count), tool, body)))
        } catch {
          progress.finish(number, .failure(error))
        }
      }
    }
    var values: [Value] = []
    values.reserveCapacity(count)
    for result in progress.results {
      if let result { values.append(contentsOf: try result.get()) }
    }
    return values
  }

  /// The same where no tool is needed.
  package static func map<Value: Sendable, Failure: Error>(
    _ count: Int, chunk: Int = 32, _ body: @Sendable (Int) throws(Failure) -> Value
  ) throws(Failure) -> [Value] {
    try map(count, chunk: chunk, makeTool: { NoTool() }) { number, _ throws(Failure) in try body(number) }
  }

  private struct NoTool {}

  private static func run<Value, Tool: ~Copyable, Failure: Error>(
    _ numbers: Range<Int>, _ tool: borrowing Tool, _ body: (Int, borrowing Tool) throws(Failure) -> Value
  ) throws(Failure) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(numbers.count)
    for number in numbers { values.append(try body(number, tool)) }
    return values
  }

  private final class Progress<Value: Sendable, Failure: Error>: Sendable {
    private struct State {
      var next = 0
      var hasFailed = false
      var results: [Result<[Value], Failure>?]
    }

    private let state: Mutex<State>

    init(chunks: Int) { state = Mutex(State(results: Array(repeating: nil, count: chunks))) }

    func take() -> Int? {
      state.withLock { state in
        guard !state.hasFailed, state.next < state.results.count else { return nil }
        state.next += 1
        return state.next - 1
      }
    }

    func finish(_ number: Int, _ result: Result<[Value], Failure>) {
      state.withLock { state in
        state.results[number] = result
        if case .failure = result { state.hasFailed = true }
      }
    }

    var results: [Result<[Value], Failure>?] { state.withLock(\.results) }
  }
}
