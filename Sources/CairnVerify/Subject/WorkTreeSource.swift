// The work tree as a source: git's index says what git has, the disk says which bytes stand there.
package import CairnCore
import CairnEngine
package import CairnStore
package import CairnSystem
import Synchronization

package final class WorkTreeSource: SourceTree {
  package let listing: GitListing
  package let isSpread: Bool
  private let fetchable: Set<RepoPath>
  private let git: GitRepository
  private let snapshotter: Snapshotter
  private let paths: PathResolver
  /// Paths that were asked about, and why git does not have them.
  private let absences = Mutex<[RepoPath: Absence]>([:])
  /// Folders that were asked about: whether they are links.
  private let links = Mutex<[RepoPath: Bool]>([:])

  /// - Throws: when nobody can say what the index has.
  package init(_ git: GitRepository, paths: PathResolver, snapshotter: Snapshotter) throws(Diagnostic) {
    self.git = git
    self.paths = paths
    self.snapshotter = snapshotter
    let listing = try GitListing.index(of: git)
    isSpread = !listing.submodules.isEmpty
    let spread = GitSubmodules(
      listing, of: git, names: { git, _ in (try? Files.read(plain: git.workTree + "/.gitmodules")) ?? nil },
      content: { module, _ in try? GitListing.index(of: module) })
    self.listing = spread.listing
    fetchable = spread.fetchable
  }

  package func isFetchable(submodule: RepoPath) -> Bool { fetchable.contains(submodule) }

  private func absolute(_ path: RepoPath) -> String { path.isRoot ? git.workTree : git.workTree + "/" + path.text }

  package func linkText(_ path: RepoPath) -> String? {
    guard listing[path]?.kind == .link else { return nil }
    if let text = (try? Files.readLink(absolute(path))) ?? nil { return text }
    // A checkout without links puts a file with the text there.
    guard let bytes = (try? Files.read(plain: absolute(path), limit: 4096)) ?? nil else { return nil }
    return FileName.escape(bytes)
  }

  package func content(of requests: [ContentRequest]) -> [ContentReading] {
    let readings = Parallel.map(requests.count, chunk: 64) { number in content(of: requests[number]) }
    let leftOut = requests.indices.filter { readings[$0] == .missing && listing[requests[$0].path]?.isLeftOut == true }
    if leftOut.isEmpty { return readings }
    return withLeftOut(leftOut, requests, readings)
  }

  private func content(of request: ContentRequest) -> ContentReading {
    // Where git has a file, what a link in its place leads to is another one.
    if isBehindLink(request.path) { return .missing }
    let seen: Content
    switch paths.location(inWorkTree: request.path.text) {
    case .local(let path): seen = snapshotter.observe(path, algorithm: request.algorithm)
    case .external(let path): seen = snapshotter.observe(external: path.absolute, algorithm: request.algorithm)
    case .url: return .unknown("it is no path")
    }
    switch seen {
    case .file(let file): return .digest(file.hash.digest)
    case .missing: return .missing
    case .directory: return .folder
    case .dataset: return .unknown("it is no file")
    case .unknown(let error): return .unknown(error.fullMessage)
    }
  }

  /// The file is a link on the disk, or lies behind one, and git has it as a file in folders.
  private func isBehindLink(_ path: RepoPath) -> Bool {
    func isLink(_ path: RepoPath) -> Bool {
      ((try? FileStat.of(absolute(path), followLinks: false)) ?? nil)?.kind == .symlink
    }
    var folder = path.parent
    while !folder.isRoot {
      let known = links.withLock { $0[folder] }
      let found = known ?? isLink(folder)
      if known == nil { links.withLock { $0[folder] = found } }
      if found { return true }
      folder = folder.parent
    }
    return listing[path] != nil && isLink(path)
  }

  package func holdsPointer(_ path: RepoPath) -> Bool {
    guard let stat = (try? FileStat.of(absolute(path))) ?? nil, stat.isFile, stat.size < 1024,
      let bytes = (try? Files.read(plain: absolute(path))) ?? nil
    else { return false }
    return CheckoutConversion.isPointer(bytes)
  }

  /// What a sparse checkout leaves out is read from git.
  private func withLeftOut(
    _ places: [Int], _ requests: [ContentRequest], _ readings: [ContentReading]
  ) -> [ContentReading] {
    var readings = readings
    let objects = GitObjects(git)
    for place in places {
      guard let file = listing[requests[place].path], let bytes = (try? objects.object(file.object)) ?? nil else {
        readings[place] = .unknown("a sparse checkout leaves it out, and git does not have it here")
        continue
      }
      let digests = ContentHasher.digests(of: bytes, DigestKinds(requests[place].algorithm, sha256: false))
      if let digest = digests[requests[place].algorithm] { readings[place] = .digest(digest) }
    }
    return readings
  }

  package func strangers(
    in folder: RepoPath, limit: Int, isHidden: (RepoPath, Bool) -> Bool
  ) -> Strangers {
    var found = Strangers()
    var folders = [folder]
    while let next = folders.popLast(), found.files.count < limit {
      found.folders.append(next)
      for entry in ((try? Files.list(absolute(next))) ?? nil) ?? [] {
        let path = next.appending(entry.name)
        if entry.name == ".git" { continue }
        if entry.kind == .directory {
          // A repository of its own is told as one.
          if listing[path]?.kind != .submodule, !isHidden(path, true) { folders.append(path) }
        } else if listing[path] == nil, !isHidden(path, false) {
          // A link to a folder is no part of what a dependency holds.
          if entry.kind == .symlink, Files.isDirectory(absolute(path)) { continue }
          found.files.append(path)
        }
      }
    }
    found.files.sort()
    return found
  }

  package func size(of path: RepoPath) -> UInt64? {
    guard let stat = (try? FileStat.of(absolute(path))) ?? nil, stat.isFile else { return nil }
    return stat.size
  }

  package func absence(of path: RepoPath) -> Absence {
    if let known = absences.withLock({ $0[path] }) { return known }
    prepareAbsence(of: [path])
    return absences.withLock { $0[path] } ?? .nowhere
  }

  package func prepareAbsence(of wanted: [RepoPath]) {
    let there = wanted.filter { Files.exists(absolute($0), followLinks: false) }
    let ignored = (try? git.ignoredOrCovered(there.map(absolute), root: paths.root)) ?? []
    absences.withLock { absences in
      for path in wanted { absences[path] = .nowhere }
      for path in there { absences[path] = ignored.contains(absolute(path)) ? .ignored : .notAdded }
    }
  }

  package func bytes(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? {
    guard case .file(let file) = target(of: path) else { return nil }
    return try Files.read(plain: absolute(file))
  }
}
