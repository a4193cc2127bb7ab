// What a stale stage will fail for want of, and the step that helps.
internal import CairnCore
internal import CairnEngine

extension WhyText {
  /// Of the stages that are to run before `id`, and of itself; the first two.
  func hindrances(of stages: [Explanation.StagePart], for id: StageID) -> [(label: String, text: String)] {
    stages.compactMap { part in
      guard let lacks = part.lacks else { return nil }
      let who = part.id == id ? "" : name(part.id) + " "
      let path = words.path(lacks.reason)
      if lacks.reason.kind == .parameterMissing {
        return ("cannot run", "\(who)until \(path) has \(lacks.reason.key ?? "a value for it")")
      }
      return ("cannot run", "\(who)until \(path) is there\(isInCache(lacks.subject) ? ": cairn checkout \(path)" : "")")
    }.prefix(2).map { $0 }
  }

  /// A `.dvc` file or a frozen stage has it, and so does the cache.
  private func isInCache(_ subject: Explanation.Subject) -> Bool {
    guard let id = subject.producer?.stage, let location = subject.location else { return false }
    let stage = workspace.project.pipeline[id]
    guard let output = stage.outputs.first(where: { $0.location == location }),
      let hash = workspace.lockEntry(of: stage)?.out(output.declared)?.contentHash
    else { return false }
    return (try? workspace.cache.contains(hash)) ?? false
  }
}
