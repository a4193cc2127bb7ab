// Reads a project's stages from the disk.
package import CairnCore
import Synchronization

/// What was looked at to know the pipeline: when none of it has changed, neither has the pipeline.
package struct ProjectSources: Sendable {
  /// Files that were read.
  package var files: [RepoPath] = []
  /// Directories whose entries were listed.
  package var folders: [RepoPath] = []
  /// Looked for, and not there.
  package var absent: [RepoPath] = []
  /// Files outside the project that were read (a user's git ignore file, parameters above the root): absolute.
  package var outside: [String] = []
  package init() {}
}

/// All stages of a project as they stand on the disk.
package struct LoadedProject: Sendable {
  /// A file, or one stage of it, that could not be understood.
  package struct Failure: Sendable {
    package var file: RepoPath
    /// `nil`: the whole file.
    package var stage: String?
    package var diagnostic: Diagnostic
  }

  /// Without the stages that failed.
  package var pipeline: Pipeline
  /// By the path of the `dvc.lock`.
  package var locks: [RepoPath: LockFile]
  /// In the order of the walk; empty after `load()`.
  package var failures: [Failure]
  package var sources: ProjectSources
  package var root: String
  /// Where names in messages start.
  package var folder: RepoPath

  private let built: GraphBox

  package init(
    pipeline: Pipeline, locks: [RepoPath: LockFile], failures: [Failure], sources: ProjectSources, root: String,
    folder: RepoPath
  ) {
    self.pipeline = pipeline
    self.locks = locks
    self.failures = failures
    self.sources = sources
    self.root = root
    self.folder = folder
    built = GraphBox()
  }

  /// The lock entry of a stage of a `dvc.yaml`.
  package func lockEntry(of stage: Stage) -> LockEntry? {
    guard let name = stage.address.name else { return nil }
    return locks[PipelineLoader.lockPath(of: stage.address.file)]?.entries[name]
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

package struct PipelineLoader: Sendable {
  /// The project's absolute path.
  package let root: String
  /// Where the user stands: names in messages start there.
  package let folder: RepoPath
  /// The top of the git work tree around it; `nil` without git.
  package let gitRoot: String?

  package init(root: String, folder: RepoPath, gitRoot: String?) {
    self.root = root
    self.folder = folder
    self.gitRoot = gitRoot
  }

  package static func lockPath(of file: RepoPath) -> RepoPath {
    let text = file.text
    guard let dot = text.utf8.lastIndex(of: UInt8(ascii: ".")) else { return file }
    return RepoPath(unchecked: String(text[..<dot]) + ".lock")
  }

  /// All stages; throws the first fault in the order of the walk.
  package func load() throws(Diagnostic) -> LoadedProject {
    let project = loadKeepingFailures()
    if let failure = project.failures.first { throw failure.diagnostic }
    return project
  }

  /// All stages that can be understood, and what could not.
  package func loadKeepingFailures() -> LoadedProject {
    LoadedProject(
      pipeline: Pipeline(stages: [], files: []), locks: [:], failures: [], sources: ProjectSources(), root: root,
      folder: folder)
  }
}
