// A project's stages, locks and graph as one look at the disk found them.
package import CairnCore
internal import Synchronization

/// What was looked at to know the pipeline: when none of it has changed, neither has the pipeline.
package struct ProjectSources: Sendable {
  /// Files that were read.
  package var files: [RepoPath] = []
  /// Directories whose entries were listed.
  package var folders: [RepoPath] = []
  /// Folders, and files that stages could be read from, that were seen and left out: ignored, or another project's.
  package var passedOver: [RepoPath] = []
  /// Looked for, and not there.
  package var absent: [RepoPath] = []
  /// There, and not to be read: DVC passes over them.
  package var unreadable: [RepoPath] = []
  /// Outside the project, absolute: git's ignore files, parameter files above the root.
  package var outside: [String] = []

  package init() {}

  package mutating func add(_ other: ProjectSources) {
    files += other.files
    folders += other.folders
    passedOver += other.passedOver
    absent += other.absent
    outside += other.outside
    unreadable += other.unreadable
  }
}

/// All stages of a project as they stand on the disk.
package struct LoadedProject: Sendable {
  /// A file, or one stage of it, that could not be understood.
  package struct Failure: Sendable {
    package var file: RepoPath
    /// `nil`: the whole file; empty: a section beside the stages (`metrics`, `artifacts`), which then stand alone.
    package var stage: String?
    package var diagnostic: Diagnostic
  }

  /// Without the stages that failed.
  package let pipeline: Pipeline
  /// By the path of the `dvc.lock`.
  package let locks: [RepoPath: LockFile]
  /// In the order of the walk; empty after `load()`.
  package let failures: [Failure]
  /// DVC's warnings, such as an `item` of `vars` that a `foreach` hides.
  package let warnings: [String]
  package let sources: ProjectSources
  package let root: String
  /// Where names in messages start.
  package let folder: RepoPath

  private let built = GraphBox()

  package init(
    pipeline: Pipeline, locks: [RepoPath: LockFile], failures: [Failure], warnings: [String] = [],
    sources: ProjectSources, root: String, folder: RepoPath
  ) {
    self.pipeline = pipeline
    self.locks = locks
    self.failures = failures
    self.warnings = warnings
    self.sources = sources
    self.root = root
    self.folder = folder
  }

  /// A path of a record or a reason, as seen from the working directory.
  package func shown(_ path: String) -> String {
    path.hasPrefix("/") || path.contains("://") ? path : RepoPath(unchecked: path).relative(to: folder)
  }

  /// The lock entry of a stage of a `dvc.yaml`.
  package func lockEntry(of stage: Stage) -> LockEntry? {
    guard let name = stage.address.name else { return nil }
    return locks[PipelineLoader.lockPath(of: stage.address.file)]?.entries[exactly: name]
  }

  /// Stages of files in which everything could be understood: what DVC sees where it passes over faults.
  package var stagesOfSoundFiles: [StageID] {
    let bad = Set(failures.map(\.file))
    return pipeline.ids.filter { !bad.contains(pipeline[$0].address.file) }
  }

  /// The project as DVC sees it where it passes over faults: without the files that have one.
  package var sound: LoadedProject {
    if failures.isEmpty { return self }
    let bad = Set(failures.map(\.file))
    let pipeline = Pipeline(
      stages: stagesOfSoundFiles.map { self.pipeline[$0] }, files: self.pipeline.files.filter { !bad.contains($0.path) })
    return LoadedProject(
      pipeline: pipeline, locks: locks, failures: [], warnings: warnings, sources: sources, root: root, folder: folder)
  }

  /// Made on first use, then kept. Throws the first failure of reading, else the graph's own fault.
  package func graph() throws(Diagnostic) -> StageGraph {
    if let failure = failures.first { throw failure.diagnostic }
    return try built.get { () throws(Diagnostic) in try StageGraph(pipeline, root: root, from: folder) }.get()
  }

  private final class GraphBox: Sendable {
    private let result = Mutex<Result<StageGraph, Diagnostic>?>(nil)

    func get(_ make: () throws(Diagnostic) -> StageGraph) -> Result<StageGraph, Diagnostic> {
      result.withLock { result in
        if let result { return result }
        let made: Result<StageGraph, Diagnostic>
        do throws(Diagnostic) { made = .success(try make()) } catch { made = .failure(error) }
        result = made
        return made
      }
    }
  }
}
