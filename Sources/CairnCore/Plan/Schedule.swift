// Decides which stage runs next. Knows the graph, capacities and estimates; knows nothing of processes, files or threads.
import HeapModule

package enum StageResult: Sendable, Hashable {
  case ran
  case restored
  case fresh
  case failed
  /// Not started, since a producer failed.
  case skipped

  package var isGood: Bool { self == .ran || self == .restored || self == .fresh }
}

package enum StageState: Sendable, Hashable {
  /// Wanted, but a producer has not ended, or another process holds what it needs.
  case waiting
  /// All producers ended well; says nothing of files yet: inputs are observed next.
  case ready
  /// Handed out by `nextAhead()`: observed while all slots are taken, not executed.
  case preparing
  /// Observed, and waiting for a slot.
  case prepared
  /// Handed out by `next()`: observed, then perhaps executed.
  case running
  /// Its command has ended and its slot is free; the result is still being stored.
  case settling
  case finished(StageResult)
}

package enum FailurePolicy: Sendable {
  /// After a failure nothing starts that comes later in the serial order; what comes before it still does.
  case stop
  /// Everything that does not depend on a failed stage goes on.
  case keepGoing
  /// Consumers of a failed stage run too.
  case ignore
}

/// The order of one run, as a state machine: `next()` hands out stages, `finished(_:_:)` takes results in.
///
/// With one slot the order is the serial one; with more, the ready stage with the longest known path ahead comes first.
/// A stage that was handed out ahead of a slot gives way only to one with a longer path.
///
/// A run that fails leaves what a serial one would leave, as far as that can be: what comes before the failure in the
/// serial order runs all the same, and nothing goes ahead of a stage that is foreseen to fail.
package struct Schedule: Sendable {
  private let order: [StageID]
  private let slots: Int
  private let policy: FailurePolicy
  /// What groups of stages need beside their producers; the first group needs nothing.
  private let needs: [Needs]
  private let needsOf: [Int]
  private let graph: Links
  /// Seconds from a stage's start to the end of the longest path behind it.
  private let pathAhead: [Double]

  private var states: [StageState]
  private var producersLeft: [Int]
  /// One for each group of `needs`: all of a group fit or none does, so a busy resource costs one look, however many wait.
  private var ready: [Heap<Candidate>]
  private var pool: ResourcePool
  private var running = 0
  private var settling = 0
  /// Handed out ahead of a slot: preparing or prepared, as many as there are slots at most.
  private var ahead: [Candidate] = []
  private var unfinished: Int
  /// Of the serial order: the first place that has not finished.
  private var cursor = 0
  /// Of the serial order: nothing at this place or behind it starts, since one at it or before it has failed.
  private var end: Int
  /// Places of stages that are foreseen to fail, in order: nothing behind the first starts until it has finished.
  private var doubtful: [Int]
  /// Ready, but behind `limit`.
  private var parked: [Candidate] = []
  package private(set) var isStopped = false

  private struct Links: Sendable {
    var position: [Int]
    var consumers: [[StageID]]
    /// Those that wait for the stage to end, however it ends.
    var followers: [StageID: [StageID]] = [:]
  }

  private struct Needs: Hashable, Sendable {
    var resources: [String: Double] = [:]
    var mutex: [String] = []

    init(_ settings: StageSettings) {
      resources = settings.resources.filter { $0.value > 0 }
      mutex = settings.mutex.sorted()
    }

    var isNothing: Bool { resources.isEmpty && mutex.isEmpty }
    var settings: StageSettings {
      var settings = StageSettings()
      settings.resources = resources
      settings.mutex = mutex
      return settings
    }
  }

  private struct Candidate: Comparable, Sendable {
    let id: StageID
    let pathAhead: Double
    let position: Int
    static func < (a: Candidate, b: Candidate) -> Bool {
      a.pathAhead != b.pathAhead ? a.pathAhead < b.pathAhead : a.position > b.position
    }
    static func == (a: Candidate, b: Candidate) -> Bool { a.id == b.id }
  }

  /// - Parameters:
  ///   - order: the wanted stages in DVC's serial order, producers first.
  ///   - producers: of each wanted stage, those that must end before it (others than the wanted are ignored).
  ///   - cutProducers: of each wanted stage, those whose outputs it looks at without needing them, as a frozen one
  ///     does: of the two, the later in the order waits for the other, and a failure has no consequence.
  ///   - stageCount: how many stages the pipeline has: the range of `StageID`.
  ///   - seconds: what each stage is expected to take; `nil` where unknown.
  ///   - isDoubtful: the stage is foreseen to fail, as one without an input that nobody makes.
  package init(
    order: [StageID], producers: (StageID) -> [StageID], cutProducers: (StageID) -> [StageID] = { _ in [] },
    stageCount: Int, slots: Int, policy: FailurePolicy,
    settings: (StageID) -> StageSettings = { _ in StageSettings() }, pool: ResourcePool = ResourcePool(capacity: [:]),
    seconds: (StageID) -> Double? = { _ in nil }, isDoubtful: (StageID) -> Bool = { _ in false }
  ) {
    self.order = order
    self.slots = max(1, slots)
    self.policy = policy
    self.pool = pool
    unfinished = order.count
    end = order.count
    doubtful = policy == .stop && slots > 1 ? order.indices.filter { isDoubtful(order[$0]) } : []
    states = Array(repeating: .finished(.skipped), count: stageCount)
    var links = Links(
      position: Array(repeating: -1, count: stageCount), consumers: Array(repeating: [], count: stageCount))
    for (index, id) in order.enumerated() {
      links.position[id.index] = index
      states[id.index] = .waiting
    }
    producersLeft = Array(repeating: 0, count: stageCount)
    for id in order {
      // A producer later in the order comes from a cut or a cycle that the caller allowed: the order wins.
      for producer in producers(id)
      where links.position[producer.index] >= 0 && links.position[producer.index] < links.position[id.index] {
        producersLeft[id.index] += 1
        links.consumers[producer.index].append(id)
      }
      for producer in cutProducers(id) where links.position[producer.index] >= 0 {
        let isBefore = links.position[producer.index] < links.position[id.index]
        let (first, second) = isBefore ? (producer, id) : (id, producer)
        producersLeft[second.index] += 1
        links.followers[first, default: []].append(second)
      }
    }
    let expected = order.map(seconds)
    let known = expected.compactMap { $0 }
    // An unknown duration counts as the mean of the known ones: a new stage is neither rushed nor starved.
    let typical = known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
    var ahead = Array(repeating: 0.0, count: stageCount)
    for (id, seconds) in zip(order, expected).reversed() {
      ahead[id.index] = (seconds ?? typical) + (links.consumers[id.index].map { ahead[$0.index] }.max() ?? 0)
    }
    var needs = [Needs(StageSettings())]
    var numbers: [Needs: Int] = [needs[0]: 0]
    var needsOf = Array(repeating: 0, count: stageCount)
    for id in order {
      let own = Needs(settings(id))
      if own.isNothing { continue }
      if numbers[own] == nil {
        numbers[own] = needs.count
        needs.append(own)
      }
      needsOf[id.index] = numbers[own] ?? 0
    }
    graph = links
    pathAhead = ahead
    self.needs = needs
    self.needsOf = needsOf
    ready = Array(repeating: Heap(), count: needs.count)
    for id in order where producersLeft[id.index] == 0 { makeReady(id) }
  }

  package func state(of id: StageID) -> StageState { states[id.index] }

  /// Nothing runs, nothing settles, nothing is being prepared, and nothing can start any more.
  package var isDone: Bool {
    running == 0 && settling == 0 && (isStopped || unfinished == 0 || cursor >= end)
      && !ahead.contains { states[$0.id.index] == .preparing }
  }

  /// Wanted stages that have not started, in serial order.
  package var notStarted: [StageID] {
    order.filter { id in
      switch states[id.index] {
      case .waiting, .ready, .preparing, .prepared: true
      case .running, .settling, .finished: false
      }
    }
  }

  /// A stage to start now, which counts as running from here on; `nil` when none may. One that was `prepared` comes
  /// once more; one that is still being prepared gets its slot silently.
  package mutating func next() -> StageID? {
    while !isStopped, running < slots, cursor < end {
      guard slots > 1 else { return nextInOrder() }
      guard let (id, state) = nextByPath() else { return nil }
      if state != .preparing { return id }
    }
    return nil
  }

  /// A stage to prepare while no slot is free; `nil` when none is worth it. Only stages that need nothing but a slot:
  /// what others need may be taken by the time it is their turn.
  package mutating func nextAhead() -> StageID? {
    guard slots > 1, !isStopped, running >= slots, ahead.count < slots, cursor < end, let top = top(of: 0) else {
      return nil
    }
    _ = ready[0].popMax()
    states[top.id.index] = .preparing
    ahead.append(top)
    return top.id
  }

  /// The stage is ready to be executed. False: it has no slot yet, and `next()` will hand it out again.
  package mutating func prepared(_ id: StageID) -> Bool {
    guard states[id.index] == .preparing else { return true }
    states[id.index] = .prepared
    return false
  }

  /// The stage to start, and what it was before.
  private mutating func nextByPath() -> (StageID, StageState)? {
    var best: (group: Int, candidate: Candidate)?
    for group in ready.indices {
      guard let top = top(of: group), best.map({ $0.candidate < top }) ?? true else { continue }
      if group > 0, !pool.fits(needs[group].settings) { continue }
      best = (group, top)
    }
    if let first = ahead.filter({ $0.position <= limit }).max(),
      best.map({ $0.candidate.pathAhead <= first.pathAhead }) ?? true
    {
      let state = states[first.id.index]
      ahead.removeAll { $0 == first }
      start(first.id)
      return (first.id, state)
    }
    guard let best else { return nil }
    _ = ready[best.group].popMax()
    start(best.candidate.id)
    return (best.candidate.id, .ready)
  }

  /// The first that may start of those with the same needs.
  private mutating func top(of group: Int) -> Candidate? {
    // A stage that was skipped since it became ready is still in here.
    while let top = ready[group].max, states[top.id.index] != .ready || top.position > limit {
      if states[top.id.index] == .ready { parked.append(top) }
      _ = ready[group].popMax()
    }
    return ready[group].max
  }

  /// The last place that may start now.
  private var limit: Int { min(end - 1, doubtful.first ?? end) }

  /// How many stages wait for nothing but a resource or a mutex, by its name.
  package var held: [String: Int] {
    var held: [String: Int] = [:]
    for group in ready.indices.dropFirst() where !ready[group].isEmpty {
      if let name = pool.lacking(needs[group].settings) { held[name, default: 0] += ready[group].count }
    }
    return held
  }

  private mutating func nextInOrder() -> StageID? {
    guard settling == 0 else { return nil }
    let id = order[cursor]
    guard states[id.index] == .ready else { return nil }
    start(id)
    return id
  }

  private mutating func start(_ id: StageID) {
    states[id.index] = .running
    running += 1
    if needsOf[id.index] > 0 { pool.take(needs[needsOf[id.index]].settings) }
  }

  /// Takes back a stage that was handed out and could not begin: another process holds what it needs.
  package mutating func postpone(_ id: StageID) {
    precondition(states[id.index] == .running, "only a running stage can be postponed")
    leave(id)
    states[id.index] = .waiting
  }

  /// A postponed stage may be tried again.
  package mutating func resume(_ id: StageID) {
    if states[id.index] == .waiting { makeReady(id) }
  }

  /// Frees the slot before the result is known: the command has ended, its outputs are being stored.
  package mutating func commandEnded(_ id: StageID) {
    guard states[id.index] == .running else { return }
    leave(id)
    states[id.index] = .settling
    settling += 1
  }

  /// Takes a result in; returns the stages that will never start because of it, in serial order.
  @discardableResult
  package mutating func finished(_ id: StageID, _ result: StageResult) -> [StageID] {
    switch states[id.index] {
    case .running: leave(id)
    case .settling: settling -= 1
    case .preparing: ahead.removeAll { $0.id == id }
    default: preconditionFailure("a result for a stage that is not running")
    }
    states[id.index] = .finished(result)
    unfinished -= 1
    defer { moveOn() }
    letGo(graph.followers[id] ?? [])
    if result.isGood || (result == .failed && policy == .ignore) {
      letGo(graph.consumers[id.index])
      return []
    }
    if policy == .stop {
      end = min(end, graph.position[id.index])
      return []
    }
    return skipConsumers(of: id)
  }

  /// Nothing new starts from here on.
  package mutating func stop() { isStopped = true }

  private mutating func moveOn() {
    while cursor < order.count, case .finished = states[order[cursor].index] { cursor += 1 }
    guard let first = doubtful.first, case .finished = states[order[first].index] else { return }
    doubtful.removeAll { if case .finished = states[order[$0].index] { true } else { false } }
    for candidate in parked { ready[needsOf[candidate.id.index]].insert(candidate) }
    parked = []
  }

  private mutating func leave(_ id: StageID) {
    running -= 1
    if needsOf[id.index] > 0 { pool.give(back: needs[needsOf[id.index]].settings) }
  }

  private mutating func makeReady(_ id: StageID) {
    states[id.index] = .ready
    if slots > 1 {
      ready[needsOf[id.index]].insert(
        // Less than a second is worth no departure from the serial order.
        Candidate(id: id, pathAhead: pathAhead[id.index].rounded(.down), position: graph.position[id.index]))
    }
  }

  /// One stage less to wait for.
  private mutating func letGo(_ waiting: [StageID]) {
    for id in waiting {
      producersLeft[id.index] -= 1
      if producersLeft[id.index] == 0, states[id.index] == .waiting { makeReady(id) }
    }
  }

  private mutating func skipConsumers(of id: StageID) -> [StageID] {
    var skipped: [StageID] = []
    var open = graph.consumers[id.index]
    while let next = open.popLast() {
      guard states[next.index] == .waiting || states[next.index] == .ready else { continue }
      states[next.index] = .finished(.skipped)
      unfinished -= 1
      skipped.append(next)
      open += graph.consumers[next.index]
    }
    for id in skipped { letGo(graph.followers[id] ?? []) }
    return skipped.sorted { graph.position[$0.index] < graph.position[$1.index] }
  }
}
