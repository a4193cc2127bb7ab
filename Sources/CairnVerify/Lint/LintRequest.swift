// `cairn lint`: the checks that need no lock, and what else deserves a warning in a pipeline.
package import CairnCore
package import CairnEngine

package struct LintRequest: Sendable {
  /// Stages, as the user names them; none: all, and the files that they share.
  package var targets: [String] = []
  /// A commit instead of the work tree.
  package var revision: String?
  /// The day on which acceptances are judged.
  package var today: String

  package init(today: String) { self.today = today }

  package func run(in repository: Repository) throws(Diagnostic) -> VerifyOutcome {
    var request = VerifyRequest(today: today)
    request.targets = targets
    request.revision = revision
    return try request.lint(repository)
  }
}

extension VerifySubject {
  /// Everything that can be said without a lock.
  func lint(_ wanted: [StageID]?) -> [Check] {
    // What is not committed yet is no fault before a run.
    let files = PipelineChecks(subject: self, source: nil)
    var checks = files.validity()
    if files.isBroken { return checks }
    let ids = wanted ?? project.pipeline.ids
    let kept: Set<CheckID> = [.depOrigin, .outInGit, .pathOutside, .paramsAsDep]
    let known = StaticChecks(self, looksAtRecords: false).run(ids).filter {
      kept.contains($0.id) && $0.status != .skipped
    }
    let byStage = Dictionary(grouping: known) { $0.stage ?? "" }
    let lint = StageLint(self)
    for id in ids {
      let stage = project.pipeline[id]
      checks += byStage[stage.address.text()] ?? []
      checks += lint.checks(of: stage)
    }
    if wanted == nil { checks += emptyGroups() + UnusedValues(self).checks() }
    return checks
  }

  /// A `foreach` or `matrix` over nothing makes no stage.
  private func emptyGroups() -> [Check] {
    var made: Set<StageAddress> = []
    for stage in project.pipeline.stages {
      if let group = stage.group { made.insert(StageAddress(file: stage.address.file, name: group)) }
    }
    var checks: [Check] = []
    for file in project.pipeline.files {
      for entry in file.document["stages"]?.entries ?? [] {
        guard let name = entry.key.string, entry.value["foreach"] != nil || entry.value["matrix"] != nil else {
          continue
        }
        let address = StageAddress(file: file.path, name: name)
        if made.contains(address) { continue }
        checks.append(
          Check(
            .deadStage, .failed, stage: address.text(), message: "it makes no stage: what it goes over is empty",
            hint: "give it an item, or take it out", at: CheckPlace(entry.key.mark, orFile: file.path.text, paths)))
      }
    }
    return checks
  }
}
