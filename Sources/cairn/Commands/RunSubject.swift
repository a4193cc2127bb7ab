// What a word names where runs and models are meant beside stages. Knows no command.
internal import CairnCore
internal import CairnEngine
internal import CairnLineage
internal import CairnServices

enum RunSubject {
  /// `models:/NAME/VERSION`, `run:7f3a`, `@last`, or digits that are no stage's name; `nil` for any other word.
  ///
  /// - Throws: where it is one of them, and there is no such thing.
  static func find(_ word: String, _ workspace: Workspace) throws -> (run: RunID, model: RegisteredModel?)? {
    if word.hasPrefix("models:/") {
      let model = try self.model(word, workspace.settings, workspace.repository)
      return (model.run, model)
    }
    guard RunReference(word) != nil else { return nil }
    let isExplicit = word.hasPrefix("run:") || word.hasPrefix("@")
    let stages = workspace.project.pipeline.stages
    if !isExplicit, stages.contains(where: { $0.address.text(from: workspace.folder) == word || $0.address.name == word }) { return nil }
    let index = try History(workspace.repository, git: workspace.git, cacheFolder: workspace.settings.cacheFolder).index()
    return (try index.resolve(word, from: workspace.folder), nil)
  }

  static func model(
    _ word: String, _ settings: Settings, _ repository: Repository
  ) throws(Diagnostic) -> RegisteredModel {
    try lookup(word, settings, repository).find(word)
  }

  static func lookup(
    _ word: String, _ settings: Settings, _ repository: Repository
  ) throws(Diagnostic) -> ModelLookup {
    guard let tracking = TrackingSettings(settings, repository) else {
      throw Diagnostic(.tracking, "no tracking server is named, so '\(word)' cannot be looked up")
        .hinting("`cairn config cairn.tracking.uri http://…`, or MLFLOW_TRACKING_URI")
    }
    return try ModelLookup(tracking)
  }
}
