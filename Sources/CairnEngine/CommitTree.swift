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
  /// The repositories whose files stand in it, the innermost first and the commit's own last.
  private let modules: [Module]
  private let attributes: Mutex<[RepoPath: Result<GitAttributeFile?, Diagnostic>]>
  /// Submodules that a clone can fetch, by where they stand.
  private let fetchable: Set<RepoPath>

  /// Larger files are not looked into.
  package static let limit = 512 << 20

  /// `nil` when there is no such commit.
  package init?(_ commit: String, _ git: GitRepository) throws(Diagnostic) {
    guard let listing = try GitListing.commit(commit, of: git) else { return nil }
    let spread = GitSubmodules(
      listing, of: git,
      names: { git, listing in
        listing[RepoPath(unchecked: ".gitmodules")].flatMap {
          (try? GitObjects(git).object($0.object, limit: Files.plainLimit)) ?? nil
        }
      },
      content: { module, commit in (try? GitListing.commit(commit, of: module)) ?? nil })
    self.listing = spread.listing
    self.commit = commit
    modules =
      spread.repositories.map { Module($0.value, at: $0.key) }.sorted { $0.folder.text.utf8.count > $1.folder.text.utf8.count }
      + [Module(git, at: .root)]
    attributes = Mutex([:])
    fetchable = spread.fetchable
  }

  package func isFetchable(submodule path: RepoPath) -> Bool { fetchable.contains(path) }

  /// A place of this machine as the commit names it; `nil` outside of the work tree.
  package func path(ofAbsolute path: String) -> RepoPath? {
    let paths = PathResolver(root: top.git.workTree, workTree: nil)
    guard case .local(let inside) = paths.location(ofAbsolute: PathResolver.normalized(path)) else { return nil }
    return inside
  }

  // MARK: Raw

  private var top: Module { modules[modules.count - 1] }

  private func module(of path: RepoPath) -> Module {
    modules.count == 1 ? top : modules.first { path.isInside($0.folder) } ?? top
  }

  /// A blob as git has it; `nil` when there is none.
  package func blob(_ path: RepoPath) throws(Diagnostic) -> [UInt8]? {
    guard let file = listing[path], file.kind != .submodule else { return nil }
    do throws(Diagnostic) {
      if let bytes = try module(of: path).objects.object(file.object, limit: Files.plainLimit) { return bytes }
    } catch {
      if error.code == .tooLarge { throw Diagnostic(.notPlain, "'\(path)' is too large to be read") }
      // Where it would have to fetch a content, and may not, git gives up.
      guard top.git.isPartial else { throw error }
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
    let module = module(of: file)
    switch convert(blob, entry, attributes(of: file, in: module), module) {
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
    var groups: [(module: Module, places: [Int])] = []
    for (place, path) in paths.enumerated() {
      let module = module(of: path)
      if let index = groups.firstIndex(where: { $0.module === module }) {
        groups[index].places.append(place)
      } else {
        groups.append((module, [place]))
      }
    }
    for (module, places) in groups {
      // Asked before the contents are: both come through one conversation with git.
      let known = places.map { attributes(of: paths[$0], in: module) }
      let entries = places.map { listing[paths[$0]] ?? GitFile(kind: .file, object: "") }
      try module.objects.read(entries.map(\.object), limit: Self.limit) { number, blob in
        let place = places[number]
        switch blob {
        case .bytes(let bytes): use(place, convert(bytes, entries[number], known[number], module))
        case .missing: use(place, .unknown("git does not have its content here"))
        case .tooLarge(let size): use(place, .unknown("it is too large to be looked at (\(size) bytes)"))
        }
      }
    }
  }

  /// - Parameter attributes: `nil` where a file of them cannot be read.
  private func convert(
    _ blob: [UInt8], _ file: GitFile, _ attributes: GitAttributes?, _ module: Module
  ) -> CheckoutConversion.Result {
    guard let attributes else { return .unknown("git does not have its .gitattributes here") }
    let result = CheckoutConversion.convert(blob, object: file.object, attributes, module.settings)
    guard case .unknown = result, let pointer = LargeFilePointer(blob) else { return result }
    // What the pointer stands for may be here all the same, under its own hash.
    return pointer.content(in: module.git.commonDirectory, limit: Self.limit).map { .bytes($0) } ?? result
  }

  /// The user's, those of the repository's folders, then this clone's own; `nil` where one of the commit's cannot be read.
  private func attributes(of path: RepoPath, in module: Module) -> GitAttributes? {
    let (users, clones) = module.ownAttributes
    var files = users
    var folder = module.folder
    let inner = path.parent.components.dropFirst(folder.isRoot ? 0 : folder.components.count)
    for part in [""] + inner.map(String.init) {
      folder = folder.appending(part)
      switch attributeFile(in: folder, module) {
      case .success(let file): if let file { files.append(file) }
      case .failure: return nil
      }
    }
    return GitAttributes(of: path, by: files + clones)
  }

  private func attributeFile(in folder: RepoPath, _ module: Module) -> Result<GitAttributeFile?, Diagnostic> {
    if let known = attributes.withLock({ $0[folder] }) { return known }
    let found: Result<GitAttributeFile?, Diagnostic>
    do throws(Diagnostic) {
      let bytes = try blob(folder.appending(".gitattributes"))
      found = .success(
        bytes.map {
          GitAttributeFile(
            $0, in: folder, definesMacros: folder == module.folder, ignoresCase: module.settings.ignoresCase)
        })
    } catch { found = .failure(error) }
    attributes.withLock { $0[folder] = found }
    return found
  }
}

/// One repository whose files stand in a commit, with what in no commit decides over a checkout of them.
private final class Module: Sendable {
  let git: GitRepository
  let folder: RepoPath
  let objects: GitObjects
  private let known = Mutex<CheckoutSettings?>(nil)
  private let own = Mutex<(users: [GitAttributeFile], clones: [GitAttributeFile])?>(nil)

  init(_ git: GitRepository, at folder: RepoPath) {
    self.git = git
    self.folder = folder
    objects = GitObjects(git)
  }

  var settings: CheckoutSettings {
    known.withLock { known in
      let settings = known ?? CheckoutSettings(git)
      known = settings
      return settings
    }
  }

  /// Of the machine and the user, and of this clone.
  var ownAttributes: (users: [GitAttributeFile], clones: [GitAttributeFile]) {
    own.withLock { known in
      if let known { return known }
      let settings = settings
      func read(_ path: String?) -> [GitAttributeFile] {
        guard let path, let bytes = (try? Files.read(plain: path)) ?? nil else { return [] }
        return [GitAttributeFile(bytes, in: folder, definesMacros: true, ignoresCase: settings.ignoresCase)]
      }
      let home = Environment.value("HOME")
      var users = (Environment.value("XDG_CONFIG_HOME") ?? home.map { $0 + "/.config" }).map { $0 + "/git/attributes" }
      if let named = settings.attributesFile {
        users =
          named.hasPrefix("~/")
          ? home.map { $0 + named.dropFirst() } : named.hasPrefix("/") ? named : git.workTree + "/" + named
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
