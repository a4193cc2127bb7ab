import CairnVerify
import Testing

struct VerdictTests {
  private static let place = CheckPlace(file: "dvc.yaml", line: 2)

  private func verdict(_ statuses: CheckStatus..., newOnly: Bool = false) -> Verdict {
    var verification = Verification(checks: statuses.map { Check(.lockCommand, $0, stage: "train", at: Self.place) })
    verification.countsNewOnly = newOnly
    return verification.verdict
  }

  @Test("a fault outweighs what is unknown, which outweighs what is accepted, which outweighs what passed")
  func order() {
    #expect(verdict(.passed) == .reproducible)
    #expect(verdict(.passed, .skipped) == .reproducible)
    #expect(verdict(.passed, .accepted) == .accepted)
    #expect(verdict(.accepted, .unknown) == .unknown)
    #expect(verdict(.accepted, .erased) == .unknown)
    #expect(verdict(.unknown, .failed, .passed) == .notReproducible)
    #expect(verdict(.passed, newOnly: true) == .accepted)
  }

  @Test("a failed warning is counted apart and stands against no verdict")
  func warnings() {
    let verification = Verification(checks: [Check(.lockOrphan, .failed, at: Self.place)])
    #expect(verification.verdict == .reproducible)
    #expect(verification.summary.warnings == 1 && verification.summary.failed == 0)
  }

  @Test("an unknown record that nobody asked for is shown and not counted")
  func optional() {
    var check = Check(.record, .unknown, at: Self.place)
    #expect(Verification(checks: [check]).verdict == .unknown)
    check.isOptional = true
    #expect(Verification(checks: [check]).verdict == .reproducible)
    #expect(Verification(checks: [check]).summary.unknown == 0)
  }
}
