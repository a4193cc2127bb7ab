// The events of many runs in the order in which they must reach a reader. Knows records and their edges; sends nothing.
package import CairnCore

/// Readers bind an input to what its name means when the event comes: a consumer's start that overtakes its producer's end
/// links the wrong runs. By time, therefore, and where two machines' clocks disagree by the recorded edges.
package struct OpenLineageSequence: Sendable {
  package struct Run: Sendable {
    package var id: RunID
    package var record: RunRecord
    /// Of a run that left no outputs behind: the paths that its stage has else.
    package var declared: [String]

    package init(id: RunID, record: RunRecord, declared: [String]) {
      self.id = id
      self.record = record
      self.declared = declared
    }
  }

  package struct Event: Sendable {
    package var value: Value
    /// `START of train`.
    package var words: String
  }

  package let events: [Event]
  /// How many runs they are of; of what was restored or accepted there are none.
  package let runs: Int

  /// - Parameter invocations: those that are known, by their names. Of others there is a start, and no end is claimed.
  package init(_ runs: [Run], invocations: [String: InvocationRecord], _ format: OpenLineage) {
    // Of what was made from git's history nobody saw a start or an end.
    let executed = runs.filter { OpenLineage.end(of: $0.record.result) != nil && $0.record.reconstructed == nil }
    var places = Places(executed)
    var placed: [Placed] = []
    var parents: [String: Parent] = [:]
    for run in executed {
      let record = run.record
      let (start, end, order) = places.times(of: run.id)
      let isInstant = start == end
      placed.append(Placed(time: start, rank: 2, order: order, .init(
        value: format.start(record, declared: run.declared), words: "START of " + record.stage.address)))
      if let value = format.end(record, run: run.id, declared: run.declared) {
        let type = OpenLineage.end(of: record.result)?.rawValue ?? ""
        placed.append(Placed(time: end, rank: isInstant ? 2 : 0, order: order, isEnd: true, .init(value: value, words: type + " of " + record.stage.address)))
      }
      parents[record.invocation, default: Parent(start: start, end: end, cairn: record.execution.cairn)].add(start, end)
    }
    for (name, parent) in parents.sorted(by: { $0.key < $1.key }) {
      let known = invocations[name]
      let start = min(known?.started ?? parent.start, parent.start)
      placed.append(Placed(time: start, rank: 1, .init(
        value: format.start(invocation: name, at: start, cairn: parent.cairn), words: "START of repro")))
      guard let known else { continue }
      placed.append(Placed(time: max(known.finished, parent.end), rank: 4, .init(
        value: format.end(known, cairn: parent.cairn),
        words: OpenLineage.end(ofExit: known.exit).rawValue + " of repro")))
    }
    events = placed.enumerated().sorted { a, b in
      (a.element.time, a.element.rank, a.element.order, a.element.isEnd ? 1 : 0, a.offset)
        < (b.element.time, b.element.rank, b.element.order, b.element.isEnd ? 1 : 0, b.offset)
    }.map(\.element.event)
    self.runs = executed.count
  }

  /// JSON Lines: one event a line.
  package var bytes: [UInt8] {
    var bytes: [UInt8] = []
    for event in events {
      bytes += ExportJSON.line(event.value).utf8
      bytes.append(0x0A)
    }
    return bytes
  }

  /// Of what happens at one moment: ends of what began before, starts of invocations, starts of runs, each followed by
  /// its end where it began just then, ends of invocations.
  private struct Placed {
    var time: Nanoseconds
    var rank: Int
    /// Makers come before those that read what they made.
    var order: Int
    var isEnd: Bool
    var event: Event

    init(time: Nanoseconds, rank: Int, order: Int = 0, isEnd: Bool = false, _ event: Event) {
      self.time = time
      self.rank = rank
      self.order = order
      self.isEnd = isEnd
      self.event = event
    }
  }

  private struct Parent {
    var start: Nanoseconds
    var end: Nanoseconds
    var cairn: String

    mutating func add(_ start: Nanoseconds, _ end: Nanoseconds) {
      self.start = min(self.start, start)
      self.end = max(self.end, end)
    }
  }

  /// When runs are told to have begun and ended: by their clocks, but nobody before those that made its inputs.
  private struct Places {
    private let records: [RunID: RunRecord]
    private var known: [RunID: (start: Nanoseconds, end: Nanoseconds, order: Int)] = [:]

    init(_ runs: [Run]) { records = Dictionary(runs.map { ($0.id, $0.record) }, uniquingKeysWith: { first, _ in first }) }

    mutating func times(of run: RunID) -> (start: Nanoseconds, end: Nanoseconds, order: Int) {
      // A record names only such as were there before it: there are no circles. Long chains are no reason to go deep.
      var waiting = [run]
      while let next = waiting.last {
        guard known[next] == nil, let record = records[next] else {
          waiting.removeLast()
          continue
        }
        let producers = record.inputs.compactMap(\.producer).filter { records[$0] != nil && $0 != next }
        let unknown = producers.filter { known[$0] == nil }
        if !unknown.isEmpty {
          waiting += unknown
          continue
        }
        let start = producers.reduce(record.execution.started) { max($0, known[$1]?.end ?? $0) }
        known[next] = (start, max(start, record.execution.finished ?? start), known.count)
        waiting.removeLast()
      }
      return known[run] ?? (0, 0, 0)
    }
  }
}
