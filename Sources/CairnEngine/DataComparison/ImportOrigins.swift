// What imports from other repositories are of: asked there, at the commit that was imported, when the records here do
// not tell. Knows nothing of how a repository is opened.
import CairnCore
import Synchronization

struct ImportOrigin: Hashable, Sendable {
  /// A repository as it was imported from.
  struct Source: Hashable, Sendable {
    /// Seen from where the command stands, as DVC sees it.
    var url: String
    /// `nil`: as it stands; so it is with imports that were never made.
    var revision: String?
    /// A name, or options of the default one.
    var remote: Value?
    /// A file of settings, or settings.
    var config: Value?
  }

  var source: Source
  /// Of the file or folder, as written: from the root of the repository.
  var path: String

  /// `nil` for what is no import from a repository.
  init?(of stage: Stage) {
    guard stage.isImport, let dependency = stage.dependencies.first, let source = dependency.source?.repository,
      let url = source["url"]?.string
    else { return nil }
    let revisions = [source["rev_lock"]?.string, source["rev"]?.string].compactMap { $0 }
    self.source = Source(
      url: url, revision: revisions.first { !$0.isEmpty }, remote: source["remote"], config: source["config"])
    path = dependency.declared
  }
}

/// Opens each repository once, when it is first asked for something, and removes what was cloned when it goes.
final class ImportOrigins: Sendable {
  private struct Opened {
    let opener: RepositoryOpener
    let repository: ListedRepository
  }

  /// Objects of the other repositories are looked for here, as in their remotes.
  private let cacheFolder: String
  private let depth: Int
  private let opened = Mutex<[ImportOrigin.Source: Opened]>([:])

  /// - Parameter depth: how many imports lead to the project that asks.
  init(cacheFolder: String, depth: Int) {
    self.cacheFolder = cacheFolder
    self.depth = depth
  }

  deinit { opened.withLock { $0.values.forEach { $0.opener.removeClone() } } }

  /// `nil` where there is nothing.
  func isFolder(_ origin: ImportOrigin) throws(Diagnostic) -> Bool? {
    try look(origin) { (repository, path) throws(Diagnostic) in
      try Self.entry(of: repository, at: path, named: origin.path)?.isDirectory
    }
  }

  /// All that is below it, but for the files that are DVC's own.
  ///
  /// - Throws: that it is not there, which is all that DVC tells of a repository that cannot be opened, too.
  func entries(below origin: ImportOrigin) throws(Diagnostic) -> [(path: String, entry: DataTree.Entry)] {
    guard (try? isFolder(origin)) ?? nil != nil else {
      throw Diagnostic(.noFile, "[Errno 2] No such file or directory: '\(origin.path)'")
    }
    return try look(origin) { (repository, path) throws(Diagnostic) in
      var found: [(path: String, entry: DataTree.Entry)] = []
      var folders: [RepoPath] = [path]
      while let folder = folders.popLast() {
        for (name, entry) in try repository.entries(in: folder, dataOnly: false) ?? []
        where name != ".dvcignore" && !TargetWords.isStageFile(name) {
          let inner = folder.appending(name)
          if entry.isDirectory { folders.append(inner) }
          var known = DataTree.Entry(isDirectory: entry.isDirectory, size: entry.size)
          known.isAtOrigin = true
          found.append((inner.relative(to: path), known))
        }
      }
      return found
    }
  }

  private static func entry(
    of repository: ListedRepository, at path: RepoPath, named text: String
  ) throws(Diagnostic) -> ListedEntry? {
    do throws(Diagnostic) { return try repository.entry(at: path, named: text) } catch {
      if error.code == .noFile, !error.isUnexpected { return nil }
      throw error
    }
  }

  private func look<Answer: Sendable>(
    _ origin: ImportOrigin, _ body: (ListedRepository, RepoPath) throws(Diagnostic) -> Answer
  ) throws(Diagnostic) -> Answer {
    // A repository that imports from itself, as it stands, leads on and on.
    if depth > 8 { throw .circle(origin) }
    return try opened.withLock { (opened) throws(Diagnostic) in
      let repository: ListedRepository
      if let known = opened[origin.source] {
        repository = known.repository
      } else {
        let opener = RepositoryOpener(overrides(origin.source), depth: depth + 1)
        do throws(Diagnostic) {
          repository = try opener.open(origin.source.url, revision: origin.source.revision)
        } catch {
          opener.removeClone()
          throw error
        }
        opened[origin.source] = Opened(opener: opener, repository: repository)
      }
      let path = Repository.normalized("/" + repository.folder.appending(origin.path).text)
      return try body(repository, RepoPath(unchecked: String(path.dropFirst())))
    }
  }

  private func overrides(_ source: ImportOrigin.Source) -> RepositoryOpener.Overrides {
    var overrides = RepositoryOpener.Overrides()
    overrides.file = source.config?.string
    overrides.settings = source.config?.map ?? [:]
    overrides.remote = source.remote?.string
    overrides.options = source.remote?.map ?? [:]
    overrides.cacheFolder = cacheFolder
    return overrides
  }
}

extension Diagnostic {
  fileprivate static func circle(_ origin: ImportOrigin) -> Diagnostic {
    Diagnostic(.noFolderList, "the import of '\(origin.path)' from '\(origin.source.url)' leads back to itself")
  }
}
