// Whether another stage fits into the memory that is free, by what it took last time. Knows nothing of how memory is
// measured.

/// One stage may always run; more start only while what is free covers the recorded peak of the next.
package struct MemoryBudget: Sendable {
  /// How long a stage may take to reach the memory that it will use, in seconds: until then its peak counts as taken.
  private static let growth = 3.0
  /// A measurement is used again for this many seconds.
  private static let freshness = 0.1

  private var running: [StageID: (peak: UInt64, since: Double)] = [:]
  private var measured: (free: UInt64, at: Double)?

  package init() {}

  /// Starts `id` if it may start now.
  ///
  /// - Parameters:
  ///   - peak: bytes it took before; `nil` when it has never run, and then it may.
  ///   - now: seconds on any clock that only goes forward.
  ///   - free: measures the bytes that can be had now.
  package mutating func enter(_ id: StageID, peak: UInt64?, now: Double, free: () -> UInt64) -> Bool {
    let isAllowed = running.isEmpty || peak.map { fits($0, now, free) } ?? true
    if isAllowed { running[id] = (peak ?? 0, now) }
    return isAllowed
  }

  package mutating func leave(_ id: StageID) { running[id] = nil }

  private mutating func fits(_ peak: UInt64, _ now: Double, _ free: () -> UInt64) -> Bool {
    var measurement = measured ?? (0, -.infinity)
    if now - measurement.at > Self.freshness {
      measurement = (free(), now)
      measured = measurement
    }
    let promised = running.values.reduce(UInt64(0)) { sum, stage in
      now - stage.since < Self.growth ? sum &+ stage.peak : sum
    }
    return measurement.free >= peak && measurement.free - peak >= promised
  }
}
