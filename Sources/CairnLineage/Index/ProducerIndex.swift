// Answers in microseconds what a running `repro` asks of history: who made these bytes, which run stands behind this
// lock entry, how long does this stage take. Knows a flat file of entries; knows nothing of SQLite or JSON.
package import CairnCore
import CairnSystem
import Glibc
import Synchronization

/// An append-only file of fixed entries, written along with each record, read whole on the first question.
///
/// It may be deleted at any time; `refresh(with:)` makes it anew from the records, and reads what somebody else wrote
/// into a shared store. A file of another version, or a damaged one, is discarded silently. Where it lacks a record its
/// answer is "none". All functions may be called from any thread.
package final class ProducerIndex: Sendable {
  package let path: String

  struct Run {
    var id: RunID
    var result: RunResult
    var started: Nanoseconds
    var duration: Nanoseconds
    var peakMemory: UInt64
    var stage: Digest16
    var work: Digest16
    /// `restored_from` or `accepts`.
    var source: RunID?
    /// It is of no attempt that anybody saw: how long a stage takes and whether it failed it does not tell.
    var isReconstructed: Bool
  }

  struct State {
    var isLoaded = false
    /// Whether what is learnt is written to the file.
    var isKept = true
    /// For appending; -1 until something was.
    var descriptor: Int32 = -1
    var runs: [Run] = []
    var numbers: [RunID: Int32] = [:]
    /// `outputKey` → the runs that have this output, in the order written.
    var producers: [Digest16: [Int32]] = [:]
    var byWork: [Digest16: [Int32]] = [:]
    var byStage: [Digest16: [Int32]] = [:]
    /// Documents that are no runs' records.
    var others: Set<Digest32> = []

    func runs(thatDid work: WorkKey) -> [Int32] { work.digests.flatMap { byWork[$0] ?? [] } }
  }
  let state = Mutex(State())

  /// Touches nothing on the disk.
  package init(path: String) { self.path = path }

  deinit {
    state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } }
  }

  /// Notes a record that was just written. One write(2); a failure only makes the index shorter than it could be.
  package func add(_ id: RunID, _ record: RunRecord) {
    let outputs = record.outputs.compactMap { output in output.md5.map { Self.outputKey(output.path, $0) } }
    add(id, record, stage: Self.stageKey(record.stage.address), outputs)
  }

  /// Notes a record of another repository: a run of no stage of ours, and the maker of nothing at our paths; only the
  /// work that it did is known.
  func add(foreign id: RunID, _ record: RunRecord) { add(id, record, stage: Digest16(high: 0, low: 0), []) }

  private func add(_ id: RunID, _ record: RunRecord, stage: Digest16, _ outputs: [Digest16]) {
    let run = Run(
      id: id, result: record.result, started: record.execution.started,
      duration: max(0, (record.execution.finished ?? record.execution.started) - record.execution.started),
      peakMemory: record.execution.peakMemory ?? 0, stage: stage,
      work: WorkKey(record).digest, source: record.restoredFrom ?? record.accepts,
      isReconstructed: record.reconstructed != nil)
    append([run.entry] + outputs.map { ProducerEntry.output($0, of: id) }) { state in
      Self.insert(run, outputs, into: &state)
    }
  }

  // MARK: Questions

  /// The run that generated these bytes at this path (relative to the root; `md5` as in the lock, with `.dir`): of
  /// those that succeeded or were accepted the newest that did the work which left them there, where one did, else the
  /// newest; a reconstructed one where none was observed. `nil` when none is known.
  ///
  /// - Parameter work: of the lock entry that has them as an output; asked for when several runs made them.
  package func producer(of path: String, md5: String, leftBy work: () -> WorkKey?) -> RunID? {
    let key = Self.outputKey(path, md5)
    let all = reading { state in
      (state.producers[key] ?? []).map { state.runs[Int($0)] }.filter { $0.result.isTrusted }
    }
    let observed = all.filter { !$0.isReconstructed }
    let runs = observed.isEmpty ? all : observed
    let work = runs.count > 1 ? work() : nil
    let behind = runs.filter { work?.isWork(of: $0.work) ?? false }
    return (behind.isEmpty ? runs : behind).max { $0.started < $1.started }?.id
  }

  /// The run behind a lock entry: the earliest succeeded or accepted one of this stage with the same command,
  /// parameters and hashes (a restored one is followed to its source); a reconstructed one where none was observed.
  /// `nil`: unknown, since DVC may have run it.
  package func run(behind work: WorkKey, of stage: String) -> RunID? {
    let stageKey = Self.stageKey(stage)
    return reading { state in
      var best: (run: Run, id: RunID)?
      for number in state.runs(thatDid: work) where state.runs[Int(number)].stage == stageKey {
        let run = state.runs[Int(number)]
        guard let source = Self.followed(run, in: state) else { continue }
        if best.map({ Self.precedes(run, $0.run) }) ?? true { best = (run, source) }
      }
      return best?.id
    }
  }

  package func isReconstructed(_ run: RunID) -> Bool {
    reading { state in state.numbers[run].map { state.runs[Int($0)].isReconstructed } ?? false }
  }

  /// The newest run that left this lock entry, by doing the work or by taking it from the cache; and whether the stage
  /// did other work after it. `nil`: unknown.
  package func newest(thatLeft work: WorkKey, of stage: String) -> (run: RunID, didOtherWorkSince: Bool)? {
    let stageKey = Self.stageKey(stage)
    return reading { state in
      let good = (state.byStage[stageKey] ?? []).map { state.runs[Int($0)] }
        .filter { $0.result.leavesLock }.sorted { Self.rank($0) < Self.rank($1) }
      guard let run = good.last(where: { work.isWork(of: $0.work) && Self.followed($0, in: state) != nil })
      else { return nil }
      return (run.id, !(good.last.map { work.isWork(of: $0.work) } ?? false))
    }
  }

  /// All succeeded and accepted runs that did exactly this work, under whatever name, earliest first, reconstructed
  /// ones behind the others: where the
  /// outputs that the run-cache has came from.
  package func runs(thatDid work: WorkKey) -> [RunID] {
    reading { state in
      state.runs(thatDid: work).map { state.runs[Int($0)] }
        .filter { $0.result.isTrusted }.sorted { Self.precedes($0, $1) }.map(\.id)
    }
  }

  /// What is known of the stage's earlier runs; `nil` when it never ran.
  package func history(of stage: String) -> StageHistory? {
    reading { state in
      // Asked of every stage before the first one starts: where nothing is known, nothing is hashed.
      if state.byStage.isEmpty { return nil }
      let key = Self.stageKey(stage)
      let runs = (state.byStage[key] ?? []).map { state.runs[Int($0)] }.sorted { Self.rank($0) < Self.rank($1) }
      guard let last = runs.last else { return nil }
      let good = runs.filter { $0.result == .succeeded }.suffix(StageHistory.sampleLimit)
      let peak = good.map(\.peakMemory).max() ?? 0
      return StageHistory(
        seconds: StageHistory.median(good.map { Double($0.duration) / 1e9 }), samples: good.count,
        peakMemory: peak == 0 ? nil : peak, lastRun: last.id, lastResult: last.result)
    }
  }

  /// Whether a run of the stage has ended well, whatever the lock says.
  package func hasSucceeded(_ stage: String) -> Bool {
    reading { state in
      // As above: a first run asks for each of its stages.
      if state.byStage.isEmpty { return false }
      return (state.byStage[Self.stageKey(stage)] ?? []).contains { state.runs[Int($0)].result == .succeeded }
    }
  }

  /// The succeeded or accepted run that this one is or was restored from.
  private static func followed(_ run: Run, in state: State) -> RunID? {
    var run = run
    // A chain is a step or two; the limit is for a store that somebody else wrote.
    for _ in 0..<64 {
      if run.result.isTrusted { return run.id }
      guard run.result == .restored, let source = run.source else { return nil }
      guard let number = state.numbers[source] else { return source }
      run = state.runs[Int(number)]
    }
    return nil
  }

  /// A run that was accepted has the start of the one that it vouches for, in the microseconds of records, and comes
  /// after it.
  private static func rank(_ run: Run) -> (Int64, Int) { (run.started / 1000, run.result == .accepted ? 1 : 0) }

  private static func precedes(_ run: Run, _ other: Run) -> Bool {
    run.isReconstructed == other.isReconstructed ? run.started < other.started : other.isReconstructed
  }

  static func outputKey(_ path: String, _ md5: String) -> Digest16 { key(path + "\u{0}" + md5) }
  static func stageKey(_ address: String) -> Digest16 { key(address) }

  private static func key(_ text: String) -> Digest16 {
    var text = text
    return text.withUTF8 { Digest32.sha256(UnsafeRawBufferPointer($0)).high }
  }

  static func insert(_ run: Run, _ outputs: [Digest16], into state: inout State) {
    guard state.numbers[run.id] == nil else { return }
    let number = Int32(state.runs.count)
    state.runs.append(run)
    state.numbers[run.id] = number
    state.byWork[run.work, default: []].append(number)
    if !run.isReconstructed { state.byStage[run.stage, default: []].append(number) }
    for output in outputs { state.producers[output, default: []].append(number) }
  }
}

extension RunResult {
  /// A lock entry may rest on it.
  package var isTrusted: Bool { self == .succeeded || self == .accepted }

  /// It left a lock entry, by doing the work or by taking what another run made.
  package var leavesLock: Bool { isTrusted || self == .restored }
}

/// What earlier runs of a stage tell of the next one.
package struct StageHistory: Sendable, Hashable {
  /// How many of the newest good runs are looked at.
  static let sampleLimit = 6
  /// Median of the newest good runs; `nil` when none succeeded.
  package var seconds: Double?
  package var samples: Int
  /// Bytes: the most that one of them needed; `nil` when unknown.
  package var peakMemory: UInt64?
  /// The newest attempt, however it ended.
  package var lastRun: RunID
  package var lastResult: RunResult

  static func median(_ values: [Double]) -> Double? {
    if values.isEmpty { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }
}
