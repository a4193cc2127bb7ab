// Which files git has: in its index, or in a commit. Knows names, kinds and blobs; reads no content.
package import CairnCore

/// A file as git has it.
package struct GitFile: Hashable, Sendable {
  package enum Kind: Sendable { case file, executable, link, submodule }

  package var kind: Kind
  /// The name of the blob; of a submodule, of the commit.
  package var object: String
  /// A sparse checkout leaves it out of the work tree.
  package var isLeftOut: Bool
  /// `git add -N` announced it, and nobody has added it.
  package var isAnnounced = false

  package init(kind: Kind, object: String, isLeftOut: Bool = false) {
    self.kind = kind
    self.object = object
    self.isLeftOut = isLeftOut
  }

  package init?(mode: some StringProtocol, object: String, isLeftOut: Bool = false) {
    switch mode {
    case "100644", "100664", "100600": kind = .file
    case "100755": kind = .executable
    case "120000": kind = .link
    case "160000": kind = .submodule
    default: return nil
    }
    self.object = object
    self.isLeftOut = isLeftOut
  }
}

/// Paths are relative to the top of the work tree.
package struct GitListing: Sendable {
  package private(set) var files: [RepoPath: GitFile] = [:]
  /// All folders that hold one, at any depth.
  package private(set) var folders: Set<RepoPath> = []
  /// In the order of their bytes.
  private var paths: [RepoPath] = []

  package init(_ entries: [(path: RepoPath, file: GitFile)]) {
    paths.reserveCapacity(entries.count)
    files.reserveCapacity(entries.count)
    var folder: RepoPath?
    for (path, file) in entries {
      // A file in conflict has several versions; the first stands for it.
      if files.updateValue(file, forKey: path) == nil { paths.append(path) }
      // Neighbours mostly lie in one folder.
      let parent = path.parent
      if parent == folder { continue }
      folder = parent
      var above = parent
      while !above.isRoot, folders.insert(above).inserted { above = above.parent }
    }
    if !zip(paths, paths.dropFirst()).allSatisfy({ $0 < $1 }) { paths.sort() }
  }

  package subscript(path: RepoPath) -> GitFile? { files[path] }

  package var submodules: [(path: RepoPath, file: GitFile)] {
    paths.compactMap { path in files[path].flatMap { $0.kind == .submodule ? (path, $0) : nil } }
  }

  /// All files in the folder, at any depth, in the order of their bytes.
  package func files(below folder: RepoPath) -> ArraySlice<RepoPath> {
    if folder.isRoot { return paths[...] }
    let prefix = folder.text + "/"
    var (low, high) = (0, paths.count)
    while low < high {
      let middle = (low + high) / 2
      if paths[middle].text.precedesInBytes(prefix) { low = middle + 1 } else { high = middle }
    }
    let rest = paths[low...]
    return rest.prefix { $0.text.utf8.starts(with: prefix.utf8) }
  }

  /// The listing with all that `other` has below `folder`, in place of what stands there: a submodule's files.
  package func placing(_ other: GitListing, at folder: RepoPath) -> GitListing {
    let inner = other.paths.compactMap { path in other.files[path].map { (folder.appending(path.text), $0) } }
    let outer = paths.compactMap { path in path == folder ? nil : files[path].map { (path, $0) } }
    return GitListing(outer + inner)
  }
}

extension GitListing {
  /// What the index has; where its file is of a kind that is not read here, git is asked.
  ///
  /// - Throws: when neither is possible.
  package static func index(of git: GitRepository) throws(Diagnostic) -> GitListing {
    // Read from its file: no process, and what was only announced (`git add -N`) can be told from what was added.
    if Environment.value("GIT_INDEX_FILE") == nil, let entries = git.entriesInIndex() {
      return GitListing(entries.filter { !$0.file.isAnnounced })
    }
    let output: [UInt8]
    do throws(Diagnostic) {
      output = try git.git(["ls-files", "--stage", "-t", "-z"]).output
    } catch {
      throw error
    }
    var isDamaged = false
    let files = records(output) { fields in
      // "H 100644 OBJECT 0": `S` in front is what a sparse checkout leaves out.
      let file =
        fields.count == 4 ? GitFile(mode: fields[1], object: String(fields[2]), isLeftOut: fields[0] == "S") : nil
      if file == nil { isDamaged = true }
      return file
    }
    // Git reads on behind the end of an index that was cut off, and finds there what no file has.
    if isDamaged || files.contains(where: { $0.path.components.contains(".") }) {
      throw Diagnostic(.git, "git's index is damaged").hinting("`git fsck` tells more; `git reset` makes it anew")
    }
    return GitListing(files)
  }

  /// What a commit has; `nil` when there is no such commit.
  package static func commit(_ commit: String, of git: GitRepository) throws(Diagnostic) -> GitListing? {
    let result = try git.git(["ls-tree", "-r", "-z", "--full-tree", commit], accepting: [0, 128])
    try git.requireOwned(result)
    if result.exit.code != 0 {
      guard try git.revision(commit) != nil else { return nil }
      // It is there, and what it has is lost: that is not the same as nothing.
      throw .git(["ls-tree"], result)
    }
    // "100644 blob OBJECT".
    return GitListing(
      records(result.output) { $0.count == 3 ? GitFile(mode: $0[0], object: String($0[2])) : nil })
  }

  /// Each record: fields with a space between, a tab, the path, a zero byte.
  private static func records(
    _ output: [UInt8], _ file: ([Substring]) -> GitFile?
  ) -> [(path: RepoPath, file: GitFile)] {
    var entries: [(path: RepoPath, file: GitFile)] = []
    entries.reserveCapacity(output.count / 80)
    for record in output.split(separator: 0) {
      guard let tab = record.firstIndex(of: 0x09) else { continue }
      let fields = String(decoding: record[..<tab], as: UTF8.self).split(separator: " ")
      guard let file = file(fields) else { continue }
      entries.append((RepoPath(unchecked: FileName.escape(record[record.index(after: tab)...])), file))
    }
    return entries
  }
}
