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
    /// Of each folder with new lines: what its `.gitignore` held before, `nil` where there was none; and the lines that
    /// other processes have added to that for outputs of this pipeline.
    var before: [RepoPath: [UInt8]?] = [:]
    var others: [RepoPath: [String]] = [:]
    /// The outputs of the whole pipeline in serial order, for what several processes add at once.
    var serialOrder: (@Sendable () -> [RepoPath])?
    var ranks: [RepoPath: Int]?
    /// What earlier runs added, to be ordered with what this one adds.
    var unfinished = UnfinishedRun()
    /// The same of runs beside this one.
    var beside: (@Sendable () -> UnfinishedRun)?
    /// The lines of `before` as they were found.
    var early: [RepoPath: Set<[UInt8]>] = [:]
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

  /// Lines that several processes add at the same time come into this order, whoever writes them.
  package func useSerialOrder(_ outputs: @escaping @Sendable () -> [RepoPath]) {
    state.withLock { $0.serialOrder = outputs }
  }

  /// Lines of earlier runs come into this order with those that are added now. Call it before `add`.
  package func goOn(with unfinished: UnfinishedRun) { state.withLock { $0.unfinished = unfinished } }

  /// Asked at the first touch of each file, for the lines that stand there already and are to be ordered all the same.
  package func goBeside(_ runs: @escaping @Sendable () -> UnfinishedRun) { state.withLock { $0.beside = runs } }

  /// Those of `paths`, which were added, that had no line before this run.
  package func new(_ paths: [RepoPath]) -> [RepoPath] {
    state.withLock { state in
      paths.filter { !(state.early[$0.parent]?.contains(GitIgnoreFile.line(for: $0.name)) ?? false) }
    }
  }

  /// What was added so far and stands in a file.
  package var additions: UnfinishedRun {
    state.withLock { state in
      var found = UnfinishedRun()
      for (folder, lines) in state.added where state.written.contains(folder) {
        for line in lines { found.addLine(for: folder.appending(line.name), position: line.position) }
      }
      return found
    }
  }

  /// Outputs of stages that come after this place of the serial order.
  package func added(behind place: Int) -> [RepoPath] {
    state.withLock { state in
      state.added.flatMap { folder, lines in lines.filter { $0.position > place }.map { folder.appending($0.name) } }
    }
  }

  /// `paths` are outputs of the stage at `position`, in the stage's order.
  package func add(_ paths: [RepoPath], position: Int) throws(Diagnostic) {
    for path in paths {
      let folder = path.parent
      let known = state.withLock { $0.before[folder] != nil }
      if !known {
        let runs = state.withLock { $0.beside }?()
        let bytes = try Files.read(file(in: folder))
        state.withLock { Self.begin(folder, bytes, runs?.names(in: Self.file(in: folder)) ?? [], &$0) }
      }
      state.withLock { state in
        if state.known.insert(path).inserted {
          state.added[folder, default: []].append((position, path.name))
          state.dirty.insert(folder)
        }
      }
    }
  }

  private static func begin(_ folder: RepoPath, _ bytes: [UInt8]?, _ beside: [String], _ state: inout State) {
    let known = state.unfinished.names(in: file(in: folder))
    let earlier = known + beside.filter { !known.contains($0) }
    if let bytes, !earlier.isEmpty {
      let (rest, found) = GitIgnoreFile.taking(earlier, from: bytes)
      state.before[folder] = .some(rest)
      state.others[folder] = found
      state.after[folder] = bytes
    } else {
      state.before[folder] = .some(bytes)
    }
    state.early[folder] = GitIgnoreFile.lines(of: (state.before[folder] ?? nil) ?? [])
  }

  /// Something in these folders is still to be written.
  package func hasNews(inside folders: some Sequence<RepoPath>) -> Bool {
    state.withLock { state in
      state.dirty.contains { dirty in folders.contains { $0 == dirty || dirty.isInside($0) } }
    }
  }

  /// Writes what is new. The caller holds the write lock.
  package func write() throws(Diagnostic) {
    try dropCovered()
    let work = state.withLock { state in
      let work = state.dirty.sorted().map { folder in
        let lines = state.added[folder] ?? []
        let asked = lines.filter { state.covered[folder.appending($0.name)] != nil }
        // What came while git was asked is next: once its line is written, git's answer would be that very line.
        if asked.count == lines.count { state.dirty.remove(folder) }
        return (folder, asked)
      }
      return work
    }
    for (folder, added) in work {
      let present = try Files.read(file(in: folder))
      let text = state.withLock { state in
        if present != state.after[folder] ?? state.before[folder] ?? nil { Self.takeIn(present, of: folder, &state) }
        let before = state.before[folder] ?? nil
        let names = Self.ordered(added, of: folder, &state)
        return names.isEmpty ? before : GitIgnoreFile.adding(names, to: before ?? [])
      }
      guard let text, text != present else { continue }
      try AtomicFile.writeKeepingMode(text, to: file(in: folder), sync: false)
      state.withLock { state in
        state.written.insert(folder)
        state.after[folder] = text
      }
    }
  }

  /// Somebody else has written the file: what is not of this run stays from now on, lines for outputs of this
  /// pipeline in their places among ours, all else where it stands.
  private static func takeIn(_ present: [UInt8]?, of folder: RepoPath, _ state: inout State) {
    let foundBefore = (state.before[folder] ?? nil) ?? []
    let ours = (state.added[folder] ?? []).map(\.name)
    var rest = present.flatMap { GitIgnoreFile.taking(ours, from: $0).rest }
    let outputs = ranks(&state).keys.filter { $0.parent == folder }.map(\.name)
    let early = Set(GitIgnoreFile.taking(outputs, from: foundBefore).found)
    let late = outputs.filter { !early.contains($0) }
    if let text = rest {
      let taken = GitIgnoreFile.taking(late, from: text)
      rest = taken.rest
      state.others[folder] = taken.found
    } else {
      state.others[folder] = []
    }
    state.before[folder] = .some(rest)
  }

  private static func ordered(
    _ added: [(position: Int, name: String)], of folder: RepoPath, _ state: inout State
  ) -> [String] {
    let others = state.others[folder] ?? []
    if others.isEmpty { return added.sorted { $0.position < $1.position }.map(\.name) }
    let ranks = ranks(&state)
    let unfinished = state.unfinished
    let rank = { (name: String) in ranks[folder.appending(name)] }
    // Without an order of the pipeline's, as in a replay, all have places of one run.
    let place = { (name: String) in ranks.isEmpty ? unfinished.position(of: name, in: file(in: folder)) : nil }
    let all =
      added.map { ($0.name, rank($0.name) ?? $0.position) }
      + others.map { name in (name, rank(name) ?? place(name) ?? Int.max) }
    return all.sorted { $0.1 < $1.1 }.map(\.0)
  }

  private static func ranks(_ state: inout State) -> [RepoPath: Int] {
    if let ranks = state.ranks { return ranks }
    let order = state.serialOrder?() ?? []
    let ranks = Dictionary(order.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    state.ranks = ranks
    return ranks
  }

  /// Asks git once about all outputs that are new here.
  private func dropCovered() throws(Diagnostic) {
    let unknown = state.withLock { state in
      state.dirty.flatMap { folder in
        (state.added[folder] ?? []).map { folder.appending($0.name) }.filter { state.covered[$0] == nil }
      }
    }
    guard !unknown.isEmpty else { return }
    // Git is a process, and the user waits for it: what no pattern speaks of is not covered.
    let instead = withoutOurLines()
    let patterns = GitIgnoreTree(gitRoot: git.workTree, root: root, instead: instead)
    let doubtful = unknown.filter { patterns?.mayDecide($0) ?? true }
    let ignored =
      doubtful.isEmpty ? [] : try git.ignoredOrCovered(doubtful.map(absolute), root: root, instead: instead)
    state.withLock { state in
      var covered: Set<RepoPath> = []
      for path in unknown {
        let isCovered = ignored.contains(absolute(path))
        state.covered[path] = isCovered
        if isCovered { covered.insert(path) }
      }
      for folder in Set(covered.map(\.parent)) {
        state.added[folder]?.removeAll { covered.contains(folder.appending($0.name)) }
      }
    }
  }

  /// What files that only this run has changed held before it.
  private func withoutOurLines() -> [RepoPath: [UInt8]?] {
    let written = state.withLock { state in state.after.map { ($0, $1, state.before[$0] ?? nil) } }
    var found: [RepoPath: [UInt8]?] = [:]
    for (folder, after, before) in written where ((try? Files.read(file(in: folder))) ?? nil) == after {
      found.updateValue(before, forKey: folder)
    }
    return found
  }

  /// Brings every file back to what it held before, as DVC does when a run fails; where somebody else has changed it
  /// meanwhile, only the lines of this run go.
  package func takeBack() throws(Diagnostic) {
    let work = state.withLock { state in
      state.written.sorted().map { folder in
        let others = Self.ordered([], of: folder, &state)
        var text = state.before[folder] ?? nil
        if !others.isEmpty { text = GitIgnoreFile.adding(others, to: text ?? []) }
        return (folder, text, state.after[folder], state.added[folder] ?? [])
      }
    }
    for (folder, without, after, added) in work {
      var text = without
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
    state.withLock { $0 = State(serialOrder: $0.serialOrder, unfinished: $0.unfinished, beside: $0.beside) }
  }

  /// There is something to write, or to take back after a failure.
  package var isTouched: Bool { state.withLock { !$0.dirty.isEmpty || !$0.written.isEmpty } }

  /// The files that this run changed, relative to the project.
  package var changed: [RepoPath] { state.withLock { $0.written.sorted().map { Self.file(in: $0) } } }

  static func file(in folder: RepoPath) -> RepoPath { folder.appending(".gitignore") }

  private func absolute(_ path: RepoPath) -> String { root + "/" + path.text }

  private func file(in folder: RepoPath) -> String { root + "/" + Self.file(in: folder).text }
}
