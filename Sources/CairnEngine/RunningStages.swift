// Which commands are running now, by the records of what they become if they die.
package import CairnCore

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
  package static func list(_ repository: Repository) throws(Diagnostic) -> [RunningStage] { [] }
}
