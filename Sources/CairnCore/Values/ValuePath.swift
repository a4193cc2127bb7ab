// A way into a tree of values. Knows nothing of how the tree is written.

/// One step down: into a map by its key, or into a list by its position (0-based).
package enum PathStep: Hashable, Sendable {
  case key(String)
  case index(Int)
}
