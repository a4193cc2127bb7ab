// What commands may wait for a tracking server, in all.
import CairnCore
@testable import CairnServices
import CairnSystem
import Testing

struct TrackingAllowanceTests {
  private static let second: Nanoseconds = 1_000_000_000

  @Test("all commands together wait no longer than a moment")
  func moment() {
    var allowance = TrackingAllowance()
    #expect(allowance.left(at: 0) == 2 * Self.second)
    allowance.began("a", at: 5, waited: Self.second)
    allowance.ended("a", at: 5)
    #expect(allowance.left(at: 5) == Self.second)
    allowance.began("b", at: 5, waited: 2 * Self.second)
    allowance.ended("b", at: 5)
    #expect(allowance.left(at: 100 * Self.second) == -Self.second)
  }

  @Test("and a twentieth of the time that they run, also before they end")
  func share() {
    var allowance = TrackingAllowance()
    allowance.began("a", at: 0, waited: 2 * Self.second)
    allowance.began("b", at: 10 * Self.second, waited: 0)
    #expect(allowance.left(at: 20 * Self.second) == Self.second * 3 / 2)
    allowance.ended("a", at: 20 * Self.second)
    allowance.ended("b", at: 20 * Self.second)
    #expect(allowance.left(at: 90 * Self.second) == Self.second * 3 / 2)
  }

  @Test("an end without a beginning counts nothing")
  func stranger() {
    var allowance = TrackingAllowance()
    allowance.ended("a", at: 20 * Self.second)
    #expect(allowance.left(at: 30 * Self.second) == TrackingAllowance.moment)
  }
}
