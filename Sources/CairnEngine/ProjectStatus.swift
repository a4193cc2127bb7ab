// What `dvc status` says of stages, in its words and its order, from the judgement that `repro` acts on.
package import CairnCore
import CairnSystem

package struct ProjectStatus: Sendable {
  /// One stage with everything that differs; empty when nothing does.
  package struct Entry: Sendable {
    package enum Part: Sendable {
      /// `changed deps`, `changed outs`: path → status, or for a parameter file → key → status.
      case paths(String, ValueMap)
      /// `always changed`, `changed command`.
      case words(String)
    }
    package var address: String
    package var parts: [Part]
  }

  /// Those that differ, in the order asked for.
  package private(set) var entries: [Entry] = []
  package private(set) var warnings: [String] = []

  /// - Parameter checksUpdates: asks git where the source of an imported repository stands now.
  package init(
    of selections: [StageSelection], in workspace: Workspace, checksUpdates: Bool
  ) throws(Diagnostic) {
    let judge = StageJudge(workspace)
    let pipeline = workspace.project.pipeline
    let judgements = judge.judge(selections.map(\.stage))
    judge.keepHashes()
    var places: [String: Int] = [:]
    for (selection, judgement) in zip(selections, judgements) {
      let stage = pipeline[selection.stage]
      let address = stage.address.text(from: workspace.folder)
      if stage.isFrozen, !stage.isRepositoryImport {
        warnings.append(
          "stage: '\(address)' is frozen. Its dependencies are not going to be shown in the status output.")
      }
      if let unknown = judgement.staleness.unknown { throw unknown }
      var view = StatusView(stage: stage, folder: workspace.folder, staleness: judgement.staleness)
      if checksUpdates, stage.isRepositoryImport {
        for dependency in stage.dependencies where try dependency.hasUpdate(root: workspace.repository.root) {
          view.updates.append(dependency)
        }
      }
      let parts = view.parts(inside: selection.path)
      // A stage that is asked for twice is told once, where it came first.
      if parts.isEmpty { continue }
      if let index = places[address] {
        entries[index].parts = parts
      } else {
        places[address] = entries.count
        entries.append(Entry(address: address, parts: parts))
      }
    }
  }

  /// The document of `status --json`.
  package var value: Value {
    .map(
      ValueMap(
        entries.map { entry in
          let parts = entry.parts.map { part -> Value in
            switch part {
            case .paths(let title, let paths): .map([.string(title): .map(paths)])
            case .words(let words): .string(words)
            }
          }
          return (.string(entry.address), .list(parts))
        }, uniquingKeysWith: { $1 }))
  }
}

/// One stage's differences as DVC lists them.
private struct StatusView {
  let stage: Stage
  let folder: RepoPath
  let staleness: Staleness
  /// Dependencies on other repositories that have moved on.
  var updates: [Dependency] = []

  func parts(inside target: Location?) -> [ProjectStatus.Entry.Part] {
    var parts: [ProjectStatus.Entry.Part] = []
    let dependencies = self.dependencies
    if !dependencies.isEmpty { parts.append(.paths("changed deps", dependencies)) }
    var outputs = ValueMap()
    for (index, status) in staleness.outputs where isWanted(stage.outputs[index].location, target) {
      outputs[.string(stage.outputs[index].text(from: folder))] = .string(status.rawValue)
    }
    if !outputs.isEmpty { parts.append(.paths("changed outs", outputs)) }
    // DVC knows no environment and forgives a shorter declaration: what makes `repro` run is told all the same.
    var variables = ValueMap()
    for reason in staleness.reasons where reason.kind == .environmentChanged {
      variables[.string(reason.key ?? "")] = .string(PathStatus.modified.rawValue)
    }
    if !variables.isEmpty { parts.append(.paths("changed environment", variables)) }
    if staleness.alwaysChanged { parts.append(.words("always changed")) }
    if staleness.commandChanged {
      parts.append(.words(stage.kind == .pipeline ? "changed command" : "changed checksum"))
    }
    if parts.isEmpty, staleness.isStale, target == nil { parts.append(.words("changed declaration")) }
    return parts
  }

  private var dependencies: ValueMap {
    var result = ValueMap()
    for dependency in updates {
      result[.string(dependency.text(from: folder))] = .string(PathStatus.updateAvailable.rawValue)
    }
    for (index, status) in staleness.dependencies {
      result[.string(stage.dependencies[index].text(from: folder))] = .string(status.rawValue)
    }
    for (index, status) in staleness.parameters {
      let file = Value.string(stage.parameters[index].text(from: folder))
      switch status {
      case .file(let status): result[file] = .string(status.rawValue)
      case .keys(let keys):
        result[file] = .map(
          ValueMap(keys.map { (.string($0.key), .string($0.status.rawValue)) }, uniquingKeysWith: { $1 }))
      }
    }
    return result
  }

  /// DVC shows of a stage only the outputs that the target lies in.
  private func isWanted(_ output: Location, _ target: Location?) -> Bool {
    target.map { $0.isInside(output) } ?? true
  }
}

extension Stage {
  /// Made by `import`: its source is a revision of another repository.
  fileprivate var isRepositoryImport: Bool { isImport && dependencies.contains { $0.source?.repository != nil } }
}

extension Dependency {
  /// The revision that the import follows is not the one that it was made from.
  fileprivate func hasUpdate(root: String) throws(Diagnostic) -> Bool {
    guard let repository = source?.repository, let url = repository["url"]?.string else { return false }
    let locked = repository["rev_lock"]?.string
    let current = try GitRepository.commit(of: repository["rev"]?.string, at: url, folder: root)
    return locked != nil && current != locked
  }
}
