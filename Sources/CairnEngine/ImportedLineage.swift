// The story of an imported file in the repository that it was imported from, where that lies on this machine. Reads
// there and writes nothing; knows nothing of how lineage is shown.
import CairnCore
package import CairnLineage
import CairnSystem
import Synchronization

package final class ImportedLineage: Sendable {
  private let repository: Repository
  private let depth: Int?
  /// Repositories on the way here: two may import from each other.
  private let way: [String]
  /// Where the indexes over others' records lie: in a folder of ours.
  private let stateFolder: String
  private let opened = Mutex<[String: Result<Source, Unreachable>]>([:])

  private struct Source {
    var repository: Repository
    var git: GitRepository?
    var index: LineageIndex
    var options: LineageQuery.Options
  }

  private struct Unreachable: Error { var why: String }

  package convenience init(_ repository: Repository, depth: Int?) {
    self.init(repository, depth: depth, way: [repository.root], stateFolder: History.stateFolder(beside: repository.cairnFolder))
  }

  private init(_ repository: Repository, depth: Int?, way: [String], stateFolder: String) {
    self.repository = repository
    self.depth = depth
    self.way = way
    self.stateFolder = stateFolder
  }

  /// Sets what a query asks of imports.
  package func answer(_ options: inout LineageQuery.Options) {
    options.elsewhere = { self.story(of: $0, $1) }
    options.isSource = { self.isSource($0, $1) }
  }

  // MARK: Answers

  private func story(of artifact: LineageArtifact, _ origin: RunRecord.Origin) -> LineageQuery.Elsewhere {
    guard let url = origin.repository ?? origin.url else { return .unreachable(nil) }
    do {
      let source = try source(url).get()
      let found = try artifacts(like: artifact, origin, in: source)
      guard !found.artifacts.isEmpty else {
        return .unreachable("the records of '\(url)' know nothing of these bytes")
      }
      return .story(
        try LineageQuery.graph(
          of: found.artifacts, producer: found.producer, origin: found.origin, in: source.index, source.options))
    } catch let error as Unreachable {
      return .unreachable(error.why)
    } catch {
      return .unreachable("'\(url)' cannot be asked: \((error as? Diagnostic)?.fullMessage ?? "\(error)")")
    }
  }

  /// By address, or by what the records of a clone at hand call it.
  private func isSource(_ name: String, _ origin: RunRecord.Origin) -> Bool {
    guard let url = origin.repository ?? origin.url else { return false }
    if GitRepository.isSamePlace(name, url) { return true }
    guard let folder = folder(url), let git = (try? GitRepository.find(from: folder)) ?? nil else { return false }
    if GitRepository.isObjectName(name) { return ((try? git.rootCommit()) ?? nil)?.hasSameBytes(as: name) ?? false }
    return ((try? git.remoteURL()) ?? nil).map { GitRepository.isSamePlace($0, name) } ?? false
  }

  /// What lies there under the name that was imported: by the locks and `.dvc` files of that commit, else by what runs
  /// have made.
  private func artifacts(
    like artifact: LineageArtifact, _ origin: RunRecord.Origin, in source: Source
  ) throws(Diagnostic) -> (artifacts: [LineageArtifact], producer: RunID?, origin: RunRecord.Origin?) {
    guard let md5 = artifact.md5 else { return ([], nil, nil) }
    if let git = source.git, let rev = origin.rev, let commit = (try? git.revision(rev)) ?? nil,
      let tracked = try? TrackedPaths.inCommit(commit, git, source.repository)
    {
      for entry in tracked.entries(withHash: md5) {
        let path = entry.path.recordPath
        var found = try source.index.artifacts(path: path, md5: md5)
        if found.isEmpty {
          found = [
            LineageArtifact(
              repository: History.name(of: git) ?? "", path: path, md5: md5, sha256: nil, size: artifact.size)
          ]
        }
        let producer = try entry.work.flatMap { work throws(Diagnostic) in
          try source.index.run(behind: work, of: entry.stage)
        }
        return ([found[0]], producer, entry.origin)
      }
    }
    let known = try source.index.artifacts(md5: md5, sha256: artifact.sha256, limit: 16)
    return (Array(known.prefix(1)), nil, nil)
  }

  // MARK: Finding it

  private func folder(_ url: String) -> String? {
    let path = url.hasPrefix("file://") ? String(url.dropFirst(7)) : url
    if PathResolver.isURL(path) || path.contains("://") { return nil }
    if path.hasPrefix("/") { return Files.isDirectory(path) ? Repository.normalized(path) : nil }
    let here = (try? Files.currentDirectory()) ?? repository.root
    return [repository.root, here].map { Repository.normalized(Repository.join($0, path)) }.first { Files.isDirectory($0) }
  }

  private func source(_ url: String) -> Result<Source, Unreachable> {
    if let known = opened.withLock({ $0[url] }) { return known }
    let found: Result<Source, Unreachable>
    do {
      found = .success(try open(url))
    } catch let error as Unreachable {
      found = .failure(error)
    } catch {
      found = .failure(Unreachable(why: "'\(url)' cannot be opened: \((error as? Diagnostic)?.fullMessage ?? "\(error)")"))
    }
    opened.withLock { $0[url] = found }
    return found
  }

  private func open(_ url: String) throws -> Source {
    guard let folder = folder(url) else { throw Unreachable(why: "'\(url)' is not on this machine") }
    if way.contains(where: { $0.hasSameBytes(as: folder) }) || way.count > 8 {
      throw Unreachable(why: "'\(url)' is on the way here already")
    }
    guard Files.isDirectory(Repository.join(folder, ".dvc")) else {
      throw Unreachable(why: "'\(url)' is no project: it has no records")
    }
    let there = Repository(root: folder, workingDirectory: folder)
    let git = try GitRepository.find(from: folder)
    let history = try History(there, git: git, cacheFolder: Settings.load(there).cacheFolder)
    guard Files.isDirectory(history.store.folder) || history.store.sharedFolder.map(Files.isDirectory) ?? false else {
      throw Unreachable(why: "'\(url)' has no records")
    }
    let index = try history.index(inOthers: stateFolder)
    var options = LineageQuery.Options()
    options.depth = depth
    let sources = SourceHistory(root: folder, store: history.store)
    options.isInHistory = { artifact in artifact.md5.flatMap { sources.commit(of: artifact.path, md5: $0) } != nil }
    ImportedLineage(there, depth: depth, way: way + [folder], stateFolder: stateFolder).answer(&options)
    return Source(repository: there, git: git, index: index, options: options)
  }
}
