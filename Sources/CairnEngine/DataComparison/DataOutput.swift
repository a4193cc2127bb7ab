// The data that one state of a project tracks: each cached output with the hash that is recorded of it. Knows nothing
// of where the data lies.
import CairnCore
import CairnSystem

struct DataOutput: Sendable {
  var path: RepoPath
  var entry: DataTree.Entry
  /// Told file by file in a `.dvc` file, as version-aware remotes have it.
  var files: DirectoryManifest?
  /// What lies in a folder that was imported without its bytes.
  var filesAtSource: [String: DataTree.Entry] = [:]
  /// The remote that the output names itself.
  var remote: String?
  var isPushed: Bool
  /// What it was imported from, if that is in another repository: its data is that one's.
  var origin: ImportOrigin?
}

extension LoadedProject {
  /// Those inside of the project, of the stages that are wanted.
  func dataOutputs(_ isWanted: (StageID) -> Bool = { _ in true }) -> [DataOutput] {
    pipeline.ids.filter(isWanted).flatMap { dataOutputs(of: pipeline[$0]).map(\.data) }
  }

  func dataOutputs(of stage: Stage) -> [(output: Output, data: DataOutput)] {
    let lock = stage.tracked == nil ? lockEntry(of: stage) : nil
    // Of what was imported from a URL, DVC goes by what the source was.
    let source = stage.isURLImport ? stage.tracked?.dependencies.first : nil
    return stage.outputs.enumerated().compactMap { index, output in
      guard output.isCached, let path = output.location.local else { return nil }
      let recorded = stage.tracked.map { $0.outputs.indices.contains(index) ? $0.outputs[index] : nil }
        ?? lock?.out(output.declared)
      let hash = DataHash(recorded) ?? DataHash(source)
      let file = source ?? recorded
      var entry = DataTree.Entry(
        isDirectory: (file?.fileCount ?? 0) > 0 || (DataHash(file)?.isDirectory ?? false), hash: hash, size: file?.size)
      entry.isExecutable = file?.isExecutable ?? false
      entry.isStored = source == nil || DataHash(recorded) != nil
      var data = DataOutput(
        path: path, entry: entry, files: source?.listOfFiles ?? recorded?.listOfFiles, remote: output.remote,
        isPushed: output.isPushed, origin: ImportOrigin(of: stage))
      if !entry.isStored, entry.isDirectory { data.filesAtSource = files(at: stage.dependencies[0].location) }
      return (output, data)
    }
  }

  /// Those of a folder of this machine; none where it is not there.
  private func files(at location: Location) -> [String: DataTree.Entry] {
    guard let folder = PathResolver(ofProject: root).absolute(location) else { return [:] }
    var files: [String: DataTree.Entry] = [:]
    var folders = [""]
    while let inner = folders.popLast() {
      let entries = (try? Files.list(inner.isEmpty ? folder : folder + "/" + inner)) ?? nil
      for entry in entries ?? [] {
        let path = inner.isEmpty ? entry.name : inner + "/" + entry.name
        if entry.kind == .directory {
          folders.append(path)
        } else {
          let stat = (try? FileStat.of(folder + "/" + path)) ?? nil
          files[path] = DataTree.Entry(isDirectory: false, size: stat?.size)
        }
      }
    }
    return files
  }
}

extension Stage {
  /// Made by `import-url`.
  fileprivate var isURLImport: Bool {
    isImport && outputs.count == 1 && dependencies.count == 1
      && dependencies[0].source.map { $0.repository == nil && $0.other["db"] == nil } ?? true
  }
}
