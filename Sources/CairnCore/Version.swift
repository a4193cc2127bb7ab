// Which Cairn this is, and which DVC it behaves like.

package enum CairnVersion {
  package static let current = "0.1.0"
  /// The release of DVC whose files, words and exit codes are followed.
  package static let dvc = "3.67.1"
}
