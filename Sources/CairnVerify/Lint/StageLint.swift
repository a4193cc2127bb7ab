// What deserves a warning in a stage, without any lock: no effect, results that nobody reads, scripts that are not
// declared.
import CairnCore
import CairnEngine
import CairnSystem

struct StageLint {
  let subject: VerifySubject
  /// Locations that stages depend on, or take parameters from.
  let consumed: [Location]
  /// What the top level of a dvc.yaml names for people: metrics, plots, artifacts.
  let shown: Set<Location>
  /// What stages make, and what is tracked.
  private let outputs: [Location]

  init(_ subject: VerifySubject) {
    self.subject = subject
    consumed = Array(
      Set(subject.project.pipeline.stages.flatMap { $0.dependencies.map(\.location) + $0.parameters.map(\.location) }))
    var shown: Set<Location> = []
    for file in subject.project.pipeline.files {
      let folder = Location.local(file.path.parent)
      func add(_ path: String?) { if let path { shown.insert(subject.paths.location(of: path, in: folder)) } }
      file.metrics.forEach(add)
      for artifact in file.artifacts.values { add(artifact["path"]?.string) }
      file.plotFiles.forEach(add)
    }
    self.shown = shown
    outputs = subject.project.pipeline.stages.flatMap { $0.outputs.map(\.location) }
  }

  func checks(of stage: Stage) -> [Check] {
    guard stage.kind == .pipeline else { return [] }
    let maker = CheckMaker(stage, subject.paths)
    return missing(stage, maker) + effect(stage, maker) + unread(stage, maker) + scripts(stage, maker)
  }

  /// Parameters that are declared and that their file does not have: no run would succeed.
  private func missing(_ stage: Stage, _ maker: CheckMaker) -> [Check] {
    stage.parameters.flatMap { set -> [Check] in
      let reading = try? subject.loader.parameters.reading(of: set, from: .root)
      if case .missing? = reading, !set.location.isURL, !outputs.contains(where: { set.location.isInside($0) }) {
        return [
          maker.failed(
            .lockParams, path: set.location.recordPath, "the parameter file \(set.declared) is not there",
            hint: "bring it, or take it out of the stage's params", at: set.mark)
        ]
      }
      guard case .values(let values)? = reading else { return [] }
      let known = Set(values.map { RepoPath(unchecked: $0.key) })
      return set.keys.filter { !known.contains(RepoPath(unchecked: $0)) }.map { key in
        maker.failed(
          .lockParams, path: set.location.recordPath, "\(set.declared) does not have the parameter \(key)",
          hint: "give it a value there, or take it out of the stage's params", at: set.keyMarks[key] ?? set.mark)
      }
    }
  }

  private func effect(_ stage: Stage, _ maker: CheckMaker) -> [Check] {
    if !stage.outputs.isEmpty { return [maker.passed(.deadStage)] }
    return [
      maker.failed(
        .deadStage, "it makes nothing: no stage can need it, and nobody sees what it did",
        hint: "declare what it makes under outs, or take it out")
    ]
  }

  private func unread(_ stage: Stage, _ maker: CheckMaker) -> [Check] {
    stage.outputs.compactMap { output in
      // For people, or in git for them.
      if output.role != .out || !output.isCached || shown.contains(where: { $0.isInside(output.location) }) { return nil }
      let isRead = consumed.contains { $0.isInside(output.location) || output.location.isInside($0) }
      if isRead { return maker.passed(.unreadOutput, path: output.location.recordPath, at: output.mark) }
      return maker.failed(
        .unreadOutput, path: output.location.recordPath, "no stage reads \(output.declared)",
        hint: "if it is a result, name it under artifacts; else take it out", at: output.mark)
    }
  }

  // MARK: Scripts

  private func scripts(_ stage: Stage, _ maker: CheckMaker) -> [Check] {
    var told: Set<RepoPath> = []
    var checks: [Check] = []
    for (number, line) in stage.commands.enumerated() {
      for known in CommandScripts.scripts(in: line) {
        guard let script = known.names.lazy.compactMap({ file($0, in: stage.wdir) }).first, told.insert(script).inserted
        else {
          continue
        }
        let location = Location.local(script)
        let isKnown =
          stage.dependencies.contains { location.isInside($0.location) }
          || stage.outputs.contains { location.isInside($0.location) }
        if isKnown { continue }
        checks.append(
          maker.failed(
            .undeclaredScript, path: script.text, "it runs \(script), which is not among its dependencies",
            hint: "add \(script.relative(to: stage.wdir.local ?? .root)) to its deps",
            at: stage.mark(ofCommand: number)))
      }
    }
    return checks.isEmpty ? [maker.passed(.undeclaredScript)] : checks
  }

  /// A file of the project's.
  private func file(_ name: String, in wdir: Location) -> RepoPath? {
    guard case .local(let path) = subject.paths.location(of: name, in: wdir), !path.isRoot,
      subject.files.exists(path), !subject.files.isDirectory(path)
    else { return nil }
    return path
  }
}
