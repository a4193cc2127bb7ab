// Where a project's run records and the indexes over them lie. Opens none of them before it is asked.
package import CairnCore
package import CairnLineage
package import CairnSystem

/// The record store of a project, with the two indexes that can be deleted at any time.
package struct History: Sendable {
  package let store: RecordStore
  /// What a running `repro` asks; no SQLite.
  package let producers: ProducerIndex
  private let indexPath: String
  /// The folder of what was seen of records on remotes.
  package let remoteNotes: String
  private let git: GitRepository?

  /// - Parameters:
  ///   - git: where the caller has found it already; looked for otherwise, whatever the settings say of git.
  ///   - cacheFolder: `Settings.cacheFolder`: where it lies outside the repository its history is shared.
  package init(_ repository: Repository, git known: GitRepository? = nil, cacheFolder: String) throws(Diagnostic) {
    // A bare repository's work trees have no main one, and a submodule is its own.
    var git = known
    if git == nil { git = try GitRepository.find(from: repository.root) }
    let main = Self.mainProject(of: repository, git)
    self.git = git
    let cairn = Repository.join(main, ".cairn")
    let outermost = git?.workTree ?? repository.root
    let isShared = ![outermost, main].contains { Self.isInside(cacheFolder, $0) }
    let names = RepositoryNames(git)
    store = RecordStore(
      folder: Repository.join(cairn, "runs"), sharedFolder: isShared ? Repository.join(cacheFolder, "cairn") : nil
    ) { names.areOurs($0) }
    let state = Self.stateFolder(beside: cairn)
    producers = ProducerIndex(path: Repository.join(state, "producers"))
    indexPath = Repository.join(state, "lineage.sqlite")
    remoteNotes = Repository.join(state, "remotes")
  }

  /// The SQLite index, brought up to the store: for a command that asks a question, never for a run.
  package func index() throws(Diagnostic) -> LineageIndex {
    try LineageIndex(path: indexPath, store: store, repositoryName: name)
  }

  /// The same in a folder of another project, for whoever is a guest here and writes nothing.
  func index(inOthers folder: String) throws(Diagnostic) -> LineageIndex {
    let path = Repository.join(folder, "lineage-\(Self.word(store.folder)).sqlite")
    return try LineageIndex(path: path, store: store, isGuest: true, repositoryName: name)
  }

  private var name: @Sendable () -> String? { { [git] in git.flatMap(Self.name) } }

  /// What records call a repository: its remote's address, else its root commit.
  static func name(of git: GitRepository) -> String? {
    ((try? git.remoteURL()) ?? nil) ?? ((try? git.rootCommit()) ?? nil)
  }

  /// Makes both indexes anew, and forgets what was seen on remotes; gives the number of run records.
  package func rebuild() throws(Diagnostic) -> Int {
    for entry in try Files.list(remoteNotes) ?? [] { try Files.remove(Repository.join(remoteNotes, entry.name)) }
    try producers.rebuild(from: store)
    return try LineageIndex.rebuild(path: indexPath, store: store, repositoryName: name)
  }

  /// The same project in the main work tree, when this one is linked to it: all of them share one history.
  private static func mainProject(of repository: Repository, _ git: GitRepository?) -> String {
    guard let git, let main = git.mainWorkTree, !main.hasSameBytes(as: git.workTree),
      isInside(repository.root, git.workTree)
    else { return repository.root }
    let inside = Repository.relative(repository.root, to: git.workTree)
    return inside == "." ? main : Repository.join(main, inside)
  }

  /// Neither SQLite nor appending by several processes is safe on a network file system.
  static func stateFolder(beside cairn: String) -> String {
    guard Machine.isNetworkFileSystem(cairn) else { return cairn }
    let home = Machine.homeDirectory() ?? "/tmp"
    let caches = Environment.value("XDG_CACHE_HOME").flatMap { $0.isEmpty ? nil : $0 } ?? Repository.join(home, ".cache")
    return Repository.join(caches, "cairn/" + word(cairn))
  }

  /// A short name for a path.
  private static func word(_ path: String) -> String {
    let hash = Array(path.utf8).reduce(into: UInt64(0xCBF2_9CE4_8422_2325)) { $0 = ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return String(hash, radix: 16)
  }

  private static func isInside(_ path: String, _ folder: String) -> Bool {
    let path = Repository.normalized(path)
    let folder = Repository.normalized(folder)
    return path.hasSameBytes(as: folder) || path.utf8.starts(with: (folder + "/").utf8)
  }
}
