// Whether what a pipeline was read from still stands as it was read: someone may edit `dvc.yaml` while stages run.
import CairnCore
import CairnStore
import CairnSystem

/// Stamps of files, configuration and folders, taken right after the pipeline was read from them.
struct SourceStamps: Sendable {
  /// By the paths of `FreshnessIndex`.
  private let stamps: [String: FreshnessIndex.Stamp?]
  private let folders: [String: RepoPath]
  /// What cannot be told apart from a later state: it had just been written when it was read.
  private let young: Set<String>
  private let project: LoadedProject
  private let root: String

  init(_ workspace: Workspace) {
    project = workspace.project
    root = workspace.repository.root
    folders = Dictionary(
      FreshnessIndex.folders(of: workspace).map { ($0.path, $0.place) }, uniquingKeysWith: { first, _ in first })
    let paths = FreshnessIndex.files(of: workspace) + folders.keys
    let entries = FreshnessIndex.look(at: paths, root: root)
    stamps = Dictionary(entries.map { ($0.path, $0.stamp) }, uniquingKeysWith: { first, _ in first })
    let began = workspace.settings.loaded
    young = Set(entries.filter { FreshnessIndex.isRacy($0, now: began) }.map(\.path))
  }

  /// True when `entries`, looked at later, show that the same pipeline would be read now.
  ///
  /// - Parameter written: what the run itself wrote: its locks, which are compared elsewhere, and `.gitignore` files.
  func hold(in entries: [FreshnessIndex.Entry], written: Set<RepoPath>) -> Bool {
    var changed: Set<String> = young
    for entry in entries {
      guard let stamp = stamps[entry.path] else { continue }
      if stamp != entry.stamp { changed.insert(entry.path) }
    }
    if changed.isEmpty { return true }
    let written = Set(written.map(\.text))
    var known: Set<RepoPath>?
    for path in changed {
      guard let place = folders[path] else {
        if written.contains(path) { continue }
        return false
      }
      let names = known ?? knownNames()
      known = names
      guard holdsNothingNew(place, names, written) else { return false }
    }
    return true
  }

  private func knownNames() -> Set<RepoPath> {
    var names = Set(project.sources.files + project.sources.folders + project.sources.passedOver)
    // The first run makes it.
    names.insert(RepoPath(unchecked: ".cairn"))
    for stage in project.pipeline.stages {
      for output in stage.outputs { if let path = output.location.local { names.insert(path) } }
    }
    return names
  }

  /// Entries come and go while a pipeline runs: only those that could hold stages count.
  private func holdsNothingNew(_ folder: RepoPath, _ known: Set<RepoPath>, _ written: Set<String>) -> Bool {
    guard let entries = (try? Files.list(root + (folder.isRoot ? "" : "/" + folder.text))) ?? nil else { return false }
    for entry in entries {
      let counts =
        entry.kind == .directory || entry.name == "dvc.yaml" || entry.name.hasSuffix(".dvc")
        || entry.name == ".dvcignore" || entry.name == ".gitignore"
      guard counts else { continue }
      let path = folder.appending(entry.name)
      if !known.contains(path), !written.contains(path.text) { return false }
    }
    return true
  }
}
