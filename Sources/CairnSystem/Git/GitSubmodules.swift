// A listing with the files of submodules in place of them, those of their own submodules too. Fetches none.
package import CairnCore

package struct GitSubmodules: Sendable {
  /// Of submodules that are at hand, their files stand in place of them.
  package private(set) var listing: GitListing
  /// Those that are at hand, by where they stand.
  package private(set) var repositories: [RepoPath: GitRepository] = [:]
  /// Those that a clone can fetch, by where they stand.
  package private(set) var fetchable: Set<RepoPath> = []

  /// Deeper ones are left where they are.
  private static let deepest = 16

  /// - Parameters:
  ///   - names: the `.gitmodules` of a repository of that listing.
  ///   - content: what a submodule has, of which that commit is wanted.
  package init(
    _ listing: GitListing, of git: GitRepository, names: (GitRepository, GitListing) -> [UInt8]?,
    content: (GitRepository, String) -> GitListing?
  ) {
    self.listing = listing
    expand(listing, git, at: .root, depth: 0, names, content)
  }

  private mutating func expand(
    _ part: GitListing, _ git: GitRepository, at folder: RepoPath, depth: Int,
    _ names: (GitRepository, GitListing) -> [UInt8]?, _ content: (GitRepository, String) -> GitListing?
  ) {
    guard depth < Self.deepest, !part.submodules.isEmpty, let bytes = names(git, part) else { return }
    let named = GitRepository.submodules(in: bytes)
    fetchable.formUnion(named.map { folder.appending($0.text) })
    for (path, file) in part.submodules where named.contains(path) {
      guard let module = (try? GitRepository.at(git.workTree + "/" + path.text)) ?? nil,
        let inner = content(module, file.object)
      else { continue }
      let place = folder.appending(path.text)
      listing = listing.placing(inner, at: place)
      repositories[place] = module
      expand(inner, module, at: place, depth: depth + 1, names, content)
    }
  }
}
