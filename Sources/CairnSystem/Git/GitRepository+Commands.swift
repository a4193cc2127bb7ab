// Questions to git that need git: its status, its trees, who committed what. Knows git's output formats alone.
package import CairnCore
import Glibc

/// One tracked file that differs from the commit.
package struct GitChange: Hashable, Sendable {
  /// Relative to the work tree.
  package var path: String
  /// The letters of `git status`: index against commit, work tree against index.
  package var index: Character
  package var workTree: Character
}

package struct GitCommit: Hashable, Sendable {
  package var name: String
  package var author: String
  /// When it was authored.
  package var date: Nanoseconds
  package var subject: String
}

/// A commit of a history, and the nearest ones before it in that.
package struct GitHistoryEntry: Hashable, Sendable {
  package var commit: String
  package var parents: [String]
}

package struct GitTreeEntry: Hashable, Sendable {
  /// `100644`, `100755`, `120000` (a link), `160000` (a submodule).
  package var mode: String
  package var object: String
  /// Bytes; `nil` for a submodule.
  package var size: UInt64?
  /// Relative to the work tree.
  package var path: String
}

/// How many lines came and went; `nil` instead of it where git calls a side binary.
package struct LineCounts: Hashable, Sendable {
  package var added: Int
  package var removed: Int

  package init(added: Int, removed: Int) {
    self.added = added
    self.removed = removed
  }
}

extension GitRepository {
  /// The commit that a revision means; `nil` when there is none.
  package func revision(_ text: String) throws(Diagnostic) -> String? {
    if text == "HEAD", let head = try headCommit() { return head }
    // What `:/` looks for reaches to the end, and is a commit already.
    let name = text.hasPrefix(":/") ? text : text + "^{commit}"
    let result = try git(["rev-parse", "--verify", "--quiet", "--end-of-options", name], accepting: [0, 1, 128])
    try requireOwned(result)
    return result.exit.code == 0 ? Self.firstLine(result.text) : nil
  }

  /// The commit of a remote's branch that is no branch here; `nil` where no remote has it, or two have different ones.
  package func remoteBranch(_ name: String) throws(Diagnostic) -> String? {
    let result = try git(["for-each-ref", "--format=%(objectname) %(refname:lstrip=3)", "refs/remotes/"])
    var commits: Set<String> = []
    for line in result.text.split(separator: "\n") {
      let fields = line.split(separator: " ", maxSplits: 1).map(String.init)
      if fields.count == 2, fields[1].hasSameBytes(as: name) { commits.insert(fields[0]) }
    }
    return commits.count == 1 ? commits.first : nil
  }

  /// The names of the references below `prefix` (`refs/heads/`), without it, in the order of their bytes.
  package func references(_ prefix: String) throws(Diagnostic) -> [String] {
    let result = try git(["for-each-ref", "--format=%(refname)", prefix])
    return result.text.split(separator: "\n").map { String($0.dropFirst(prefix.count)) }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Every commit of HEAD, the branches, the tags and the remotes' branches, newest first.
  package func allCommits() throws(Diagnostic) -> [String] {
    let result = try git(
      ["rev-list", "HEAD", "--branches", "--tags", "--remotes", "--"], accepting: [0, 128])
    try requireOwned(result)
    return result.exit.code == 0 ? result.text.split(separator: "\n").map(String.init) : []
  }

  /// The first commit of HEAD's history, which names a repository that has no remote; `nil` before the first commit.
  package func rootCommit() throws(Diagnostic) -> String? {
    let result = try git(["rev-list", "--max-parents=0", "HEAD", "--"], accepting: [0, 128])
    return result.exit.code == 0 ? result.text.split(separator: "\n").last.map(String.init) : nil
  }

  /// Tracked files that differ from HEAD, in the index or the work tree.
  package func changedTrackedFiles() throws(Diagnostic) -> [GitChange] { try changedFiles(untracked: false) }

  /// The same, and with `untracked` each file that git neither tracks nor ignores: `?` in both letters.
  package func changedFiles(untracked: Bool) throws(Diagnostic) -> [GitChange] {
    let result = try git(
      ["status", "--porcelain=v1", "-z", "--untracked-files=\(untracked ? "all" : "no")", "--no-renames"])
    return Self.records(result.output).compactMap { record in
      guard record.count > 3 else { return nil }
      let bytes = Array(record)
      return GitChange(
        path: FileName.escape(bytes[3...]), index: Character(Unicode.Scalar(bytes[0])),
        workTree: Character(Unicode.Scalar(bytes[1])))
    }
  }

  /// Those of the paths (relative to the work tree) that are in the index, and for a folder all tracked files in it.
  /// Where git does not answer, the index is read without it.
  package func trackedFiles(_ paths: [String]) throws(Diagnostic) -> [String] {
    var found: [String] = []
    do throws(Diagnostic) {
      for chunk in Self.chunks(paths) {
        let result = try git(["--literal-pathspecs", "ls-files", "-z", "--"] + chunk)
        found += Self.records(result.output).map { FileName.escape($0) }
      }
    } catch {
      guard let names = namesInIndex() else { throw error }
      found = names.filter { name in
        paths.contains { name.hasSameBytes(as: $0) || name.utf8.starts(with: ($0 + "/").utf8) }
      }
    }
    return found
  }

  /// True when the file, in the work tree or the index, is not that of HEAD.
  package func isChanged(_ path: String) throws(Diagnostic) -> Bool {
    let result = try git(["--literal-pathspecs", "diff", "--quiet", "--no-ext-diff", "HEAD", "--", path], accepting: [0, 1, 128])
    return result.exit.code != 0
  }

  package func trackedFiles() throws(Diagnostic) -> [String] {
    do throws(Diagnostic) {
      return Self.records(try git(["ls-files", "-z"]).output).map { FileName.escape($0) }
    } catch {
      guard let names = namesInIndex() else { throw error }
      return names
    }
  }

  /// True when the index has the file, or anything in the folder.
  package func isTracked(_ path: String) throws(Diagnostic) -> Bool { try !trackedFiles([path]).isEmpty }

  /// Those of the paths that a `.gitignore` or an exclude file covers, tracked or not.
  package func ignored(_ paths: [String]) throws(Diagnostic) -> Set<String> {
    if paths.isEmpty { return [] }
    let input = paths.reduce(into: [UInt8]()) { $0 += FileName.bytes($1) + [0] }
    let result = try git(["check-ignore", "--no-index", "-z", "--stdin"], input: input, accepting: [0, 1])
    return Set(Self.records(result.output).map { FileName.escape($0) })
  }

  /// Puts the files into the index as they are now.
  package func add(_ paths: [String], force: Bool = false) throws(Diagnostic) {
    for chunk in Self.chunks(paths) {
      _ = try git(["--literal-pathspecs", "add"] + (force ? ["--force"] : []) + ["--"] + chunk)
    }
  }

  /// The files of a commit, or of one folder or file in it, ordered by their bytes; `nil` when there is no such commit.
  package func tree(_ revision: String, path: String = "") throws(Diagnostic) -> [GitTreeEntry]? {
    guard let commit = try self.revision(revision) else { return nil }
    let paths = path.isEmpty ? [] : ["--", path]
    let result = try git(["--literal-pathspecs", "ls-tree", "-r", "-z", "-l", "--full-tree", commit] + paths)
    return Self.records(result.output).compactMap { record in
      guard let tab = record.firstIndex(of: 0x09) else { return nil }
      let fields = String(decoding: record[..<tab], as: UTF8.self).split(separator: " ")
      guard fields.count == 4 else { return nil }
      return GitTreeEntry(
        mode: String(fields[0]), object: String(fields[2]), size: UInt64(fields[3]),
        path: FileName.escape(record[record.index(after: tab)...]))
    }
  }

  /// `git diff HEAD --binary`, which `git apply` takes; `nil` when it is larger than `limit` bytes.
  package func patch(limit: Int, excluding paths: [String] = []) throws(Diagnostic) -> [UInt8]? {
    let excluded = paths.isEmpty ? [] : ["--", "."] + paths.map { ":(exclude,literal)\($0)" }
    let result = try run(
      // Whatever the user's settings say of how a diff is shown.
      ["diff", "HEAD", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/",
        "--unified=3", "--inter-hunk-context=0", "--submodule=short"]
        + excluded, limit: limit + 1)
    if result.output.count > limit { return nil }
    if result.exit.code != 0 { throw Diagnostic.git(["diff"], result) }
    return result.output
  }

  /// The newest commit that changed the path; `nil` when none did.
  package func lastCommit(of path: String, from revision: String = "HEAD") throws(Diagnostic) -> GitCommit? {
    let result = try git(
      [
        "--literal-pathspecs", "log", "-1", "--no-show-signature", "--encoding=UTF-8",
        "--format=%H%x00%an%x00%at%x00%s", revision, "--", path,
      ], accepting: [0, 128])
    let fields = result.output.split(separator: 0, omittingEmptySubsequences: false)
    guard fields.count == 4, let time = Int64(Self.text(fields[2])) else { return nil }
    return GitCommit(
      name: Self.text(fields[0]), author: Self.text(fields[1]), date: time * 1_000_000_000,
      subject: Self.text(fields[3]).trimmingWhitespace())
  }

  /// Those of the commits (by their full names) that are here.
  package func commits(named names: [String]) throws(Diagnostic) -> [GitCommit] {
    let asked = names.filter(Self.isObjectName)
    if asked.isEmpty { return [] }
    let result = try git(
      [
        "log", "--no-walk=unsorted", "--ignore-missing", "--no-show-signature", "--encoding=UTF-8", "-z",
        "--format=%H%x00%an%x00%at%x00%s", "--stdin",
      ], input: asked.reduce(into: [UInt8]()) { $0 += Array($1.utf8) + [0x0A] }, accepting: [0, 128])
    let fields = result.output.split(separator: 0, omittingEmptySubsequences: false)
    return stride(from: 0, to: fields.count - 3, by: 4).compactMap { place in
      guard let time = Int64(Self.text(fields[place + 2])) else { return nil }
      return GitCommit(
        name: Self.text(fields[place]), author: Self.text(fields[place + 1]), date: time * 1_000_000_000,
        subject: Self.text(fields[place + 3]).trimmingWhitespace())
    }
  }

  /// The newest commits that changed the path, newest first.
  package func commits(of path: String, limit: Int) throws(Diagnostic) -> [String] {
    let result = try git(
      ["--literal-pathspecs", "log", "-\(limit)", "--no-show-signature", "--format=%H", "--", path], accepting: [0, 128])
    return result.exit.code == 0 ? result.text.split(separator: "\n").map(String.init) : []
  }

  /// The commits that changed the path and were made at `moment` or later, oldest first; those of `base` left out where
  /// that is here. Not when they were authored counts: a rebase keeps that.
  package func commits(of path: String, since moment: Nanoseconds, notIn base: String?) throws(Diagnostic) -> [String] {
    // Git knows no parts of a second.
    let options = ["log", "--max-age=\(moment / 1_000_000_000)", "--no-show-signature", "--format=%H", "HEAD"]
    for excluded in base.map({ [["^" + $0], []] }) ?? [[]] {
      let result = try git(["--literal-pathspecs"] + options + excluded + ["--", path], accepting: [0, 128])
      if result.exit.code == 0 { return result.text.split(separator: "\n").map(String.init).reversed() }
    }
    return []
  }

  /// The newest commits that changed the path, newest first, each with those before it that changed it.
  package func history(of path: String, from revision: String, limit: Int) throws(Diagnostic) -> [GitHistoryEntry] {
    let result = try git(
      [
        "--literal-pathspecs", "log", "-\(limit)", "--no-show-signature", "--parents", "--format=%H %P", revision, "--",
        path,
      ], accepting: [0, 128])
    if result.exit.code != 0 { return [] }
    return result.text.split(separator: "\n").compactMap { line in
      let names = line.split(separator: " ").map(String.init)
      return names.first.map { GitHistoryEntry(commit: $0, parents: Array(names.dropFirst())) }
    }
  }

  /// The commits whose parents a shallow clone does not have.
  package func shallowCommits() -> Set<String> {
    guard let text = (try? Files.readText(commonDirectory + "/shallow")) ?? nil else { return [] }
    return Set(text.split(separator: "\n").map(String.init))
  }

  /// The name that a file had before the commit gave it another; `nil` where it gave none.
  package func renamed(_ path: String, in commit: String, from parent: String) throws(Diagnostic) -> String? {
    let result = try git(
      [
        "diff-tree", "-r", "-z", "--find-renames", "--no-rename-empty", "--name-status", "--diff-filter=R", parent,
        commit,
      ],
      accepting: [0, 128])
    // Of each: its kind, the old name, the new one.
    let fields = Self.records(result.output).map { FileName.escape($0) }
    return stride(from: 0, to: fields.count - 2, by: 3).first { fields[$0 + 2].hasSameBytes(as: path) }.map { fields[$0 + 1] }
  }

  /// Files of the second commit that lay elsewhere in the first: where they lie, and where they lay.
  package func renames(from old: String, to new: String) throws(Diagnostic) -> [(old: String, new: String)] {
    let result = try git(
      ["diff-tree", "-r", "-z", "--find-renames", "--no-rename-empty", "--name-status", "--diff-filter=R", old, new],
      accepting: [0, 128])
    let fields = Self.records(result.output).map { FileName.escape($0) }
    return stride(from: 0, to: fields.count - 2, by: 3).map { (fields[$0 + 1], fields[$0 + 2]) }
  }

  /// The commits of `revision`'s history that are not in that of `base`, as far as this clone has them.
  package func commits(of revision: String, notIn base: String) throws(Diagnostic) -> Set<String> {
    let result = try git(["rev-list", revision, "^" + base, "--"], accepting: [0, 128])
    return result.exit.code == 0 ? Set(result.text.split(separator: "\n").map(String.init)) : []
  }

  /// Lines of one blob against those of another; `nil` when one is binary or not here.
  package func lineCounts(fromBlob old: String, toBlob new: String, isLarge: Bool) throws(Diagnostic) -> LineCounts? {
    let result = try git(
      ["diff", "--numstat", "-z", "--no-ext-diff", "--no-textconv"] + (isLarge ? ["--diff-algorithm=patience"] : [])
        + [old, new], accepting: [0, 1, 128])
    if result.exit.code == 128 { return nil }
    return result.output.isEmpty ? LineCounts(added: 0, removed: 0) : Self.lineCounts(result.output)
  }

  /// Lines of one file against those of another, in or out of any repository; `nil` when one is binary, zero and zero
  /// when they are equal.
  package static func lineCounts(from old: String, to new: String) throws(Diagnostic) -> LineCounts? {
    // Of much that came in another order git's own way takes minutes; this one tells the same edits apart.
    let isLarge = try FileStat.of(old, followLinks: true).map { $0.size > largeFile } ?? false
    let argv =
      ["git", "diff", "--no-index", "--numstat", "-z", "--no-ext-diff", "--no-textconv"]
      + (isLarge ? ["--diff-algorithm=patience"] : []) + ["--", old, new]
    let result = try ChildProcess.run(argv, environment: environment)
    guard result.exit.code == 0 || result.exit.code == 1 else { throw Diagnostic.git(["diff"], result) }
    return result.output.isEmpty ? LineCounts(added: 0, removed: 0) : lineCounts(result.output)
  }

  private static let largeFile: UInt64 = 4 << 20

  private static func lineCounts(_ output: [UInt8]) -> LineCounts? {
    let fields = text(output.prefix { $0 != 0 }).split(separator: "\t")
    guard fields.count >= 2, let added = Int(fields[0]), let removed = Int(fields[1]) else { return nil }
    return LineCounts(added: added, removed: removed)
  }

  /// The commit that a revision of another repository means now (`nil`: its HEAD). A full commit name means itself.
  package static func commit(of revision: String?, at url: String, folder: String) throws(Diagnostic) -> String? {
    if let revision, isObjectName(revision) { return revision }
    let result = try ChildProcess.run(
      ["git", "ls-remote", "--", url, revision ?? "HEAD"] + (revision.map { [$0 + "^{}"] } ?? []), folder: folder,
      environment: environment)
    guard result.exit.code == 0 else { throw Diagnostic.git(["ls-remote"], result) }
    let lines = result.text.split(separator: "\n").map { $0.split(separator: "\t") }.filter { $0.count == 2 }
    // Of an annotated tag the commit that it names counts.
    let line = lines.first { $0[1].hasSuffix("^{}") } ?? lines.first
    return line.map { String($0[0]) }
  }

  /// That git tells nothing of a stranger's repository does not mean that there is nothing.
  func requireOwned(_ result: ChildProcess.Result) throws(Diagnostic) {
    if result.exit.code == 128, result.errorText.contains("dubious ownership") { throw .notOwned(self) }
  }

  // MARK: Starting git

  /// Runs git in the work tree and throws when it ends in another way than `accepting` names.
  func git(
    _ arguments: [String], input: [UInt8] = [], accepting codes: Set<Int32> = [0],
    environment: ChildEnvironment = Self.localEnvironment
  ) throws(Diagnostic) -> ChildProcess.Result {
    let result = try run(arguments, input: input, environment: environment)
    guard let code = result.exit.code, codes.contains(code) else { throw Diagnostic.git(arguments, result) }
    return result
  }

  func run(
    _ arguments: [String], input: [UInt8] = [], limit: Int = .max,
    environment: ChildEnvironment = Self.localEnvironment
  ) throws(Diagnostic) -> ChildProcess.Result {
    try ChildProcess.run(
      ["git"] + arguments, folder: workTree, environment: environment, input: input, limit: limit)
  }

  /// A git that asks nothing, takes no lock for a mere question, and speaks English; that finds the repository by the
  /// folder, not by what a hook's caller set. The index that a hook is asked about is kept.
  static let environment = ChildEnvironment().setting([
    ("GIT_OPTIONAL_LOCKS", "0"), ("GIT_TERMINAL_PROMPT", "0"), ("LC_ALL", "C"), ("GIT_DIR", nil),
    ("GIT_WORK_TREE", nil), ("GIT_PREFIX", nil), ("GIT_COMMON_DIR", nil), ("GIT_EXTERNAL_DIFF", nil),
    ("GIT_PAGER", nil), ("GIT_TRACE", nil), ("GIT_LITERAL_PATHSPECS", nil), ("GIT_DIFF_OPTS", nil),
  ])

  /// The same, which asks nobody but the repository: what a partial clone lacks is not fetched, and no program that the
  /// repository's own settings name is started.
  static let localEnvironment: ChildEnvironment = {
    // Settings of the caller's stay; ours stand behind them and win.
    let count = Environment.value("GIT_CONFIG_COUNT").flatMap { Int($0) } ?? 0
    let settings = [("core.fsmonitor", "false")]
    var variables: [(String, String?)] = [
      ("GIT_NO_LAZY_FETCH", "1"), ("GIT_ALLOW_PROTOCOL", "none"), ("GIT_CONFIG_COUNT", String(count + settings.count)),
    ]
    for (index, (key, value)) in settings.enumerated() {
      variables += [("GIT_CONFIG_KEY_\(count + index)", key), ("GIT_CONFIG_VALUE_\(count + index)", value)]
    }
    return environment.setting(variables)
  }()

  private static func records(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] { bytes.split(separator: 0) }

  private static func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  /// Argument lists have a limit; these stay far below it.
  private static func chunks(_ paths: [String]) -> [[String]] {
    stride(from: 0, to: paths.count, by: 500).map { Array(paths[$0..<min($0 + 500, paths.count)]) }
  }
}

extension Diagnostic.Code {
  package static let git = Diagnostic.Code("git")
}

extension Diagnostic {
  /// In DVC's words, with git's way out.
  fileprivate static func notOwned(_ git: GitRepository) -> Diagnostic {
    let place = git.workTree
    return Diagnostic.unexpected(
      .git, "\(git.gitDirectory)/: repository path '\(place)' is not owned by current user"
    ).hinting("where that is meant to be so: `git config --global --add safe.directory \(place)`")
  }

  static func git(_ arguments: [String], _ result: ChildProcess.Result) -> Diagnostic {
    let command = arguments.first { !$0.hasPrefix("-") } ?? "git"
    let cause = result.errorText.split(separator: "\n").first.map(String.init)
      ?? "it ended with \(result.exit.returnCode)"
    return Diagnostic(.git, "git \(command) failed").because(of: Diagnostic(.git, cause))
  }
}
