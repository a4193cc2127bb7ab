// Which paths git ignores, by the patterns alone: DVC looks for no stages there. Starts no process.
package import CairnCore
package import CairnSystem
internal import Glibc
internal import Synchronization

final class GitIgnoreTree: Sendable {
  private struct State {
    var rules: [RepoPath: IgnoreRules] = [:]
    var files: [String] = []
  }

  /// Paths here are relative to git's work tree, which may begin above the project.
  private let git: PathResolver
  private let project: RepoPath
  private let state = Mutex(State())
  private let global: IgnoreRules
  /// What `.gitignore` files are taken to hold, in place of what is on the disk; by their paths in the work tree.
  private let instead: [RepoPath: [UInt8]?]
  /// `nil`: the files are those on the disk.
  private let commit: CommitTree?

  /// `nil` where there is no work tree around `root`. `instead`: what the `.gitignore` of a folder of the project's is
  /// taken to hold.
  init?(gitRoot: String?, root: String, instead: [RepoPath: [UInt8]?] = [:]) {
    guard let gitRoot else { return nil }
    git = PathResolver(root: gitRoot, workTree: gitRoot)
    guard case .local(let project) = git.location(ofAbsolute: root) else { return nil }
    self.project = project
    self.instead = Dictionary(
      uniqueKeysWithValues: instead.map { (project.appending($0.text).appending(".gitignore"), $1) })
    var patterns: [IgnorePattern] = []
    var files: [String] = []
    if let repository = (try? GitRepository.at(gitRoot)) ?? nil {
      let places = GitIgnoreFiles(
        repository, directory: (try? Repository.currentDirectory()) ?? root, variable: Self.variable)
      files = places.configuration + places.absent + places.patterns
      for path in places.patterns {
        guard let bytes = (try? Files.read(plain: path)) ?? nil else { continue }
        patterns += IgnoreRules.lines(of: String(decoding: bytes, as: UTF8.self), name: path)
      }
    }
    global = IgnoreRules(patterns, in: .root)
    commit = nil
    state.withLock { $0.files = files }
  }

  /// By the `.gitignore` files of a commit alone: what this machine ignores beside them is no part of it.
  init?(_ commit: CommitTree, gitRoot: String, root: String) {
    git = PathResolver(root: gitRoot, workTree: gitRoot)
    guard case .local(let project) = git.location(ofAbsolute: root) else { return nil }
    self.project = project
    self.commit = commit
    instead = [:]
    global = IgnoreRules([], in: .root)
  }

  /// `path` is the project's.
  func isIgnored(_ path: RepoPath, isDirectory: Bool) -> Bool {
    let full = path.isRoot ? project : project.appending(path.text)
    return rules(in: full.parent).isIgnored(full, isDirectory: isDirectory)
  }

  /// Whether a pattern decides about a path of the project's, or may: what is not sure is git's to say.
  func mayDecide(_ path: RepoPath) -> Bool {
    let full = project.appending(path.text)
    let rules = rules(in: full.parent)
    if rules.patterns.isEmpty { return false }
    let isPlain = rules.patterns.allSatisfy { pattern in
      !pattern.text.utf8.contains { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "\\") }
    }
    return !isPlain
      || [false, true].contains { isDirectory in !rules.match(full, isDirectory: isDirectory).patterns.isEmpty }
  }

  /// Those of the paths (absolute) that a pattern covers, as far as Cairn's own reading of them goes.
  func ignored(_ paths: [String]) -> Set<String> {
    Set(
      paths.filter { path in
        guard case .local(let full) = git.location(ofAbsolute: path) else { return false }
        return rules(in: full.parent).isIgnored(full, isDirectory: Files.isDirectory(path))
      })
  }

  private func rules(in folder: RepoPath) -> IgnoreRules {
    if let known = state.withLock({ $0.rules[folder] }) { return known }
    let above = folder.isRoot ? global : rules(in: folder.parent)
    var result = above
    let file = folder.appending(".gitignore")
    let bytes = instead[file] ?? read(file)
    // In the project a new file changes the folder, which is watched itself.
    if bytes != nil || !folder.isInside(project) { state.withLock { $0.files.append(git.absolute(file)) } }
    if let bytes {
      result = above.adding(IgnoreRules.lines(of: String(decoding: bytes, as: UTF8.self), name: file.text), of: folder)
    }
    state.withLock { $0.rules[folder] = result }
    return result
  }

  private func read(_ file: RepoPath) -> [UInt8]? {
    if let commit { return (try? commit.read(file)) ?? nil }
    return (try? Files.read(plain: git.absolute(file))) ?? nil
  }

  private static func variable(_ name: String) -> String? {
    guard let value = getenv(name) else { return nil }
    let text = String(cString: value)
    return text.isEmpty ? nil : text
  }

  /// What was read or looked for, absolute.
  var files: [String] { state.withLock { $0.files } }
}

extension GitRepository {
  /// Those of the paths (absolute) that git ignores. Where it does not answer, as for a folder of another user's, or
  /// where there is no git at all, what Cairn itself reads decides: DVC needs no git there.
  package func ignoredOrCovered(
    _ paths: [String], root: String, instead: [RepoPath: [UInt8]?] = [:]
  ) throws(Diagnostic) -> Set<String> {
    do throws(Diagnostic) {
      return try ignored(paths)
    } catch {
      guard let patterns = GitIgnoreTree(gitRoot: workTree, root: root, instead: instead) else { throw error }
      return patterns.ignored(paths)
    }
  }
}
