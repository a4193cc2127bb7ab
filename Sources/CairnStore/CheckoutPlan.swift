// What must change in the workspace so that a path holds a recorded content: a value, made by looking only.
// Knows nothing of links.
package import CairnCore

/// What should be at a path.
package struct CheckoutTarget: Sendable {
  package var path: RepoPath
  /// `nil` when nothing is recorded: what is there is then taken away.
  package var hash: ContentHash?
  /// Of a file: its owner may execute it (`isexec` of the lock). Files of a folder have no such record.
  package var isExecutable: Bool
  /// Size as recorded; `nil` where unknown.
  package var size: UInt64?
  /// Only this file or folder of a directory, relative to it; the rest is left alone.
  package var part: String?

  package init(
    path: RepoPath, hash: ContentHash?, isExecutable: Bool = false, size: UInt64? = nil, part: String? = nil
  ) {
    self.path = path
    self.hash = hash
    self.isExecutable = isExecutable
    self.size = size
    self.part = part
  }
}

/// How an output differs as a whole, as DVC lists it.
package enum CheckoutChange: Sendable, Hashable { case added, modified, deleted }

/// Files counted as DVC counts them.
package struct CheckoutCounts: Sendable, Hashable {
  package var added = 0
  package var modified = 0
  package var deleted = 0

  package init(added: Int = 0, modified: Int = 0, deleted: Int = 0) {
    self.added = added
    self.modified = modified
    self.deleted = deleted
  }

  package static func += (sum: inout CheckoutCounts, more: CheckoutCounts) {
    sum.added += more.added
    sum.modified += more.modified
    sum.deleted += more.deleted
  }
}

package struct CheckoutPlan: Sendable {
  struct File: Sendable {
    /// Relative to the target's path; empty for the path itself.
    var path: String
    var hash: ContentHash
    var size: UInt64?
    var isExecutable: Bool
  }

  package var target: CheckoutTarget
  /// `target.path`, or the part of it that is meant.
  package var path: RepoPath
  /// `nil`: all is as it should be.
  package var change: CheckoutChange?
  package var counts = CheckoutCounts()
  /// Files that would be lost: no cache holds their bytes. Absolute, in the order of their bytes.
  package var unsaved: [String] = []
  /// The cache lacks the manifest, or nothing is recorded: nothing can be made here.
  package var isImpossible = false
  /// What is wrong with the manifest that the cache has.
  package var damage: Diagnostic?

  /// The path itself must hold a folder.
  var isFolder = false
  /// Relative paths.
  var deletions: [String] = []
  /// Folders that hold nothing wanted, deepest first.
  var emptied: [String] = []
  var creations: [File] = []
  /// Files with the right bytes that should be executable.
  var executables: [String] = []
  /// What is there already and stays, for `--relink`.
  var kept: [File] = []

  init(target: CheckoutTarget, path: RepoPath) {
    self.target = target
    self.path = path
  }
}
