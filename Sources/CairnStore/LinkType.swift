// The ways by which a file of the cache appears in the workspace: the values of DVC's `cache.type`.

package enum LinkType: String, Hashable, Sendable, CaseIterable {
  /// A copy that shares the blocks until one of both is written.
  case reflink
  case hardlink
  case symlink
  case copy

  /// What DVC takes when nothing is configured.
  package static let defaults: [LinkType] = [.reflink, .copy]
}
