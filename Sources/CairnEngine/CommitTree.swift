// What a commit has, submodules included, and the bytes that a checkout of it would give. Makes no checkout.
package import CairnCore
package import CairnSystem
import Synchronization

/// Paths are relative to the top of the work tree. Safe to use from several threads.
package final class CommitTree: Sendable {
  /// Of submodules that are at hand, their files stand in place of them.
  package let listing: GitListing
  /// The full name of the commit.
  package let commit: String
  private let git: GitRepository
  private let objects: GitObjects
  /// The objects of submodules, by where they stand.
  private let modules: [RepoPath: GitObjects]
  private let settings: Mutex<CheckoutSettings?>
  private let attributes: Mutex<[RepoPath: Result<GitAttributeFile?, Diagnostic>]>
  private let own: Mutex<(users: [GitAttributeFile], clones: [GitAttributeFile])?>
  /// Submodules that a clone can fetch, by where they stand.
  private let fetchable: Set<RepoPath>

  /// Larger files are not looked into.
  package static let limit = 512 << 20

  /// `nil` when there is no such commit.
  package init?(_ commit: String, _ git: GitRepository) throws(Diagnostic) {
    guard var listing = try GitListing.commit(commit, of: git) else { return nil }
    var modules: [RepoPath: GitObjects] = [:]
    var fetchable: Set<RepoPath> = []
    if !listing.submodules.isEmpty, let file = listing[RepoPath(unchecked: ".gitmodules")],
      let bytes = (try? GitObjects(git).object(file.object, limit: Files.plainLimit)) ?? nil
    {
      fetchable = GitRepository.submodules(in: bytes)
    }
    for (path, file) in listing.submodules {
      guard fetchable.contains(path), let module = Self.repository(ofSubmodule: path, in: git),
        let inner = (try? GitListing.commit(file.object, of: module)) ?? nil
      else { continue }
      listing = listing.placing(inner, at: path)
      modules[path] = GitObjects(module)
    }
    self.listing = listing
    self.commit = commit
    self.git = git
    self.modules = modules
    objects = GitObjects(git)
    settings = Mutex(nil)
    attributes = Mutex([:])
    own = Mutex(nil)
    self.fetchable = fetchable
  }

  package func isFetchable(submodule path: RepoPath) -> Bool { fetchable.contains(path) }

  /// The repository of a submodule that was fetched.
  package static func repository(ofSubmodule path: RepoPath, in git: GitRepository) -> GitRepository? {
    (try? GitRepository.at(git.workTree + "/" + path.text)) ?? nil
  }

  /// A place of this machine as the commit names it; `nil` outside of the work tree.
  package func path(ofAbsolute path: String) -> RepoPath? {
    let paths = PathResolver(root: git.workTree, workTree: nil)
    guard case .local(let inside) = paths.location(ofAbsolute: PathResolver.normalized(path)) else { return nil }
    return inside
  }

  // MARK: Raw

  private func objects(of path: RepoPath) -> GitObjects {
    if modules.isEmpty { return objects }
    return modules.first { path.isInside($0.key) }?.value ?? objects
  }

  /// A blob as git has it; `nil` when there is none.
  package func blob(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? {
    guard let file = listing[path], file.kind != .submodule else { return nil }
    do throws(Diagnostic) {
      if let bytes = try objects(of: path).object(file.object, limit: Files.plainLimit) { return bytes }
    } catch {
      // Where it would have to fetch a content, and may not, git gives up.
      guard git.isPartial else { throw error }
    }
    throw Diagnostic(.unknownContent, "'\(path)' cannot be read: git does not have its content in this clone")
      .hinting("a partial clone has some contents only: `git fetch --refetch --no-filter` brings the others")
  }

  package func linkText(_ path: RepoPath) -> String? {
    guard listing[path]?.kind == .link, let bytes = (try? blob(path)) ?? nil, bytes.count <= 4096 else { return nil }
    return FileName.escape(bytes)
  }

  /// Follows links.
  package func target(of path: RepoPath) -> GitTarget { listing.follow(path) { linkText($0) } }

  // MARK: As checked out

  /// The bytes that a checkout gives, links followed inside the commit; `nil` when it has no such file.
  ///
  /// - Throws: when a program of the user's makes them.
  package func read(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? {
    guard case .file(let file) = target(of: path), let entry = listing[file], let blob = try blob(file) else {
      return nil
    }
    switch convert(blob, entry, attributes(of: file)) {
    case .bytes(let bytes): return bytes
    case .unknown(let why): throw Diagnostic(.unknownContent, "'\(path)' cannot be read from git: \(why)")
    }
  }

  /// Reads many files (as `listing` has them: no links), each as a checkout gives it, several at once.
  ///
  /// - Parameter use: gets the place in `paths`; called from several threads.
  package func read(
    _ paths: [RepoPath], _ use: @Sendable (Int, CheckoutConversion.Result) -> Void
  ) throws(Diagnostic) {
    var groups: [(objects: GitObjects, places: [Int])] = []
    for (place, path) in paths.enumerated() {
      let source = objects(of: path)
      if let index = groups.firstIndex(where: { $0.objects === source }) {
        groups[index].places.append(place)
      } else {
        groups.append((source, [place]))
      }
    }
    // Asked before the contents are: both come through one conversation with git.
    _ = checkoutSettings
    let known = paths.map { attributes(of: $0) }
    for (objects, places) in groups {
      let entries = places.map { listing[paths[$0]] ?? GitFile(kind: .file, object: "") }
      try objects.read(entries.map(\.object), limit: Self.limit) { number, blob in
        let place = places[number]
        switch blob {
        case .bytes(let bytes): use(place, convert(bytes, entries[number], known[place]))
        case .missing: use(place, .unknown("git does not have its content here"))
        case .tooLarge(let size): use(place, .unknown("it is too large to be looked at (\(size) bytes)"))
        }
      }
    }
  }

  /// - Parameter attributes: `nil` where a file of them cannot be read.
  private func convert(_ blob: [UInt8], _ file: GitFile, _ attributes: GitAttributes?) -> CheckoutConversion.Result {
    guard let attributes else { return .unknown("git does not have its .gitattributes here") }
    let result = CheckoutConversion.convert(blob, object: file.object, attributes, checkoutSettings)
    guard case .unknown = result, let pointer = LargeFilePointer(blob) else { return result }
    // What the pointer stands for may be here all the same, under its own hash.
    return pointer.content(in: git.commonDirectory, limit: Self.limit).map { .bytes($0) } ?? result
  }

  private var checkoutSettings: CheckoutSettings {
    settings.withLock { known in
      let settings = known ?? CheckoutSettings(git)
      known = settings
      return settings
    }
  }

  /// The user's, those of the folders, then this clone's own; `nil` where one of the commit's cannot be read.
  private func attributes(of path: RepoPath) -> GitAttributes? {
    let (users, clones) = ownAttributes
    var files = users
    var folder = RepoPath.root
    for part in [""] + path.parent.components.map(String.init) {
      folder = folder.appending(part)
      switch attributeFile(in: folder) {
      case .success(let file): if let file { files.append(file) }
      case .failure: return nil
      }
    }
    return GitAttributes(of: path, by: files + clones)
  }

  private func attributeFile(in folder: RepoPath) -> Result<GitAttributeFile?, Diagnostic> {
    if let known = attributes.withLock({ $0[folder] }) { return known }
    let found: Result<GitAttributeFile?, Diagnostic>
    do throws(Diagnostic) {
      let bytes = try blob(folder.appending(".gitattributes"))
      found = .success(
        bytes.map {
          GitAttributeFile($0, in: folder, definesMacros: folder.isRoot, ignoresCase: checkoutSettings.ignoresCase)
        })
    } catch { found = .failure(error) }
    attributes.withLock { $0[folder] = found }
    return found
  }

  /// What is in no commit and counts all the same: of the machine and the user, and of this clone.
  private var ownAttributes: (users: [GitAttributeFile], clones: [GitAttributeFile]) {
    own.withLock { known in
      if let known { return known }
      let settings = checkoutSettings
      func read(_ path: String?) -> [GitAttributeFile] {
        guard let path, let bytes = (try? Files.read(plain: path)) ?? nil else { return [] }
        return [GitAttributeFile(bytes, in: .root, definesMacros: true, ignoresCase: settings.ignoresCase)]
      }
      let home = Environment.value("HOME")
      var users = (Environment.value("XDG_CONFIG_HOME") ?? home.map { $0 + "/.config" }).map { $0 + "/git/attributes" }
      if let named = settings.attributesFile {
        users = named.hasPrefix("~/") ? home.map { $0 + named.dropFirst() } : named.hasPrefix("/") ? named : git.workTree + "/" + named
      }
      let found = (read("/etc/gitattributes") + read(users), read(git.commonDirectory + "/info/attributes"))
      known = found
      return found
    }
  }
}

extension Diagnostic.Code {
  /// Bytes that only a program of the user's, or another machine, could tell.
  package static let unknownContent = Diagnostic.Code("unknown-content")
}
