// Which paths of a project DVC does not see: `.dvcignore` at every level, its own folders, projects inside.
package import CairnCore
internal import CairnStore
internal import CairnSystem
internal import Synchronization

/// Answers are kept: one tree is for one look at the project.
package final class IgnoreTree: PathFilter, Sendable {
  private struct State {
    /// Without the projects inside.
    var rules: [RepoPath: IgnoreRules] = [:]
    var isProject: [RepoPath: Bool] = [:]
    var isHidden: [RepoPath: Bool] = [:]
    /// By patterns alone.
    var isRuledOut: [RepoPath: Bool] = [:]
    var files: [RepoPath] = []
    var absent: [RepoPath] = []
    var unreadable: [RepoPath] = []
  }

  private let files: any ProjectFiles
  private let state: Mutex<State>

  /// - Parameter files: `nil` for those on the disk.
  package init(root: String, files: (any ProjectFiles)? = nil) {
    self.files = files ?? DiskFiles(root: root)
    state = Mutex(State())
  }

  private static let defaults = IgnoreRules(
    [".hg/", ".git/", ".git", ".dvc/"].map { IgnorePattern($0) }, in: .root)

  /// The rules that hold for what lies directly in `folder`: those of the folders above, then its own.
  package func rules(in folder: RepoPath) -> IgnoreRules {
    if let known = state.withLock({ $0.rules[folder] }) { return known }
    let above = folder.isRoot ? Self.defaults : rules(in: folder.parent)
    var result = above
    let file = folder.appending(".dvcignore")
    // A file that the rules above hide is not read.
    if !above.isIgnored(file, isDirectory: false) {
      var bytes: [UInt8]?
      do throws(Diagnostic) { bytes = try files.read(file) } catch { state.withLock { $0.unreadable.append(file) } }
      state.withLock { [bytes] in bytes == nil ? $0.absent.append(file) : $0.files.append(file) }
      if let bytes {
        let text = String(decoding: bytes, as: UTF8.self)
        result = above.adding(IgnoreRules.lines(of: text, name: file.text), of: folder)
      }
    }
    state.withLock { $0.rules[folder] = result }
    return result
  }

  /// As `rules(in:)`, when the folder was just listed and holds no `.dvcignore`: spares a look at the disk.
  package func rules(in folder: RepoPath, knownToHaveFile hasFile: Bool) -> IgnoreRules {
    if hasFile { return rules(in: folder) }
    if let known = state.withLock({ $0.rules[folder] }) { return known }
    let above = folder.isRoot ? Self.defaults : rules(in: folder.parent)
    state.withLock { $0.rules[folder] = above }
    return above
  }

  /// Whether DVC passes `path` over: by a pattern, or as part of another project (a folder with a `.dvc` of its own).
  package func isIgnored(_ path: RepoPath, isDirectory: Bool) -> Bool {
    if path.isRoot { return false }
    let folder = path.parent
    if isHidden(folder) { return true }
    if rules(in: folder).isIgnoredItself(path, isDirectory: isDirectory) { return true }
    return isDirectory && isProject(path)
  }

  /// A folder's own answer is kept: of the many files inside each then asks for itself alone.
  private func isHidden(_ folder: RepoPath) -> Bool {
    if folder.isRoot { return false }
    if let known = state.withLock({ $0.isHidden[folder] }) { return known }
    let found = isIgnored(folder, isDirectory: true)
    state.withLock { $0.isHidden[folder] = found }
    return found
  }

  /// As `isIgnored`, with the patterns that decided.
  package func check(_ path: RepoPath, isDirectory: Bool) -> (isIgnored: Bool, patterns: [IgnorePattern]) {
    if path.isRoot { return (false, []) }
    var folder = isDirectory ? path : path.parent
    var project: RepoPath?
    while !folder.isRoot {
      if isProject(folder) { project = folder }
      folder = folder.parent
    }
    if let project {
      return (true, [IgnorePattern("/\(project.name)/", origin: "in sub_repo:\(project.name)")])
    }
    return rules(in: path.parent).match(path, isDirectory: isDirectory)
  }

  /// What is said of an output that lies where DVC does not look; `nil` when it does.
  package func refusal(ofOutput path: RepoPath) -> IgnorePattern? {
    let folder = path.parent
    let rules = rules(in: folder)
    let isSafe =
      !isRuledOut(folder, by: rules) && !rules.isIgnoredItself(path, isDirectory: false)
      && !rules.isIgnoredItself(path, isDirectory: true)
    if isSafe { return nil }
    let found = rules.match(path, isDirectory: files.isDirectory(path))
    return found.isIgnored ? found.patterns.last : nil
  }

  /// Kept, for thousands of outputs lie in a few folders.
  private func isRuledOut(_ folder: RepoPath, by rules: IgnoreRules) -> Bool {
    if let known = state.withLock({ $0.isRuledOut[folder] }) { return known }
    let found = rules.isIgnored(folder, isDirectory: true)
    state.withLock { $0.isRuledOut[folder] = found }
    return found
  }

  private func isProject(_ folder: RepoPath) -> Bool {
    if let known = state.withLock({ $0.isProject[folder] }) { return known }
    let found = files.exists(folder.appending(".dvc"))
    state.withLock { $0.isProject[folder] = found }
    return found
  }

  package var sources: ProjectSources {
    var sources = ProjectSources()
    state.withLock {
      sources.files = $0.files
      sources.absent = $0.absent
      sources.unreadable = $0.unreadable
    }
    return sources
  }
}
