// What `ls` lists of a repository: one folder, all below it, or that as a tree. Knows nothing of how it is shown.
package import CairnCore

package struct RepositoryListing {
  /// A folder with what is in it.
  package struct Branch {
    /// As the user named it, or its own name.
    package var name: String
    package var entry: ListedEntry
    package var branches: [Branch] = []
  }

  private let repository: ListedRepository
  private let dataOnly: Bool

  package init(_ repository: ListedRepository, dataOnly: Bool) {
    self.repository = repository
    self.dataOnly = dataOnly
  }

  /// By path, as seen from `text`.
  ///
  /// - Parameters:
  ///   - text: the path to list, as the user wrote it; empty: the repository's top.
  ///   - depth: of a recursion: how many levels are told.
  package func entries(
    at text: String, recursive: Bool, depth: Int?
  ) throws(Diagnostic) -> [(path: String, entry: ListedEntry)] {
    let text = relative(text)
    let path = self.path(text)
    let entry = try repository.entry(at: path, named: text)
    let depth = recursive ? depth : nil
    if depth == 0 || !entry.isDirectory { return [(Self.lastName(of: text), entry)] }
    if let depth, depth < 1 { throw .unexpected(.usage, "maxdepth must be at least 1") }
    var found: [(path: String, entry: ListedEntry)] = []
    // Without a path names are told from where the user stands, though the top is listed.
    let start = text.isEmpty ? repository.folder : path
    var folders = [path]
    var level = 0
    while !folders.isEmpty {
      var inner: [RepoPath] = []
      for folder in folders {
        let shown = folder.relative(to: start)
        let parts = shown == "." ? 0 : shown.split(separator: "/").count
        let tellsFolders = !recursive || depth.map { parts >= $0 - 1 } ?? false
        for (name, entry) in try repository.entries(in: folder, dataOnly: dataOnly) ?? [] {
          if entry.isDirectory { inner.append(folder.appending(name)) }
          if entry.isDirectory, !tellsFolders { continue }
          found.append((shown == "." ? name : shown + "/" + name, entry))
        }
      }
      level += 1
      if !recursive || depth.map({ level >= $0 }) ?? false { break }
      folders = inner
    }
    return found.sorted { $0.path.precedesInBytes($1.path) }
  }

  package func tree(at text: String, depth: Int?) throws(Diagnostic) -> Branch {
    let text = relative(text)
    let entry = try repository.entry(at: path(text), named: text)
    var tree = Branch(name: text.isEmpty ? "." : text, entry: entry)
    guard entry.isDirectory, depth.map({ $0 > 0 }) ?? true else { return tree }
    // Without a path the top is told, and what is in its folders looked for where the user stands, as DVC does.
    let folder = text.isEmpty ? repository.folder : path(text)
    for (name, entry) in try repository.entries(in: path(text), dataOnly: dataOnly) ?? [] {
      tree.branches.append(try branch(name, folder.appending(name), entry, depth.map { $0 - 1 }))
    }
    return tree
  }

  private func branch(
    _ name: String, _ path: RepoPath, _ entry: ListedEntry, _ depth: Int?
  ) throws(Diagnostic) -> Branch {
    var branch = Branch(name: name.isEmpty ? path.name : name, entry: entry)
    guard entry.isDirectory, depth.map({ $0 > 0 }) ?? true else { return branch }
    for (name, inner) in try repository.entries(in: path, dataOnly: dataOnly) ?? [] {
      branch.branches.append(try self.branch(name, path.appending(name), inner, depth.map { $0 - 1 }))
    }
    return branch
  }

  /// DVC takes an absolute path for the way to it from the top, and that for the way from where the user stands.
  private func relative(_ text: String) -> String {
    text.hasPrefix("/") ? Repository.relative(text, to: repository.root) : text
  }

  private func path(_ text: String) -> RepoPath {
    if text.isEmpty { return .root }
    return RepoPath(unchecked: String(Repository.normalized("/" + repository.folder.appending(text).text).dropFirst()))
  }

  private static func lastName(of text: String) -> String {
    let name = text.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    return name.isEmpty ? "." : name
  }
}
