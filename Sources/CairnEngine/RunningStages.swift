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
  /// Throws until the journal of running processes is read here: "nothing is running" would be a guess.
  package static func list(_ repository: Repository) throws(Diagnostic) -> [RunningStage] {
    var diagnostic = Diagnostic(.usage, "'runs --running' cannot tell yet what is running")
    diagnostic.exitCode = 2
    throw diagnostic
  }
}
