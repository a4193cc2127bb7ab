// The order of stages, without processes.
import CairnCore
import Testing

/// A schedule of named stages: `Plan("raw -> clean -> train; raw -> plot", slots: 2, seconds: ["train": 60])`.
/// Serial order is that of first mention.
private struct Plan {
  var schedule: Schedule
  let names: [String]

  init(
    _ text: String, slots: Int = 2, policy: FailurePolicy = .stop, seconds: [String: Double] = [:],
    needs: [String: [String: Double]] = [:], mutex: [String: [String]] = [:], capacity: [String: Double] = [:],
    doubtful: Set<String> = [], looking: [String: [String]] = [:]
  ) {
    var names: [String] = []
    var producers: [Int: [StageID]] = [:]
    for chain in text.split(separator: ";") {
      var previous: Int?
      for word in chain.split(separator: " ").map(String.init) where word != "->" {
        let index = names.firstIndex(of: word) ?? names.count
        if index == names.count { names.append(word) }
        if let previous { producers[index, default: []].append(StageID(previous)) }
        previous = index
      }
    }
    self.names = names
    let all = names
    schedule = Schedule(
      order: names.indices.map { StageID($0) }, producers: { producers[$0.index] ?? [] },
      cutProducers: { (looking[all[$0.index]] ?? []).map { StageID(all.firstIndex(of: $0) ?? -1) } },
      stageCount: names.count, slots: slots, policy: policy,
      settings: { id in
        var settings = StageSettings()
        settings.resources = needs[all[id.index]] ?? [:]
        settings.mutex = mutex[all[id.index]] ?? []
        return settings
      }, pool: ResourcePool(capacity: capacity), seconds: { seconds[all[$0.index]] },
      isDoubtful: { doubtful.contains(all[$0.index]) })
  }

  private func id(_ name: String) -> StageID { StageID(names.firstIndex(of: name) ?? -1) }
  private func text(_ ids: [StageID]) -> String { ids.map { names[$0.index] }.joined(separator: " ") }

  /// All that may start now, as started.
  mutating func startAll() -> String {
    var started: [StageID] = []
    while let next = schedule.next() { started.append(next) }
    return text(started)
  }

  /// All that may be prepared now, as handed out.
  mutating func prepareAll() -> String {
    var handedOut: [StageID] = []
    while let next = schedule.nextAhead() { handedOut.append(next) }
    return text(handedOut)
  }

  /// Whether a stage that is ready to be executed has its slot.
  mutating func prepare(_ name: String) -> Bool { schedule.prepared(id(name)) }

  @discardableResult
  mutating func finish(_ name: String, _ result: StageResult = .ran) -> String {
    text(schedule.finished(id(name), result))
  }

  mutating func commandEnded(_ name: String) { schedule.commandEnded(id(name)) }
  mutating func postpone(_ name: String) { schedule.postpone(id(name)) }
  mutating func resume(_ name: String) { schedule.resume(id(name)) }
  func state(_ name: String) -> StageState { schedule.state(of: id(name)) }
  var notStarted: String { text(schedule.notStarted) }
}

@Suite("the schedule")
struct ScheduleTests {
  @Test("a stage starts when its last producer ends, longest remaining path first")
  func order() {
    var plan = Plan("raw -> clean -> train; raw -> plot; plot -> report; clean -> report", seconds: ["train": 60])
    #expect(plan.startAll() == "raw")
    plan.finish("raw")
    #expect(plan.startAll() == "clean plot")
    plan.finish("plot")
    #expect(plan.startAll() == "")
    plan.finish("clean")
    #expect(plan.startAll() == "train report")
    plan.finish("train")
    #expect(!plan.schedule.isDone)
    plan.finish("report")
    #expect(plan.schedule.isDone)
  }

  @Test("with one slot the order is the serial one, whatever the durations", arguments: [StageResult.ran, .fresh, .restored])
  func serial(result: StageResult) {
    var plan = Plan("a; b -> c; a -> c; d", slots: 1, seconds: ["d": 100, "b": 50, "a": 1, "c": 1])
    var order: [String] = []
    for _ in 0..<4 {
      let next = plan.startAll()
      order.append(next)
      plan.finish(next, result)
    }
    #expect(order == ["a", "b", "c", "d"])
    #expect(plan.schedule.isDone)
  }

  @Test("never more than the slots, and the longest known path comes first")
  func slots() {
    var plan = Plan("a; b; c; d", slots: 2, seconds: ["a": 1, "b": 2, "c": 3, "d": 4])
    #expect(plan.startAll() == "d c")
    #expect(plan.startAll() == "")
    plan.finish("c")
    #expect(plan.startAll() == "b")
  }

  @Test("an unknown duration counts as the mean of the known ones")
  func unknownDuration() {
    var plan = Plan("a; b; c", slots: 1 + 2, seconds: ["a": 1, "c": 9])
    #expect(plan.startAll() == "c b a")
  }

  @Test("paths that differ by less than a second, or that nobody knows, start in serial order")
  func nearlyEqual() {
    var plan = Plan("a; b; c", seconds: ["a": 0.1, "b": 0.5, "c": 0.9])
    #expect(plan.startAll() == "a b")
    var unknown = Plan("a; b; c -> d -> e")
    #expect(unknown.startAll() == "a b")
  }

  @Test("after a failure, what comes before it in the serial order runs all the same, and nothing else", arguments: [true, false])
  func beforeTheFailure(isEarly: Bool) {
    var plan = Plan("a -> b -> c; x; y", slots: 2, seconds: ["x": 9, "a": 1, "b": 1, "c": 1, "y": 1])
    #expect(plan.startAll() == "x a")
    if isEarly { plan.finish("a") }
    plan.finish("x", .failed)
    #expect(plan.startAll() == (isEarly ? "b" : ""))
    if !isEarly {
      plan.finish("a")
      #expect(plan.startAll() == "b")
    }
    #expect(!plan.schedule.isDone)
    plan.finish("b")
    #expect(plan.startAll() == "c")
    plan.finish("c")
    #expect(plan.startAll() == "")
    #expect(plan.schedule.isDone)
    #expect(plan.notStarted == "y")
  }

  @Test("of two failures the earlier one ends the run")
  func twoFailures() {
    var plan = Plan("a -> b; c; x; y", slots: 2, seconds: ["x": 9, "a": 1, "b": 1, "c": 1, "y": 1])
    #expect(plan.startAll() == "x a")
    plan.finish("x", .failed)
    #expect(plan.startAll() == "c")
    plan.finish("a", .failed)
    #expect(plan.startAll() == "")
    plan.finish("c")
    #expect(plan.schedule.isDone)
    #expect(plan.notStarted == "b y")
  }

  @Test("nothing goes ahead of a stage that is foreseen to fail; where it does not, all goes on")
  func doubtful() {
    var plan = Plan("a -> b; bad; c; worse; d", slots: 3, seconds: ["c": 9, "d": 9], doubtful: ["bad", "worse"])
    #expect(plan.startAll() == "a bad")
    plan.finish("bad")
    #expect(plan.startAll() == "c worse")
    plan.finish("worse", .failed)
    plan.finish("c")
    plan.finish("a")
    #expect(plan.startAll() == "b")
    plan.finish("b")
    #expect(plan.schedule.isDone)
    #expect(plan.notStarted == "d")
  }

  @Test("after a failure nothing new starts, and what runs is let finish")
  func stop() {
    var plan = Plan("a -> c; b -> d; e", slots: 2)
    #expect(plan.startAll() == "a b")
    #expect(plan.finish("a", .failed) == "")
    #expect(plan.startAll() == "")
    #expect(!plan.schedule.isDone)
    plan.finish("b")
    #expect(plan.startAll() == "")
    #expect(plan.schedule.isDone)
    #expect(plan.notStarted == "c d e")
  }

  @Test("keep-going skips what depends on the failure, in serial order, and nothing else", arguments: [1, 2, 8])
  func keepGoing(slots: Int) {
    var plan = Plan("a -> b -> c; x -> y; b -> d; y -> d", slots: slots, policy: .keepGoing)
    let first = plan.startAll()
    #expect(first == (slots == 1 ? "a" : "a x"))
    #expect(plan.finish("a", .failed) == "b c d")
    #expect(plan.state("d") == .finished(.skipped))
    if slots == 1 { #expect(plan.startAll() == "x") }
    plan.finish("x")
    #expect(plan.startAll() == "y")
    plan.finish("y")
    #expect(plan.schedule.isDone)
    #expect(plan.notStarted == "")
  }

  @Test("a frozen stage and what makes its inputs end one after the other, in serial order")
  func frozen() {
    var plan = Plan("early; up -> more; late; last", slots: 4, looking: ["early": ["up"], "late": ["up", "more"]])
    #expect(plan.startAll() == "early last")
    plan.finish("early", .failed)
    #expect(plan.startAll() == "")
    var good = Plan("early; up -> more; late; last", slots: 4, looking: ["early": ["up"], "late": ["up", "more"]])
    #expect(good.startAll() == "early last")
    good.finish("early")
    #expect(good.startAll() == "up")
    good.finish("up")
    #expect(good.startAll() == "more")
    good.finish("more", .fresh)
    #expect(good.startAll() == "late")
  }

  @Test("a failure upstream of a frozen stage does not skip it", arguments: [FailurePolicy.keepGoing, .ignore])
  func frozenBehindFailure(policy: FailurePolicy) {
    var plan = Plan("up -> more; late -> end", slots: 4, policy: policy, looking: ["late": ["up", "more"]])
    #expect(plan.startAll() == "up")
    #expect(plan.finish("up", .failed) == (policy == .ignore ? "" : "more"))
    if policy == .ignore {
      #expect(plan.startAll() == "more")
      plan.finish("more")
    }
    #expect(plan.startAll() == "late")
    plan.finish("late")
    #expect(plan.startAll() == "end")
  }

  @Test("ignored errors let consumers run")
  func ignore() {
    var plan = Plan("a -> b", policy: .ignore)
    #expect(plan.startAll() == "a")
    plan.finish("a", .failed)
    #expect(plan.startAll() == "b")
  }

  @Test("a postponed stage gives its slot and its resources back until it is resumed", arguments: [1, 2])
  func postpone(slots: Int) {
    var plan = Plan(
      "a; b", slots: slots, needs: ["a": ["gpu": 1], "b": ["gpu": 1]], capacity: ["gpu": 1])
    #expect(plan.startAll() == "a")
    plan.postpone("a")
    #expect(plan.state("a") == .waiting)
    // Serial order waits for it; with more slots another goes ahead.
    #expect(plan.startAll() == (slots == 1 ? "" : "b"))
    #expect(!plan.schedule.isDone)
    plan.resume("a")
    if slots > 1 { plan.finish("b") }
    #expect(plan.startAll() == "a")
    plan.finish("a")
    if slots == 1 {
      #expect(plan.startAll() == "b")
      plan.finish("b")
    }
    #expect(plan.schedule.isDone)
  }

  @Test("resuming a stage that was never postponed does nothing")
  func resumeRunning() {
    var plan = Plan("a", slots: 2)
    #expect(plan.startAll() == "a")
    plan.resume("a")
    #expect(plan.startAll() == "")
    plan.finish("a")
    plan.resume("a")
    #expect(plan.startAll() == "")
    #expect(plan.schedule.isDone)
  }

  @Test("a command that has ended frees its slot, and consumers wait for its result")
  func settling() {
    var plan = Plan("a -> c; b; d", slots: 1 + 1, seconds: ["a": 9, "b": 5, "d": 4])
    #expect(plan.startAll() == "a b")
    plan.commandEnded("a")
    #expect(plan.state("a") == .settling)
    #expect(plan.startAll() == "d")
    plan.commandEnded("a")
    #expect(plan.startAll() == "")
    plan.finish("b")
    #expect(plan.startAll() == "")
    plan.finish("a")
    #expect(plan.startAll() == "c")
    plan.finish("d")
    #expect(!plan.schedule.isDone)
    plan.finish("c")
    #expect(plan.schedule.isDone)
  }

  @Test("with one slot nothing starts while a result is being stored")
  func serialSettling() {
    var plan = Plan("a; b", slots: 1)
    #expect(plan.startAll() == "a")
    plan.commandEnded("a")
    #expect(plan.startAll() == "")
    #expect(!plan.schedule.isDone)
    plan.finish("a")
    #expect(plan.startAll() == "b")
  }

  @Test("a failure while storing stops the run as any other")
  func failureWhileSettling() {
    var plan = Plan("a -> b", slots: 2)
    #expect(plan.startAll() == "a")
    plan.commandEnded("a")
    plan.finish("a", .failed)
    #expect(plan.startAll() == "")
    #expect(plan.schedule.isDone)
  }

  @Test("resources are never oversold, and smaller ones go ahead of one that does not fit")
  func resources() {
    var plan = Plan(
      "big; one; two; free", slots: 8, seconds: ["big": 1, "one": 9, "two": 8, "free": 1],
      needs: ["big": ["gpu": 2], "one": ["gpu": 1], "two": ["gpu": 1, "mem_gb": 30]],
      capacity: ["gpu": 2, "mem_gb": 32])
    #expect(plan.startAll() == "one two free")
    #expect(plan.schedule.held == ["gpu": 1])
    plan.finish("one")
    #expect(plan.startAll() == "")
    plan.finish("two")
    #expect(plan.startAll() == "big")
    #expect(plan.schedule.held.isEmpty)
  }

  @Test("a resource without a capacity has one unit")
  func defaultCapacity() {
    var plan = Plan("a; b", slots: 2, needs: ["a": ["licence": 1], "b": ["licence": 1]])
    #expect(plan.startAll() == "a")
    plan.finish("a", .failed)
    #expect(plan.startAll() == "")
  }

  @Test("holders of a mutex run one after the other; others beside them")
  func mutex() {
    var plan = Plan(
      "a; b; c; d", slots: 4, seconds: ["a": 4, "b": 3, "c": 2, "d": 1],
      mutex: ["a": ["db"], "b": ["db", "net"], "c": ["net"]])
    #expect(plan.startAll() == "a c d")
    #expect(plan.schedule.held == ["db": 1])
    plan.finish("a")
    #expect(plan.startAll() == "")
    #expect(plan.schedule.held == ["net": 1])
    plan.finish("c")
    #expect(plan.startAll() == "b")
  }

  @Test("a stage that was skipped while it waited for a resource never starts")
  func skippedWhileHeld() {
    var plan = Plan(
      "a; x -> b", slots: 4, policy: .keepGoing, seconds: ["a": 1, "x": 1, "b": 1], needs: ["a": ["gpu": 1], "b": ["gpu": 1]])
    #expect(plan.startAll() == "x a")
    #expect(plan.finish("x", .failed) == "b")
    plan.finish("a")
    #expect(plan.startAll() == "")
    #expect(plan.schedule.isDone)
  }

  @Test("a stop from outside lets nothing start")
  func stopped() {
    var plan = Plan("a; b", slots: 1)
    #expect(plan.startAll() == "a")
    plan.schedule.stop()
    plan.finish("a")
    #expect(plan.startAll() == "")
    #expect(plan.schedule.isDone)
    #expect(plan.notStarted == "b")
  }

  @Test("stages that wait for one mutex are handed out one at a time, however many wait")
  func many() {
    let names = (0..<2000).map { "s\($0)" }
    var plan = Plan(
      names.joined(separator: ";"), slots: 4,
      mutex: Dictionary(uniqueKeysWithValues: names.map { ($0, ["one"]) }))
    var count = 0
    while !plan.schedule.isDone {
      let next = plan.schedule.next()
      guard let next else { break }
      #expect(plan.schedule.next() == nil)
      plan.schedule.finished(next, .ran)
      count += 1
    }
    #expect(count == 2000)
  }
}

@Suite("stages ahead of a slot")
struct PreparationTests {
  @Test("while all slots are taken as many stages are prepared, and get the next slots")
  func slots() {
    var plan = Plan("a; b; c; d; e")
    #expect(plan.prepareAll() == "", "slots are free")
    #expect(plan.startAll() == "a b")
    #expect(plan.prepareAll() == "c d")
    #expect(plan.prepare("c") == false)
    #expect(plan.startAll() == "")
    plan.commandEnded("a")
    #expect(plan.startAll() == "c", "handed out again")
    #expect(plan.prepareAll() == "e")
    plan.commandEnded("b")
    #expect(plan.startAll() == "", "still being prepared")
    #expect(plan.state("d") == .running)
    #expect(plan.prepare("d") == true, "and goes straight on")
    #expect(plan.state("e") == .preparing)
  }

  @Test("with one slot nothing is prepared, nor what needs more than a slot")
  func none() {
    var serial = Plan("a; b", slots: 1)
    #expect(serial.startAll() == "a")
    #expect(serial.prepareAll() == "")
    var plan = Plan(
      "a; b; c; d; e", needs: ["c": ["licence": 1]], mutex: ["d": ["gate"]], capacity: ["licence": 1])
    #expect(plan.startAll() == "a b")
    #expect(plan.prepareAll() == "e")
  }

  @Test("a stage that turns out fresh lets its consumers go, without a slot")
  func fresh() {
    var plan = Plan("a; b; c -> d")
    #expect(plan.startAll() == "a b")
    #expect(plan.prepareAll() == "c")
    plan.finish("c", .fresh)
    #expect(plan.prepareAll() == "d")
  }

  @Test("what was prepared and comes after a failure in the serial order never starts")
  func failure() {
    var plan = Plan("a; b; c; d")
    #expect(plan.startAll() == "a b")
    #expect(plan.prepareAll() == "c d")
    #expect(plan.prepare("c") == false)
    plan.finish("a", .failed)
    #expect(plan.startAll() == "")
    plan.finish("b")
    #expect(!plan.schedule.isDone, "the last one is still looked at")
    #expect(plan.prepare("d") == false)
    #expect(plan.schedule.isDone)
    #expect(plan.notStarted == "c d")
  }

  @Test("what was prepared and comes before a failure still runs")
  func before() {
    var plan = Plan("a; b; c -> d; e", seconds: ["d": 60, "c": 60])
    #expect(plan.startAll() == "c a")
    #expect(plan.prepareAll() == "b e")
    #expect(plan.prepare("b") == false)
    #expect(plan.prepare("e") == false)
    plan.finish("c", .failed)
    #expect(plan.startAll() == "b")
    plan.finish("a")
    #expect(plan.startAll() == "")
    plan.finish("b")
    #expect(plan.schedule.isDone)
    #expect(plan.notStarted == "d e")
  }

  @Test("after a stop nothing that was prepared starts, and the run is not over while something is looked at")
  func stop() {
    var plan = Plan("a; b; c")
    #expect(plan.startAll() == "a b")
    #expect(plan.prepareAll() == "c")
    plan.schedule.stop()
    plan.finish("a", .failed)
    plan.finish("b", .failed)
    #expect(plan.startAll() == "")
    #expect(!plan.schedule.isDone)
    #expect(plan.prepare("c") == false)
    #expect(plan.schedule.isDone)
  }

  @Test("a longer path goes first, an equal one does not")
  func longer() {
    var plan = Plan("a -> long; b -> other; c", seconds: ["a": 1, "b": 1, "c": 1, "long": 60, "other": 1])
    #expect(plan.startAll() == "a b")
    #expect(plan.prepareAll() == "c")
    #expect(plan.prepare("c") == false)
    plan.finish("b")
    #expect(plan.startAll() == "c")
    #expect(plan.prepareAll() == "other")
    #expect(plan.prepare("other") == false)
    plan.finish("a")
    #expect(plan.startAll() == "long")
    plan.finish("c")
    #expect(plan.startAll() == "other")
  }
}

@Suite("what a machine has")
struct ResourceTests {
  private func settings(_ resources: [String: Double], mutex: [String] = []) -> StageSettings {
    var settings = StageSettings()
    settings.resources = resources
    settings.mutex = mutex
    return settings
  }

  @Test("what can never be had is told")
  func impossible() {
    let pool = ResourcePool(capacity: ["gpu": 2, "mem_gb": 15.5])
    #expect(pool.impossible(settings(["gpu": 2, "mem_gb": 15.5])) == nil)
    #expect(pool.impossible(settings(["gpu": 3]))?.name == "gpu")
    #expect(pool.impossible(settings(["mem_gb": 16]))?.capacity == 15.5)
    #expect(pool.impossible(settings(["licence": 1])) == nil)
    #expect(pool.impossible(settings(["licence": 2]))?.capacity == 1)
  }

  @Test("what is taken can be given back, fractions included")
  func takeAndGive() {
    var pool = ResourcePool(capacity: ["mem_gb": 1])
    let tenth = settings(["mem_gb": 0.1])
    for _ in 0..<10 {
      #expect(pool.fits(tenth))
      pool.take(tenth)
    }
    #expect(pool.lacking(tenth) == "mem_gb")
    pool.give(back: tenth)
    #expect(pool.fits(tenth))
  }

  @Test("a first stage may always run; the next only when its recorded peak is free")
  func memory() {
    var budget = MemoryBudget()
    var free: UInt64 = 100
    func enter(_ id: Int, _ peak: UInt64?, at now: Double) -> Bool {
      budget.enter(StageID(id), peak: peak, now: now) { free }
    }
    #expect(enter(1, 500, at: 0), "alone, whatever it takes")
    #expect(!enter(2, 101, at: 0))
    free = 700
    #expect(!enter(2, 300, at: 1), "the first may still grow")
    #expect(enter(3, nil, at: 1), "never measured")
    #expect(enter(2, 300, at: 10))
    #expect(!enter(4, 500, at: 10.01), "the second may still grow, and the measurement is young")
    budget.leave(StageID(2))
    #expect(enter(4, 500, at: 20))
  }
}
