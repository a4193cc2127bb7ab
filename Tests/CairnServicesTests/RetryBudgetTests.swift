// How often a remote may be asked again in all.
@testable import CairnServices
import Testing

struct RetryBudgetTests {
  @Test("where everything fails, repeats end; where they help, they go on for ever")
  func budget() {
    let failing = RetryBudget()
    let taken = (0..<100).compactMap { _ in failing.take(isThrottled: false) }
    #expect(taken.count == 35 && Set(taken) == [14])
    let helping = RetryBudget()
    for _ in 0..<1000 {
      let cost = helping.take(isThrottled: false)
      #expect(cost != nil)
      helping.giveBack(cost ?? 0)
    }
  }
}
