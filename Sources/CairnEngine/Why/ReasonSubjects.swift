// What a reason of one stage is about: the file or value, what is there now, and who made it.
import CairnCore
import CairnLineage

/// Finds what a reason of one stage is about.
struct ReasonSubjects {
  let stage: Stage
  let judgement: StageJudgement
  let run: RunID?
  let pipeline: Pipeline
  let producer: (Location, Content) -> (stage: StageID, run: RunID?)?
  let isAsLocked: (Location, Content, StageID) -> Bool

  func stageReason(_ reason: Reason) -> Explanation.StageReason {
    var reason = reason
    var subject = Explanation.Subject()
    subject.run = run
    switch reason.kind {
    case .dependencyChanged, .dependencyMissing, .dependencyAdded:
      if let index = stage.dependencies.firstIndex(where: { $0.declared.hasSameBytes(as: reason.path ?? "") }) {
        let dependency = stage.dependencies[index]
        let content = judgement.snapshot.dependencies[index]
        subject.location = dependency.location
        subject.lockedHash = judgement.lock?.dep(dependency.declared)?.contentHash
        subject.content = content
        subject.producer = producer(dependency.location, content)
        subject.isAsLocked = subject.producer.map { isAsLocked(dependency.location, content, $0.stage) } ?? false
      }
    case .parameterChanged, .parameterAdded, .parameterMissing:
      if let set = stage.parameters.first(where: { $0.declared.hasSameBytes(as: reason.path ?? "") }) {
        subject.value = reason.key.map { ValuePlace(set.location, key: $0) } ?? ValuePlace(set.location, steps: [])
        subject.location = set.location
        subject.producer = producer(set.location, .missing)
      }
    case .outputChanged, .outputMissing, .outputAdded:
      if let index = stage.outputs.firstIndex(where: { $0.declared.hasSameBytes(as: reason.path ?? "") }) {
        let output = stage.outputs[index]
        subject.location = output.location
        subject.lockedHash = judgement.lock?.out(output.declared)?.contentHash
        subject.content = judgement.snapshot.outputs?[index].content
      }
    default: break
    }
    if let location = subject.location { reason.path = location.recordPath }
    return Explanation.StageReason(reason: reason, cause: nil, subject: subject)
  }
}
