// `cairn stage list`: the stages and what each is for.
internal import ArgumentParser
internal import CairnCore
internal import CairnEngine
internal import CairnSystem

struct StageListCommand: CairnCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List stages",
    discussion: """
      Without targets: the stages of the dvc.yaml at hand. Files that cannot be understood are passed over by \
      --all and -R, unless --fail is given.

      cairn stage list
      cairn stage list --all --name-only
      """)

  @OptionGroup var global: GlobalOptions
  @Flag(name: .long, help: "List all of the stages in the repo.") var all = false
  @Flag(name: .long, help: "Fail immediately, do not suppress any syntax errors.") var fail = false
  @Flag(name: [.customShort("R"), .long], help: "List all stages inside the specified directory.")
  var recursive = false
  @Flag(name: [.long, .customLong("names-only")], help: "List only stage names.") var nameOnly = false
  @Argument(help: "Show stages from a dvc.yaml/.dvc file or a directory (default: dvc.yaml).", completion: Completions.files) var targets: [String] = []

  func execute(_ invocation: Invocation) throws -> ExitStatus {
    let repository = try Repository.findRoot()
    let loader = PipelineLoader(repository, try Settings.load(repository))
    let project = loader.loadKeepingFailures()
    for warning in project.warnings { invocation.console.warning(warning) }
    if all || recursive, let failure = project.failures.first(where: { fail || $0.diagnostic.isUnexpected }) {
      throw failure.diagnostic
    }

    let ids: [StageID]
    if all {
      ids = project.stagesOfSoundFiles
    } else {
      ids = try selected(from: project, loader, repository)
    }
    var seen: Set<String> = []
    var rows: [[String]] = []
    for id in ids {
      let stage = project.pipeline[id]
      let name = stage.address.text(from: project.folder)
      guard seen.insert(name).inserted else { continue }
      rows.append([name, nameOnly ? "" : Self.description(of: stage)])
    }
    if !rows.isEmpty { invocation.console.writeTable(PlainTable.text(rows)) }
    return .success
  }

  private func selected(
    from project: LoadedProject, _ loader: PipelineLoader, _ repository: Repository
  ) throws -> [StageID] {
    var ids: [StageID] = []
    for target in targets.isEmpty ? ["dvc.yaml"] : targets {
      let place = target.hasPrefix("/") ? target : Repository.join(repository.workingDirectory, target)
      if recursive, Files.isDirectory(place) {
        // Folders are searched in what could be understood.
        let sound = project.sound
        let found = try TargetResolution(sound, loader: loader).stages(target, recursive: true)
        ids += found.compactMap { project.pipeline.byAddress[sound.pipeline[$0].address] }
      } else {
        ids += try TargetResolution(project, loader: loader).stages(target)
      }
    }
    return ids
  }

  /// The first line of its `desc`, else what it makes; at most 80 characters.
  private static func description(of stage: Stage) -> String {
    let text = firstLine(stage.description ?? "") ?? summary(of: stage)
    let limit = 80
    return text.unicodeScalars.count > limit
      ? String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit - 1))) + "…" : text
  }

  private static func firstLine(_ text: String) -> String? {
    text.split(omittingEmptySubsequences: true, whereSeparator: \.isNewline).first.map {
      String($0).trimmingWhitespace
    }
  }

  private static func summary(of stage: Stage) -> String {
    let inputs = stage.dependencies.map(\.declared) + stage.parameters.map(\.declared)
    if stage.outputs.isEmpty {
      return inputs.isEmpty ? "No outputs or dependencies" : "Depends on " + inputs.joined(separator: ", ")
    }
    let outputs = stage.outputs.filter { $0.role == .out }.map(\.declared)
    let reports = stage.outputs.filter { $0.role != .out }.map(\.declared)
    var parts: [String] = []
    if !outputs.isEmpty { parts.append("Outputs " + outputs.joined(separator: ", ")) }
    if !reports.isEmpty { parts.append("Reports " + reports.joined(separator: ", ")) }
    return parts.joined(separator: "; ")
  }
}
