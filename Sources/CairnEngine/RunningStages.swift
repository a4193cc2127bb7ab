// Which commands are running now, by the records of what they become if they die.
package import CairnCore
import CairnFormats
import CairnSystem

package struct RunningStage: Sendable {
  package var stage: String
  package var actor: RunRecord.Actor
  package var started: Nanoseconds
  package init(stage: String, actor: RunRecord.Actor, started: Nanoseconds) {
    self.stage = stage
    self.actor = actor
    self.started = started
  }
}

package enum RunningStages {
  /// In the order in which they began, of every process that lives: also of other hosts on a shared disk.
  package static func list(_ repository: Repository) throws(Diagnostic) -> [RunningStage] {
    var running: [RunningStage] = []
    for path in try Journal.paths(in: CairnFolder.journals(of: repository)) where OpenFileLock.isLocked(path) {
      for start in JournalContent(try Journal.read(path)).open {
        guard let record = try? RecordJSON.decode(start.lostRecord) else { continue }
        running.append(
          RunningStage(stage: record.stage.address, actor: record.actor, started: record.execution.started))
      }
    }
    return running.sorted { $0.started < $1.started }
  }
}
