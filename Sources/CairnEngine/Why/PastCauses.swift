// What a run began with: its reasons followed, through the runs that made what it read, to the edit behind them.
// Reads records alone; the index is opened when the first reason leads to another stage.
package import CairnCore
import CairnFormats
import CairnLineage

/// One root cause of a run.
package struct PastCause: Sendable {
  package var reason: Reason
  /// The stage that has this reason.
  package var stage: String
  /// The stages through which it arrived, the one that has the reason first; empty for a reason of the run's own.
  package var through: [String] = []
}

struct PastCauses: Sendable {
  private let records: RecordStore
  private let index: @Sendable () throws -> LineageIndex
  private let commands: CommandChanges
  /// So many runs are followed, one after the other.
  private static let depthLimit = 4096

  init(
    _ records: RecordStore, index: @escaping @Sendable () throws -> LineageIndex, commands: CommandChanges
  ) {
    self.records = records
    self.index = index
    self.commands = commands
  }

  /// The run's own first, then those that came through other stages; each once.
  func of(_ record: RunRecord) -> [PastCause] {
    var own: [PastCause] = []
    var others: [PastCause] = []
    for reason in record.reasons.compactMap(ReasonJSON.reason) {
      if let maker = maker(of: reason, in: record) {
        others.append(follow(maker, fallback: PastCause(reason: reason, stage: record.stage.address)))
      } else {
        own += roots(of: reason, in: record).map { PastCause(reason: $0, stage: record.stage.address) }
      }
    }
    var seen: Set<Reason> = []
    let found = (own + others).filter { seen.insert($0.reason).inserted }
    // It would have run without being forced.
    return found.filter { $0.reason.kind != .forced } + found.filter { $0.reason.kind == .forced }
  }

  /// A command that the stage still has was made another one by values that still stand where they stood.
  private func roots(of reason: Reason, in record: RunRecord) -> [Reason] {
    guard case .values(let changed)? = commands.change(reason, of: record) else { return [reason] }
    return changed.map(\.reason)
  }

  private func follow(_ first: RunRecord, fallback: PastCause) -> PastCause {
    var record = first
    var through: [String] = []
    for _ in 0..<Self.depthLimit {
      through.insert(record.stage.address, at: 0)
      let reasons = record.reasons.compactMap(ReasonJSON.reason)
      let makers = reasons.map { maker(of: $0, in: record) }
      let own = zip(reasons, makers).filter { $1 == nil }.map(\.0)
      let before = makers.compactMap { $0 }.first { $0.execution.started <= record.execution.started }
      if let cause = own.first(where: { $0.kind != .forced }) ?? (before == nil ? own.first : nil) {
        let root = roots(of: cause, in: record).first ?? cause
        return PastCause(reason: root, stage: record.stage.address, through: through)
      }
      // What started after it has made nothing that it read: the way ends.
      guard let before else { return fallback }
      record = before
    }
    return fallback
  }

  /// The run that left the dependency of a reason as `record` read it; `nil` for what no run made.
  private func maker(of reason: Reason, in record: RunRecord) -> RunRecord? {
    guard [.dependencyChanged, .dependencyAdded].contains(reason.kind), let path = reason.path,
      case .content(let hash, _)? = reason.now, let input = record.inputs.first(where: { $0.path == path }),
      input.producer != nil || input.origin.kind == .stage
    else { return nil }
    let written = (try? index().writer(of: path, md5: hash, until: record.execution.started)) ?? nil
    guard let maker = written ?? input.producer, let found = (try? records.record(maker)) ?? nil,
      found.stage.address != record.stage.address
    else { return nil }
    return found
  }
}
