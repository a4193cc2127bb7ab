// Where the outputs of a pipeline lie, and what was locked of each. Knows nothing of what lies there.
package import CairnCore
import CairnEngine

/// An output of a stage or a `.dvc` file.
package struct OutputPlace: Hashable, Sendable {
  package var stage: StageID
  /// In the stage's outputs.
  package var index: Int
}

final class OutputPlaces: Sendable {
  private let project: LoadedProject
  private let paths: PathResolver
  /// By their paths in the project.
  private let local: PathTrie<OutputPlace>
  /// By their paths from the root of the disk.
  private let elsewhere: PathTrie<OutputPlace>
  /// On other machines, at exactly these places.
  private let urls: [String: OutputPlace]

  init(_ project: LoadedProject, _ paths: PathResolver) {
    self.project = project
    self.paths = paths
    var local = PathTrie<OutputPlace>()
    var elsewhere = PathTrie<OutputPlace>()
    var urls: [String: OutputPlace] = [:]
    for number in project.pipeline.stages.indices {
      for (index, output) in project.pipeline.stages[number].outputs.enumerated() {
        let place = OutputPlace(stage: StageID(number), index: index)
        switch output.location {
        case .local(let path): local.insert(place, at: path)
        case .external(let path): elsewhere.insert(place, at: Self.key(path))
        case .url(let url): urls[url] = place
        }
      }
    }
    self.urls = urls
    self.local = local
    self.elsewhere = elsewhere
  }

  private static func key(_ path: OutsidePath) -> RepoPath { RepoPath(unchecked: String(path.absolute.dropFirst())) }

  /// The output at this place or the one that holds it.
  func around(_ location: Location) -> OutputPlace? {
    switch location {
    case .local(let path): local.valuesAbove(path).last
    case .external(let path): elsewhere.valuesAbove(Self.key(path)).last
    case .url(let url): urls[url]
    }
  }

  /// Those inside of this place.
  func inside(_ location: Location) -> [OutputPlace] {
    switch location {
    case .local(let path): local.valuesBelow(path)
    case .external(let path): elsewhere.valuesBelow(Self.key(path))
    case .url: []
    }
  }

  func output(_ place: OutputPlace) -> Output { project.pipeline[place.stage].outputs[place.index] }

  /// What the lock, or the `.dvc` file, says of it; `nil` where it has no entry.
  func locked(_ place: OutputPlace) -> LockedFile? {
    let stage = project.pipeline[place.stage]
    if let tracked = stage.tracked {
      return tracked.outputs.indices.contains(place.index) ? tracked.outputs[place.index] : nil
    }
    return project.lockEntry(of: stage)?.out(stage.outputs[place.index].declared)?.withHashOfFiles
  }
}
