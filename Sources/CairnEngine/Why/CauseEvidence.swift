// What can be told of a cause beyond "changed", whatever it is looked for in: the work tree, or two commits.
package import CairnCore
package import CairnSystem

/// Implementations MUST change nothing, and give `nil` for what they cannot tell.
package protocol CauseEvidence: Sendable {
  /// Where the cause stands, and which commit brought it there.
  func place(of reason: Reason, _ subject: Explanation.Subject) -> CausePlace?
  /// Lines that came and went since the version that the reason tells of.
  func lines(_ reason: Reason, _ subject: Explanation.Subject) -> LineCounts?
  /// Files of a folder that came, went or changed since.
  func files(_ reason: Reason, _ subject: Explanation.Subject) -> FileCounts?
}

package struct CausePlace: Sendable {
  package var file: String?
  package var line: Int?
  /// That of the value or file as it is there; `nil` when it is not committed, or cannot be told.
  package var commit: GitCommit?
  /// `nil` without git, and where it cannot be told.
  package var isDirty: Bool?
  /// The commit's; of what is not committed, the file's.
  package var date: Nanoseconds?
  /// Between two commits: the earlier one has it so, and only the lock did not follow.
  package var isOlder = false
  /// Between two commits: the one that made it otherwise, which the earlier one has and the later one lacks.
  package var lacking: GitCommit?
}

package struct FileCounts: Sendable, Hashable {
  package var added = 0
  package var removed = 0
  package var changed = 0
}
