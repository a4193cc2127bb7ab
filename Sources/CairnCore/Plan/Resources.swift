// Who may run beside whom: capacities, what is taken of them, and exclusive names. Knows nothing of stages' order.

/// What of each resource is free. A resource without a capacity has one unit.
package struct ResourcePool: Sendable {
  private var capacity: [String: Double]
  private var taken: [String: Double] = [:]
  private var held: Set<String> = []

  package init(capacity: [String: Double]) { self.capacity = capacity }

  package func capacity(of name: String) -> Double { capacity[name] ?? 1 }

  /// What a stage asks for and this pool can never give.
  package func impossible(_ settings: StageSettings) -> (name: String, wanted: Double, capacity: Double)? {
    for (name, wanted) in settings.resources.sorted(by: { $0.key < $1.key }) where wanted > capacity(of: name) {
      return (name, wanted, capacity(of: name))
    }
    return nil
  }

  package func fits(_ settings: StageSettings) -> Bool { lacking(settings) == nil }

  /// The resource or mutex that a stage would have to wait for; `nil` when it may start.
  package func lacking(_ settings: StageSettings) -> String? {
    for (name, wanted) in settings.resources.sorted(by: { $0.key < $1.key })
    where taken[name, default: 0] + wanted > capacity(of: name) + 1e-9 {
      return name
    }
    return settings.mutex.first { held.contains($0) }
  }

  package mutating func take(_ settings: StageSettings) {
    for (name, wanted) in settings.resources { taken[name, default: 0] += wanted }
    held.formUnion(settings.mutex)
  }

  package mutating func give(back settings: StageSettings) {
    for (name, wanted) in settings.resources { taken[name, default: 0] -= wanted }
    held.subtract(settings.mutex)
  }
}
