// The lines that a run adds to `.gitignore` files, in the order of a serial run.
package import CairnCore
import CairnStore
package import CairnSystem
import Synchronization

/// Which outputs of this run git must ignore. The files are rendered from their text at the first touch, so that the
/// order of lines is the serial one whatever order stages ended in, and so that a failed run can take its lines back.
package final class IgnoreBook: Sendable {
  private let root: String
  private let git: GitRepository
  private let state = Mutex(State())

  private struct State {
    /// Of each folder with new lines: what its `.gitignore` held before, `nil` where there was none.
    var before: [RepoPath: [UInt8]?] = [:]
    /// What this run wrote: a file that holds anything else was changed by somebody else meanwhile.
    var after: [RepoPath: [UInt8]] = [:]
    var added: [RepoPath: [(position: Int, name: String)]] = [:]
    var dirty: Set<RepoPath> = []
    /// All that is in `added`, by its whole path.
    var known: Set<RepoPath> = []
    var written: Set<RepoPath> = []
    /// Outputs that some rule of git's covered before this run: they need no line.
    var covered: [RepoPath: Bool] = [:]
  }

  package init(root: String, git: GitRepository) {
    self.root = root
    self.git = git
  }

  /// `paths` are outputs of the stage at `position`, in the stage's order.
  package func add(_ paths: [RepoPath], position: Int) throws(Diagnostic) {
    for path in paths {
      let folder = path.parent
      let known = state.withLock { $0.before[folder] != nil }
      if !known {
        let bytes = try Files.read(file(in: folder))
        state.withLock { $0.before[folder] = .some(bytes) }
      }
      state.withLock { state in
        if state.known.insert(path).inserted {
          state.added[folder, default: []].append((position, path.name))
          state.dirty.insert(folder)
        }
      }
    }
  }

  /// Writes what is new. The caller holds the write lock.
  package func write() throws(Diagnostic) {
    try dropCovered()
    let work = state.withLock { state in
      let work = state.dirty.sorted().map { folder in
        (folder, state.before[folder] ?? nil, state.added[folder] ?? [])
      }
      state.dirty = []
      return work
    }
    for (folder, before, added) in work {
      let present = try Files.read(file(in: folder))
      let isOurs = present == state.withLock { $0.after[folder] ?? before }
      // Lines of others stay where they are; ours then follow them.
      var text = isOurs ? before : present
      if !added.isEmpty {
        text = GitIgnoreFile.adding(added.sorted { $0.position < $1.position }.map(\.name), to: text ?? [])
      }
      guard let text, text != present else { continue }
      try AtomicFile.writeKeepingMode(text, to: file(in: folder), sync: false)
      state.withLock { state in
        state.written.insert(folder)
        state.after[folder] = text
      }
    }
  }

  /// Asks git once about all outputs that are new here.
  private func dropCovered() throws(Diagnostic) {
    let prefix = root.hasPrefix(git.workTree + "/") ? String(root.dropFirst(git.workTree.utf8.count + 1)) + "/" : ""
    let unknown = state.withLock { state in
      state.dirty.flatMap { folder in
        (state.added[folder] ?? []).map { folder.appending($0.name) }.filter { state.covered[$0] == nil }
      }
    }
    guard !unknown.isEmpty else { return }
    let ignored = try git.ignored(unknown.map { prefix + $0.text })
    state.withLock { state in
      var covered: Set<RepoPath> = []
      for path in unknown {
        let isCovered = ignored.contains(prefix + path.text)
        state.covered[path] = isCovered
        if isCovered { covered.insert(path) }
      }
      for folder in Set(covered.map(\.parent)) {
        state.added[folder]?.removeAll { covered.contains(folder.appending($0.name)) }
      }
    }
  }

  /// Brings every file back to what it held before, as DVC does when a run fails; where somebody else has changed it
  /// meanwhile, only the lines of this run go.
  package func takeBack() throws(Diagnostic) {
    let work = state.withLock { state in
      state.written.sorted().map { ($0, state.before[$0] ?? nil, state.after[$0], state.added[$0] ?? []) }
    }
    for (folder, before, after, added) in work {
      var text = before
      if let present = try Files.read(file(in: folder)), present != after {
        text = present
        for line in added { text = text.flatMap { GitIgnoreFile.removing(line.name, from: $0) } }
      }
      if let text {
        try AtomicFile.writeKeepingMode(text, to: file(in: folder), sync: false)
      } else {
        _ = try Files.remove(file(in: folder))
      }
    }
    state.withLock { $0 = State() }
  }

  /// The files that this run changed, relative to the project.
  package var changed: [RepoPath] { state.withLock { $0.written.sorted().map { $0.appending(".gitignore") } } }

  private func file(in folder: RepoPath) -> String {
    root + "/" + folder.appending(".gitignore").text
  }
}
