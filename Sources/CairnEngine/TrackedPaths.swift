// Which paths locks and `.dvc` files give a hash, in the work tree or in a commit.
package import CairnCore
import CairnFormats
package import CairnLineage
package import CairnSystem

package struct TrackedPaths: Sendable {
  package struct Entry: Sendable {
    package var path: Location
    /// The stage's address as records have it; the `.dvc` file for data.
    package var stage: String
    /// `nil` when nothing is locked yet.
    package var file: LockedFile?
    /// For finding the run behind it; `nil` for data.
    package var work: WorkKey?
    package var origin: RunRecord.Origin
  }

  /// What a lock says that a stage read and made.
  struct Work: Sendable {
    var stage: String
    var key: WorkKey
    var read: [(path: Location, file: LockedFile)]
    var made: [(path: Location, file: LockedFile)]
  }

  private let paths: PathResolver
  private var entries: [Location: Entry] = [:]
  /// Files that stages read parameters from.
  package private(set) var parameterFiles: Set<Location> = []

  /// Of the stages that a lock has an entry of.
  private(set) var works: [Work] = []

  /// The output at exactly this path.
  package func at(_ path: Location) -> Entry? { entries[path] }

  /// The output that holds this path.
  package func around(_ path: Location) -> Entry? {
    entries.values.first { $0.path != path && path.isInside($0.path) }
  }

  /// Those of which the lock or a `.dvc` file has a hash, in the order of their paths.
  var locked: [Entry] {
    entries.values.filter { $0.file?.hashText != nil }.sorted { $0.path.recordPath.precedesInBytes($1.path.recordPath) }
  }

  /// Those that have these bytes, in the order of their paths.
  func entries(withHash text: String) -> [Entry] {
    entries.values.filter { $0.file?.hashText == text }.sorted { $0.path.recordPath.precedesInBytes($1.path.recordPath) }
  }

  package init(_ project: LoadedProject) {
    paths = PathResolver(ofProject: project.root)
    for stage in project.pipeline.stages {
      parameterFiles.formUnion(stage.parameters.map(\.location))
      let lock = project.lockEntry(of: stage)
      let work = lock.map { WorkKey(stage, $0) }
      if let lock, let work, stage.kind == .pipeline {
        works.append(
          Work(
            stage: stage.address.text(), key: work,
            read: stage.dependencies.compactMap { input in lock.dep(input.declared).map { (input.location, $0) } },
            made: stage.outputs.compactMap { output in lock.out(output.declared).map { (output.location, $0) } }))
      }
      for (number, output) in stage.outputs.enumerated() {
        let path = output.location
        let file = stage.tracked.map { $0.outputs.indices.contains(number) ? $0.outputs[number] : nil }
          ?? lock?.out(output.declared)
        entries[path] = Entry(
          path: path, stage: stage.address.text(), file: file, work: stage.kind == .pipeline ? work : nil,
          origin: stage.kind == .pipeline ? .init(.stage) : Self.origin(stage))
      }
    }
  }

  /// Where the data of a `.dvc` file came from.
  private static func origin(_ stage: Stage) -> RunRecord.Origin {
    guard stage.isImport, let dependency = stage.dependencies.first else {
      return .init(stage.commands.isEmpty ? .dvcFile : .stage)
    }
    if let repository = dependency.source?.repository {
      return .init(
        .import, repository: repository["url"]?.string,
        rev: repository["rev_lock"]?.string ?? repository["rev"]?.string, url: repository["url"]?.string)
    }
    return .init(.importURL, url: dependency.location.recordPath)
  }

  // MARK: In a commit

  private init(_ paths: PathResolver) { self.paths = paths }

  /// What the locks and `.dvc` files of the work tree say, as far as they can be read.
  package static func inWorkTree(_ repository: Repository) throws(Diagnostic) -> TrackedPaths {
    let git = try GitRepository.find(from: repository.root)
    return TrackedPaths(
      PipelineLoader(root: repository.root, folder: repository.workingFolder ?? .root, gitRoot: git?.workTree)
        .loadKeepingFailures())
  }

  /// What the locks and `.dvc` files of a commit say. Templates are not resolved there: a `wdir` with `${}` is taken
  /// for none.
  ///
  /// - Parameter locksOnly: `.dvc` files are left out.
  package static func inCommit(
    _ commit: String, _ git: GitRepository, _ repository: Repository, locksOnly: Bool = false
  ) throws(Diagnostic) -> TrackedPaths {
    var tracked = TrackedPaths(repository.paths)
    let top = Repository.relative(repository.root, to: git.workTree)
    let prefix = top == "." ? "" : top + "/"
    let objects = GitObjects(git)
    for file in try git.tree(commit, path: top == "." ? "" : top) ?? [] where file.path.hasPrefix(prefix) {
      guard let path = RepoPath(String(file.path.dropFirst(prefix.utf8.count))) else { continue }
      if path.text.hasSuffix(".dvc"), file.mode.hasPrefix("100") {
        guard !locksOnly, let document = try parse(file.path, commit, objects) else { continue }
        tracked.add(dataFile: document, at: path)
      } else if path.name == "dvc.lock" {
        guard let document = try parse(file.path, commit, objects) else { continue }
        let pipeline = try parse(prefix + path.parent.appending("dvc.yaml").text, commit, objects)
        try tracked.add(lock: LockYAML.parse(document), of: pipeline, in: path.parent)
      }
    }
    return tracked
  }

  private static func parse(
    _ path: String, _ commit: String, _ objects: GitObjects
  ) throws(Diagnostic) -> MarkedValue? {
    guard let bytes = try objects.show(commit, path) else { return nil }
    return try YAMLReader.parse(SourceText(path: path, bytes: bytes))
  }

  private mutating func add(dataFile document: MarkedValue, at file: RepoPath) {
    let folder = paths.location(of: document["wdir"]?.string ?? ".", in: .local(file.parent))
    let dependency = document["deps"]?.items?.first
    for output in document["outs"]?.items ?? [] {
      guard let name = output["path"]?.string, let md5 = output["md5"]?.string else { continue }
      let path = paths.location(of: name, in: folder)
      let origin: RunRecord.Origin
      if let source = dependency?["repo"] {
        origin = .init(
          .import, repository: source["url"]?.string, rev: source["rev_lock"]?.string, url: source["url"]?.string)
      } else if let url = dependency?["path"]?.string {
        origin = .init(.importURL, url: url)
      } else {
        origin = .init(.dvcFile)
      }
      let size = output["size"]?.scalar?.int.flatMap { UInt64(exactly: $0) }
      entries[path] = Entry(
        path: path, stage: file.text, file: LockedFile(path: name, hashName: "md5", hashText: md5, size: size),
        work: nil, origin: origin)
    }
  }

  private mutating func add(lock: LockFile, of pipeline: MarkedValue?, in folder: RepoPath) {
    for (name, entry) in lock.entries {
      let group = name.split(separator: "@", maxSplits: 1).first.map(String.init) ?? name
      let declared = pipeline?["stages"]?[name] ?? pipeline?["stages"]?[group]
      let wdir = declared?["wdir"]?.string ?? declared?["do"]?["wdir"]?.string ?? "."
      let place = paths.location(of: wdir, in: .local(folder))
      func recorded(_ path: String) -> String { paths.location(of: path, in: place).recordPath }
      func files(_ locked: [LockedFile]) -> [(path: String, md5: String)] {
        locked.map { (recorded($0.path), $0.hashText ?? "") }
      }
      let work = WorkKey(
        command: entry.command.list?.compactMap(\.string) ?? entry.command.string.map { [$0] } ?? [],
        inputs: files(entry.deps),
        parameters: entry.params.map { file, values in
          (recorded(file), values.map { ($0.key, $0.value) })
        },
        outputs: files(entry.outs))
      let address = StageAddress(file: folder.appending("dvc.yaml"), name: name).text()
      func places(_ locked: [LockedFile]) -> [(path: Location, file: LockedFile)] {
        locked.map { (paths.location(of: $0.path, in: place), $0) }
      }
      works.append(Work(stage: address, key: work, read: places(entry.deps), made: places(entry.outs)))
      for output in entry.outs {
        let path = paths.location(of: output.path, in: place)
        entries[path] = Entry(path: path, stage: address, file: output, work: work, origin: .init(.stage))
      }
    }
  }
}
