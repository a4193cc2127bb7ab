// Puts Cairn's part into the hooks that git runs in a repository, and takes it out. Knows nothing of what hooks do.
package import CairnCore
package import CairnSystem

package struct HookInstaller {
  package enum Outcome: Sendable {
    /// There was no such hook.
    case written
    /// A hook of others has Cairn's part now.
    case added
    /// It is as it was.
    case kept
    case removed
  }

  package struct Change: Sendable {
    package var hook: GitHook
    /// Absolute.
    package var path: String
    package var outcome: Outcome
  }

  private let git: GitRepository
  private let project: String
  private let folder: String

  /// - Parameter project: the project's root, absolute, in the work tree of `git`.
  /// - Throws: where the hooks that git runs here are those of other repositories, too.
  package init(_ git: GitRepository, project: String) throws(Diagnostic) {
    self.git = git
    self.project = Repository.relative(project, to: git.workTree)
    folder = try git.hooksFolder()
    if let setting = try git.setting("core.hooksPath"), setting.isShared { throw .hooksAreShared(setting.value) }
    if Files.exists(folder), !Files.isDirectory(folder) { throw .noFolder(folder) }
  }

  /// Writes the hooks and names the merge driver as `dvc install` does. Where a hook is that Cairn cannot add to,
  /// nothing is written.
  package func install() throws(Diagnostic) -> [Change] {
    var steps: [(change: Change, text: String?)] = []
    for hook in GitHook.allCases { steps.append(try step(hook)) }
    try Self.nameMergeDriver(git)
    try Files.makeDirectories(folder)
    for step in steps {
      guard let text = step.text else { continue }
      try AtomicFile.writeKeepingMode(Array(text.utf8), to: step.change.path, mode: 0o777, sync: true)
    }
    return steps.map(\.change)
  }

  /// Takes Cairn's part out of the hooks, and away a hook that has nothing else. The merge driver stays: DVC's, too,
  /// may rely on it.
  package func uninstall() throws(Diagnostic) -> [Change] {
    var changes: [Change] = []
    for hook in GitHook.allCases {
      let path = Repository.join(folder, hook.rawValue)
      var change = Change(hook: hook, path: path, outcome: .kept)
      if let bytes = try Files.read(path), let text = String(validating: bytes, as: UTF8.self) {
        let rest = HookScript(hook: hook, project: project).removing(from: text)
        if !rest.hasSameBytes(as: text) {
          change.outcome = .removed
          if HookScript.isEmpty(rest) {
            _ = try Files.remove(path)
          } else {
            try AtomicFile.writeKeepingMode(Array(rest.utf8), to: path, sync: true)
          }
        }
      }
      changes.append(change)
    }
    return changes
  }

  /// What is to be done with a hook; a text of `nil` leaves it as it is.
  private func step(_ hook: GitHook) throws(Diagnostic) -> (change: Change, text: String?) {
    let path = Repository.join(folder, hook.rawValue)
    let script = HookScript(hook: hook, project: project)
    var change = Change(hook: hook, path: path, outcome: .kept)
    guard let stat = try FileStat.of(path, followLinks: false) else {
      change.outcome = .written
      return (change, script.fresh())
    }
    // Where a link leads others may use it, and git may have it.
    if let target = try Files.readLink(path) { throw .cannotAdd(hook, "is a link to '\(target)'", path) }
    guard stat.isFile else { throw .cannotAdd(hook, "is no file", path) }
    let bytes = try Files.read(path) ?? []
    let text: String?
    do throws(HookScript.Obstacle) {
      text = try script.adding(to: bytes)
    } catch {
      switch error {
      case .isNoText: throw .cannotAdd(hook, "is no text", path)
      case .interpreter(let name): throw .cannotAdd(hook, "is written for \(name), not for a shell", path)
      case .isManaged: throw .isManaged(hook)
      }
    }
    guard let text, Array(text.utf8) != bytes else { return (change, nil) }
    // Git passes over such a hook; made executable, it would begin to do what somebody has turned off.
    if stat.mode & 0o111 == 0 { throw .cannotAdd(hook, "is not executable, so that git does not run it", path) }
    change.outcome = .added
    return (change, text)
  }

  /// Git's settings for `merge=dvc` in `.gitattributes`, in DVC's words: the driver is DVC's own.
  package static func nameMergeDriver(_ git: GitRepository) throws(Diagnostic) {
    for (name, value) in [
      ("merge.dvc.name", "DVC merge driver"),
      ("merge.dvc.driver", "dvc git-hook merge-driver --ancestor %O --our %A --their %B "),
    ] where try git.setting(name)?.value != value {
      try git.set(name, to: value)
    }
  }
}

extension Diagnostic.Code {
  package static let hook = Diagnostic.Code("hook")
}

extension Diagnostic {
  fileprivate static func hooksAreShared(_ path: String) -> Diagnostic {
    Diagnostic(
      .hook,
      "core.hooksPath is '\(path)' for all of your repositories, so that Cairn's hooks would run in each of them",
      hint: "`git config core.hooksPath .git/hooks` gives this repository its own; then `cairn install` again")
  }

  fileprivate static func noFolder(_ path: String) -> Diagnostic {
    Diagnostic(
      .hook, "git looks for hooks in '\(path)', which is no folder",
      hint: "`git config core.hooksPath` names it")
  }

  fileprivate static func cannotAdd(_ hook: GitHook, _ why: String, _ path: String) -> Diagnostic {
    Diagnostic(
      .hook, "Hook '\(hook.rawValue)' already exists and \(why): Cairn cannot add to it. Nothing was written",
      hint: "let '\(path)' call `cairn git-hook \(hook.rawValue) \"$@\"` itself, or move it away; "
        + "then `cairn install` again")
  }

  fileprivate static func isManaged(_ hook: GitHook) -> Diagnostic {
    Diagnostic(
      .hook,
      "Hook '\(hook.rawValue)' already exists and is the pre-commit tool's, which writes it anew. Nothing was written",
      hint: "`cairn install --use-pre-commit-tool` adds to .pre-commit-config.yaml instead")
  }
}
