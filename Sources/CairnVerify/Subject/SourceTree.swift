// What git has of a project and around it, and which bytes stand there: the index with the work tree, or a commit.
package import CairnCore
package import CairnSystem

/// The content of one file, as a checkout gives it.
package enum ContentReading: Hashable, Sendable {
  case digest(Digest16)
  /// Git has the file, and it is not there: somebody deleted it.
  case missing
  /// Git has a file, and on the disk a folder stands in its place.
  case folder
  /// In words that follow "its content is not known: ".
  case unknown(String)
}

/// A file and how it is to be hashed.
package struct ContentRequest: Hashable, Sendable {
  package var path: RepoPath
  package var algorithm: ContentHash.Algorithm

  package init(_ path: RepoPath, _ algorithm: ContentHash.Algorithm) {
    self.path = path
    self.algorithm = algorithm
  }
}

/// What git does not have of a folder.
package struct Strangers: Sendable {
  package var files: [RepoPath] = []
  /// All folders whose names were listed to know it.
  package var folders: [RepoPath] = []
}

/// Why git does not have a path.
package enum Absence: Sendable {
  /// It is there, and no pattern covers it.
  case notAdded
  case ignored
  /// It is nowhere.
  case nowhere
}

/// Paths are relative to the top of git's work tree.
package protocol SourceTree: Sendable {
  /// Of submodules that are at hand, their files stand in place of them.
  var listing: GitListing { get }
  /// Other repositories belong to it, whose indexes decide too.
  var isSpread: Bool { get }
  /// Whether `.gitmodules` names a submodule, so that others can fetch it.
  func isFetchable(submodule: RepoPath) -> Bool
  /// What a link of git's says; `nil` for what is none, or cannot be read.
  func linkText(_ path: RepoPath) -> String?
  /// One reading for each request, in their order. The paths MUST be files of `listing`, no links, or strangers.
  func content(of requests: [ContentRequest]) -> [ContentReading]
  /// Files in a folder that git does not have, and that a dependency on the folder would hold: those that `isHidden`
  /// hides are passed over. At most `limit` of them.
  func strangers(in folder: RepoPath, limit: Int, isHidden: (RepoPath, _ isDirectory: Bool) -> Bool) -> Strangers
  func absence(of path: RepoPath) -> Absence
  /// Says of which paths that will be asked: git is started once, and not for each.
  func prepareAbsence(of paths: [RepoPath])
  /// Bytes of a file, in git or not; `nil` where they cannot be known.
  func size(of path: RepoPath) -> UInt64?
  /// Something stands for the content in its place, which only another program would bring (Git LFS).
  func holdsPointer(_ path: RepoPath) -> Bool
  /// The whole file; `nil` when it is not there.
  ///
  /// - Throws: when its bytes cannot be known.
  func bytes(_ path: RepoPath) throws(Diagnostic) -> [UInt8]?
}

extension SourceTree {
  package func size(of path: RepoPath) -> UInt64? { ((try? bytes(path)) ?? nil).map { UInt64($0.count) } }
  package func prepareAbsence(of paths: [RepoPath]) {}

  /// Why the content of one of the files is not known, where a pointer stands in its place.
  package func pointer(in files: [RepoPath]) -> String? {
    files.first(where: holdsPointer).map {
      files.count == 1 ? "git keeps a pointer to it (lfs)" : "git keeps a pointer to \($0.name) (lfs)"
    }
  }

  /// Where a path leads when links are followed.
  package func target(of path: RepoPath) -> GitTarget { listing.follow(path, linkText: linkText) }
}
