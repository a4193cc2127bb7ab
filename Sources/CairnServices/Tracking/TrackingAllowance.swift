// How long the commands of one `repro` may wait for a tracking server. Pure.
import CairnCore
import CairnSystem

/// Commands wait for the name of their run, which they log into: an answer of milliseconds, most often. All of them
/// together wait no longer than a moment and a small part of the time that they run, so that a server that is slow
/// costs a pipeline next to nothing, and one of long commands loses no run for a server that is far away.
struct TrackingAllowance {
  /// Whatever the commands take (nanoseconds).
  static let moment: Nanoseconds = 2_000_000_000
  /// The part of the commands' time: one of so many.
  static let part: Nanoseconds = 20

  private var waited: Nanoseconds = 0
  private var ran: Nanoseconds = 0
  /// Since when, by attempt.
  private var running: [String: Nanoseconds] = [:]

  /// What the next command may wait, at a monotonic moment (nanoseconds; none where it is negative).
  func left(at now: Nanoseconds) -> Nanoseconds {
    let time = running.values.reduce(ran) { $0 + max(0, now - $1) }
    return Self.moment + time / Self.part - waited
  }

  mutating func began(_ attempt: String, at now: Nanoseconds, waited time: Nanoseconds) {
    waited += time
    running[attempt] = now
  }

  mutating func ended(_ attempt: String, at now: Nanoseconds) {
    guard let began = running.removeValue(forKey: attempt) else { return }
    ran += max(0, now - began)
  }
}
