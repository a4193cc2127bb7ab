// What a server's absence excuses, and for how long.
import CairnCore
@testable import CairnServices
import CairnSystem
import Testing

struct ServerOutageTests {
  private static let second: Nanoseconds = 1_000_000_000

  @Test("a server that never answered is not waited for")
  func stranger() {
    let outage = ServerOutage(patience: 30)
    #expect(!outage.excuses(isConnection: true, at: 0))
  }

  @Test("one that did is, for a while; whatever fails meanwhile counts for nothing")
  func absence() {
    let outage = ServerOutage(patience: 30)
    outage.answered()
    #expect(!outage.excuses(isConnection: false, at: 0))
    #expect(outage.excuses(isConnection: true, at: Self.second))
    #expect(outage.excuses(isConnection: false, at: 30 * Self.second))
    #expect(!outage.excuses(isConnection: true, at: 31 * Self.second))
    outage.answered()
    #expect(!outage.excuses(isConnection: false, at: 32 * Self.second))
    #expect(outage.excuses(isConnection: true, at: 33 * Self.second))
  }
}
